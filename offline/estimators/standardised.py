"""Any exportable classifier on standardised columns, answering through its parts."""

from typing import Any, Self

import numpy.typing as npt
from sklearn.base import clone

from offline.estimators.base import PartsClassifier, labelled
from offline.estimators.export import parts_of
from offline.estimators.ridge import standardise


class Standardised(PartsClassifier):
    """A classifier whose columns have mean 0 and SD 1 among the people of training.

    A pipeline would do the same, but a pipeline fits the very step it was given (so it fails scikit-learn's
    own checks), and it answers through scikit-learn where a bundle answers through parts.  Trees gain too:
    they compare in single precision, which a column far from zero does not survive.

    Parameters
    ----------
    estimator : estimator
        A classifier that `offline.estimators.export.parts_of` knows.  Not fitted itself: a copy is, with
        labels as integers from 0, and is kept as ``estimator_``.
    """

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:
        """Fit to a table (n, n_columns) float64 and its labels (n,) str or int."""
        table, index = labelled(self, X, y)
        standard = standardise(table)
        self.estimator_ = clone(self.estimator).fit(standard(table), index)
        self.parts_ = (standard, *parts_of(self.estimator_))
        return self
