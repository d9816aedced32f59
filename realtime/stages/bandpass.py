"""Causal Butterworth band-pass with carried state.

It stands after the resampler, so its rate is the model's.  What it costs is declared: the delay at
the band's centre, and how long a start needs until its residue is small.
"""

from math import ceil, sqrt

import numpy as np
from scipy.signal import butter

from models.arrays import Floats
from models.bounds import MOST_S
from models.errors import RecipeError
from realtime.signal import Chunk, SignalSpec
from realtime.stages import settings
from realtime.stages.base import Reset, State
from realtime.stages.cells import grid_rate, rows_where, usable
from realtime.stages.filtering import CarriedFilter, check_edge, group_delay, settling_time
from realtime.stages.outline import Outline

NAME = "bandpass"


class Bandpass:
    """Butterworth band-pass, or low-pass or high-pass where one edge is left out.

    Each channel is started in the steady state of its first measured sample and is missing until
    the residue of a step would be under 5 %.  Where its input is missing, its last value goes into
    the filter and the output is missing.  A channel that was missing for longer than `hold_s`, and every
    channel after a gap, is started afresh.

    Parameters
    ----------
    spec_in : SignalSpec
        The incoming signal, on a uniform grid.
    low, high : float
        Edges of the band (-3 dB), Hz; 0 for no edge.
    order : int
        Butterworth order of each edge.
    hold_s : float
        Longest dropout of a channel that is bridged, seconds.

    Raises
    ------
    RecipeError
        If neither edge is given, or low is not below high.
    SignalError
        If the signal has no rate, no channel, or a Nyquist frequency that is too low for an edge.
    """

    def __init__(
        self, spec_in: SignalSpec, *, low: float = 0.0, high: float = 0.0, order: int = 2, hold_s: float = 2.0
    ) -> None:
        rows_where(NAME, spec_in, lambda _: True, "any kind")
        rate = grid_rate(NAME, spec_in)
        sos, centre, self.warmup_s = _design(rate, low, high, order, hold_s)
        self.spec_in = spec_in
        self.spec_out = spec_in
        self.delay_s = group_delay(sos, centre, rate)
        warmup = ceil(self.warmup_s * rate - 1e-9)
        hold = int(hold_s * rate + 1e-9)
        self._filter = CarriedFilter(sos, len(spec_in), hold=hold, warmup=warmup)

    @staticmethod
    def check(
        before: Outline, *, low: float = 0.0, high: float = 0.0, order: int = 2, hold_s: float = 2.0
    ) -> Outline:
        """What comes out of a signal of which only this is known (`realtime.stages.outline`)."""
        return before.warmed(_design(before.rate, low, high, order, hold_s)[2])

    def process(self, chunk: Chunk) -> Chunk:
        """Filter the next samples."""
        if chunk.n_samples == 0:
            return Chunk.empty(self.spec_out)
        filtered, missing = self._filter.process(chunk.data, usable(chunk))
        filtered[missing] = np.nan
        return Chunk(self.spec_out, filtered, chunk.times, missing)

    def reset(self, reason: Reset) -> None:
        """Start every channel afresh: a filter's memory is of the last sample."""
        self._filter.restart()

    def state(self) -> State:
        """The filter's memory and each channel's age."""
        return self._filter.state()

    def restore(self, state: State) -> None:
        """Continue from the memory of a `state`."""
        self._filter.restore(state)


def _design(rate: float, low: float, high: float, order: int, hold_s: float) -> tuple[Floats, float, float]:
    """Sections, the band's centre (Hz) and how long they take to settle (s)."""
    low = settings.number(NAME, "low", low, at_least=0)
    high = settings.number(NAME, "high", high, at_least=0)
    order = settings.integer(NAME, "order", order, at_least=1, at_most=8)
    settings.number(NAME, "hold_s", hold_s, at_least=0, at_most=MOST_S)
    if low == 0 and high == 0:
        raise RecipeError(f"Stage {NAME!r} has low = 0 and high = 0; expected at least one edge in Hz.")
    if 0 < high <= low:
        raise RecipeError(f"Stage {NAME!r} has low = {low:g} Hz and high = {high:g} Hz; expected low < high.")
    for name, edge in (("low", low), ("high", high)):
        if edge:
            check_edge(NAME, name, edge, rate)
    if low and high:
        sos = butter(order, [low, high], "bandpass", output="sos", fs=rate)
        centre = sqrt(low * high)
    elif high:
        sos = butter(order, high, "lowpass", output="sos", fs=rate)
        centre = high / 2
    else:
        sos = butter(order, low, "highpass", output="sos", fs=rate)
        centre = sqrt(low * rate / 2)
    settles = settling_time(sos, rate)
    if settles > MOST_S:
        raise RecipeError(
            f"Stage {NAME!r} with low = {low:g} Hz, high = {high:g} Hz and order = {order} would not settle "
            f"within {MOST_S:g} s, and no window would be usable before. Raise the lower edge, widen the "
            "band, or take a lower order."
        )
    return sos, centre, settles
