"""BOLD in the scanner's arbitrary units to percent signal change from a frozen baseline."""

from dataclasses import replace

import numpy as np

from models.bounds import MOST_S
from realtime.signal import Channel, Chunk, Kind, SignalSpec
from realtime.stages import settings
from realtime.stages.base import Reset, State
from realtime.stages.baseline import FrozenBaseline
from realtime.stages.cells import rows_where, usable, whole_range
from realtime.stages.outline import Outline

NAME = "percent_signal"
MIN_COUNT = 5


def _in_arbitrary_units(channel: Channel) -> bool:
    return channel.kind == Kind.BOLD and channel.unit == "a.u."


class PercentSignal:
    """``100 (x - m) / m``, with m the mean of the baseline.

    A series without a baseline, such as residuals around zero, has no percent signal change: a channel
    whose baseline mean is smaller in size than `min_ratio` times the baseline's SD stays missing.
    The scanner's own series have ratios (temporal SNR) far above that.  A channel with fewer than
    5 measured volumes in its baseline begins it again at its next one (see `FrozenBaseline`).  Channels
    of other kinds, or already in percent, pass unchanged.

    A gap keeps baselines that are full and begins the others afresh; any other reset drops all.

    Parameters
    ----------
    spec_in : SignalSpec
        The incoming signal.
    baseline_s : float
        Seconds from the session's first volume.
    min_ratio : float
        Smallest ratio of baseline mean to SD, dimensionless.

    Raises
    ------
    SignalError
        If there is no BOLD channel in arbitrary units.
    """

    delay_s = 0.0

    def __init__(self, spec_in: SignalSpec, *, baseline_s: float = 30.0, min_ratio: float = 5.0) -> None:
        self._rows = rows_where(NAME, spec_in, _in_arbitrary_units, f"{Kind.BOLD} (a.u.)")
        self.check(Outline.of(spec_in), baseline_s=baseline_s, min_ratio=min_ratio)
        self.warmup_s, self._min_ratio = float(baseline_s), float(min_ratio)
        self._everything = whole_range(self._rows, len(spec_in))
        self.spec_in = spec_in
        self.spec_out = replace(
            spec_in,
            channels=tuple(
                replace(channel, unit="percent") if _in_arbitrary_units(channel) else channel
                for channel in spec_in.channels
            ),
        )
        self._baseline = FrozenBaseline(len(self._rows), self.warmup_s, MIN_COUNT)

    @staticmethod
    def check(before: Outline, *, baseline_s: float = 30.0, min_ratio: float = 5.0) -> Outline:
        """What comes out of a signal of which only this is known (`realtime.stages.outline`)."""
        after = before.warmed(settings.number(NAME, "baseline_s", baseline_s, above=0, at_most=MOST_S))
        settings.number(NAME, "min_ratio", min_ratio, at_least=0)
        wanted = [(Kind.BOLD, "a.u.")]
        return after.some(NAME, wanted, f"{Kind.BOLD} (a.u.)").turned(wanted, [(Kind.BOLD, "percent")])

    def process(self, chunk: Chunk) -> Chunk:
        """Give the percent signal change of each sample, missing until the baseline is full."""
        if chunk.n_samples == 0:
            return Chunk.empty(self.spec_out)
        data, measured = chunk.data, usable(chunk)
        if not self._everything:
            data, measured = data[self._rows], measured[self._rows]
        known = measured
        if not self._baseline.all_full:
            known = measured & self._baseline.learn(chunk.times, data, measured)
        mean = self._baseline.mean
        defined = self._baseline.full & (np.abs(mean) > self._min_ratio * self._baseline.sd)
        known = known & defined[:, None]
        reference = np.where(defined, mean, 1.0)[:, None]
        percent = 100.0 * (np.where(known, data, reference) - reference) / reference
        unknown = ~known
        percent[unknown] = np.nan
        if self._everything:
            return Chunk(self.spec_out, percent, chunk.times, unknown)
        whole, whole_missing = chunk.data.copy(), ~usable(chunk)
        whole[self._rows], whole_missing[self._rows] = percent, unknown
        return Chunk(self.spec_out, whole, chunk.times, whole_missing)

    def reset(self, reason: Reset) -> None:
        """Keep full baselines at a gap; drop everything at any other reset."""
        if reason == Reset.GAP:
            self._baseline.restart_unfinished()
        else:
            self._baseline = FrozenBaseline(len(self._rows), self.warmup_s, MIN_COUNT)

    def state(self) -> State:
        """The baselines."""
        return self._baseline.state()

    def restore(self, state: State) -> None:
        """Continue from the baselines of a `state`."""
        self._baseline.restore(state)
