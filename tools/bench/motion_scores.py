"""How far from the truth: in the band that a network is given, and over all frequencies."""

from dataclasses import dataclass, replace

import numpy as np

from models.arrays import Bools, Floats
from realtime.signal import Chunk, Kind, SignalSpec
from realtime.stages.bandpass import Bandpass
from realtime.stages.base import Stage

LOW, HIGH = 0.01, 0.2
"""The band of the recipes, Hz."""


@dataclass(frozen=True, slots=True)
class MotionScore:
    """Medians over channels.

    Parameters
    ----------
    error : float
        RMSE against the truth, both band-passed, in SDs of the band-passed truth.
    correlation : float
        With the truth, both band-passed.
    error_broad : float
        As ``error``, over all frequencies, means taken out.
    superficial : float
        Share of the band-passed variance that the known (or measured) superficial course explains; NaN
        where there is none.
    """

    error: float
    correlation: float
    error_broad: float
    superficial: float = np.nan


def density_spec(spec: SignalSpec) -> SignalSpec:
    """The same channels as optical density."""
    return SignalSpec(
        tuple(replace(c, kind=Kind.OPTICAL_DENSITY, unit="1") for c in spec.channels), spec.rate
    )


def run(stage: Stage, data: Floats) -> Floats:
    """Send data : (n_channels, n_samples) float64 through a stage, NaN where nothing is given."""
    n = data.shape[1]
    chunk = Chunk(stage.spec_in, data, np.arange(n) / stage.spec_in.rate, np.isnan(data))
    out = stage.process(chunk)
    return np.where(out.missing, np.nan, out.data)


def in_band(spec: SignalSpec, data: Floats) -> Floats:
    """The causal band-pass that every pipeline has, (n_channels, n_samples); NaN while it is not warm."""
    return run(Bandpass(spec, low=LOW, high=HIGH), data)


def score(
    spec: SignalSpec, found: Floats, truth: Floats, *, skip_s: float, superficial: Floats | None = None
) -> MotionScore:
    """Compare with the truth.

    Parameters
    ----------
    spec : SignalSpec
        Of the channels.
    found, truth : (n_channels, n_samples) float64
        Optical density.
    skip_s : float
        Seconds at the beginning that are not scored: every filter's warm-up.
    superficial : (n_channels, n_samples) float64, or None
        What should be gone.
    """
    late = slice(round(skip_s * spec.rate), None)
    ours, true = in_band(spec, found)[:, late], in_band(spec, truth)[:, late]
    error = _rms(ours - true) / true.std(axis=1)
    broad = _centred(found[:, late]) - _centred(truth[:, late])
    gone = np.nan
    if superficial is not None:
        gone = float(np.median(_correlation(ours, in_band(spec, superficial)[:, late]) ** 2))
    return MotionScore(
        float(np.median(error)),
        float(np.median(_correlation(ours, true))),
        float(np.median(_rms(broad) / truth[:, late].std(axis=1))),
        gone,
    )


def mean_of(scores: list[MotionScore]) -> MotionScore:
    """Mean over recordings."""
    return MotionScore(
        *(
            float(np.mean([getattr(each, name) for each in scores]))
            for name in ("error", "correlation", "error_broad", "superficial")
        )
    )


def whole_pairs(spec: SignalSpec, fine: Bools) -> list[int]:
    """Rows of the pairs of which every wavelength is fine, (n_channels,) bool."""
    bad = {c.pair for c, good in zip(spec.channels, fine, strict=True) if not good}
    return [row for row, channel in enumerate(spec.channels) if channel.pair not in bad]


def _rms(values: Floats) -> Floats:
    return np.asarray(np.sqrt(np.mean(values * values, axis=1)))


def _centred(values: Floats) -> Floats:
    return values - values.mean(axis=1, keepdims=True)


def _correlation(a: Floats, b: Floats) -> Floats:
    a, b = _centred(a), _centred(b)
    return np.asarray((a * b).sum(axis=1) / np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1)))
