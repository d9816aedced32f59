"""BOLD in the scanner's arbitrary units to percent signal change from a running baseline.

Stands for percent signal change from the mean of the whole run (``nilearn.signal.clean(standardize="psc")``),
which is the future; `realtime.stages.percent_signal` has a baseline that is frozen instead.
"""

from dataclasses import replace
from math import ceil, exp

import numpy as np

from models.arrays import Bools, Floats
from models.bounds import MOST_S
from realtime.signal import Channel, Chunk, Kind, SignalSpec
from realtime.stages import settings
from realtime.stages.base import Reset, State
from realtime.stages.cells import grid_rate, rows_where, usable
from realtime.stages.outline import Outline

NAME = "running_percent"


def _in_arbitrary_units(channel: Channel) -> bool:
    return channel.kind == Kind.BOLD and channel.unit == "a.u."


class RunningPercent:
    """``100 (x - m) / m``, with m the exponentially forgetting mean of the past and the sample itself.

    Follows a drift of the level, and what lasts as long as its memory with it.  A channel whose mean is
    smaller in size than `min_ratio` times its SD (residuals around zero) is missing, as it is until
    `warmup_s` seconds of it were measured.  Channels of other kinds, or already in percent, pass unchanged.

    A gap keeps the mean (it fades by the clock meanwhile); any other reset drops it.

    Parameters
    ----------
    spec_in : SignalSpec
        The incoming signal, on a uniform grid.
    memory_s : float
        Time constant of forgetting, seconds.
    warmup_s : float
        Measured seconds that a channel needs.
    min_ratio : float
        Smallest ratio of mean to SD, dimensionless.

    Raises
    ------
    SignalError
        If there is no BOLD channel in arbitrary units.
    """

    delay_s = 0.0

    def __init__(
        self,
        spec_in: SignalSpec,
        *,
        memory_s: float = 180.0,
        warmup_s: float = 30.0,
        min_ratio: float = 5.0,
    ) -> None:
        self._rows = rows_where(NAME, spec_in, _in_arbitrary_units, f"{Kind.BOLD} (a.u.)")
        self.check(Outline.of(spec_in), memory_s=memory_s, warmup_s=warmup_s, min_ratio=min_ratio)
        self._memory_s, self.warmup_s, self._min_ratio = float(memory_s), float(warmup_s), float(min_ratio)
        self._warmup = ceil(self.warmup_s * grid_rate(NAME, spec_in) - 1e-9)
        self.spec_in = spec_in
        self.spec_out = replace(
            spec_in,
            channels=tuple(
                replace(channel, unit="percent") if _in_arbitrary_units(channel) else channel
                for channel in spec_in.channels
            ),
        )
        self._forget()

    @staticmethod
    def check(
        before: Outline, *, memory_s: float = 180.0, warmup_s: float = 30.0, min_ratio: float = 5.0
    ) -> Outline:
        """What comes out of a signal of which only this is known (`realtime.stages.outline`)."""
        settings.number(NAME, "memory_s", memory_s, above=0)
        after = before.warmed(settings.number(NAME, "warmup_s", warmup_s, at_least=0, at_most=MOST_S))
        settings.number(NAME, "min_ratio", min_ratio, at_least=0)
        wanted = [(Kind.BOLD, "a.u.")]
        return after.some(NAME, wanted, f"{Kind.BOLD} (a.u.)").turned(wanted, [(Kind.BOLD, "percent")])

    def _forget(self) -> None:
        n = len(self._rows)
        self._time: float | None = None  # of the last sample
        self._weight: Floats = np.zeros(n)
        self._mean: Floats = np.zeros(n)
        self._squares: Floats = np.zeros(n)  # weighted sum of squared distances from the mean
        self._count = np.zeros(n, dtype=np.int64)  # measured samples, as far as the warm-up

    def process(self, chunk: Chunk) -> Chunk:
        """Give the percent signal change of the next samples."""
        if chunk.n_samples == 0:
            return Chunk.empty(self.spec_out)
        measured = usable(chunk)
        whole, whole_missing = chunk.data.copy(), ~measured
        for i, time in enumerate(chunk.times.tolist()):
            values, known = self._sample(time, chunk.data[self._rows, i], measured[self._rows, i])
            whole[self._rows, i], whole_missing[self._rows, i] = np.where(known, values, np.nan), ~known
        return Chunk(self.spec_out, whole, chunk.times, whole_missing)

    def _sample(self, time: float, values: Floats, here: Bools) -> tuple[Floats, Bools]:
        """One sample (West 1979), (n_rows,) each."""
        fade = 1.0 if self._time is None else exp((self._time - time) / self._memory_s)
        self._time = time
        distance = np.where(here, values - self._mean, 0.0)
        self._weight = self._weight * fade + here
        share = np.maximum(self._weight, np.finfo(np.float64).tiny)
        step = distance / share
        self._mean = self._mean + step
        distance -= step
        self._squares = self._squares * fade + step * distance * self._weight
        self._count = np.minimum(self._count + here, self._warmup + 1)
        sd = np.sqrt(np.maximum(self._squares, 0.0) / share)
        defined = np.abs(self._mean) > self._min_ratio * sd
        known: Bools = here & defined & (self._count > self._warmup)
        return 100.0 * distance / np.where(defined, self._mean, 1.0), known

    def reset(self, reason: Reset) -> None:
        """Keep the running mean at a gap; drop it at any other reset."""
        if reason != Reset.GAP:
            self._forget()

    def state(self) -> State:
        """The running statistics."""
        return {
            "time": self._time,
            "weight": self._weight.copy(),
            "mean": self._mean.copy(),
            "squares": self._squares.copy(),
            "count": self._count.copy(),
        }

    def restore(self, state: State) -> None:
        """Continue from the statistics of a `state`."""
        time = state["time"]
        self._time = None if time is None else float(time)
        self._weight = np.array(state["weight"], dtype=np.float64)
        self._mean = np.array(state["mean"], dtype=np.float64)
        self._squares = np.array(state["squares"], dtype=np.float64)
        self._count = np.array(state["count"], dtype=np.int64)
