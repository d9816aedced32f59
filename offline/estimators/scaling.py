"""Columns of mean 0 and SD 1, and what a column is divided by that never changes."""

import numpy as np

from models.arrays import Floats
from models.layers.columns import Standardise

ROUNDING = 1e-12
"""An SD of so little, in units of one and the mean, is rounding in double precision: nothing varies."""


def safe_scale(mean: Floats, scale: Floats, rounding: float = ROUNDING) -> Floats:
    """What columns of these means and SDs, (n_columns,) float64, are divided by: 1 where nothing varies.

    ``rounding`` is more than `ROUNDING` where they were computed in less than double precision.
    """
    return np.where(scale > rounding * (1.0 + np.abs(mean)), scale, 1.0)


def standard_of(table: Floats, weight: Floats | None = None) -> tuple[Floats, Floats]:
    """Mean and `safe_scale` (n_columns,) of rows (n, n_columns) float64; what each weighs is (n,) float64."""
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
