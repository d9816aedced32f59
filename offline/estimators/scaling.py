"""Columns of mean 0 and SD 1, and what a column is divided by that never changes."""

import numpy as np

from models.arrays import Floats
from models.layers.columns import Standardise

ROUNDING = 1e-12
"""An SD of so little, in units of one and the mean, is rounding in double precision: nothing varies."""


def safe_scale(mean: Floats, scale: Floats, rounding: float = ROUNDING) -> Floats:
    """What columns are divided by.

    Parameters
    ----------
    mean, scale : (n_columns,) float64
        Means and SDs.
    rounding : float
        `ROUNDING`, or more where they were computed in less than double precision.

    Returns
    -------
    (n_columns,) float64
        The SDs; 1 for a column that never changes.
    """
    return np.where(scale > rounding * (1.0 + np.abs(mean)), scale, 1.0)


def standard_of(table: Floats, weight: Floats | None = None) -> tuple[Floats, Floats]:
    """Mean and SD of each column.

    Parameters
    ----------
    table : (n, n_columns) float64
        Rows of training.
    weight : (n,) float64 or None
        What a row weighs; None is the same for all.

    Returns
    -------
    mean, scale : (n_columns,) float64
        The scale of a column that never changes is 1.
    """
    if weight is None:
        mean, scale = table.mean(axis=0), table.std(axis=0)
    else:
        share = weight / weight.sum()
        mean = share @ table
        scale = np.sqrt(share @ np.square(table - mean))
    return mean, safe_scale(mean, scale)


def standardise(table: Floats) -> Standardise:
    """The layer that gives every column of these rows, (n, n_columns) float64, mean 0 and SD 1."""
    return Standardise(*standard_of(table))
