"""The samples that windows to come may ask for: raw, with their times, and no more of them than needed."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from models.arrays import Floats
from realtime.signal import Chunk

MOST_SAMPLES = 2**14
"""When room is made, of those that came before never more are kept: enough for a minute at 250 Hz."""
STAMP_SLACK_S = 1e-6
"""Sums of seconds in another order differ by less than this."""


class RecentSamples:
    """What went into a pipeline lately.

    Parameters
    ----------
    n_channels : int
        Channels.
    """

    def __init__(self, n_channels: int) -> None:
        # By sample, so that one that comes is written in one piece.
        self._data: Floats = np.empty((256, n_channels))
        self._times: Floats = np.empty(256)
        self._uncertainty: Floats = np.empty(256)
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._from = self._to = 0

    def take(self, chunk: Chunk, uncertainty: Floats) -> None:
        """Keep the next samples.

        Parameters
        ----------
        chunk : Chunk
            What goes into the pipeline.
        uncertainty : (n_samples,) float64
            Uncertainty of each time, s.
        """
        n = chunk.n_samples
        if self._to + n > len(self._times):
            self._make_room(n)
        rows = slice(self._to, self._to + n)
        self._times[rows] = chunk.times
        self._uncertainty[rows] = uncertainty
        self._data[rows] = chunk.data.T
        if chunk.missing.any():
            self._data[rows][chunk.missing.T] = np.nan
        self._to += n

    def _make_room(self, n: int) -> None:
        self._from = max(self._from, self._to - MOST_SAMPLES)
        kept = self._to - self._from
        capacity = len(self._times)
        while 2 * kept + n > capacity:  # half of it free, so that this is rare
            capacity *= 2
        old = slice(self._from, self._to)
        times, uncertainty, data = self._times[old], self._uncertainty[old], self._data[old]
        if capacity > len(self._times):
            self._times, self._uncertainty = np.empty(capacity), np.empty(capacity)
            self._data = np.empty((capacity, data.shape[1]))
        self._times[:kept], self._uncertainty[:kept] = times.copy(), uncertainty.copy()
        self._data[:kept] = data.copy()
        self._from, self._to = 0, kept

    def forget_before(self, start: float | None) -> None:
        """No window to come begins before this time (s); None where that is not known yet."""
        if start is not None:
            held = self._times[self._from : self._to]
            self._from += int(np.searchsorted(held, start - STAMP_SLACK_S, side="left"))

    def between(self, start: float, end: float, completed: float) -> slice:
        """Where the samples of a span are, for `times`, `uncertainty` and `data`, without the one behind it.

        Parameters
        ----------
        start, end : float
            Stream time (s): ``[start, end)``.
        completed : float
            No sample of this time (s) or later is taken: the first of them completes the span.
        """
        held = self._times[self._from : self._to]
        first, stop = np.searchsorted(held, (start, min(completed, end)), side="left").tolist()
        return slice(self._from + first, self._from + stop)

    def is_next(self, where: slice, completed: float, period: float) -> bool:
        """Whether the sample that completes a span comes next, if it comes a period (s) after the last."""
        none_yet = where.start < where.stop == self._to
        return bool(none_yet and self._times[where.stop - 1] + period >= completed)

    def holds(self, where: slice) -> bool:
        """Whether all samples of a place are there."""
        return self._from <= where.start and where.stop <= self._to

    def times(self, where: slice) -> Floats:
        """Stream times, (n_samples,) float64, s."""
        return self._times[where]

    def data(self, where: slice) -> Floats:
        """Values, (n_samples, n_channels) float64, NaN where missing."""
        return self._data[where]

    def uncertainty(self, where: slice) -> Floats:
        """Uncertainty of times, that of the completing sample included, (n_samples + 1,) float64, s."""
        return self._uncertainty[where.start : min(where.stop + 1, self._to)]

    def state(self) -> dict[str, Any]:
        """What is held, as arrays."""
        held = slice(self._from, self._to)
        return {
            "times": self._times[held].copy(),
            "uncertainty": self._uncertainty[held].copy(),
            "data": self._data[held].copy(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a `state`."""
        self.clear()
        n = len(state["times"])
        self._make_room(n)
        self._times[:n], self._uncertainty[:n], self._data[:n] = (
            state["times"],
            state["uncertainty"],
            state["data"],
        )
        self._to = n
