"""Blocks (trials): the stretches of a recording in which one label holds, each begun by an event.

A block is what a laboratory counts: one cue, one response.  Its windows share samples, a response and a
cue, so they say nearly the same; the block is what is independent of the next one.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from realtime.quality.policy import Reason
from realtime.windows import Window

SLACK = 1e-6
"""Onsets and windows are sums of floats: so far, s, ends may lie apart and still be one."""
OUTSIDE, SHORT, TOUCHES, BETWEEN = (
    "outside the recording",
    "shorter than a window",
    "overlap with another label",
    "between two windows",
)
"""Why a block has no window at all, besides reasons of windows."""


@dataclass(frozen=True, slots=True)
class LabelBlock:
    """One block of a recording.

    Parameters
    ----------
    label, event : str
        Which label holds; the name of the event that began it (empty where a whole recording is one block).
    start, stop : float
        From when to when it holds, s on the recording's clock.
    """

    label: str
    event: str
    start: float
    stop: float


@dataclass(frozen=True, eq=False)
class LabelledWindows:
    """The labelled windows of one recording.

    Parameters
    ----------
    windows : sequence of Window
        Usable ones that have a label.
    targets, numbers : sequence of int
        Label of each window, and number of its block; no numbers where the label is the person's.
    blocks : sequence of LabelBlock
        All of the recording.
    lost : mapping of int to str
        Blocks without a labelled window, by number, and why.
    """

    windows: Sequence[Window]
    targets: Sequence[int]
    numbers: Sequence[int] = ()
    blocks: Sequence[LabelBlock] = ()
    lost: Mapping[int, str] = field(default_factory=dict)


def in_order(blocks: Iterable[LabelBlock]) -> list[LabelBlock]:
    """The blocks of a recording in order of time; those of one label that overlap are one.

    A block's place in this list is its number: it follows from events and recipe alone, whatever
    windows turn out to be usable.
    """
    out: list[LabelBlock] = []
    newest: dict[str, int] = {}
    for block in sorted(blocks, key=lambda each: (each.start, each.label, each.stop)):
        last = newest.get(block.label)
        if last is not None and block.start < out[last].stop - SLACK:
            out[last] = replace(out[last], stop=max(out[last].stop, block.stop))
        else:
            newest[block.label] = len(out)
            out.append(block)
    return out


def holding(blocks: Sequence[LabelBlock], start: float, end: float) -> int | None:
    """The number of the block that holds a window wholly, where the window touches no other."""
    touched = [k for k, each in enumerate(blocks) if each.start < end - SLACK and start < each.stop - SLACK]
    if len(touched) != 1:
        return None
    block = blocks[touched[0]]
    whole = block.start <= start + SLACK and end <= block.stop + SLACK
    return touched[0] if whole else None


def overlapping(blocks: Sequence[LabelBlock]) -> int:
    """How many blocks overlap one of another label: those of one label have been joined."""
    found = set()
    for k, one in enumerate(blocks):
        for other in range(k + 1, len(blocks)):
            if blocks[other].start >= one.stop - SLACK:
                break
            found |= {k, other}
    return len(found)


def why_lost(block: LabelBlock, windows: Sequence[Window], first: float, last: float) -> str:
    """Why no window of a block could be used: what most of the windows inside it suffered from.

    Parameters
    ----------
    block : LabelBlock
        One that has no labelled window.
    windows : sequence of Window
        All of the recording, usable or not.
    first, last : float
        Between which the recording has samples, s.
    """
    length = min((window.end - window.start for window in windows), default=float("inf"))
    if block.stop - block.start < length - SLACK:
        return SHORT
    inside = [
        each for each in windows if min(each.end, block.stop) - max(each.start, block.start) >= length - SLACK
    ]
    if not inside:
        return OUTSIDE if block.start < first or block.stop > last else BETWEEN
    if any(each.usable for each in inside):
        return TOUCHES
    counts: Counter[Reason] = Counter()
    for each in inside:
        for reason in each.reasons:
            counts[reason] += each.count
    # Where nothing was measured both are said, and the gap says more.
    return str(max(counts, key=lambda reason: (counts[reason], reason == Reason.GAP)))
