"""Linear models of many columns, fitted in the coordinates of the people.

A linear model whose penalty is the square of its direction finds that direction among the rows it is fitted
to (the representer theorem; Kimeldorf and Wahba 1970, Annals of Mathematical Statistics 41:495-502).  So
twenty thousand edges of some hundred people are some hundred coordinates: the same model, in a twentieth of
the time.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import clone

from models.arrays import Floats
from models.layers import run
from models.layers.linear import Linear
from offline.estimators.base import LogitClassifier, labelled
from offline.estimators.export import layers_of
from offline.estimators.ridge import decomposed


@dataclass(eq=False, repr=False)
class InRowSpace(LogitClassifier):
    """A linear classifier with a quadratic penalty, where there are more columns than people.

    Parameters
    ----------
    estimator : estimator
        Linear: `offline.estimators.export.layers_of` gives one `Linear` layer of it.  A copy is fitted, to
        coordinates whose distances and angles are those of the rows, and is kept as ``estimator_``.
    """

    estimator: Any

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:
        """Fit to a table (n, n_columns) float64 and its labels (n,) str or int."""
        table, index = labelled(self, X, y)
        turn = row_axes(table) if table.shape[1] > len(table) else None
        self.estimator_ = clone(self.estimator).fit(table if turn is None else table @ turn, index)
        (linear,) = layers_of(self.estimator_)
        if not isinstance(linear, Linear):
            raise TypeError(f"{type(self.estimator).__name__} is no linear classifier; expected one.")
        self.layers_ = (linear if turn is None else Linear(turn @ linear.weights, linear.bias),)
        return self

    def logits_of_rows(self, X: Floats) -> Floats:
        """Logits (n, n_labels) float64 of rows (n, n_columns) float64."""
        return run(self.layers_, X)


def row_axes(table: Floats) -> Floats:
    """Orthonormal axes of all in which rows, (n, n_columns) float64, differ: (n_columns, at most n) float64.

    Rows are taken as they are: from zero, not from their mean.
    """
    vectors, sizes = decomposed(table @ table.T)
    return np.asarray(table.T @ (vectors / np.sqrt(sizes)))
