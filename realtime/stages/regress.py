"""Incremental detrending: drift and confounds are regressed out as the signal comes.

Stands for linear (or higher) detrending and the regression of confounds over the whole run
(``nilearn.signal.clean(detrend=True, confounds=...)``).  A general linear model of drift terms and of the
channels that travel beside the signal (head motion, physiology) is solved anew at each sample from all that
came before and the sample itself, weighted down exponentially by the clock (Cox, Jesmanowicz and Hyde 1995,
Magn Reson Med 33:230; Bagarinao et al. 2003, NeuroImage 19:422).  The sums that it is solved from are
carried, so a sample costs the same at any time of a session.
"""

from collections.abc import Sequence
from math import ceil, comb, exp

import numpy as np

from models.arrays import Bools, Floats
from models.bounds import MOST_S
from models.errors import SignalError
from realtime.signal import CONFOUNDS, Chunk, SignalSpec
from realtime.stages import settings
from realtime.stages.base import Reset, State
from realtime.stages.cells import grid_rate, rows_where, usable
from realtime.stages.outline import Outline, check_memory, each_unit

NAME = "regress"
MOST_ORDER = 3
RIDGE = 1e-6
"""Share of a confound's own size that is added: confounds that go together do not run away."""
NUDGE = 1e-10
"""The same for drift terms, which only few samples leave open."""
LEAST_FADE = 1e-3
"""However long a gap was, so much of the weight of what was learnt remains."""


class Regress:
    """``x - (drift + confounds)``, at the level that the channel had when the warm-up was over.

    Drift is a polynomial in time of the last `memory_s` or so: order 0 a level, 1 a line.  Confounds are
    taken relative to their first measured values, so a head that has not moved changes nothing.  A cell is
    missing where it or a confound was not measured, and until `warmup_s` seconds of it were.  Confounds that
    are named leave the signal here.

    A gap keeps what was learnt; any other reset drops it.

    Parameters
    ----------
    spec_in : SignalSpec
        The incoming signal, on a uniform grid.
    order : int
        Of the drift's polynomial, 0 to 3.
    confounds : sequence of str
        Kinds of channels to regress out, of `realtime.signal.CONFOUNDS`; empty takes drift alone.
    memory_s : float
        Time constant of forgetting, seconds.  What lasts as long is taken for drift.
    warmup_s : float
        Measured seconds that a channel needs.

    Raises
    ------
    RecipeError
        If a setting is wrong.
    SignalError
        If there is no signal, or no channel of a confound's kind.
    """

    delay_s = 0.0

    def __init__(
        self,
        spec_in: SignalSpec,
        *,
        order: int = 1,
        confounds: Sequence[str] = (),
        memory_s: float = 300.0,
        warmup_s: float = 30.0,
    ) -> None:
        self.check(
            Outline.of(spec_in), order=order, confounds=confounds, memory_s=memory_s, warmup_s=warmup_s
        )
        self._memory_s, self.warmup_s = float(memory_s), float(warmup_s)
        self._warmup = ceil(self.warmup_s * grid_rate(NAME, spec_in) - 1e-9)
        self._n_drift = order + 1
        self._beside = [i for i, channel in enumerate(spec_in.channels) if channel.kind in confounds]
        self._rows = rows_where(NAME, spec_in, lambda channel: channel.kind not in confounds, "a signal")
        size = self._n_drift + len(self._beside)
        check_memory(f"Stage {NAME!r}", 8.0 * 4 * len(self._rows) * size**2)
        self._penalty = np.diag([NUDGE] * self._n_drift + [RIDGE] * len(self._beside))
        self.spec_in = spec_in
        self.spec_out = spec_in.pick(self._rows.tolist())
        self._forget()

    @staticmethod
    def check(
        before: Outline,
        *,
        order: int = 1,
        confounds: Sequence[str] = (),
        memory_s: float = 300.0,
        warmup_s: float = 30.0,
    ) -> Outline:
        """What comes out of a signal of which only this is known (`realtime.stages.outline`)."""
        settings.integer(NAME, "order", order, at_least=0, at_most=MOST_ORDER)
        settings.number(NAME, "memory_s", memory_s, above=0)
        before = before.warmed(settings.number(NAME, "warmup_s", warmup_s, at_least=0, at_most=MOST_S))
        if confounds == () or confounds == []:
            return before
        names = settings.strings(NAME, "confounds", confounds, known=sorted(CONFOUNDS))
        for kind in (kind for kind in CONFOUNDS if kind in names):
            before = before.some(NAME, each_unit(kind), f"a channel of kind {kind}")
            before = before.turned(each_unit(kind), ())
        if not before.kinds:
            raise SignalError(f"Stage {NAME!r} has only confounds to work on; expected a signal beside them.")
        return before

    def _forget(self) -> None:
        n, size = len(self._rows), self._n_drift + len(self._beside)
        self._time: float | None = None  # of the last sample
        self._first: Floats = np.full(n, np.nan)  # value of each channel
        self._rest: Floats = np.full(len(self._beside), np.nan)  # and of each confound
        self._level: Floats = np.full(n, np.nan)
        self._count = np.zeros(n, dtype=np.int64)  # measured samples, as far as the warm-up
        self._squares: Floats = np.zeros((n, size, size))  # weighted sums of products of terms
        self._products: Floats = np.zeros((n, size))  # ... and of terms and values

    def process(self, chunk: Chunk) -> Chunk:
        """Take drift and confounds out of the next samples."""
        if chunk.n_samples == 0:
            return Chunk.empty(self.spec_out)
        measured = usable(chunk)
        right = np.empty((len(self._rows), chunk.n_samples))
        known = np.empty(right.shape, dtype=bool)
        for i, time in enumerate(chunk.times.tolist()):
            right[:, i], known[:, i] = self._sample(time, chunk.data[:, i], measured[:, i])
        right[~known] = np.nan
        return Chunk(self.spec_out, right, chunk.times, ~known)

    def _sample(self, time: float, values: Floats, measured: Bools) -> tuple[Floats, Bools]:
        """One sample, (n_channels,) each; gives the signal's channels, and which of them are known."""
        self._age(0.0 if self._time is None else time - self._time)
        self._time = time
        beside, signal = values[self._beside], values[self._rows]
        there = measured[self._beside]
        self._rest = np.where(np.isnan(self._rest) & there, beside, self._rest)
        here: Bools = measured[self._rows] & bool(there.all())
        self._first = np.where(np.isnan(self._first) & here, signal, self._first)
        terms = np.zeros(self._squares.shape[1])  # now is time 0: of the drift only the constant is not
        terms[0] = 1.0
        terms[self._n_drift :] = np.where(there, beside - self._rest, 0.0)
        distance = np.where(here, signal - self._first, 0.0)
        self._squares += np.where(here[:, None, None], np.outer(terms, terms), 0.0)
        self._products += distance[:, None] * terms
        self._count = np.minimum(self._count + here, self._warmup + 1)
        known: Bools = here & (self._count > self._warmup)
        if not known.any():
            return signal, known
        coefficients = self._solve()
        now = self._first + coefficients[:, 0]
        self._level = np.where(np.isnan(self._level) & known, now, self._level)
        return distance - coefficients @ terms + self._level, known

    def _age(self, step: float) -> None:
        """What was `step` seconds nearer is written in the terms of now, and weighs less."""
        if step == 0.0:
            return
        past = -step / self._memory_s
        moved = np.eye(self._squares.shape[1])
        for power in range(self._n_drift):
            for lower in range(power):
                moved[power, lower] = comb(power, lower) * past ** (power - lower)
        fade = max(exp(past), LEAST_FADE)
        self._squares = fade * (moved @ self._squares @ moved.T)
        self._products = fade * (self._products @ moved.T)

    def _solve(self) -> Floats:
        """Coefficients, (n_channels, n_terms), each term first brought to size 1."""
        size = np.sqrt(np.einsum("ijj->ij", self._squares))
        occurs = size > 0.0
        scale = np.where(occurs, size, 1.0)
        sums = self._squares / (scale[:, :, None] * scale[:, None, :])
        sums = sums + self._penalty + np.eye(len(self._penalty)) * ~occurs[:, None, :]
        found = np.linalg.solve(sums, (self._products / scale)[:, :, None])[:, :, 0]
        return np.asarray(np.where(occurs, found / scale, 0.0))

    def reset(self, reason: Reset) -> None:
        """Keep what was learnt at a gap; drop it at any other reset."""
        if reason != Reset.GAP:
            self._forget()

    def state(self) -> State:
        """The sums, and where channels and confounds began."""
        return {
            "time": self._time,
            "first": self._first.copy(),
            "rest": self._rest.copy(),
            "level": self._level.copy(),
            "count": self._count.copy(),
            "squares": self._squares.copy(),
            "products": self._products.copy(),
        }

    def restore(self, state: State) -> None:
        """Continue from a `state`."""
        time = state["time"]
        self._time = None if time is None else float(time)
        self._first = np.array(state["first"], dtype=np.float64)
        self._rest = np.array(state["rest"], dtype=np.float64)
        self._level = np.array(state["level"], dtype=np.float64)
        self._count = np.array(state["count"], dtype=np.int64)
        self._squares = np.array(state["squares"], dtype=np.float64)
        self._products = np.array(state["products"], dtype=np.float64)
