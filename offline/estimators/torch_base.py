"""What the networks over tables share.

What is measured is what an exported system computes: a fitted estimator predicts with its parts, in
float64 from the network's float32 weights, and keeps the network only to look at.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.utils import check_random_state

from models.arrays import Floats
from offline.estimators.base import PartsClassifier, TableError

Singles = npt.NDArray[np.float32]


class NetworkError(TableError):
    """A table or a setting does not allow a fit of a network."""


class NetworkClassifier(PartsClassifier):
    """A network over tables.

    Labels weigh the same however many rows have them, so probabilities are those at equal prevalence.
    """

    QUICK: ClassVar[Mapping[str, Any]] = {}
    """Settings under which 760 rows of 500 columns take a few seconds on one core."""

    @classmethod
    def quick(cls, **settings: Any) -> Self:
        """One with the settings of `QUICK`, and these."""
        return cls(**{**cls.QUICK, **settings})


def standard_of(table: Floats) -> tuple[Floats, Floats]:
    """Mean and SD of each column.

    Parameters
    ----------
    table : (n, n_columns) float64
        Rows of training.

    Returns
    -------
    mean, scale : (n_columns,) float64
        The scale of a column that never changes is 1.
    """
    mean, scale = table.mean(axis=0), table.std(axis=0)
    return mean, np.where(scale > 1e-12 * np.abs(mean) + np.finfo(float).tiny, scale, 1.0)


def singles(table: Floats, standard: tuple[Floats, Floats]) -> Singles:
    """Standardised columns as a network sees them.

    Parameters
    ----------
    table : (n, n_columns) float64
        Rows.
    standard : (mean, scale), each (n_columns,) float64
        Of the rows of training.

    Returns
    -------
    (n, n_columns) float32
        No unit.
    """
    return np.asarray((table - standard[0]) / standard[1], dtype=np.float32)


def seed_of(random_state: Any) -> int:
    """The seed of all chance in one fit, from what scikit-learn calls a random state."""
    return int(check_random_state(random_state).randint(2**31 - 1))
