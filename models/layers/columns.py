"""Which columns of a table, and in what unit."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.arrays import Floats


@dataclass(frozen=True, eq=False)
class Standardise:
    """Take a mean from every column and divide by a scale.

    Parameters
    ----------
    mean, scale : (n_columns,) float64
        Of the people of training.
    """

    mean: Floats
    scale: Floats

    def __call__(self, X: Floats) -> Floats:
        """(n, n_columns) float64 to the same, no unit."""
        return np.asarray((X - self.mean) / self.scale)


@dataclass(frozen=True, eq=False)
class SelectColumns:
    """Keep some columns.

    Parameters
    ----------
    columns : (n_kept,) int64
        Which, in this order.
    """

    columns: npt.NDArray[np.int64]

    def __call__(self, X: Floats) -> Floats:
        """(n, n_columns) float64 to (n, n_kept) float64."""
        return X[:, self.columns]
