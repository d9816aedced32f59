"""Running normalisation: every channel against its own recent mean and spread.

What is known at a sample is the past and the sample itself, weighted down exponentially by the
clock; at the start the memory grows, as the weights are normalised by their sum.
"""

from itertools import pairwise
from math import ceil, exp

import numpy as np

from models.arrays import Bools, Floats
from models.bounds import MOST_S
from realtime.signal import Chunk, SignalSpec
from realtime.stages import settings
from realtime.stages.base import Reset, State
from realtime.stages.cells import grid_rate, rows_where, usable
from realtime.stages.outline import Outline

NAME = "normalise"
FLAT = 1e-12
"""A channel whose SD is below this share of its size does not vary but for rounding."""
TINY = np.finfo(np.float64).tiny


class Normalise:
    """``(x - mean) / sd`` with exponentially forgetting mean and SD, dimensionless.

    The channels keep their kinds and units, although the values are in standard deviations.
    Missing until `warmup_s` seconds of the channel were measured, and where it has not varied.  A gap keeps
    the statistics (they fade by the clock meanwhile); any other reset drops them.

    Parameters
    ----------
    spec_in : SignalSpec
        The incoming signal, on a uniform grid.
    memory_s : float
        Time constant of forgetting, seconds.
    warmup_s : float
        Measured seconds that a channel needs.

    Raises
    ------
    SignalError
        If the signal has no rate or no channel.
    """

    delay_s = 0.0

    def __init__(self, spec_in: SignalSpec, *, memory_s: float = 60.0, warmup_s: float = 20.0) -> None:
        self.check(Outline.of(spec_in), memory_s=memory_s, warmup_s=warmup_s)
        self._memory_s, self.warmup_s = float(memory_s), float(warmup_s)
        rows_where(NAME, spec_in, lambda _: True, "any kind")
        self._warmup = ceil(self.warmup_s * grid_rate(NAME, spec_in) - 1e-9)
        self.spec_in = spec_in
        self.spec_out = spec_in
        self._forget()

    @staticmethod
    def check(before: Outline, *, memory_s: float = 60.0, warmup_s: float = 20.0) -> Outline:
        """What comes out of a signal of which only this is known (`realtime.stages.outline`)."""
        settings.number(NAME, "memory_s", memory_s, above=0)
        return before.warmed(settings.number(NAME, "warmup_s", warmup_s, at_least=0, at_most=MOST_S))

    def _forget(self) -> None:
        n = len(self.spec_in)
        self._time: float | None = None  # of the last sample
        self._weight: Floats = np.zeros(n)
        self._mean: Floats = np.zeros(n)
        self._squares: Floats = np.zeros(n)  # weighted sum of squared distances from the mean
        self._count = np.zeros(n, dtype=np.int64)  # measured samples, as far as the warm-up

    def process(self, chunk: Chunk) -> Chunk:
        """Normalise the next samples."""
        if chunk.n_samples == 0:
            return Chunk.empty(self.spec_out)
        measured = usable(chunk)
        if chunk.n_samples == 1:
            scores, missing = self._one(float(chunk.times[0]), chunk.data, measured)
        else:
            scores, missing = np.empty_like(chunk.data), np.empty_like(measured)
            for begin, end in pairwise(self._cuts(chunk.times)):
                scores[:, begin:end], missing[:, begin:end] = self._block(
                    chunk.times[begin:end], chunk.data[:, begin:end], measured[:, begin:end]
                )
        scores[missing] = np.nan
        return Chunk(self.spec_out, scores, chunk.times, missing)

    def _cuts(self, times: Floats) -> list[int]:
        """Cut so that no block spans more than four time constants.

        Within a block, weights grow exponentially and sums are taken around the mean at its beginning:
        neither may go far.
        """
        cuts = [0]
        while cuts[-1] < len(times):
            cuts.append(int(np.searchsorted(times, times[cuts[-1]] + 4 * self._memory_s, side="right")))
        return cuts

    def _fade(self, time: float) -> float:
        """What is left of the old weights at a time (s)."""
        return 1.0 if self._time is None else exp((self._time - time) / self._memory_s)

    def _block(self, times: Floats, data: Floats, measured: Bools) -> tuple[Floats, Bools]:
        fade = self._fade(float(times[0]))
        first = np.take_along_axis(data, measured.argmax(axis=1)[:, None], axis=1)[:, 0]
        known = self._weight > 0
        centre = np.where(known, self._mean, np.where(measured.any(axis=1), first, 0.0))
        distance = np.where(measured, data - centre[:, None], 0.0)
        growth = np.exp((times - times[0]) / self._memory_s)
        weighted = distance * growth
        # Sums up to each sample, as they weigh at that sample.
        weight = (np.cumsum(measured * growth, axis=1) + (self._weight * fade)[:, None]) / growth
        first_sum = np.cumsum(weighted, axis=1) / growth
        weighted *= distance
        second_sum = (np.cumsum(weighted, axis=1) + (self._squares * fade)[:, None]) / growth
        shift = first_sum / np.maximum(weight, TINY)
        spread = np.maximum(second_sum - first_sum * shift, 0.0)
        count = self._count[:, None] + np.cumsum(measured, axis=1)

        self._time = float(times[-1])
        self._weight = weight[:, -1].copy()
        self._mean = centre + shift[:, -1]
        self._squares = spread[:, -1].copy()
        self._count = np.minimum(count[:, -1], self._warmup + 1)
        return self._scores(distance - shift, centre[:, None] + shift, spread, weight, measured, count)

    def _one(self, time: float, data: Floats, measured: Bools) -> tuple[Floats, Bools]:
        """`_block` for a single sample (West 1979), as a live stream sends them."""
        here = measured[:, 0]
        fade = self._fade(time)
        distance = np.where(here, data[:, 0] - self._mean, 0.0)
        self._time = time
        self._weight = self._weight * fade + here
        step = distance / np.maximum(self._weight, TINY)
        self._mean = self._mean + step
        distance -= step
        self._squares = self._squares * fade + step * distance * self._weight
        count = self._count + here
        self._count = np.minimum(count, self._warmup + 1)
        scores, missing = self._scores(distance, self._mean, self._squares, self._weight, here, count)
        return scores[:, None], missing[:, None]

    def _scores(
        self,
        distance: Floats,
        mean: Floats,
        spread: Floats,
        weight: Floats,
        measured: Bools,
        count: np.typing.NDArray[np.int64],
    ) -> tuple[Floats, Bools]:
        sd = np.sqrt(spread / np.maximum(weight, TINY))
        varies = sd > FLAT * (np.abs(mean) + sd)
        known = measured & varies & (count > self._warmup)
        return distance / np.where(varies, sd, 1.0), ~known

    def reset(self, reason: Reset) -> None:
        """Keep what was learnt of the person at a gap; drop it at any other reset."""
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
