"""Motion, put right as it happens: the idea of TDDR without its look at the whole recording.

Temporal derivative distribution repair (Fishburn et al. 2019, doi:10.1016/j.neuroimage.2018.09.025) finds
the changes of a signal that are too large for it, takes them out, and adds up what is left.  It needs the
whole recording: a zero-phase filter, and the median of all changes.  This is our own online form of
it, and not TDDR: a causal low-pass, a robust scale of the last seconds, and a weight on the fast part
too, where a causal low-pass leaves what it has not followed yet.  ``python -m tools.bench.motion``
measures what that costs.
"""

from collections.abc import Mapping
from math import ceil

import numpy as np
from scipy.signal import butter

from models.arrays import Bools, Floats
from models.bounds import MOST_S
from models.errors import RecipeError, SignalError
from realtime.signal import Chunk, Kind, SignalSpec
from realtime.stages import settings
from realtime.stages.base import Reset, State
from realtime.stages.cells import grid_rate, rows_where, usable
from realtime.stages.filtering import NEVER, CarriedFilter, check_edge
from realtime.stages.outline import Outline, check_memory, each_unit

NAME = "motion"
TUNE = 4.685
"""Tukey's constant: beyond so many robust SDs a value counts nothing (95 % efficient for a normal)."""
MAD_TO_SD = 1.4826
RENEW_S = 1.0
"""The scales are renewed so often, s: they are medians over many samples and hardly move in between."""
ORDER = 2
MOST = 1e6
"""A value beyond (1, mol/L) is no measurement, and taken for missing."""
LEAST: Mapping[Kind, float] = {
    Kind.OPTICAL_DENSITY: 1e-9,
    Kind.HBO: 1e-13,
    Kind.HBR: 1e-13,
    Kind.HBT: 1e-13,
}
"""Scales below these (1, mol/L) are rounding, not a head: such a channel passes as it is."""


class Motion:
    """Take spikes and shifts out of optical density or haemoglobin, sample by sample.

    Each channel is split by a causal low-pass.  A change of the slow part is weighted by Tukey's
    biweight of its size in trailing robust SDs (1.4826 times the median of ``|change|``), so a jump never
    enters the sum; the fast part is weighted likewise by its own size, so a spike fades.  What is
    neither passes without delay: slow and fast part together are the signal.

    Levels are not kept: after a shift the signal goes on from where it was, so a high-pass should follow.
    What is missing stays missing.  A channel is missing until `warmup_s` seconds of it were measured; what
    was away for longer than `hold_s`, and everything behind a gap, begins without a change (a shift
    meanwhile has no effect), with the scales it had.

    Parameters
    ----------
    spec_in : SignalSpec
        The incoming signal, on a uniform grid; all of it optical density or haemoglobin.
    cutoff : float
        Between the slow and the fast part, Hz.
    window_s : float
        Measured past that the scales follow from, seconds.
    warmup_s : float
        Measured seconds that a channel needs before its scales are believed.
    hold_s : float
        Longest dropout of a channel that is bridged, seconds.

    Raises
    ------
    RecipeError
        If the window is shorter than the warm-up.
    SignalError
        If the signal has no rate, a channel of another kind, or too low a rate for the cutoff.
    """

    delay_s = 0.0

    def __init__(
        self,
        spec_in: SignalSpec,
        *,
        cutoff: float = 0.5,
        window_s: float = 30.0,
        warmup_s: float = 10.0,
        hold_s: float = 2.0,
    ) -> None:
        rows = rows_where(NAME, spec_in, lambda c: c.kind in LEAST, " or ".join(LEAST))
        if len(rows) < len(spec_in):
            strange = next(c for c in spec_in.channels if c.kind not in LEAST)
            raise SignalError(
                f"Stage {NAME!r} cannot work on channel {strange.name!r} of kind {strange.kind}; expected "
                f"only {', '.join(LEAST)}. Put 'optical_density' before it, or 'select' the others."
            )
        rate = grid_rate(NAME, spec_in)
        self.check(Outline.of(spec_in), cutoff=cutoff, window_s=window_s, warmup_s=warmup_s, hold_s=hold_s)
        self.spec_in = spec_in
        self.spec_out = spec_in
        self._every, blocks = _blocks(warmup_s, rate)
        self.warmup_s = blocks * self._every / rate
        self._needed = max(blocks * self._every - 1, 1)  # the first sample has no change
        self._length = max(ceil(window_s * rate - 1e-9), self._needed)
        check_memory(f"Stage {NAME!r} with window_s = {window_s:g}", 16.0 * len(spec_in) * self._length)
        self._hold = int(hold_s * rate + 1e-9)
        self._least = np.array([LEAST[channel.kind] for channel in spec_in.channels])
        sos = butter(ORDER, cutoff, "lowpass", output="sos", fs=rate)
        self._low = CarriedFilter(sos, len(spec_in), hold=self._hold, warmup=0)
        self._forget()

    @staticmethod
    def check(
        before: Outline,
        *,
        cutoff: float = 0.5,
        window_s: float = 30.0,
        warmup_s: float = 10.0,
        hold_s: float = 2.0,
    ) -> Outline:
        """What comes out of a signal of which only this is known (`realtime.stages.outline`)."""
        settings.number(NAME, "cutoff", cutoff, above=0)
        settings.number(NAME, "window_s", window_s, above=0, at_most=600)
        settings.number(NAME, "warmup_s", warmup_s, above=0)
        settings.number(NAME, "hold_s", hold_s, at_least=0, at_most=MOST_S)
        if window_s < warmup_s:
            raise RecipeError(
                f"Stage {NAME!r} has window_s = {window_s:g} and warmup_s = {warmup_s:g}; expected a window "
                "as long as the warm-up or longer."
            )
        check_edge(NAME, "cutoff", cutoff, before.rate)
        wanted = each_unit(*LEAST)
        every, blocks = _blocks(warmup_s, before.rate)
        after = before.warmed(blocks * every / before.rate)
        return after.some(NAME, wanted, " or ".join(LEAST)).only(wanted)

    def _forget(self) -> None:
        n = len(self.spec_in)
        self._low.restart()
        self._last: Floats = np.zeros(n)  # slow part at the last sample
        self._lost = np.full(n, NEVER, dtype=np.int64)
        self._taken: Floats = np.zeros(n)  # sum of the changes that were taken out
        self._column = 0  # samples so far
        # Sizes of changes, and of the fast part, in a ring; NaN where there was none.
        self._past: Floats = np.full((2, n, self._length), np.nan)
        self._scale: Floats = np.zeros((2, n))
        self._ready: Bools = np.zeros(n, dtype=bool)

    def process(self, chunk: Chunk) -> Chunk:
        """Put the next samples right."""
        n_samples = chunk.n_samples
        if n_samples == 0:
            return Chunk.empty(self.spec_out)
        measured = usable(chunk) & (np.abs(chunk.data) < MOST)
        starts = self._starts(measured)
        slow, _ = self._low.process(chunk.data, measured)
        change = np.diff(slow, axis=1, prepend=self._last[:, None])
        change[starts] = 0.0
        self._last = slow[:, -1].copy()
        fast = np.where(measured, chunk.data - slow, 0.0)
        sizes = np.where(measured & ~starts, np.abs([change, fast]), np.nan)

        taken, unready = np.empty_like(change), np.empty_like(measured)
        at = 0
        while at < n_samples:
            if self._column % self._every == 0:
                self._renew()
            stop = min(at + self._every - self._column % self._every, n_samples)
            taken[:, at:stop] = change[:, at:stop] * (1.0 - self._weight(0, change[:, at:stop]))
            fast[:, at:stop] *= self._weight(1, fast[:, at:stop])
            unready[:, at:stop] = ~self._ready[:, None]
            self._past[:, :, np.arange(self._column, self._column + stop - at) % self._length] = sizes[
                :, :, at:stop
            ]
            self._column += stop - at
            at = stop
        # One sum from the first sample on, so that cutting the input elsewhere adds in the same order.
        whole = np.cumsum(np.concatenate([self._taken[:, None], taken], axis=1), axis=1)[:, 1:]
        self._taken = whole[:, -1].copy()
        missing = ~measured | unready
        right = slow - whole + fast
        right[missing] = np.nan
        return Chunk(self.spec_out, right, chunk.times, missing)

    def _starts(self, measured: Bools) -> Bools:
        """Cells at which a channel begins: at first, and after it was away for longer than is bridged."""
        n_samples = measured.shape[1]
        columns = np.arange(n_samples)
        seen = np.maximum.accumulate(np.where(measured, columns, -1), axis=1)
        before = np.concatenate([np.full((len(measured), 1), -1), seen[:, :-1]], axis=1)
        lost = np.where(before >= 0, columns - 1 - before, self._lost[:, None] + columns)
        last = seen[:, -1]
        self._lost = np.where(last >= 0, n_samples - 1 - last, np.minimum(self._lost + n_samples, NEVER))
        return np.asarray(measured & (lost > self._hold))

    def _weight(self, part: int, values: Floats) -> Floats:
        """Tukey's biweight of values, (n_channels, n) in the channels' units; 1 where no scale is known."""
        scale = self._scale[part]
        known = self._ready & (scale > self._least)
        share = np.abs(values) / np.where(known, TUNE * scale, np.inf)[:, None]
        return np.asarray(np.where(share < 1.0, (1.0 - share * share) ** 2, 0.0))

    def _renew(self) -> None:
        """Take the scales from the past, where enough of it was measured; otherwise they stay."""
        held = np.isfinite(self._past[0])
        count = held.sum(axis=1)
        enough = count >= self._needed
        if not enough.any():
            return
        if held.all():
            middle = (self._length - 1) // 2, self._length // 2
            ordered = np.partition(self._past, sorted(set(middle)), axis=2)
            median = 0.5 * (ordered[:, :, middle[0]] + ordered[:, :, middle[1]])
        else:
            ordered = np.sort(self._past, axis=2)  # what is not there sorts last
            rows = np.arange(len(count))
            few = np.maximum(count, 1)
            median = 0.5 * (ordered[:, rows, (few - 1) // 2] + ordered[:, rows, few // 2])
        self._scale = np.where(enough, MAD_TO_SD * median, self._scale)
        self._ready |= enough

    def reset(self, reason: Reset) -> None:
        """Keep the scales and what was taken out at a gap; drop everything at any other reset."""
        if reason != Reset.GAP:
            self._forget()
            return
        self._low.restart()
        self._lost[:] = NEVER

    def state(self) -> State:
        """The filter's memory, the past sizes, the scales and what was taken out."""
        return {
            **{f"low_{name}": value for name, value in self._low.state().items()},
            "slow": self._last.copy(),
            "away": self._lost.copy(),
            "taken": self._taken.copy(),
            "column": self._column,
            "past": self._past.copy(),
            "scale": self._scale.copy(),
            "ready": self._ready.copy(),
        }

    def restore(self, state: State) -> None:
        """Continue from a `state`."""
        low = {name.removeprefix("low_"): value for name, value in state.items() if name.startswith("low_")}
        self._low.restore(low)
        self._last = np.array(state["slow"], dtype=np.float64)
        self._lost = np.array(state["away"], dtype=np.int64)
        self._taken = np.array(state["taken"], dtype=np.float64)
        column = state["column"]
        assert isinstance(column, int)
        self._column = column
        self._past = np.array(state["past"], dtype=np.float64)
        self._scale = np.array(state["scale"], dtype=np.float64)
        self._ready = np.array(state["ready"], dtype=bool)


def _blocks(warmup_s: float, rate: float) -> tuple[int, int]:
    """Samples after which the scales are renewed, and how often until they are believed."""
    every = max(1, round(RENEW_S * rate))
    return every, max(1, ceil(warmup_s * rate / every - 1e-9))
