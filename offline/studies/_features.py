"""Connectivity of region series as tables, one row a scan: what the linear models of the studies read."""

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Series = npt.NDArray[np.floating[Any]]

LARGEST_CORRELATION = 1.0 - 1e-6
"""Fisher's z of a correlation of one has no end."""


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
