"""Which LSL stream is meant at the start: a person is there to be asked, so none, or several, is an error."""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pylsl

from models.errors import StreamError
from models.outside import printable
from realtime.channels.side_file import SideFile
from realtime.sources.lsl.resolve import resolve, resolve_all
from realtime.sources.lsl.stream_info import is_companion
from realtime.sources.stream_choice import TYPES, literal, matches, parse, wider

HAEMODYNAMIC = "(" + " or ".join(f"type='{one}'" for one in TYPES) + ")"
"""Streams that `live` takes when none is named.

In brackets: liblsl puts its session id and an "and" before a predicate, and an "or" would lead around it."""
LOOK_S = 1.0
"""How long to look for streams at once, s: liblsl hears of none in the first half second (measured)."""
MANY = 1000
"""More streams than there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamChoice:
    """Which stream to take.

    Parameters
    ----------
    predicate : str
        XPath predicate over the stream's description, as LSL's resolver takes it; where a number is given,
        what a person wrote for it.
    layout : StreamLayout, Geometry or None
        What a side file says of the rows, for a stream that does not (wholly) describe itself.
    trained_layout : StreamLayout, Geometry or None
        What the side file of the bundle's training says, for such a stream where nothing else is given.
    allow_replay : bool
        Whether a replayed or simulated stream may be taken.
    wait_s : float
        Longest wait for the stream to appear, s.
    events : str or None
        Predicate of a marker stream to listen to as well.  None listens to the one that belongs
        to a hemostream replay, if there is one.
    number : int or None
        Take this one of all streams, in the order of `numbered`, from 1; a stream whose name is this number
        goes before, unless it was written as ``#2``.  The predicate is not asked then.
    """

    predicate: str = HAEMODYNAMIC
    layout: SideFile | None = None
    trained_layout: SideFile | None = None
    allow_replay: bool = False
    wait_s: float = 30.0
    events: str | None = None
    number: int | None = None

    @property
    def shown(self) -> str:
        """What is looked for, for messages."""
        return self.predicate if self.number is None else f"#{self.number}"


@dataclass(frozen=True, slots=True)
class _Numbered:
    """A stream in the list that numbers count (`stream_choice.Stream`)."""

    name: str
    source_id: str
    uid: str
    info: pylsl.StreamInfo


def numbered(infos: Sequence[pylsl.StreamInfo]) -> list[pylsl.StreamInfo]:
    """All streams in the order in which they are numbered, which no answer's delay changes."""
    return sorted(
        infos,
        key=lambda info: (info.name(), info.source_id(), info.hostname(), info.created_at(), info.uid()),
    )


def of_number(number: int, written: str = "") -> list[pylsl.StreamInfo]:
    """The stream of a number, or those that are called by it; none where there are not so many.

    Parameters
    ----------
    number : int
        From 1.
    written : str
        What a person wrote for it: with a ``#`` no name is meant.
    """
    sign = "#" if written.startswith("#") else ""
    return _matching(f"{sign}{number}", resolve_all(LOOK_S))


def named(predicate: str, *, minimum: int, timeout: float) -> list[pylsl.StreamInfo]:
    """Streams that match; names and source_ids also where XPath cannot compare them, as for XDF files.

    Blanks around them, other encodings than UTF-8: what is shown as a stream's name can be typed.

    Parameters
    ----------
    predicate : str
        As LSL's resolver takes it.
    minimum : int
        Return as soon as so many are found.
    timeout : float
        Longest wait, s; twice that where none matches.
    """
    found = resolve(predicate, minimum=minimum, timeout=timeout)
    if found or not predicate.isprintable() or (ask := wider(parse(predicate))) is None:
        return found
    return _matching(predicate, resolve(ask, minimum=MANY, timeout=timeout))


def _matching(wanted: str, found: Sequence[pylsl.StreamInfo]) -> list[pylsl.StreamInfo]:
    there = [_Numbered(info.name(), info.source_id(), info.uid(), info) for info in numbered(found)]
    return [one.info for one in matches(wanted, there)]


def find_stream(choice: StreamChoice, stop: threading.Event | None = None) -> pylsl.StreamInfo:
    """Find the one stream that is meant.

    Raises
    ------
    StreamError
        No stream matches (it lists what was found) or more than one does (it lists them).
    """
    deadline = time.monotonic() + choice.wait_s
    found: list[pylsl.StreamInfo] = []
    while not found and not (stop and stop.is_set()):
        left = deadline - time.monotonic()
        if left <= 0:
            break
        if choice.number is not None:
            found = of_number(choice.number, choice.predicate)
        else:
            found = named(choice.predicate, minimum=1, timeout=min(left, LOOK_S))
    if found and choice.number is None:
        # The first answer came; give all others the time to answer too.
        found = named(choice.predicate, minimum=MANY, timeout=LOOK_S) or found
        found = without_companions(found)
    if len(found) == 1:
        return found[0]
    seen = numbered(resolve_all(LOOK_S))
    numbers = {info.uid(): number for number, info in enumerate(seen, start=1)}
    if found:
        raise StreamError(several(numbered(found), choice.shown, "--stream", numbers))
    raise StreamError(
        f"No stream matches {choice.shown} after {choice.wait_s:g} s. "
        + (f"Seen: {describe_streams(seen, numbers)}. " if seen else "No LSL stream at all was seen. ")
        + "Start the stream, or name it with --stream; a firewall that blocks multicast hides streams too."
    )


def several(
    found: Sequence[pylsl.StreamInfo],
    predicate: str,
    option: str,
    numbers: Mapping[str, int] | None = None,
) -> str:
    """The message where more than one stream matches; it lists them, and says how to distinguish them."""
    listed = f"{len(found)} streams match {predicate}: {describe_streams(found, numbers)}. "
    by_number = (numbers or {}).get(found[0].uid())
    also = "" if by_number is None else f', or by its number, {option} "#{by_number}"'
    if len({(info.name(), info.source_id()) for info in found}) < len(found):
        return listed + (
            "Some share name and source_id: stop the ones that are not meant, or name one by its "
            f'uid, {option} "uid={literal(found[0].uid())}"{also}.'
        )
    return listed + (
        f'Name one with {option}, for instance {option} "source_id={literal(found[0].source_id())}"{also}.'
    )


def describe_streams(infos: Sequence[pylsl.StreamInfo], numbers: Mapping[str, int] | None = None) -> str:
    """Streams in one line: number, name, type, channels, rate, source id, host; uid and age where alike."""
    alike = [(info.name(), info.source_id()) for info in infos]
    return "; ".join(
        (f"#{number} " if (number := (numbers or {}).get(info.uid())) else "")
        + f"{printable(info.name())!r} (type {printable(info.type())}, {info.channel_count()} channels, "
        f"{info.nominal_srate():g} Hz, source_id {printable(info.source_id())!r}, on "
        f"{printable(info.hostname())}"
        + (
            f", uid {info.uid()}, created at {info.created_at():.3f} s of its clock)"
            if alike.count((info.name(), info.source_id())) > 1
            else ")"
        )
        for info in infos
    )


def without_companions(found: Sequence[pylsl.StreamInfo]) -> list[pylsl.StreamInfo]:
    """Some devices send statistics or motion next to the signal, under the same type."""
    return [info for info in found if not is_companion(info)] or list(found)
