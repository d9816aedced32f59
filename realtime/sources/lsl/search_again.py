"""A stream that was lost: what it is known by, and which stream is the same one again.

No one may be there to be asked: it is looked for until it comes back, and what is not certainly it is not
taken, since at the next bed stands the same device.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import pylsl

from models.outside import printable
from realtime.sources.lsl.resolve import resolve
from realtime.sources.lsl.search import LOOK_S, MANY, StreamChoice, describe_streams, without_companions
from realtime.sources.stream_choice import By, alike, literal, parse

GLANCE_S = 0.25
"""How long to look for one that was lost, s.

A look begins with a question to all; one that goes on asks again only after more than a second, so a stream
that comes back is heard of 0.1 s later by short looks one after another, 1.2 s later by one that goes on
(measured)."""
PATIENT_EVERY = 8
"""One look in so many is a long one, for networks that answer late."""


class StreamIdentity(NamedTuple):
    """What a stream that was lost is known by."""

    name: str
    source_id: str
    host: str

    @classmethod
    def of(cls, info: pylsl.StreamInfo) -> "StreamIdentity":
        """What a stream is known by."""
        return cls(info.name(), info.source_id(), info.hostname())

    @property
    def predicate(self) -> str:
        """What another outlet of the same device matches, where this one was chosen by its uid or number."""
        if self.source_id:
            return alike("source_id", self.source_id)
        return f"{alike('name', self.name)} and {alike('hostname', self.host)}"


def look_again(choice: StreamChoice, chosen: pylsl.StreamInfo) -> tuple[str, str]:
    """What is looked for once the chosen stream is gone; asked while it is there.

    A uid and a number end with their outlet: then it is the device that is looked for, unless another one
    there is known by the same id.  That one may restart as well, and the two could not be distinguished.

    Parameters
    ----------
    choice : StreamChoice
        What was asked for.
    chosen : pylsl.StreamInfo
        What was found.

    Returns
    -------
    predicate : str
        What the stream matches when it is there again.
    why : str
        Why no other outlet than this one can be taken; empty where one can.
    """
    wanted = None if choice.number is not None else parse(choice.predicate)
    if wanted is not None and wanted.by is not By.UID:
        typed = {By.NAME: chosen.name(), By.SOURCE_ID: chosen.source_id()}.get(wanted.by)
        return choice.predicate if typed is None else alike(wanted.by, typed), ""
    device = StreamIdentity.of(chosen).predicate
    others = [info for info in resolve(device, minimum=MANY, timeout=LOOK_S) if info.uid() != chosen.uid()]
    if not others:
        return device, ""
    return (
        f"uid={literal(chosen.uid())}",
        f"{len(others)} more streams had its name or source_id when it was chosen, so that another "
        "outlet could be one of theirs; only this one is waited for",
    )


def choose_again(
    found: Sequence[pylsl.StreamInfo], before: StreamIdentity, refused: Collection[str]
) -> tuple[pylsl.StreamInfo | None, str]:
    """Which of the streams that match is the one that was lost.

    The one with its source_id; where none has it (many devices make up another at each start), the only
    one there is, if name and host are the same.

    Parameters
    ----------
    found : sequence of pylsl.StreamInfo
        All that match now.
    before : StreamIdentity
        The one that was lost.
    refused : collection of str
        uids of streams that were looked at and cannot be used.

    Returns
    -------
    info : pylsl.StreamInfo or None
        None where it is not there, or cannot be distinguished.
    why : str
        Why not, where something is there; else empty.
    """
    left = [info for info in without_companions(found) if info.uid() not in refused]
    same = [info for info in left if before.source_id and info.source_id() == before.source_id]
    if len(same) == 1:
        return same[0], ""
    if same:
        return None, f"{len(same)} streams came back with the same source_id: {describe_streams(same)}"
    if len(left) == 1 and StreamIdentity.of(left[0])._replace(source_id=before.source_id) == before:
        return left[0], ""
    if left:
        return None, (
            f"{printable(before.name)!r} (source_id {printable(before.source_id)!r}, on "
            f"{printable(before.host)}) is not there; what is there is not certainly the same device: "
            f"{describe_streams(left)}"
        )
    return None, ""


class Search:
    """Looks for a stream that was lost, for as long as it takes.

    Parameters
    ----------
    predicate : str
        What it must match.
    before : StreamIdentity
        The one that was lost.
    """

    def __init__(self, predicate: str, before: StreamIdentity) -> None:
        self._predicate = predicate
        self._before = before
        self._looks = 0

    def look(self, refused: Collection[str]) -> tuple[pylsl.StreamInfo | None, str]:
        """One look (`choose_again`), some time long."""
        self._looks += 1
        long = self._looks % PATIENT_EVERY == 0
        found = resolve(self._predicate, minimum=1, timeout=LOOK_S if long else GLANCE_S)
        if choose_again(found, self._before, refused)[0] is not None:
            # The first answer came; give all others the time to answer too.
            found = resolve(self._predicate, minimum=MANY, timeout=GLANCE_S) or found
        return choose_again(found, self._before, refused)
