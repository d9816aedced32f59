"""Kinds of connectivity of region series, one row a scan: what the linear models of the studies read.

Each row is computed from one scan alone.  What a constant region would have is missing (no number), for
whoever fits to decide about; `pearson` alone, the reference baseline's, has zero there.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

Floats = npt.NDArray[np.float64]
Series = npt.NDArray[np.floating[Any]]

LARGEST_CORRELATION = 1.0 - 1e-6
"""Fisher's z of a correlation of one has no end."""

SLOW_5, SLOW_4, SLOW_3 = (0.01, 0.027), (0.027, 0.073), (0.073, 0.16)
"""Hz (Zuo et al. 2010, NeuroImage 49:1432-1445); slow-3 only as far as a repetition time of 3 s reaches."""
RESTING = (0.01, 0.1)
"""Hz: the band in which resting connectivity is usually computed."""


def standardised(series: Series) -> Floats:
    """One scan's series with mean zero and norm one; a constant region is all zero.

    Parameters
    ----------
    series : (n_regions, n_times) float
        Without the missing numbers after its end.

    Returns
    -------
    (n_regions, n_times) float64
        Products of its rows are Pearson correlations.
    """
    data = np.asarray(series, dtype=np.float64)
    level = np.abs(data).max(axis=1, initial=0.0)
    data = data - data.mean(axis=1, keepdims=True)
    norm = np.sqrt(np.square(data).sum(axis=1))
    varies = norm > 1e-6 * level * np.sqrt(data.shape[1])
    return np.where(varies[:, np.newaxis], data / np.where(varies, norm, 1.0)[:, np.newaxis], 0.0)


def own_part(series: Series) -> Series:
    """One scan's series as far as it goes.

    Parameters
    ----------
    series : (n_regions, n_times) float
        No numbers after the scan's end.

    Returns
    -------
    (n_regions, n_own) float
        A view.
    """
    return series[:, : int(np.isfinite(series[0]).sum())]


def fisher(products: Floats) -> Floats:
    """Fisher's z of the correlations that these products say.

    Parameters
    ----------
    products : (n, n) float64
        Of rows of any norm; a row of zeros correlates with nothing.

    Returns
    -------
    (n, n) float64
        The diagonal means nothing.
    """
    norm = np.sqrt(np.maximum(np.diag(products), 0.0))
    norm = np.where(norm > 0.0, norm, 1.0)
    correlation = products / norm[:, np.newaxis] / norm
    return np.arctanh(np.clip(correlation, -LARGEST_CORRELATION, LARGEST_CORRELATION))


def pearson(X: Series) -> Floats:
    """Fisher's z of the Pearson correlation of every pair of regions.

    Parameters
    ----------
    X : (n, n_regions, n_times) float
        Region series, no numbers after a scan's own end.

    Returns
    -------
    (n, n_regions (n_regions - 1) / 2) float64
        Upper triangle row by row; zero where a region is constant.
    """
    upper = np.triu_indices(X.shape[1], 1)
    out = np.empty((len(X), len(upper[0])))
    for row, series in zip(out, X, strict=True):
        data = standardised(own_part(series))
        row[:] = (data @ data.T)[upper]
    np.clip(out, -LARGEST_CORRELATION, LARGEST_CORRELATION, out=out)
    return np.arctanh(out, out=out)


def covariance(data: Floats) -> Floats:
    """Shrunk correlation matrix of a scan (Ledoit and Wolf 2004, J Multivar Anal 88:365-411).

    Parameters
    ----------
    data : (n_regions, n_times) float64
        From `standardised`.

    Returns
    -------
    (n_regions, n_regions) float64
        Diagonal one, positive definite; a constant region correlates with nothing.
    """
    n_regions, n_times = data.shape
    products = data @ data.T * n_times  # n_times times the covariance of series of variance one
    spread = np.square(data * np.sqrt(n_times))
    size = np.trace(products) / n_times / n_regions
    noise = (spread.sum(axis=0) @ spread.sum(axis=0) / n_times - np.sum(products**2) / n_times**2) / n_times
    distance = np.sum(products**2) / n_times**2 - n_regions * size**2
    share = min(max(noise / distance, 0.0), 1.0) if distance > 0.0 else 1.0
    shrunk = (1.0 - share) * products / n_times + share * size * np.eye(n_regions)
    root = np.sqrt(np.diag(shrunk))
    return np.asarray(shrunk / root[:, np.newaxis] / root)


def _edges(make: Callable[[Floats, float], Floats]) -> Callable[[Floats, float], Floats]:
    """Upper triangle of a matrix of regions, without what constant regions have."""

    def edges(data: Floats, repetition_time: float) -> Floats:
        matrix = np.array(make(data, repetition_time))
        constant = ~data.any(axis=1)
        matrix[constant] = np.nan
        matrix[:, constant] = np.nan
        return np.asarray(matrix[np.triu_indices(len(matrix), 1)])

    return edges


def _within(band: tuple[float, float]) -> Callable[[Floats, float], Floats]:
    def make(data: Floats, repetition_time: float) -> Floats:
        found = np.fft.rfft(data, axis=1)[:, _bins(data.shape[1], repetition_time, band)]
        return fisher(np.asarray((found @ found.conj().T).real, dtype=np.float64))

    return make


def _bins(n_times: int, repetition_time: float, band: tuple[float, float]) -> npt.NDArray[np.bool_]:
    frequency = np.fft.rfftfreq(n_times, repetition_time)
    return np.asarray((frequency >= band[0]) & (frequency < band[1]))


def _without_mean(data: Floats, repetition_time: float) -> Floats:
    mean = data[data.any(axis=1)].mean(axis=0)
    mean = mean / max(float(np.sqrt(mean @ mean)), 1e-12)
    left = data - np.outer(data @ mean, mean)
    return fisher(left @ left.T)


def _of_ranks(data: Floats, repetition_time: float) -> Floats:
    ranks = standardised(rankdata(data, axis=1))
    # The Pearson correlation they stand for, were the series Gaussian.
    return fisher(2.0 * np.sin(ranks @ ranks.T * (np.pi / 6.0)))


def _partial(data: Floats, repetition_time: float) -> Floats:
    precision: Floats = np.asarray(np.linalg.inv(covariance(data)), dtype=np.float64)
    return -fisher(precision)


def _lagged(data: Floats, repetition_time: float) -> Floats:
    ahead = data[:, :-1] @ data[:, 1:].T
    return np.asarray(ahead - ahead.T)


def _shrunk(data: Floats, repetition_time: float) -> Floats:
    found = covariance(data)
    return np.asarray(found[np.triu_indices(len(found))])


def _spectrum(data: Floats, repetition_time: float) -> Floats:
    power = np.square(np.abs(np.fft.rfft(data, axis=1)))
    whole = np.where(data.any(axis=1), power[:, 1:].sum(axis=1), np.nan)
    parts = [
        power[:, _bins(data.shape[1], repetition_time, band)].sum(axis=1) / whole
        for band in (SLOW_5, SLOW_4, SLOW_3)
    ]
    return np.log(np.maximum(np.concatenate(parts), 1e-6))


KINDS: dict[str, Callable[[Floats, float], Floats]] = {
    "pearson": _edges(lambda data, repetition_time: fisher(data @ data.T)),
    "without_mean": _edges(_without_mean),
    "ranks": _edges(_of_ranks),
    "resting_band": _edges(_within(RESTING)),
    "slow_5": _edges(_within(SLOW_5)),
    "slow_4": _edges(_within(SLOW_4)),
    "partial": _edges(_partial),
    "lagged": _edges(_lagged),
    "tangent": _shrunk,
    "spectrum": _spectrum,
}
"""From a scan's standardised series (n_regions, n_times) and its repetition time in s to a row (n_features,).

Of the tangent kind the row is the shrunk correlation matrix, upper triangle with the diagonal: the
reference is for whoever fits.
"""


def table(kind: str, X: Series, repetition_time: Floats) -> Floats:
    """One kind for many scans.

    Parameters
    ----------
    kind : str
        Of `KINDS`.
    X : (n, n_regions, n_times) float
        Region series, no numbers after a scan's own end.
    repetition_time : (n,) float64, s
        Of each scan.

    Returns
    -------
    (n, n_features) float64
        No number where a constant region is meant.
    """
    make = KINDS[kind]
    pairs = zip(X, repetition_time, strict=True)
    return np.stack([make(standardised(own_part(series)), float(seconds)) for series, seconds in pairs])
