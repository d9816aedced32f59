"""A baseline that is measured once, at the beginning, and then frozen.

Shared by the stages that refer a signal to how it began.  The rule, for each channel:

- the baseline is what was measured in the first ``length`` seconds from the session's first
  sample (or from the first sample after a gap that came before it was full);
- it is full at the first sample at or after its end, if at least ``min_count`` samples of the channel
  were measured in it;
- otherwise it is begun again at the channel's next measured sample, and lasts ``length`` from there.

So a channel that comes late gets a whole baseline of its own, and nothing ever waits for the future.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from models.arrays import Bools, Floats


class FrozenBaseline:
    """Mean and spread of each channel over its baseline.

    Parameters
    ----------
    n_channels : int
        Number of channels.
    length : float
        Seconds.
    min_count : int
        Measured samples that a baseline needs.
    """

    def __init__(self, n_channels: int, length: float, min_count: int = 1) -> None:
        self.length = length
        self.min_count = min_count
        self.full: Bools = np.zeros(n_channels, dtype=bool)
        self.mean: Floats = np.zeros(n_channels)
        self._count = np.zeros(n_channels, dtype=np.int64)
        self._squares: Floats = np.zeros(n_channels)  # sum of squared distances from the mean
        self._end: Floats = np.full(n_channels, np.nan)
        self.all_full = False

    @property
    def sd(self) -> Floats:
        """Standard deviation of each channel's baseline, (n_channels,) float64, in the channel's unit."""
        return np.sqrt(self._squares / np.maximum(self._count, 1))

    def learn(self, times: Floats, data: Floats, measured: Bools) -> Bools:
        """Take the next samples; say which cells come after a full baseline.

        Parameters
        ----------
        times : (n_samples,) float64
            Seconds; at least one.
        data : (n_channels, n_samples) float64, each channel's unit
            What is not measured is not looked at.
        measured : (n_channels, n_samples) bool
            Cells that may be used.

        Returns
        -------
        (n_channels, n_samples) bool
        """
        n_samples = len(times)
        columns = np.arange(n_samples)
        ready_from = np.where(self.full, 0, n_samples)
        self._end[np.isnan(self._end)] = times[0] + self.length
        begin = np.zeros(len(self.full), dtype=np.intp)
        while True:
            stop = np.searchsorted(times, self._end, side="left")
            within = (columns >= begin[:, None]) & (columns < stop[:, None])  # none, once full
            self._add(data, measured & within)
            ended = ~self.full & (stop < n_samples)
            enough = ended & (self._count >= self.min_count)
            self.full |= enough
            ready_from[enough] = stop[enough]
            # Too little was measured: begin again at the channel's next measured sample, if it has come.
            later = measured & (columns >= stop[:, None]) & (ended & ~enough)[:, None]
            again: Bools = np.asarray(later.any(axis=1))
            if not again.any():
                break
            begin = np.where(again, later.argmax(axis=1), n_samples)
            self._forget(again)
            self._end[again] = times[begin[again]] + self.length
        self.all_full = bool(self.full.all())
        return columns >= ready_from[:, None]

    def _add(self, data: Floats, cells: Bools) -> None:
        """Merge cells into count, mean and squares (Chan's pairwise update, stable for any chunking)."""
        count = cells.sum(axis=1)
        if not count.any():
            return
        values = np.where(cells, data, 0.0)
        mean = values.sum(axis=1) / np.maximum(count, 1)
        squares = (np.where(cells, values - mean[:, None], 0.0) ** 2).sum(axis=1)
        total = np.maximum(self._count + count, 1)
        step = np.where(count > 0, mean - self.mean, 0.0)
        self._squares += squares + step**2 * self._count * count / total
        self.mean += step * count / total
        self._count += count

    def _forget(self, channels: Bools) -> None:
        self._count[channels] = 0
        self.mean[channels] = 0.0
        self._squares[channels] = 0.0

    def restart_unfinished(self) -> None:
        """Begin afresh, at the next sample, every baseline that is not full."""
        self._forget(~self.full)
        self._end[~self.full] = np.nan

    def state(self) -> dict[str, Any]:
        """Everything it holds, copied: arrays."""
        return {
            "full": self.full.copy(),
            "mean": self.mean.copy(),
            "count": self._count.copy(),
            "squares": self._squares.copy(),
            "end": self._end.copy(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Undo `state`."""
        self.full = np.array(state["full"], dtype=bool)
        self.mean = np.array(state["mean"], dtype=np.float64)
        self._count = np.array(state["count"], dtype=np.int64)
        self._squares = np.array(state["squares"], dtype=np.float64)
        self._end = np.array(state["end"], dtype=np.float64)
        self.all_full = bool(self.full.all())
