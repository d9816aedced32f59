"""Spikes are clipped: a value far from what its channel was lately is brought to the edge of that.

Stands for despiking over the whole run (AFNI's ``3dDespike``), with a trailing median in place of a curve
that is fitted to all of it; a modified Kalman filter does the same in real-time fMRI (Koush et al. 2012,
NeuroImage 59:478) and delays besides, which this does not.
"""

from math import ceil

import numpy as np

from models.arrays import Bools, Floats
from models.bounds import MOST_S
from models.errors import RecipeError
from realtime.signal import CONFOUNDS, Chunk, SignalSpec
from realtime.stages import settings
from realtime.stages.base import Reset, State
from realtime.stages.cells import grid_rate, rows_where, usable
from realtime.stages.outline import Outline, check_memory

NAME = "despike"
SIGMA = 1.4826
"""From the median absolute deviation to the SD of a normal distribution."""
MOST_CELLS = 2**21
"""Cells of a buffer that are sorted at once."""


class Despike:
    """A value is clipped to the median of the last `window_s` seconds, plus or minus `threshold` robust SDs.

    The sample itself is one of those.  A step is followed once half of the window lies behind it; until then
    it is held at the edge.  Where a channel did not vary at all, nothing is clipped.  Confounds pass
    unchanged.  Missing until `warmup_s` seconds of the channel were measured in the window.

    A gap keeps the window's samples; any other reset drops them.

    Parameters
    ----------
    spec_in : SignalSpec
        The incoming signal, on a uniform grid.
    window_s : float
        Seconds of samples that say what is usual.
    threshold : float
        In robust SDs (1.4826 times the median absolute deviation).
    warmup_s : float
        Measured seconds that a channel needs; shorter than the window.

    Raises
    ------
    RecipeError
        If the warm-up is not shorter than the window.
    SignalError
        If there is no signal.
    """

    delay_s = 0.0

    def __init__(
        self,
        spec_in: SignalSpec,
        *,
        window_s: float = 60.0,
        threshold: float = 4.0,
        warmup_s: float = 20.0,
    ) -> None:
        self.check(Outline.of(spec_in), window_s=window_s, threshold=threshold, warmup_s=warmup_s)
        rate = grid_rate(NAME, spec_in)
        self.warmup_s, self._threshold = float(warmup_s), float(threshold)
        self._rows = rows_where(NAME, spec_in, lambda channel: channel.kind not in CONFOUNDS, "a signal")
        self._needed = ceil(self.warmup_s * rate - 1e-9) + 1
        self._length = max(ceil(window_s * rate - 1e-9), self._needed)
        check_memory(f"Stage {NAME!r} with window_s = {window_s!r}", 8.0 * len(spec_in) * self._length)
        self.spec_in = spec_in
        self.spec_out = spec_in
        self._forget()

    @staticmethod
    def check(
        before: Outline, *, window_s: float = 60.0, threshold: float = 4.0, warmup_s: float = 20.0
    ) -> Outline:
        """What comes out of a signal of which only this is known (`realtime.stages.outline`)."""
        longest = settings.number(NAME, "window_s", window_s, above=0, at_most=MOST_S)
        settings.number(NAME, "threshold", threshold, above=0)
        needed = settings.number(NAME, "warmup_s", warmup_s, at_least=0, at_most=MOST_S)
        if needed >= longest:
            raise RecipeError(
                f"Stage {NAME!r} has warmup_s = {needed:g} and window_s = {longest:g}; expected a warm-up "
                "shorter than the window."
            )
        return before.warmed(needed)

    def _forget(self) -> None:
        self._past: Floats = np.full((len(self._rows), self._length - 1), np.nan)

    def process(self, chunk: Chunk) -> Chunk:
        """Clip the next samples."""
        if chunk.n_samples == 0:
            return Chunk.empty(self.spec_out)
        whole, whole_missing = chunk.data.copy(), ~usable(chunk)
        values = np.where(whole_missing[self._rows], np.nan, chunk.data[self._rows])
        held = np.concatenate([self._past, values], axis=1)
        self._past = held[:, held.shape[1] - self._length + 1 :].copy()
        windows = np.lib.stride_tricks.sliding_window_view(held, self._length, axis=1)
        columns = max(MOST_CELLS // (len(self._rows) * self._length), 1)
        for begin in range(0, chunk.n_samples, columns):
            these = slice(begin, begin + columns)
            clipped, known = self._clip(values[:, these], windows[:, these])
            values[:, these] = np.where(known, clipped, np.nan)
        whole[self._rows], whole_missing[self._rows] = values, np.isnan(values)
        return Chunk(self.spec_out, whole, chunk.times, whole_missing)

    def _clip(self, values: Floats, windows: Floats) -> tuple[Floats, Bools]:
        """Values (n_rows, n) held against their windows (n_rows, n, length); and which are known."""
        count = np.count_nonzero(~np.isnan(windows), axis=2)
        middle = _median(windows, count)
        spread = _median(np.abs(windows - middle[:, :, None]), count)
        reach = np.where(spread > 0.0, self._threshold * SIGMA * spread, np.inf)
        known: Bools = ~np.isnan(values) & (count >= self._needed)
        return np.clip(values, middle - reach, middle + reach), known

    def reset(self, reason: Reset) -> None:
        """Keep the window's samples at a gap; drop them at any other reset."""
        if reason != Reset.GAP:
            self._forget()

    def state(self) -> State:
        """The last samples; NaN where nothing was measured."""
        return {"past": self._past.copy()}

    def restore(self, state: State) -> None:
        """Continue from the samples of a `state`."""
        self._past = np.array(state["past"], dtype=np.float64)


def _median(values: Floats, count: "np.typing.NDArray[np.int64]") -> Floats:
    """Medians along the last axis of what is not NaN, of which there are so many; NaN where there is none."""
    ordered = np.sort(values, axis=2)  # NaN last
    low, high = np.maximum(count - 1, 0) // 2, count // 2
    high = np.minimum(high, values.shape[2] - 1)
    one, other = (np.take_along_axis(ordered, at[:, :, None], axis=2)[:, :, 0] for at in (low, high))
    return np.asarray(one + (other - one) / 2.0)
