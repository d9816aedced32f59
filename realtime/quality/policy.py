"""Is this window usable?  If not, why not; and is it usable without some channels?

Reasons are short fixed words, so that they can be counted; the numbers behind them are in
the decision too.  What cannot be known (a pulse at two samples a second) is never a reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from models.arrays import Bools, Floats
from models.decode import Record
from realtime.decision import UNDECIDED

DISPLACED_M = 0.0005
"""Framewise displacement that is too far unless a recipe says otherwise, m (Power et al. 2012)."""


class Reason(StrEnum):
    """Why a window, or a channel of it, is not usable."""

    WARMING_UP = "warming up"
    """It began before the pipeline's declared warm-up was over."""
    COVERAGE = "coverage"
    """Too little of a channel was measured."""
    GAP = "gap"
    """A stretch without a channel was too long."""
    SATURATED = "saturated"
    """A channel stuck at the end of its range for too much of the time."""
    FLAT = "flat"
    """A channel repeated itself exactly for too long."""
    MOTION = "motion"
    """A channel stepped or spiked far beyond its own spread for too much of the time."""
    MOVED = "moved"
    """It holds a volume at which the head had moved, by the scanner's own volumes, further than allowed."""
    SCALP_COUPLING = "scalp coupling"
    """The pulse is not alike at a channel's wavelengths: the optode does not sit on the skin."""
    PEAK_POWER = "peak power"
    """There is no pulse, or too little of one."""
    TIMING = "timing"
    """Its times may be wrong by more than the policy allows."""
    NOVELTY = "novelty"
    """It is unlike all that the network was trained on."""
    STALE = "stale"
    """It was too old when it could have been predicted."""
    AHEAD = "ahead of the clock"
    """Its stamps lie in the future: the source's clock, or the offset to it, is wrong."""
    TOO_SHORT = "too short"
    """A scan is shorter than its system needs."""
    REPETITION_TIME = "repetition time"
    """A scan's volumes come faster or slower than in any scan of the training."""
    MEAN_CORRELATION = "mean correlation"
    """A scan's regions correlate more, or less, than in any scan of the training (global signal removed?)."""
    CORRELATION_SPREAD = "spread of correlations"
    """A scan's correlations differ from each other more, or less, than in the training."""
    COVARIANCE_RANK = "covariance rank"
    """A scan has more, or fewer, independent components than in the training."""
    REGION_ORDER = "region order"
    """A scan's regions do not go together as in the training: they are in another order, or others."""
    SPECTRUM = "spectrum"
    """A scan has more, or less, of the fast fluctuations than in the training (noise, or filtered)."""
    REPEATED_VOLUMES = "repeated volumes"
    """Volumes of a scan repeat the one before."""
    TIME_BASE = "time base"
    """A scan looks as if volumes were missing between its volumes, or its repetition time were wrong."""
    INFERENCE = "inference failed"
    """The network raised, or gave no finite number."""
    UNDECIDED = UNDECIDED
    """No label is likely enough to be shown; its probabilities are given."""


class Policy(Record):
    """When a window is usable, with how many of its channels, and when a label is shown.

    A channel beyond a threshold (all but age, displacement, novelty and confidence, which are the window's)
    is bad.  Where enough channels are good, the window is predicted without the bad ones (their rows are 0,
    as channel dropout left them in training); else it abstains with the bad ones' reasons.  None asks
    nothing.

    Parameters
    ----------
    min_coverage : float
        Least measured fraction of a channel, 0 to 1.
    max_gap_s : float
        Longest stretch (s) in which a channel may be missing.
    max_age_s : float
        Oldest (stream seconds from window end to decision) that a decision may be; as far ahead of
        the clock it may not be either.
    min_scalp_coupling : float or None
        Least scalp coupling index, -1 to 1.
    min_peak_power : float or None
        Least peak spectral power, 1/Hz (as in mne-nirs).
    max_flat_s : float or None
        Longest stretch (s) in which a channel may repeat itself exactly.  By default a tenth of a 7-s
        window, as much as may be missing: a flat line was not measured.
    max_saturated : float or None
        Largest share of a channel's samples in the window that may stick at the end of its range, 0 to 1.
    max_moving : float or None
        Largest share of a channel's samples in the window that may lie within half a second of a
        step or spike, 0 to 1.
    min_confidence : float or None
        Least probability of the likeliest label at which it is shown: below it the window is undecided.
        None leaves it to the bundle's evaluation on unseen people; without one that supports any label,
        none is shown.  0 shows every label.
    min_channels : float
        Least share of the network's channels that must be good; 1 wants all of them.  Less only for a
        network that was trained with channel dropout.
    max_novelty : float or None
        Largest novelty, 1 being the bundle's own threshold; asks nothing of a bundle without one.
    max_time_uncertainty : float or None
        Most that the times of a window's samples may be wrong, as far as is known, in sample periods
        of the stream; never less than 0.1 s.
    max_displacement : float or None
        Largest framewise displacement of any volume of the window, m (0.5 mm by default: Power et al. 2012);
        asks nothing of a signal whose stream has no such channel.
    pulse_low, pulse_high : float
        The band of the pulse, Hz: 0.7 to 1.5 for adults, 0.5 to 2.5 for children.
    """

    min_coverage: float = Field(default=0.9, ge=0, le=1)
    max_gap_s: float = Field(default=1.0, ge=0)
    max_age_s: float = Field(default=5.0, gt=0)
    min_scalp_coupling: float | None = Field(default=None, ge=-1, le=1)
    min_peak_power: float | None = Field(default=None, ge=0)
    max_flat_s: float | None = Field(default=0.7, ge=0)
    max_saturated: float | None = Field(default=0.1, ge=0, le=1)
    max_moving: float | None = Field(default=None, ge=0, le=1)
    min_confidence: float | None = Field(default=None, ge=0, le=1)
    min_channels: float = Field(default=1.0, gt=0, le=1)
    max_novelty: float | None = Field(default=1.0, gt=0)
    max_time_uncertainty: float | None = Field(default=1.5, gt=0)
    # A key that came later and says nothing changes no recipe's hash and no card.
    max_displacement: float | None = Field(
        default=DISPLACED_M, ge=0, exclude_if=lambda most: most == DISPLACED_M
    )
    pulse_low: float = Field(default=0.7, gt=0, le=10)
    pulse_high: float = Field(default=1.5, gt=0, le=10)

    @model_validator(mode="after")
    def _some_band(self) -> Self:
        if self.pulse_low >= self.pulse_high:
            raise ValueError(
                f"the pulse's band is {self.pulse_low:g} to {self.pulse_high:g} Hz; expected pulse_low below "
                "pulse_high"
            )
        return self


@dataclass(frozen=True, slots=True)
class WindowMeasurement:
    """What is known about a window's measurement.

    Parameters
    ----------
    coverage : float
        Measured fraction of all channel-samples.
    worst : float
        Measured fraction of the worst channel.
    largest_gap_s : float
        Longest stretch (s) in which any channel was missing.
    """

    coverage: float
    worst: float
    largest_gap_s: float


@dataclass(frozen=True, slots=True, eq=False)
class ChannelMeasurement:
    """The same for each of the network's channels, with the raw quality of the signals it is made of.

    Each array is (n_channels,) float64, the worst of the device's channels that one is made of; NaN is
    what cannot be known.

    Parameters
    ----------
    coverage : array
        Measured fraction of what the pipeline gave.
    largest_gap_s : array
        Longest stretch without it, s.
    scalp_coupling, peak_power : array
        Of its wavelengths (`realtime.quality.scalp_coupling`).
    flat_s : array
        Longest exact repetition, s.
    saturated, moving : array
        Share of the window's samples at the end of the range, and near a step or spike.
    """

    coverage: Floats
    largest_gap_s: Floats
    scalp_coupling: Floats
    peak_power: Floats
    flat_s: Floats
    saturated: Floats
    moving: Floats

    @classmethod
    def of_pipeline(cls, coverage: Floats, largest_gap_s: Floats) -> Self:
        """Only what the pipeline's own output shows; nothing is known of the signals behind it."""
        unknown = np.full(len(coverage), np.nan)
        return cls(coverage, largest_gap_s, unknown, unknown, unknown, unknown, unknown)


WHOLE = WindowMeasurement(1.0, 1.0, 0.0)


def measure_missing(missing: Bools, rate: float) -> tuple[WindowMeasurement, Floats, Floats]:
    """Measure what is there of a window.

    Parameters
    ----------
    missing : (n_channels, n_samples) bool
        True where nothing was measured.
    rate : float
        Hz.

    Returns
    -------
    WindowMeasurement
        Of the window.
    coverage, largest_gap_s : (n_channels,) float64
        Of each channel.
    """
    n_channels = len(missing)
    if not missing.any():
        return WHOLE, np.ones(n_channels), np.zeros(n_channels)
    lost = missing.mean(axis=1)
    any_missing = missing.any(axis=0, keepdims=True)
    gaps = longest_runs(np.concatenate([missing, any_missing])) / rate
    whole = WindowMeasurement(1.0 - float(lost.mean()), 1.0 - float(lost.max()), float(gaps[-1]))
    return whole, 1.0 - lost, gaps[:-1]


def longest_runs(flags: Bools) -> npt.NDArray[np.intp]:
    """Length of the longest run of True in each row, (n_rows, n) bool to (n_rows,) samples."""
    count = np.cumsum(flags, axis=1)
    # What had been counted by the last False before: a run's length is the difference.
    before = np.maximum.accumulate(np.where(flags, 0, count), axis=1)
    return np.asarray((count - before).max(axis=1))


def bad_channels(channels: ChannelMeasurement, policy: Policy) -> dict[Reason, Bools]:
    """Which channels fail, by why; only reasons that occur.

    Returns
    -------
    dict of Reason to (n_channels,) bool
        In the order of `Reason`.
    """
    low, high = _lowest, _highest
    found = {
        Reason.COVERAGE: low(channels.coverage, policy.min_coverage),
        Reason.GAP: high(channels.largest_gap_s, policy.max_gap_s),
        Reason.SATURATED: high(channels.saturated, policy.max_saturated),
        Reason.FLAT: high(channels.flat_s, policy.max_flat_s),
        Reason.MOTION: high(channels.moving, policy.max_moving),
        Reason.SCALP_COUPLING: low(channels.scalp_coupling, policy.min_scalp_coupling),
        Reason.PEAK_POWER: low(channels.peak_power, policy.min_peak_power),
    }
    return {reason: bad for reason, bad in found.items() if bad is not None}


def _lowest(values: Floats, least: float | None) -> Bools | None:
    """Where values lie below the least; None where nothing does, or nothing is asked."""
    if least is None:
        return None
    bad = values < least  # NaN is below nothing
    return bad if bad.any() else None


def _highest(values: Floats, most: float | None) -> Bools | None:
    if most is None:
        return None
    bad = values > most
    return bad if bad.any() else None


def first_reasons(bad: Mapping[Reason, Bools], names: tuple[str, ...]) -> dict[Reason, tuple[str, ...]]:
    """Each bad channel's name once, under the first reason that it gives.

    Parameters
    ----------
    bad : mapping of Reason to (n_channels,) bool
        As `bad_channels` gives it.
    names : tuple of str
        Of all channels.
    """
    listed: dict[Reason, tuple[str, ...]] = {}
    seen = np.zeros(len(names), dtype=bool)
    for reason, channels in bad.items():
        if new := tuple(names[i] for i in np.flatnonzero(channels & ~seen)):
            listed[reason] = new
        seen |= channels
    return listed
