"""What can be measured of any scan's region series without knowing what it shows, in plain array code.

All of it is about the regions that are there, each brought to mean 0 and variance 1: a scanner's unit does
not count.  What cannot be known of a scan (too few regions, no such frequencies) is NaN.
"""

import numpy as np
import numpy.typing as npt

from models.arrays import Bools, Floats
from models.features.series import LARGEST_Z

SLOW, FAST = 0.01, 0.1
"""Hz: power from `FAST` up is compared with that between the two (the resting band)."""
STILL = 0.01
"""Part of the median change from volume to volume below which a volume repeats the one before."""
FEWEST_REGIONS, FEWEST_VOLUMES = 3, 8
"""With fewer nothing is measured."""
FEWEST_PAIRS = 3
"""Pairs of regions that a correlation with the training's mean needs."""


def standardised(series: npt.NDArray[np.floating], live: Bools) -> Floats:
    """Series of mean 0 and variance 1.

    Parameters
    ----------
    series : (n_regions, n_times) floating
        Any unit, finite.
    live : (n_regions,) bool
        Which regions change.

    Returns
    -------
    (n_live, n_times) float64
        Without the others.
    """
    data = np.asarray(series[live], dtype=np.float64)
    data = data - data.mean(axis=1, keepdims=True)
    return data / data.std(axis=1, keepdims=True)


def pairs_of(correlation: Floats) -> Floats:
    """Fisher's z of every two regions, (n, n) float64 to (n (n - 1) / 2,) float64."""
    largest = np.tanh(LARGEST_Z)
    upper = correlation[np.triu_indices(len(correlation), 1)]
    return np.asarray(np.arctanh(np.clip(upper, -largest, largest)))


def mean_correlation(correlation: Floats) -> float:
    """Mean of the whole correlation matrix, (n, n) float64: the variance of the regions' mean signal, 0 to 1.

    Next to nothing where the global signal was removed, 1 where all regions have one signal.
    """
    return float(correlation.mean())


def covariance_rank(correlation: Floats) -> float:
    """Effective rank of a correlation matrix, (n, n) float64: how many equal components would spread as much.

    The participation ratio of its eigenvalues, 1 to n; no eigenvalue needs to be computed for it.
    """
    return float(np.trace(correlation) ** 2 / (correlation**2).sum())


def region_order(pairs: Floats, expected: Floats) -> float:
    """Pearson correlation of the pairs, (n_pairs,) float64, with what they are on average, -1 to 1."""
    if len(pairs) < FEWEST_PAIRS or expected.std() == 0.0:
        return np.nan
    # All pairs alike have no order at all.
    return float(np.corrcoef(pairs, expected)[0, 1]) if pairs.std() > 1e-6 else 0.0


def fast_power(standard: Floats, seconds: float) -> float:
    """Power from `FAST` up as a share of that between `SLOW` and `FAST`, both on average over frequencies.

    Of standardised series (n, n_times) float64 and the repetition time, s; 1 for white noise, next to nothing
    behind a band-pass of the resting band.
    """
    n_times = standard.shape[1]
    power = (np.abs(np.fft.rfft(standard * np.hanning(n_times), axis=1)) ** 2).mean(axis=0)
    frequency = np.fft.rfftfreq(n_times, seconds)
    fast, slow = frequency >= FAST, (frequency >= SLOW) & (frequency < FAST)
    if not fast.any() or not slow.any():
        return np.nan
    return float(power[fast].mean() / power[slow].mean())


def repeated_volumes(standard: Floats) -> float:
    """Most volumes in a row that repeat the one before (`STILL`), of (n, n_times) float64."""
    change = np.sqrt((np.diff(standard, axis=1) ** 2).mean(axis=0))
    moving = change[change > 0.0]
    still = change <= STILL * (np.median(moving) if moving.size else 1.0)
    ends = np.flatnonzero(np.diff(np.concatenate([[False], still, [False]]).astype(np.int8)))
    return float((ends[1::2] - ends[::2]).max(initial=0))
