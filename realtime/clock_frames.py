"""A device's own count of its frames: which samples were lost, came twice, or came late."""

import math
from enum import StrEnum
from typing import NamedTuple

MOST_LOST = 100_000
"""A counter that jumps further was set anew."""
BEHIND = 256
"""A counter that falls back no further than this counts a sample that came late; further, it began anew."""
SMALLEST_WRAP = 256
"""Counters may turn over at this power of two, or at a larger one."""


class Counted(StrEnum):
    """What a count says of a sample."""

    NEXT = "next"
    AGAIN = "again"
    LATE = "late"
    ANEW = "anew"


class Frame(NamedTuple):
    """A count, understood.

    Parameters
    ----------
    what : Counted
        What it says.
    lost : int or None
        Samples lost before this one; None where the count cannot tell.
    """

    what: Counted
    lost: int | None


def understand(frame: float, before: float | None) -> Frame:
    """What a device's count says of a sample.

    Parameters
    ----------
    frame : float
        The sample's count; anything that is not finite says nothing.
    before : float or None
        The highest count so far, None where there is none.
    """
    if before is None or not math.isfinite(frame):
        return Frame(Counted.ANEW, None)
    step = frame - before
    if step == 0.0:
        return Frame(Counted.AGAIN, None)
    if step < 0.0:
        turn = 2.0 ** math.ceil(math.log2(max(before + 1.0, SMALLEST_WRAP)))
        if before >= 0.9 * turn and frame < 0.1 * turn:
            step += turn
        elif -step <= BEHIND and frame > 0.5 * before:
            return Frame(Counted.LATE, None)
        else:
            return Frame(Counted.ANEW, None)
    if step != round(step) or step > MOST_LOST:
        return Frame(Counted.ANEW, None)
    return Frame(Counted.NEXT, int(step) - 1)
