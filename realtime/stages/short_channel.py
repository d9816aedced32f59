"""Short-channel regression as the signal comes: what the scalp does is taken out of what the head does.

A channel of less than a centimetre sees the scalp alone (Saager and Berger 2005); its course, as far as
a long channel shares it, is superficial.  How far, recursive least squares follows: ``K = P x / (L + x' P
x)`` with forgetting ``L`` by the clock.
"""

from math import exp

import numpy as np

from models.arrays import Bools, Floats
from models.bounds import MOST_S
from models.errors import SignalError
from realtime.signal import Chunk, Kind, SignalSpec
from realtime.stages import settings
from realtime.stages.base import Reset, State
from realtime.stages.cells import rows_where, usable
from realtime.stages.outline import Outline, check_memory, each_unit
from realtime.stages.references import ADVICE, check_reference, references_of, split_by_distance

NAME = "short_channel"
UNIT = {Kind.OPTICAL_DENSITY: 0.01, Kind.HBO: 1e-6, Kind.HBR: 1e-6, Kind.HBT: 1e-6}
"""About the size of a signal, so that one prior does for all kinds (1, mol/L)."""
PRIOR = 1.0
"""Variance of a coefficient that nothing is known of; its uncertainty never exceeds that."""
NUDGE = 1e-12
"""Added to a variance at each step: rounding never makes it negative, and nothing is believed for ever."""
MOST = 1e6
"""A value beyond so many of its kind's `UNIT` is no measurement, and taken for missing."""
LEAST_FADE = 1e-3
"""However long a gap was, so much of the weight of what was learnt remains."""
LONGEST_STEP_S = 1.0
"""A step between samples counts at most so much towards the warm-up, s."""


class ShortChannel:
    """Regress short channels out of long ones of the same wavelength or chromophore.

    Both are centred by running means of the same memory; the reference's part is subtracted, the long
    channel's own level stays.  While a reference is constant nothing is subtracted and nothing learnt:
    uncertainty grows to the prior and no further.  A long channel is missing where it, or every reference of
    it, is missing, and until `warmup_s` seconds of both were measured.

    A gap keeps what was learnt; any other reset drops it.

    Parameters
    ----------
    spec_in : SignalSpec
        The incoming signal: optical density or haemoglobin.
    max_distance : float
        Channels of less distance are short, m.
    reference : {"nearest", "all", "mean"}
        What a long channel is referred to: the nearest short one (by position, else by the optodes in
        between), all of them at once, or their mean.
    memory_s : float
        Time constant of forgetting, seconds.
    warmup_s : float
        Measured seconds that a long channel needs.
    keep_short : bool
        Whether short channels leave too, unchanged.

    Raises
    ------
    RecipeError
        If a setting is wrong.
    SignalError
        If there is no short channel, no long one, or one of another kind.
    """

    delay_s = 0.0

    def __init__(
        self,
        spec_in: SignalSpec,
        *,
        max_distance: float = 0.01,
        reference: str = "nearest",
        memory_s: float = 180.0,
        warmup_s: float = 20.0,
        keep_short: bool = False,
    ) -> None:
        rows = rows_where(NAME, spec_in, lambda c: c.kind in UNIT, " or ".join(UNIT))
        if len(rows) < len(spec_in):
            strange = next(c for c in spec_in.channels if c.kind not in UNIT)
            raise SignalError(
                f"Stage {NAME!r} cannot work on channel {strange.name!r} of kind {strange.kind}; expected "
                f"only {', '.join(UNIT)}. Put 'optical_density' before it, or 'select' the others."
            )
        self.check(
            Outline.of(spec_in),
            max_distance=max_distance,
            reference=reference,
            memory_s=memory_s,
            warmup_s=warmup_s,
            keep_short=keep_short,
        )
        self._memory_s, self.warmup_s = float(memory_s), float(warmup_s)
        short, long = split_by_distance(spec_in, max_distance)
        found = references_of(spec_in, short, long, reference)
        self._short = np.array(short, dtype=np.intp)
        self._long = np.array(long, dtype=np.intp)
        # (n_long, n_terms, n_short): how the terms of each regression are made of the short channels.
        n_terms = 1 if reference == "mean" else max(map(len, found))
        check_memory(
            f"Stage {NAME!r} with reference = {reference!r}",
            8.0 * len(long) * n_terms * (len(short) + 3 * n_terms),
        )
        self._terms = np.zeros((len(long), n_terms, len(short)))
        for row, indices in enumerate(found):
            for term, index in enumerate(indices):
                self._terms[row, 0 if reference == "mean" else term, index] = 1.0
        self._unit = np.array([UNIT[channel.kind] for channel in spec_in.channels])
        self._keep = keep_short
        self.spec_in = spec_in
        self.spec_out = spec_in if keep_short else spec_in.pick(long)
        self._forget()

    @staticmethod
    def check(
        before: Outline,
        *,
        max_distance: float = 0.01,
        reference: str = "nearest",
        memory_s: float = 180.0,
        warmup_s: float = 20.0,
        keep_short: bool = False,
    ) -> Outline:
        """What comes out of a signal of which only this is known (`realtime.stages.outline`)."""
        below = settings.number(NAME, "max_distance", max_distance, above=0, at_most=1)
        settings.number(NAME, "memory_s", memory_s, above=0)
        before = before.warmed(settings.number(NAME, "warmup_s", warmup_s, at_least=0, at_most=MOST_S))
        keep = settings.flag(NAME, "keep_short", keep_short)
        check_reference(reference)
        wanted = each_unit(*UNIT)
        after = before.some(NAME, wanted, " or ".join(UNIT)).only(wanted)
        if not before.near < below <= before.far:
            raise SignalError(
                f"Stage {NAME!r} calls channels below {below:g} m short, but those that reach it have "
                f"distances from {before.near:g} to {before.far:g} m: expected short and long ones. {ADVICE}"
            )
        return after if keep else after.within(below, before.far)

    def _forget(self) -> None:
        n, (n_long, n_terms, _) = len(self.spec_in), self._terms.shape
        self._time: float | None = None  # of the last sample
        self._weight: Floats = np.zeros(n)  # of the running means
        self._mean: Floats = np.zeros(n)
        self._learnt: Floats = np.zeros(n_long)  # seconds
        self._begun: Bools = np.zeros(n_long, dtype=bool)
        self._coefficients: Floats = np.zeros((n_long, n_terms))
        self._uncertainty: Floats = np.tile(PRIOR * np.eye(n_terms), (n_long, 1, 1))

    def process(self, chunk: Chunk) -> Chunk:
        """Take the superficial part out of the next samples."""
        n_samples = chunk.n_samples
        if n_samples == 0:
            return Chunk.empty(self.spec_out)
        measured = usable(chunk) & (np.abs(chunk.data) < MOST * self._unit[:, None])
        data = np.where(measured, chunk.data, 0.0)
        right, known = np.empty((len(self._long), n_samples)), np.empty((len(self._long), n_samples), bool)
        for i, time in enumerate(chunk.times.tolist()):
            right[:, i], known[:, i] = self._sample(time, data[:, i], measured[:, i])
        if not self._keep:
            right[~known] = np.nan
            return Chunk(self.spec_out, right, chunk.times, ~known)
        whole, whole_missing = np.where(measured, chunk.data, np.nan), ~measured
        whole[self._long], whole_missing[self._long] = np.where(known, right, np.nan), ~known
        return Chunk(self.spec_out, whole, chunk.times, whole_missing)

    def _sample(self, time: float, values: Floats, measured: Bools) -> tuple[Floats, Bools]:
        """One sample, (n_channels,) each; gives the long channels, and which of them are known."""
        step = 0.0 if self._time is None else time - self._time
        self._time = time
        fade = max(exp(-step / self._memory_s), LEAST_FADE)
        self._weight = self._weight * fade + measured
        self._mean += np.where(measured, values - self._mean, 0.0) / np.maximum(self._weight, 1.0)
        centred = np.where(measured, values - self._mean, 0.0) / self._unit
        # A term is the mean of what it is made of, as far as that is measured; 0 where nothing is.
        here = self._terms * measured[self._short]
        terms = (here @ centred[self._short]) / np.maximum(here.sum(axis=2), 1.0)  # (n_long, n_terms)
        both = measured[self._long] & here.any(axis=(1, 2))
        target = centred[self._long]

        spread = (self._uncertainty * terms[:, None, :]).sum(axis=2)  # P x
        expected = fade + (terms * spread).sum(axis=1)  # L + x' P x
        error = np.where(both, target - (self._coefficients * terms).sum(axis=1), 0.0)
        self._coefficients += spread * (error / expected)[:, None]
        # Symmetric to the last bit.  What is forgotten makes it grow, but never above the prior.
        gained = spread[:, :, None] * spread[:, None, :] / expected[:, None, None]
        sure = self._uncertainty - gained
        largest = np.einsum("ijj->ij", sure).max(axis=1)
        sure *= np.clip(PRIOR / largest, 1.0, 1.0 / fade)[:, None, None]
        sure += np.where(largest < PRIOR / 2, NUDGE, 0.0)[:, None, None] * np.eye(sure.shape[1])
        self._uncertainty = np.where(both[:, None, None], sure, self._uncertainty)

        self._learnt += np.where(both & self._begun, min(step, LONGEST_STEP_S), 0.0)
        self._begun |= both
        superficial = (self._coefficients * terms).sum(axis=1) * self._unit[self._long]
        known = both & (self._learnt >= self.warmup_s - 1e-6)
        return values[self._long] - superficial, known

    def reset(self, reason: Reset) -> None:
        """Keep what was learnt of the scalp at a gap; drop it at any other reset."""
        if reason != Reset.GAP:
            self._forget()

    def state(self) -> State:
        """Means, coefficients and how sure they are."""
        return {
            "time": self._time,
            "weight": self._weight.copy(),
            "mean": self._mean.copy(),
            "learnt": self._learnt.copy(),
            "begun": self._begun.copy(),
            "coefficients": self._coefficients.copy(),
            "uncertainty": self._uncertainty.copy(),
        }

    def restore(self, state: State) -> None:
        """Continue from a `state`."""
        time = state["time"]
        self._time = None if time is None else float(time)
        self._weight = np.array(state["weight"], dtype=np.float64)
        self._mean = np.array(state["mean"], dtype=np.float64)
        self._learnt = np.array(state["learnt"], dtype=np.float64)
        self._begun = np.array(state["begun"], dtype=bool)
        self._coefficients = np.array(state["coefficients"], dtype=np.float64)
        self._uncertainty = np.array(state["uncertainty"], dtype=np.float64)
