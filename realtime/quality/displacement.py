"""How far the head moved in a window: the largest framewise displacement of the volumes that it holds.

Framewise displacement (Power et al. 2012) comes with the region signals, as a channel beside them; it is the
sum of the six realignment parameters' steps since the volume before, rotations taken on a sphere of 50 mm.
"""

from math import isfinite

import numpy as np

from models.arrays import Bools, Floats
from realtime.quality.buffer import STAMP_SLACK_S, RecentSamples
from realtime.signal import Channel, Chunk, Kind, SignalSpec


def displacement_rows(spec: SignalSpec) -> tuple[int, ...]:
    """Which channels of a stream are framewise displacement."""
    return tuple(i for i, channel in enumerate(spec.channels) if channel.kind is Kind.DISPLACEMENT)


class Displacement:
    """Keeps the displacement of volumes for the windows to come.

    Parameters
    ----------
    n_channels : int
        Channels of displacement, 1 or more.
    column_s : float
        Between the columns of a window, s.
    """

    def __init__(self, n_channels: int, column_s: float) -> None:
        channels = (Channel(name=f"{i}", kind=Kind.DISPLACEMENT, unit="m") for i in range(n_channels))
        self._spec = SignalSpec(tuple(channels), 0.0)
        self._column_s = column_s
        self._recent = RecentSamples(n_channels)

    def restart(self) -> None:
        """Forget everything: another clock, or another stream."""
        self._recent.clear()

    def take(self, times: Floats, values: Floats) -> None:
        """Keep what came with the next samples.

        Parameters
        ----------
        times : (n_samples,) float64
            Stream time, s.
        values : (n_channels, n_samples) float64
            Metres; NaN where it is not known.
        """
        missing: Bools = ~np.isfinite(values)
        self._recent.take(Chunk(self._spec, values, times, missing), np.zeros(len(times)))

    def largest(self, start: float, end: float, rate: float) -> float | None:
        """The largest of any volume that a window ``[start, end)`` is made of, m; None where none is known.

        A volume belongs to the column that it lies nearest to, so one that came a moment before the window's
        start counts.  The last is the one that completed the window.

        Parameters
        ----------
        start, end : float
            Stream time (s).
        rate : float
            Of the samples, Hz.
        """
        last = end - self._column_s
        held = self._recent.between(start - 0.5 / rate, end, last - 0.25 / rate - STAMP_SLACK_S)
        completing = slice(held.stop, held.stop + 1)
        known = self._recent.data(held).ravel().tolist()
        if self._recent.holds(completing) and self._recent.times(completing)[0] < last + 0.5 / rate:
            known += self._recent.data(completing).ravel().tolist()
        known = [value for value in known if isfinite(value)]
        return round(max(known), 7) if known else None

    def forget_before(self, start: float | None, rate: float) -> None:
        """No window to come begins before this time (s); None where that is not known yet."""
        self._recent.forget_before(None if start is None else start - 0.5 / rate)
