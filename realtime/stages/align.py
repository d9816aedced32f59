"""Alignment of a person to a common frame: channels whitened by the person's own running covariance.

People differ in how strong each channel is and in what their channels share (pulse, scalp, posture).  A
classifier of other people fits better where each person's signal was given the same covariance, the identity:
Euclidean alignment (He & Wu 2020, IEEE Trans Biomed Eng 67:399), here causal and without any label.  Of all
whitenings that which leaves each channel most like itself is taken (ZCA-cor; Kessy, Lewin & Strimmer 2018, Am
Stat 72:309), so that a channel still stands for its place.
"""

from math import ceil, exp

import numpy as np

from models.arrays import Bools, Floats
from models.bounds import MOST_S
from models.errors import RecipeError, SignalError
from realtime.signal import Chunk, SignalSpec
from realtime.stages import settings
from realtime.stages.base import Reset, State
from realtime.stages.cells import grid_rate, rows_where, usable
from realtime.stages.outline import Outline

NAME = "align"
FLAT = 1e-12
"""A channel whose SD is below this share of its size does not vary but for rounding."""
MOST_CHANNELS = 512
"""An inverse square root of a larger matrix would hold a live stream up."""


class Align:
    """``R^(-1/2) (x - mean) / sd``, by mean, SD and correlation ``R`` of the past, dimensionless.

    They forget exponentially, by the clock, and are taken anew every ``update_s``; at the start the memory
    grows.  ``R`` is drawn towards the identity by ``shrinkage``.  Channels keep their kinds and units,
    although the values are in standard deviations.  Missing until `warmup_s` seconds of the channel were
    measured, and where it has not varied.  A missing cell counts as at its mean in the other channels.  A gap
    keeps what was learnt (it fades by the clock meanwhile); any other reset drops it.

    What lasts as long as the memory is taken out with the mean, so the memory must be long against the
    labels' blocks.  The stage stands where `Normalise` would, in its place.

    Parameters
    ----------
    spec_in : SignalSpec
        The incoming signal, on a uniform grid.
    memory_s : float
        Time constant of forgetting, s.
    warmup_s : float
        Measured seconds that a channel needs; twice ``update_s`` or more.
    shrinkage : float
        Weight of the identity, above 0 to 1; at 1 channels are only centred and scaled.
    update_s : float
        How often mean and whitening are taken anew, s; no longer than the memory.

    Raises
    ------
    RecipeError
        A setting is wrong.
    SignalError
        The signal has no rate, no channel, or more than `MOST_CHANNELS`.
    """

    delay_s = 0.0

    def __init__(
        self,
        spec_in: SignalSpec,
        *,
        memory_s: float = 300.0,
        warmup_s: float = 60.0,
        shrinkage: float = 0.1,
        update_s: float = 2.0,
    ) -> None:
        self.check(
            Outline.of(spec_in),
            memory_s=memory_s,
            warmup_s=warmup_s,
            shrinkage=shrinkage,
            update_s=update_s,
        )
        rows_where(NAME, spec_in, lambda _: True, "any kind")
        if len(spec_in) > MOST_CHANNELS:
            raise SignalError(
                f"Stage {NAME!r}: {len(spec_in)} channels reach it; expected {MOST_CHANNELS} or fewer. Put "
                "'select' before it."
            )
        self._memory_s, self.warmup_s, self._shrinkage = float(memory_s), float(warmup_s), float(shrinkage)
        rate = grid_rate(NAME, spec_in)
        self._every = max(int(update_s * rate + 1e-9), 1)  # samples from one update to the next
        self._warmup = ceil(self.warmup_s * rate - 1e-9)
        if self._warmup < 2 * self._every:  # of a very slow signal
            self._warmup, self.warmup_s = 2 * self._every, 2 * self._every / rate
        self.spec_in = spec_in
        self.spec_out = spec_in
        self._forget()

    @staticmethod
    def check(
        before: Outline,
        *,
        memory_s: float = 300.0,
        warmup_s: float = 60.0,
        shrinkage: float = 0.1,
        update_s: float = 2.0,
    ) -> Outline:
        """What comes out of a signal of which only this is known (`realtime.stages.outline`)."""
        memory = settings.number(NAME, "memory_s", memory_s, above=0)
        update = settings.number(NAME, "update_s", update_s, above=0, at_most=MOST_S)
        settings.number(NAME, "shrinkage", shrinkage, at_least=0.001, at_most=1)
        warmup = settings.number(NAME, "warmup_s", warmup_s, at_least=0, at_most=MOST_S)
        if update > memory:
            raise RecipeError(
                f"Stage {NAME!r}: update_s = {update:g} and memory_s = {memory:g}; expected an update at "
                "least once a memory. Lower update_s."
            )
        if warmup < 2.0 * update:
            raise RecipeError(
                f"Stage {NAME!r}: warmup_s = {warmup:g} and update_s = {update:g}; expected a warm-up of two "
                "updates or more. Lower update_s, or lengthen the warm-up."
            )
        return before.warmed(warmup)

    def _forget(self) -> None:
        n = len(self.spec_in)
        self._time: float | None = None  # of the last sample
        self._since = 0  # samples since the last update
        self._count = np.zeros(n, dtype=np.int64)  # measured samples, as far as the warm-up
        self._origin: Floats = np.zeros(n)  # first measured value: sums are taken around it
        self._sum: Floats = np.zeros(n)
        self._products: Floats = np.zeros((n, n))
        self._weight: Floats = np.zeros((n, n))  # of samples that both channels measured
        self._mean: Floats = np.zeros(n)  # of the last update, as are the next two
        self._whitening: Floats = np.zeros((n, n))
        self._taken: Bools = np.zeros(n, dtype=bool)  # channels that the whitening has

    def process(self, chunk: Chunk) -> Chunk:
        """Align the next samples."""
        data, missing = np.zeros(chunk.data.shape), np.ones(chunk.data.shape, dtype=bool)
        measured = usable(chunk)
        begin = 0
        while begin < chunk.n_samples:
            end = min(begin + self._every - self._since, chunk.n_samples)
            here = measured[:, begin:end]
            there = here & self._taken[:, None]
            off = np.where(there, chunk.data[:, begin:end] - self._mean[:, None], 0.0)
            data[:, begin:end] = self._whitening @ off
            count = self._count[:, None] + np.cumsum(here, axis=1)
            missing[:, begin:end] = ~(there & (count > self._warmup))
            self._learn(chunk.times[begin:end], chunk.data[:, begin:end], here)
            self._count = np.minimum(count[:, -1], self._warmup + 1)
            if self._since == self._every:
                self._update()
            begin = end
        data[missing] = np.nan
        return Chunk(self.spec_out, data, chunk.times, missing)

    def _learn(self, times: Floats, data: Floats, measured: Bools) -> None:
        """Add samples of no more than one update to the sums."""
        new = (self._count == 0) & measured.any(axis=1)
        first = np.take_along_axis(data, measured.argmax(axis=1)[:, None], axis=1)[:, 0]
        self._origin = np.where(new, first, self._origin)
        fade = 1.0 if self._time is None else exp((self._time - times[-1]) / self._memory_s)
        recent = np.exp((times - times[-1]) / self._memory_s)
        off = np.where(measured, data - self._origin[:, None], 0.0)
        self._sum = self._sum * fade + off @ recent
        self._products = self._products * fade + (off * recent) @ off.T
        self._weight = self._weight * fade + (measured * recent) @ measured.T.astype(np.float64)
        self._time = float(times[-1])
        self._since += len(times)

    def _update(self) -> None:
        """Take mean and whitening from the sums."""
        self._since = 0
        own = np.maximum(self._weight.diagonal(), 1e-300)
        shift = self._sum / own
        self._mean = self._origin + shift
        covariance = self._products / np.maximum(self._weight, 1e-300) - np.outer(shift, shift)
        sd = np.sqrt(np.maximum(covariance.diagonal(), 0.0))
        # So early that a channel whose warm-up ends before the next update is among them.
        warm = self._count > self._warmup - self._every
        self._taken = warm & (sd > FLAT * (np.abs(self._mean) + sd))
        scale = np.where(self._taken, sd, 1.0)
        correlation = covariance / np.outer(scale, scale)
        correlation[~self._taken] = 0.0
        correlation[:, ~self._taken] = 0.0
        correlation *= 1.0 - self._shrinkage
        np.fill_diagonal(correlation, 1.0)
        size, axes = np.linalg.eigh(0.5 * (correlation + correlation.T))
        # Of channels with different samples missing it need not be a correlation matrix at all.
        root = 1.0 / np.sqrt(np.maximum(size, self._shrinkage))
        self._whitening = (axes * root) @ axes.T / scale

    def reset(self, reason: Reset) -> None:
        """Keep what was learnt of the person at a gap; drop it at any other reset."""
        if reason != Reset.GAP:
            self._forget()

    def state(self) -> State:
        """The sums, and what the last update took from them."""
        return {
            "time": self._time,
            "since": self._since,
            "count": self._count.copy(),
            "origin": self._origin.copy(),
            "sum": self._sum.copy(),
            "products": self._products.copy(),
            "weight": self._weight.copy(),
            "mean": self._mean.copy(),
            "whitening": self._whitening.copy(),
            "taken": self._taken.copy(),
        }

    def restore(self, state: State) -> None:
        """Continue from a `state`."""
        time = state["time"]
        self._time = None if time is None else float(time)
        self._since = int(state["since"])  # type: ignore[arg-type]
        self._count = np.array(state["count"], dtype=np.int64)
        self._origin = np.array(state["origin"], dtype=np.float64)
        self._sum = np.array(state["sum"], dtype=np.float64)
        self._products = np.array(state["products"], dtype=np.float64)
        self._weight = np.array(state["weight"], dtype=np.float64)
        self._mean = np.array(state["mean"], dtype=np.float64)
        self._whitening = np.array(state["whitening"], dtype=np.float64)
        self._taken = np.array(state["taken"], dtype=bool)
