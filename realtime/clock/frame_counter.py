"""A device's own count of its frames: which samples were lost, came twice, or came late."""

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np

from models.arrays import Floats

MOST_LOST = 100_000
"""A counter that jumps further was set anew."""
BEHIND = 256
"""A counter that falls back no further than this counts a sample that came late; further, it began anew."""
SMALLEST_WRAP = 256
"""Counters may turn over at this power of two, or at a larger one."""
LARGEST = 2.0**53
"""From here on float64 does not resolve whole numbers."""
EXACT: Mapping[str, float] = {"float16": 2.0**11, "float32": 2.0**24}
"""The same of the narrower types in which counts may come."""
CONTRADICTIONS = 8
"""A counter that repeated itself under so many new stamps more than it went on by one is not believed."""


class Counted(StrEnum):
    """What a count shows of a sample."""

    NEXT = "next"
    AGAIN = "again"
    LATE = "late"
    ANEW = "anew"


class Frame(NamedTuple):
    """A count, understood.

    Parameters
    ----------
    what : Counted
        What it shows.
    lost : int or None
        Samples lost before this one; None where the count does not show it.
    """

    what: Counted
    lost: int | None


def understand(frame: float, before: float | None) -> Frame:
    """What a device's count shows of a sample.

    Parameters
    ----------
    frame : float
        The sample's count; what is not finite, or so large that it is not exact, says nothing.
    before : float or None
        The highest count so far, None where there is none.
    """
    if before is None or not (abs(frame) < LARGEST and abs(before) < LARGEST):
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
    if step < 1.0 or step != round(step) or step > MOST_LOST:
        return Frame(Counted.ANEW, None)
    return Frame(Counted.NEXT, int(step) - 1)


class FrameCounter:
    """Whether a device's count can be believed, sample by sample; once it cannot, not until `restart`.

    A float32 counter past 2**24 repeats each value, a stuck one repeats it for good: both would
    pass for duplicates, and half of the samples or all of them be thrown away.  A true duplicate does
    not come again and again under new stamps while hardly any count follows the one before.
    """

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Another stream: its counter is believed until it contradicts itself."""
        self.ignored = ""
        """Why the counter is not believed; empty where it is."""
        self._last: float | None = None
        self._stamp = math.nan
        self._contradictions = 0

    def believed(self, frames: Floats, stamps: Floats, dtype: np.dtype[Any]) -> int:
        """How many samples, from the first on, have a count that can be believed.

        Parameters
        ----------
        frames : (n_samples,) float64
            The device's counts.
        stamps : (n_samples,) float64, s
            Of the same samples.
        dtype : numpy.dtype
            In which the counts came.
        """
        if self.ignored:
            return 0
        exact = EXACT.get(dtype.name, LARGEST)
        for i, (frame, stamp) in enumerate(zip(frames.tolist(), stamps.tolist(), strict=True)):
            if not self._believe(frame, stamp, exact, dtype):
                return i
        return len(frames)

    def _believe(self, frame: float, stamp: float, exact: float, dtype: np.dtype[Any]) -> bool:
        if not math.isfinite(frame):
            return True  # says nothing
        if abs(frame) >= exact:
            inexact = f"from {exact:.0f} on {dtype.name} does not resolve whole numbers"
            self.ignored = f"it reached {frame:.17g}, and {inexact}"
            return False
        if frame == self._last and stamp != self._stamp:
            self._contradictions += 1
        elif self._last is not None and frame - self._last == 1.0:
            self._contradictions = max(self._contradictions - 1, 0)
        self._last, self._stamp = frame, stamp
        if self._contradictions >= CONTRADICTIONS:
            self.ignored = f"it is stuck or repeats itself at {frame:.17g} while samples come"
        return not self.ignored
