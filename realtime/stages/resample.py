"""Causal resampling from the stamps onto the model's grid.

It stands early, so that every later filter runs at the model's rate.  Time is read from stamps
alone; a rate is measured only to know whether an anti-alias filter is needed, and how near a stamp
must come to count as having reached a grid point.
"""

from dataclasses import replace
from functools import lru_cache
from math import floor

import numpy as np
from scipy.signal import butter

from models.arrays import Bools, Floats
from models.bounds import MOST_RATE
from realtime.signal import Chunk, SignalSpec
from realtime.stages import settings
from realtime.stages.base import Reset, State
from realtime.stages.cells import rows_where, usable
from realtime.stages.filtering import CarriedFilter, group_delay
from realtime.stages.outline import Outline

NAME = "resample"
ORDER = 4
PASSED = 0.8
"""Anti-alias cutoff as a share of the model's Nyquist frequency."""
FASTER = 1.05
"""The anti-alias filter is used where the input is faster than the model by more than this."""
MIN_SAMPLES = 5
LONGEST_STEP = 1.5
"""Sample periods that interpolation may bridge."""
MOST_MEASURE_S = 600.0
"""Samples are held back for so long at most, s."""
HOLD = 2.0
"""Seconds a channel may be away before its anti-alias filter is started afresh."""


class Resample:
    """Linear interpolation at ``t_first + j / rate``, after an anti-alias filter where one is needed.

    The input period P is measured over the first `measure_s` seconds of stamps (at least 5 samples): the
    mean of the steps within half of the median step, so that lost samples do not count.  Samples
    are held back until then and released at once, so that nothing is lost; P is frozen then.  If the input
    is more than 5 % faster than `rate`, a Butterworth low-pass (order 4, at 0.8 of the grid's
    Nyquist frequency) runs at the measured rate, started in each channel's steady state.

    The grid point tau leaves once a stamp s came with ``s >= tau - P / 4``: its value lies on the line
    between that sample and the one before, at s where that is not behind tau, else at
    ``tau - w P / 4``, where w grows from 0 at ``s = tau`` to 1 where the sample before comes to
    ``tau - P / 4`` itself.  So a sample on the grid passes as it is, and the value follows the stamps
    without a jump: noise of the clock stays as small as it is.  A point is missing for a channel that is
    missing at either, and for all if the two lie more than 1.5 P from each other; so without a reset the grid
    has no holes.  Nothing is extrapolated; a point shows the signal up to P / 4 late.

    At a gap the grid keeps its anchor and phase.  Nothing leaves for the lost time: output
    goes on at the first grid point at or after the first new stamp less P / 4, so **its times jump
    there by a whole number of steps**, and the filter starts afresh.  Samples still held
    back for the measurement are dropped, and it begins anew.  After any other reset everything begins anew.

    Parameters
    ----------
    spec_in : SignalSpec
        The incoming signal.
    rate : float
        The model's rate, Hz.
    measure_s : float
        Seconds of stamps over which P is measured.

    Raises
    ------
    SignalError
        If there is no channel.
    """

    warmup_s = 0.0  # samples wait for the measurement, but none of them is missing for it

    def __init__(self, spec_in: SignalSpec, *, rate: float, measure_s: float = 10.0) -> None:
        self.check(Outline.of(spec_in), rate=rate, measure_s=measure_s)
        self._rate, self._measure_s = float(rate), float(measure_s)
        rows_where(NAME, spec_in, lambda _: True, "any kind")
        self.spec_in = spec_in
        self.spec_out = spec_in.with_rate(self._rate)
        self._begin()

    @staticmethod
    def check(before: Outline, *, rate: float, measure_s: float = 10.0) -> Outline:
        """What comes out of a signal of which only this is known (`realtime.stages.outline`)."""
        rate = settings.number(NAME, "rate", rate, above=0, at_most=MOST_RATE)
        settings.number(NAME, "measure_s", measure_s, above=0, at_most=MOST_MEASURE_S)
        return replace(before, rate=rate)

    def _begin(self) -> None:
        self._anchor: float | None = None  # time of grid point 0
        self._next = 0  # the grid point that leaves next
        self._held: list[Chunk] = []
        self._set_period(None)

    def _set_period(self, period: float | None) -> None:
        """Freeze the measured period (s), or None before it is known, and start the filter."""
        self._period = period
        self._filter: CarriedFilter | None = None
        self._before: tuple[float, Floats, Bools] | None = None  # the last sample: time, values, measured
        if period is not None and (sos := _sections(self._rate, 1 / period)) is not None:
            self._filter = CarriedFilter(sos, len(self.spec_in), hold=int(HOLD / period), warmup=0)

    @property
    def period(self) -> float | None:
        """The measured period of the input (s), None until it is known."""
        return self._period

    @property
    def anchor(self) -> float:
        """Time of the grid's first point (s), NaN before the first sample."""
        return np.nan if self._anchor is None else self._anchor

    @property
    def delay_s(self) -> float:
        """Group delay of the anti-alias filter at half its cutoff (s).

        Until the input's rate is measured, by the rate that it declares.
        """
        rate_in = self.spec_in.rate if self._period is None else 1 / self._period
        return _delay(self._rate, rate_in)

    def process(self, chunk: Chunk) -> Chunk:
        """Give the grid points that the next samples complete."""
        if chunk.n_samples == 0:
            return Chunk.empty(self.spec_out)
        if self._anchor is None:
            self._anchor = float(chunk.times[0])
        if self._period is None:
            self._held.append(chunk)
            if not self._measure():
                return Chunk.empty(self.spec_out)
            chunk = Chunk.concatenate(self._held)
            self._held = []
        measured = usable(chunk)
        data = chunk.data
        if self._filter is not None:
            data, _ = self._filter.process(data, measured)
        return self._interpolate(chunk.times, data, measured)

    def _measure(self) -> bool:
        """Measure the period over the held samples if they reach far enough; say whether they do."""
        first, last = self._held[0].times[0], self._held[-1].times[-1]
        if last - first < self._measure_s or sum(held.n_samples for held in self._held) < MIN_SAMPLES:
            return False
        times = np.concatenate([held.times for held in self._held])
        # Up to the sample that completes the measurement, however many came with it.
        enough = int(np.searchsorted(times - first, self._measure_s, side="left"))
        steps = np.diff(times[: max(enough + 1, MIN_SAMPLES)])
        # The lower of two middle ones, so that it is a step that occurred: halfway between a step
        # and a gap there may be nothing.
        middle = np.sort(steps)[(len(steps) - 1) // 2]
        self._set_period(float(steps[np.abs(steps - middle) <= 0.5 * middle].mean()))
        return True

    def _interpolate(self, times: Floats, data: Floats, measured: Bools) -> Chunk:
        assert self._anchor is not None
        assert self._period is not None
        near = self._period / 4
        if self._before is None:
            # Nothing came before: the first sample stands for itself.
            self._before = (float(times[0]) - self._period, data[:, 0], measured[:, 0])
            self._next = max(self._next, self._first_point(float(times[0]) - near))
        time_before, data_before, measured_before = self._before
        latest = float(times[-1])
        self._before = (latest, data[:, -1].copy(), measured[:, -1].copy())
        stop = floor((latest + near - self._anchor) * self._rate) + 2
        points = self._anchor + np.arange(self._next, max(stop, self._next)) / self._rate
        points = points[points - near <= latest]
        if not len(points):
            return Chunk.empty(self.spec_out)
        self._next += len(points)

        left_data, left_measured = data_before[:, None], measured_before[:, None]
        if len(times) == 1:  # every point lies between the sample before and this one
            start, end = np.full(len(points), time_before), np.full(len(points), latest)
        else:
            right = np.searchsorted(times, points - near, side="left")  # the sample that completes each
            start, end = np.concatenate([[time_before], times])[right], times[right]
            left_data = np.concatenate([left_data, data], axis=1)[:, right]
            left_measured = np.concatenate([left_measured, measured], axis=1)[:, right]
            data, measured = data[:, right], measured[:, right]
        steps = end - start
        # Read at the point itself where a sample lies on it, and the earlier the nearer either sample is
        # to ``points - near``, where the next one would take over.  Were all read at the point, noise
        # of a microsecond could decide which two samples it lies between, and be seen in the value.
        beyond = np.maximum(end - points, 0.0)
        at = np.minimum(points, end) - near * beyond / (beyond + (points - near - start))
        share = (at - start) / steps
        values = left_data + share * (data - left_data)
        missing = ~(left_measured & measured & (steps <= LONGEST_STEP * self._period))
        values[missing] = np.nan
        return Chunk(self.spec_out, values, points, missing)

    def _first_point(self, time: float) -> int:
        """Number of the first grid point at or after a time (s)."""
        assert self._anchor is not None
        point = floor((time - self._anchor) * self._rate) - 1
        while self._anchor + point / self._rate < time:
            point += 1
        return point

    def reset(self, reason: Reset) -> None:
        """Keep the grid and the measured period at a gap; drop everything at any other reset."""
        if reason == Reset.GAP:
            self._held = []
            self._set_period(self._period)
        else:
            self._begin()

    def state(self) -> State:
        """The grid, the measured period, and what is carried or held back."""
        state: dict[str, np.typing.NDArray[np.generic] | float | int | None] = {
            "anchor": self._anchor,
            "next": self._next,
            "period": self._period,
        }
        if self._held:
            held = Chunk.concatenate(self._held)
            state |= {
                "held_data": held.data.copy(),
                "held_times": held.times.copy(),
                "held_missing": held.missing.copy(),
            }
        if self._before is not None:
            time, data, measured = self._before
            state |= {"before_time": time, "before_data": data.copy(), "before_measured": measured.copy()}
        if self._filter is not None:
            state |= {f"filter_{name}": value for name, value in self._filter.state().items()}
        return state

    def restore(self, state: State) -> None:
        """Continue from the grid and the samples of a `state`."""
        self._begin()
        anchor, period = state["anchor"], state["period"]
        self._anchor = None if anchor is None else float(anchor)
        self._next = int(state["next"] or 0)
        self._set_period(None if period is None else float(period))
        if "held_times" in state:
            self._held = [
                Chunk(
                    self.spec_in,
                    np.array(state["held_data"], dtype=np.float64),
                    np.array(state["held_times"], dtype=np.float64),
                    np.array(state["held_missing"], dtype=bool),
                )
            ]
        if "before_time" in state:
            self._before = (
                float(state["before_time"] or 0.0),
                np.array(state["before_data"], dtype=np.float64),
                np.array(state["before_measured"], dtype=bool),
            )
        if self._filter is not None:
            prefix = "filter_"
            self._filter.restore(
                {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
            )


def _sections(rate: float, rate_in: float) -> Floats | None:
    """The anti-alias filter from one rate to another, None where none is needed."""
    if rate_in <= FASTER * rate:
        return None
    return butter(ORDER, PASSED * rate / 2, output="sos", fs=rate_in)


@lru_cache(maxsize=64)
def _delay(rate: float, rate_in: float) -> float:
    """Its group delay (s); every decision asks."""
    sos = _sections(rate, rate_in)
    return 0.0 if sos is None else group_delay(sos, PASSED * rate / 4, rate_in)
