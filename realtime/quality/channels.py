"""What was measured of the signals behind a window: raw, at the device's own rate.

The pulse, a converter at the end of its range and a flat line can only be measured before
the pipeline has filtered and resampled.  So the samples that go into it are kept for as long as a
window to come may ask for them.  A window ``[start, end)`` is measured from samples of that span
alone, up to the one that completed it, which is left to the next window; so neither how samples were
cut into entries nor anything later has a say, and nearly all of the work can be done while that last
sample is awaited.  Only the scale of what counts as motion is carried from window to window.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from realtime.quality import artefacts
from realtime.quality.buffer import STAMP_SLACK_S, RecentSamples
from realtime.quality.policy import ChannelMeasurement, Policy
from realtime.quality.raw import Key, measure_raw, samples_key
from realtime.quality.scalp_coupling import ScalpCoupling
from realtime.signal import SignalSpec

ADAPT_S = 10.0
"""A scale of motion grows or shrinks by a factor of e in this time at most, stream seconds."""
STILL = 0.01
"""A channel whose changes fall to so little of what was usual is flat-lined."""
LONGEST_STEP = 1.5
"""The next sample is awaited so many periods after the last."""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """One window of raw samples, measured; NaN where that cannot be known.

    Parameters
    ----------
    scalp_coupling, peak_power : (n_pairs,) float64
        As in `realtime.quality.policy.ChannelMeasurement`, where channels share source and detector.
    flat_s, saturated, moving : (n_inputs,) float64
        Of the device's channels.
    summary : mapping of str to float or None
        ``scalp_coupling`` and ``peak_power``, medians over pairs; ``moving``, share of channels that moved.
    of_outputs : tuple of (n_outputs,) float64
        The five above, at the network's channels.
    """

    scalp_coupling: Floats
    peak_power: Floats
    flat_s: Floats
    saturated: Floats
    moving: Floats
    summary: Mapping[str, float | None]
    of_outputs: tuple[Floats, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Ready:
    """What was measured of which samples, and the scale of motion from there on."""

    key: Key
    measured: Measured
    scale: Floats


class ChannelQuality:
    """Keeps what goes into a pipeline and measures it for each window that comes out.

    Parameters
    ----------
    spec_in, spec_out : SignalSpec
        What goes into the pipeline, and what comes out.
    length_s : float
        Of the windows, s.
    policy : Policy
        For the band of the pulse.
    """

    def __init__(self, spec_in: SignalSpec, spec_out: SignalSpec, *, length_s: float, policy: Policy) -> None:
        self._coupling = ScalpCoupling(
            spec_in, length_s=length_s, low=policy.pulse_low, high=policy.pulse_high
        )
        self._made_of = made_of(spec_in, spec_out)
        self._pair = self._coupling.pair_of[self._made_of]
        self._nothing_out = np.zeros(len(spec_out))
        self._column = 1.0 / spec_out.rate
        self.recent = RecentSamples(len(spec_in))
        self.restart()

    def restart(self) -> None:
        """Forget everything: another clock, or another stream."""
        self.recent.clear()
        self._ready: _Ready | None = None
        self._scale: Floats | None = None
        self._scale_end = 0.0

    # ----------------------------------------------------------------- out

    def samples_of(self, start: float, end: float, rate: float) -> slice:
        """Which recent samples a window ``[start, end)`` holds, without the one that completed it.

        Parameters
        ----------
        start, end : float
            Stream time (s).
        rate : float
            Of the raw samples, Hz.
        """
        return self.recent.between(start, end, self._completed(end, rate))

    def _completed(self, end: float, rate: float) -> float:
        return end - self._column - 0.25 / rate - STAMP_SLACK_S

    def time_uncertainty(self, where: slice) -> float:
        """Uncertainty of the times of a window, s: the largest of any of its samples.

        Parameters
        ----------
        where : slice
            As `samples_of` gives it.
        """
        uncertainty = self.recent.uncertainty(where)
        return round(float(uncertainty.max()), 6) if len(uncertainty) else 0.0

    def prepare(self, start: float, end: float, rate: float) -> None:
        """Look at the next window's samples ahead, where the one that completes it comes next.

        Changes nothing but when the work is done.

        Parameters
        ----------
        start, end : float
            Stream time (s).
        rate : float
            Of the raw samples, Hz.
        """
        where = self.samples_of(start, end, rate)
        if self.recent.is_next(where, self._completed(end, rate), LONGEST_STEP / rate):
            self._ready = self._measured(where, start, end, rate)

    def measure(self, where: slice, start: float, end: float, rate: float) -> Measured | None:
        """Measure one window; windows must be asked for in order.

        Parameters
        ----------
        where : slice
            As `samples_of` gives it.
        start, end : float
            Stream time (s).
        rate : float
            Of the raw samples, Hz.

        Returns
        -------
        Measured or None
            None where fewer than two samples came.
        """
        ready, self._ready = self._ready, None
        if ready is None or ready.key != samples_key(self.recent, where, start, rate):
            ready = self._measured(where, start, end, rate)
        if ready is None:
            return None
        self._scale, self._scale_end = ready.scale, end
        return ready.measured

    def _measured(self, where: slice, start: float, end: float, rate: float) -> _Ready | None:
        """Measure, and say how the scale of motion is to go on; the state stays as it is."""
        raw = measure_raw(self.recent, where, start, rate, self._coupling)
        if raw is None:
            return None
        usual, scale = self._usual(raw.own_change, end)
        with np.errstate(all="ignore"):
            moving = artefacts.share_moving(raw.times, raw.moved, raw.lag, usual)
        if len(raw.unknown):
            moving[raw.unknown] = np.nan
        summary = {**raw.summary, "moving": round(np.count_nonzero(moving > 0.0) / len(moving), 4)}
        of_outputs = (
            *(self._at_pair(values) for values in (raw.coupling, raw.power)),
            *(self._worst(values) for values in (raw.flat, raw.saturated, moving)),
        )
        measured = Measured(raw.coupling, raw.power, raw.flat, raw.saturated, moving, summary, of_outputs)
        return _Ready(raw.key, measured, scale)

    def of_outputs(self, measured: Measured, pipeline: ChannelMeasurement) -> ChannelMeasurement:
        """What was measured of the inputs, at the channels that are made of them.

        Parameters
        ----------
        measured : Measured
            As `measure` gives it.
        pipeline : ChannelMeasurement
            What the pipeline's output shows.
        """
        return ChannelMeasurement(pipeline.coverage, pipeline.largest_gap_s, *measured.of_outputs)

    def _at_pair(self, values: Floats) -> Floats:
        return np.asarray(np.fmin.reduce(np.append(values, np.nan)[self._pair], axis=0))

    def _worst(self, values: Floats) -> Floats:
        if not values.any():
            return self._nothing_out
        return np.asarray(np.fmax.reduce(values[self._made_of], axis=0))

    def _usual(self, own: Floats, end: float) -> tuple[Floats, Floats]:
        """What is usual for a channel: its scale in this window, or that of before where it was less.

        Also the scale that the next window is to be held against.
        """
        if self._scale is None:
            return own, own
        before, factor = self._scale, float(np.exp(max(end - self._scale_end, 0.0) / ADAPT_S))
        with np.errstate(all="ignore"):
            followed = np.clip(own, before / factor, before * factor)
            # A flat line shows nothing of how the channel moves otherwise.
            followed = np.where(own > STILL * before, followed, before)
        known = before > 0.0
        return np.where(known, np.minimum(own, before), own), np.where(known, followed, own)

    # --------------------------------------------------------------- state

    def state(self) -> dict[str, Any]:
        """Everything the future depends on: arrays and JSON values."""
        return {
            "recent": self.recent.state(),
            "scale": None if self._scale is None else self._scale.copy(),
            "scale_end": self._scale_end,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a `state`."""
        self.recent.restore(state["recent"])
        self._ready = None
        self._scale = None if state["scale"] is None else np.array(state["scale"])
        self._scale_end = state["scale_end"]


def made_of(spec_in: SignalSpec, spec_out: SignalSpec) -> npt.NDArray[np.intp]:
    """Which of the device's channels each of the network's is made of.

    Those of the same source and detector (a difference of homologues: of both pairs); without these, the
    one of the same name.  What a stage takes from elsewhere (a short channel that is regressed out) is not
    counted: a dead reference takes nothing away.

    Returns
    -------
    (n_most, n_outputs) intp
        Rows of ``spec_in``; a channel that is made of fewer repeats its first.
    """
    at: dict[object, list[int]] = {}
    for row, channel in enumerate(spec_in.channels):
        at.setdefault(channel.name, []).append(row)
        if None not in channel.pair:
            at.setdefault(channel.pair, []).append(row)
    everything = list(range(len(spec_in)))  # of a channel whose origin is not known
    rows = [
        at.get(channel.name if None in channel.pair else channel.pair, at.get(channel.name, everything))
        + at.get(channel.mirror_pair, [])
        for channel in spec_out.channels
    ]
    most = max(map(len, rows))
    return np.array([each + each[:1] * (most - len(each)) for each in rows], dtype=np.intp).T
