"""Intensity to optical density, against a baseline frozen at the beginning of the session.

The usual offline form divides by the mean of the whole recording, which a live session cannot
know.  After a high-pass the reference hardly matters.
"""

from dataclasses import replace

import numpy as np

from models.bounds import MOST_S
from realtime.signal import Chunk, Kind, SignalSpec
from realtime.stages import settings
from realtime.stages.base import Reset, State
from realtime.stages.baseline import FrozenBaseline
from realtime.stages.cells import rows_where, usable, whole_range
from realtime.stages.outline import Outline, each_unit

NAME = "optical_density"


class OpticalDensity:
    """``-ln(I / I0)``, with I0 the mean intensity of the baseline.

    As many samples leave as come, with the same times.  Before a channel's baseline is full its
    optical density is missing.  A channel without any measured sample in the baseline gets one of
    its own, as long, from its first measured sample on (see `FrozenBaseline`).  Intensity that is
    not positive, not finite or saturated is missing.  Channels of other kinds pass unchanged.

    A gap keeps baselines that are full and begins the others afresh; any other reset drops all.

    Parameters
    ----------
    spec_in : SignalSpec
        The incoming signal.
    baseline_s : float
        Seconds.
    saturation : float or None
        Intensities at or above this are saturated, in the channels' unit.

    Raises
    ------
    SignalError
        If there is no intensity channel.
    """

    delay_s = 0.0

    def __init__(
        self, spec_in: SignalSpec, *, baseline_s: float = 10.0, saturation: float | None = None
    ) -> None:
        self._rows = rows_where(NAME, spec_in, lambda c: c.kind == Kind.INTENSITY, str(Kind.INTENSITY))
        self.check(Outline.of(spec_in), baseline_s=baseline_s, saturation=saturation)
        self.warmup_s = float(baseline_s)
        self._limit = np.inf if saturation is None else float(saturation)
        self._everything = whole_range(self._rows, len(spec_in))
        self.spec_in = spec_in
        self.spec_out = replace(
            spec_in,
            channels=tuple(
                replace(channel, kind=Kind.OPTICAL_DENSITY, unit="1")
                if channel.kind == Kind.INTENSITY
                else channel
                for channel in spec_in.channels
            ),
        )
        self._baseline = FrozenBaseline(len(self._rows), self.warmup_s)

    @staticmethod
    def check(before: Outline, *, baseline_s: float = 10.0, saturation: float | None = None) -> Outline:
        """What comes out of a signal of which only this is known (`realtime.stages.outline`)."""
        after = before.warmed(settings.number(NAME, "baseline_s", baseline_s, above=0, at_most=MOST_S))
        if saturation is not None:
            settings.number(NAME, "saturation", saturation, above=0)
        wanted = each_unit(Kind.INTENSITY)
        return after.some(NAME, wanted, Kind.INTENSITY).turned(wanted, each_unit(Kind.OPTICAL_DENSITY))

    def process(self, chunk: Chunk) -> Chunk:
        """Give the optical density of each sample, missing until the baseline is full."""
        if chunk.n_samples == 0:
            return Chunk.empty(self.spec_out)
        data, missing = chunk.data, chunk.missing
        if not self._everything:
            data, missing = data[self._rows], missing[self._rows]
        # Both comparisons are false for NaN, the second for infinity too.
        measured = np.greater((data > 0) & (data < self._limit), missing)
        known = measured
        if not self._baseline.all_full:
            known = measured & self._baseline.learn(chunk.times, data, measured)
        density = self._baseline.mean[:, None] / np.where(known, data, np.nan)
        np.log(density, out=density)
        unknown = ~known
        if self._everything:
            return Chunk(self.spec_out, density, chunk.times, unknown)
        whole, whole_missing = chunk.data.copy(), ~usable(chunk)
        whole[self._rows], whole_missing[self._rows] = density, unknown
        return Chunk(self.spec_out, whole, chunk.times, whole_missing)

    def reset(self, reason: Reset) -> None:
        """Keep full baselines at a gap; drop everything at any other reset."""
        if reason == Reset.GAP:
            self._baseline.restart_unfinished()
        else:
            self._baseline = FrozenBaseline(len(self._rows), self.warmup_s)

    def state(self) -> State:
        """The baselines."""
        return self._baseline.state()

    def restore(self, state: State) -> None:
        """Continue from the baselines of a `state`."""
        self._baseline.restore(state)
