"""What liblsl's resolver finds, without what is no stream.

An answer that liblsl cannot read (a rate of NaN is enough) comes out of it as a stream called
``(invalid: ...)`` without uid and channels.  Any program can send it: connecting to it is an error, and
counting it would make one stream two.
"""

import time

import pylsl

PAUSE_S = 0.25
"""Wait where only what is no stream answered, s: the resolver returned at once, and would again."""


def bracketed(predicate: str) -> str:
    """A predicate that stays whole behind what liblsl puts before it (session id and "and")."""
    return f"({predicate})"


def resolve(predicate: str, *, minimum: int = 1, timeout: float) -> list[pylsl.StreamInfo]:
    """Streams that match now.

    Parameters
    ----------
    predicate : str
        As LSL's resolver takes it.
    minimum : int
        Return as soon as so many are found.
    timeout : float
        Longest wait, s.
    """
    answers = pylsl.resolve_bypred(bracketed(predicate), minimum=minimum, timeout=timeout)
    found = _real(answers)
    if answers and not found:
        time.sleep(min(PAUSE_S, timeout))
    return found


def resolve_all(wait_s: float) -> list[pylsl.StreamInfo]:
    """All streams that are there now, after a wait (s)."""
    return _real(pylsl.resolve_streams(wait_time=wait_s))


def _real(found: list[pylsl.StreamInfo]) -> list[pylsl.StreamInfo]:
    return [info for info in found if info.uid() and info.channel_count() > 0]
