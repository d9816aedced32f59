"""Whether a scan's volumes follow each other as fast as its repetition time says: a fitted linear detector.

A scan of which every second volume is missing, or whose repetition time is half of what it was, has the same
correlations and nearly the same spectrum as another: slow fluctuations have no size of their own.  What gives
it away is how much of each frequency each region has, and which regions go together at which frequency: the
resting networks lie below 0.1 Hz.  So that is what is looked at, in bands of Hz, and a direction between
scans as they are and the same scans with every second volume left out is fitted to it.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from models.arrays import Bools, Floats

POWER_HZ = (0.008, 0.016, 0.025, 0.035, 0.05, 0.065, 0.08, 0.1, 0.125, 0.15)
"""Edges of the bands in which each region's power is measured."""
TOGETHER_HZ = (0.008, 0.03, 0.06, 0.1, 0.15)
"""Edges of the bands in which every two regions are compared."""
EDGE = 0.1
"""Share of a scan that fades in and out."""
NEARLY = 0.999
"""Coherences are brought so near to 1 before Fisher's z, at most."""

Floats32 = npt.NDArray[np.float32]


def band_features(series: npt.NDArray[np.floating], seconds: float, live: Bools) -> Floats32:
    """Powers of each region by band, then the coherence (in phase) of every two regions by wider band.

    Parameters
    ----------
    series : (n_regions, n_times) floating
        Any unit, finite.
    seconds : float
        The repetition time.
    live : (n_regions,) bool
        Which regions change.

    Returns
    -------
    (n_features,) float32
        Logarithms of shares of power, then Fisher's z; NaN where a region does not change, or where the scan
        is too short or too slow for a band.
    """
    n_regions, n_times = series.shape
    data = np.where(live[:, np.newaxis], series, 0.0).astype(np.float64)
    data -= data.mean(axis=1, keepdims=True)
    spectrum = np.fft.rfft(data * _faded(n_times), axis=1)
    frequency = np.fft.rfftfreq(n_times, seconds)
    power = np.abs(spectrum) ** 2
    out = np.full((len(POWER_HZ) - 1, n_regions), np.nan, dtype=np.float32)
    whole = _mean(power, (frequency >= POWER_HZ[0]) & (frequency < POWER_HZ[-1]))
    for row, (low, high) in zip(out, pairwise(POWER_HZ), strict=True):
        band = _mean(power, (frequency >= low) & (frequency < high))
        row[live] = np.log(band[live] / whole[live] + 0.01)
    upper = np.triu_indices(n_regions, 1)
    both = live[upper[0]] & live[upper[1]]
    wide = []
    for low, high in pairwise(TOGETHER_HZ):
        waves = spectrum[:, (frequency >= low) & (frequency < high)]
        parts = np.concatenate([waves.real, waves.imag], axis=1)
        size = np.sqrt((parts**2).sum(axis=1))
        parts /= np.where(size > 0, size, 1.0)[:, np.newaxis]
        pairs = np.arctanh(NEARLY * np.clip((parts @ parts.T)[upper], -1.0, 1.0))
        wide.append(np.where(both & (waves.shape[1] > 0), pairs, np.nan).astype(np.float32))
    return np.concatenate([out.ravel(), *wide])


def _mean(power: Floats, chosen: Bools) -> Floats:
    """Mean over frequencies, (n_regions, n_frequencies) float64 to (n_regions,); NaN over none."""
    if not chosen.any():
        return np.full(len(power), np.nan)
    return np.asarray(power[:, chosen].mean(axis=1))


def _faded(n_times: int) -> Floats:
    """A window that rises and falls as a cosine over `EDGE` of the scan, (n_times,) float64."""
    at = np.arange(n_times) / max(n_times - 1, 1)
    beside = np.minimum(at, 1.0 - at) / (EDGE / 2)
    return np.asarray(np.where(beside < 1.0, 0.5 - 0.5 * np.cos(np.pi * np.minimum(beside, 1.0)), 1.0))


@dataclass(frozen=True, eq=False)
class TimeBase:
    """A direction in `band_features`.

    Parameters
    ----------
    mean : (n_features,) float32
        Of the scans it was fitted to; a feature that is not known counts as its mean.
    weights : (n_features,) float32
        Of what a feature is beyond its mean.
    """

    mean: Floats32
    weights: Floats32

    def score(self, series: npt.NDArray[np.floating], seconds: float, live: Bools) -> float:
        """Of series (n_regions, n_times), s, and which change, (n_regions,) bool: about -1 for scans as they
        are, about 1 where every second volume is missing; NaN where nothing is known."""
        beyond = band_features(series, seconds, live) - self.mean
        known = np.isfinite(beyond)
        return float(beyond[known] @ self.weights[known]) if known.any() else np.nan
