"""What the networks over tables share: how a table comes in, and that parts answer for the network.

What is measured is what an exported system computes: a fitted estimator predicts with its parts, in
float64 from the network's float32 weights, and keeps the network only to look at.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from models.errors import HemostreamError
from models.parts import Part
from models.probabilities import probabilities

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]


class NetworkError(HemostreamError, ValueError):
    """A table or a setting does not allow a fit; a ValueError, as scikit-learn's estimators give."""


class NetworkClassifier(ClassifierMixin, BaseEstimator):
    """A classifier of tables that answers through `parts_`.

    A subclass's ``fit`` sets ``classes_`` (see `labelled`) and ``parts_``.  Labels weigh the same however
    many rows have them, so probabilities are those at equal prevalence.
    """

    QUICK: ClassVar[Mapping[str, Any]] = {}
    """Settings under which 760 rows of 500 columns take a few seconds on one core."""

    parts_: tuple[Part, ...]
    classes_: npt.NDArray[Any]

    @classmethod
    def quick(cls, **settings: Any) -> Self:
        """One with the settings of `QUICK`, and these."""
        return cls(**{**cls.QUICK, **settings})

    def logits(self, X: npt.ArrayLike) -> Floats:
        """What the last part gives.

        Parameters
        ----------
        X : (n, n_columns) float64
            As fitted.

        Returns
        -------
        (n, n_labels) float64
            A logit for each of ``classes_``.
        """
        check_is_fitted(self, "parts_")
        return through(self.parts_, validate_data(self, X, reset=False, dtype=np.float64))

    def decision_function(self, X: npt.ArrayLike) -> Floats:
        """Of two labels the log odds of the second, (n,) float64; otherwise logits, (n, n_labels) float64."""
        logits = self.logits(X)
        return np.asarray(logits[:, 1] - logits[:, 0]) if len(self.classes_) == 2 else logits

    def predict_proba(self, X: npt.ArrayLike) -> Floats:
        """Probabilities, (n, n_labels) float64; each row adds up to 1."""
        return probabilities(self.logits(X))

    def predict(self, X: npt.ArrayLike) -> npt.NDArray[Any]:
        """The label with the greatest logit, (n,) str or int, as they were fitted."""
        check_is_fitted(self, "parts_")
        return np.asarray(self.classes_[self.logits(X).argmax(axis=1)])


def through(parts: tuple[Part, ...], X: Floats) -> Floats:
    """Rows (n, n_columns) float64 through one part after the other, to (n, n_out) float64."""
    for part in parts:
        X = part(X)
    return X


def labelled(estimator: Any, X: npt.ArrayLike, y: npt.ArrayLike) -> tuple[Floats, Labels]:
    """Check a table and its labels; set the estimator's ``classes_``.

    Parameters
    ----------
    estimator : estimator
        Whose ``fit`` is running.
    X : (n, n_columns) float64
        Table.
    y : (n,) str or int
        Labels.

    Returns
    -------
    X : (n, n_columns) float64
        Checked.
    y : (n,) int64
        Indices into ``classes_``.
    """
    X, y = validate_data(estimator, X, y, dtype=np.float64)
    check_classification_targets(y)
    estimator.classes_, index = np.unique(np.asarray(y), return_inverse=True)
    if len(estimator.classes_) < 2:
        raise NetworkError(
            f"All {len(index)} rows have the label {estimator.classes_[0]!r}, 1 class; expected two or more."
        )
    return np.asarray(X), index.astype(np.int64)


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
