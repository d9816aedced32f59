"""A ridge discriminant of many columns and few people, through the Gram matrix of the people."""

from typing import Self

import numpy as np
import numpy.typing as npt

from models.parts.columns import Standardise
from models.parts.layers import Linear, logits_of
from offline.estimators.base import PartsClassifier, against_the_rest, labelled
from offline.estimators.least_squares import PENALTIES, fit_odds


class RidgeDiscriminant(PartsClassifier):
    """Least squares on balanced targets; the penalty is chosen on people left out one at a time.

    Its direction is that of Fisher's discriminant (1936, Annals of Eugenics 7:179-188).  All penalties
    and all left-out people come from one decomposition, so 20,000 columns cost what their Gram matrix costs.

    Parameters
    ----------
    penalties : tuple of float
        Tried, in units of the mean eigenvalue of the Gram matrix.
    """

    def __init__(self, penalties: tuple[float, ...] = PENALTIES) -> None:
        self.penalties = penalties

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:
        """Fit to a table (n, n_columns) float64 and its labels (n,) str or int."""
        table, index = labelled(self, X, y)
        standard = standardise(table)
        odds = fit_odds(standard(table), against_the_rest(index), tuple(self.penalties))
        self.penalty_ = odds.penalty
        weights, bias = logits_of(odds.weights), logits_of(odds.bias[np.newaxis])[0]
        self.parts_ = (standard, Linear(weights, bias))
        return self


def standardise(table: npt.NDArray[np.float64]) -> Standardise:
    """The part that gives every column mean 0 and SD 1.

    Parameters
    ----------
    table : (n, n_columns) float64
        Rows of training.  The scale of a column that never changes is 1.
    """
    mean, scale = table.mean(axis=0), table.std(axis=0)
    return Standardise(mean, np.where(scale > 1e-12 * np.abs(mean) + np.finfo(float).tiny, scale, 1.0))
