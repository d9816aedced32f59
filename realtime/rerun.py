"""A log fed back: the decisions of a recording, or of a session that was journaled.

`judge_log` follows a journal: the clock readings, batch sizes and chunk boundaries that stand in it
are used again, so its decisions are those of the live session, byte for byte (on the CPU, with the
same versions and threads).  `judge_recording` has no session to follow: it judges a file as a
session would have that was never late.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from models.bundle import Bundle
from models.errors import JournalError
from realtime.core import Core, Plan
from realtime.decision import Decision
from realtime.inference import Inference
from realtime.judging import judge
from realtime.log import Entry, Produced, SessionStarted
from realtime.sources.recording import Recording, entries
from realtime.windows import Window

BLOCK = 64
"""Windows of a file that are computed together."""


def judge_recording(
    recording: Recording, bundle: Bundle, inference: Inference, *, session: str, chunk_samples: int = 256
) -> Iterator[Decision]:
    """Judge a recording by the live path.

    Parameters
    ----------
    recording : Recording
        As read.
    bundle : Bundle
        The classifier.
    inference : Inference
        Where it is computed.
    session : str
        Name for the decisions' identity.
    chunk_samples : int
        Samples handed over at once; changes nothing but speed.

    Yields
    ------
    Decision
        In order of the grid.  A decision counts as made at its window's end, so its age is 0.
    """
    core = Core(Plan.from_card(bundle.card))
    core.feed(SessionStarted(0.0, session, 1, bundle.card.hash))
    waiting: list[Window] = []
    for entry in entries(recording, chunk_samples=chunk_samples):
        waiting += core.feed(entry)
        if len(waiting) >= BLOCK:
            yield from _decide(waiting, core, inference)
            waiting = []
    yield from _decide(waiting, core, inference)


def _decide(windows: Sequence[Window], core: Core, inference: Inference) -> Iterator[Decision]:
    for window, (logits, batch) in zip(windows, judge(windows, inference), strict=True):
        yield core.decide(window, logits, Produced(window.end, window.sequence, batch))


def judge_log(log: Iterable[Entry], bundle: Bundle, inference: Inference) -> Iterator[Decision]:
    """Judge a session again from its log.

    Parameters
    ----------
    log : iterable of Entry
        As journaled, one run or several.
    bundle : Bundle
        The classifier; must be the one of the session.
    inference : Inference
        Where it is computed.

    Yields
    ------
    Decision
        Those that were made live, in their order.

    Raises
    ------
    JournalError
        The log does not follow from this bundle: another model, or a decision for a window that the
        log does not give.
    """
    core: Core | None = None
    waiting: deque[Window] = deque()
    for entry in log:
        if isinstance(entry, SessionStarted):
            if entry.model_hash != bundle.card.hash:
                raise JournalError(
                    f"The session was judged by model {entry.model_hash[:12]}, this bundle is "
                    f"{bundle.card.hash[:12]}; give the bundle of the session."
                )
            core = Core(Plan.from_card(bundle.card))
            waiting.clear()
        if core is None:
            raise JournalError("The log does not begin with the start of a session; is the journal whole?")
        if not isinstance(entry, Produced):
            waiting += core.feed(entry)
            continue
        window = waiting.popleft() if waiting else None
        if window is None or window.sequence != entry.sequence:
            given = "none" if window is None else str(window.sequence)
            raise JournalError(
                f"The log has a decision for window {entry.sequence}, but what stands before it gives "
                f"{given}; it was written by another version, or is not whole."
            )
        logits = None
        if entry.batch and window.data is not None:
            rows, _ = inference.logits(window.data[np.newaxis], size=entry.batch)
            logits = rows[0]
        yield core.decide(window, logits, entry)
