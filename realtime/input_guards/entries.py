"""What comes from a source, bounded: the edge between the log and everything that is computed from it.

All of it follows from logged values, so a journal that is predicted again is guarded in the same way.
Behind here stamps are such as a clock can give, values such as can be measured, and a device's count of its
frames is there only where it can be believed.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from models.arrays import Bools, Floats
from realtime.clock.frame_counter import FrameCounter
from realtime.input_guards.stamps import StampGuard
from realtime.log import Received, StreamOpened

LARGEST_VALUE = 1e15
"""No device measures more, in whatever unit; such a value is missing (it would stay in filters for good)."""
SMALLEST_VALUE = 1e-30
"""Nor less, but nothing at all: dividing by it would give NaN or infinity."""


class StampedSamples(NamedTuple):
    """Samples that one clock stamped.

    Parameters
    ----------
    stamps : (n_samples,) float64, s
        As the source gave them.
    data : (n_channels, n_samples) float64
        The model's channels, each in its unit; NaN where nothing was measured.
    frames : (n_samples,) float64, or None
        The device's own count; None where it has none, or one that cannot be believed.
    leapt : bool
        Whether the source's clock stepped before the first of them.
    """

    stamps: Floats
    data: Floats
    frames: Floats | None
    leapt: bool


class InputGuard:
    """Looks at all samples of a session, in order."""

    def __init__(self) -> None:
        self._rows: npt.NDArray[np.intp]
        self._scales: Floats | None = None
        self._frame_row: int | None = None
        self._stamps = StampGuard(0.0)
        self._counter = FrameCounter()
        self.ignored_counters = 0
        """Streams whose frame counter was not believed; grows only."""
        self.rejected_values = 0
        """Values that no device can have measured; grows only."""

    @property
    def rejected_stamps(self) -> int:
        """Samples rejected because no clock could have given their stamps; grows only."""
        return self._stamps.rejected

    @property
    def ignored_counter(self) -> str:
        """Why the present stream's frame counter is not believed; empty where it is, or there is none."""
        return self._counter.ignored

    def open(self, entry: StreamOpened, indices: Sequence[int]) -> None:
        """Another stream comes.

        Parameters
        ----------
        entry : StreamOpened
            Its description.
        indices : sequence of int
            Which of its channels are the model's, in the model's order.
        """
        rows = entry.rows or tuple(range(len(entry.spec)))
        self._rows = np.array([rows[i] for i in indices], dtype=np.intp)
        # A device that sends umol/L has a scale of 1e-6: behind here everything is SI.
        self._scales = np.array([entry.scales[i] for i in indices])[:, np.newaxis] if entry.scales else None
        self._frame_row = entry.frame_row
        self._stamps.restart(entry.local)
        self._counter.restart()

    def restart(self, local: float) -> None:
        """The source's clock was set, local time (s): its stamps may be any."""
        self._stamps.restart(local)

    def take(self, entry: Received, offset: float, speed: float) -> list[StampedSamples]:
        """Samples as they came, as far as they can be used.

        Parameters
        ----------
        entry : Received
            The samples.
        offset : float
            Add to a stamp to get local time, s.
        speed : float
            Stream seconds a local second.
        """
        stamps, data = entry.stamps, entry.data
        usable, leaps = self._stamps.look(stamps + offset, entry.local, speed)
        if len(stamps) > np.count_nonzero(usable):
            # Numbered anew among those that are left.
            leaps = tuple(int(np.count_nonzero(usable[:leap])) for leap in leaps)
            stamps, data = stamps[usable], data[:, usable]
        frames, counted = None, 0
        if self._frame_row is not None:
            frames = data[self._frame_row].astype(np.float64)
            believed_before = not self._counter.ignored
            counted = self._counter.believed(frames, stamps, data.dtype)
            self.ignored_counters += believed_before and bool(self._counter.ignored)
        if not leaps and counted in (0, len(stamps)):  # all but always
            frames = frames if counted else None
            return [StampedSamples(stamps, self._values(data), frames, False)] if len(stamps) else []
        parts = []
        for start, stop in pairwise(sorted({0, *leaps, counted, len(stamps)})):
            these = slice(start, stop)
            count = frames[these] if frames is not None and start < counted else None
            parts.append(StampedSamples(stamps[these], self._values(data[:, these]), count, start in leaps))
        return parts

    def _values(self, data: npt.NDArray[Any]) -> Floats:
        values: Floats = data[self._rows].astype(np.float64)
        if self._scales is not None:
            values *= self._scales
        sizes = np.abs(values)
        values[sizes < SMALLEST_VALUE] = 0.0
        wrong: Bools = sizes > LARGEST_VALUE  # where it is NaN nothing was measured
        if wrong.any():
            self.rejected_values += int(np.count_nonzero(wrong))
            values[wrong] = np.nan
        return values
