"""What the classifiers of this package share: how a table comes in, and how logits become predictions."""

from abc import abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from models.arrays import Floats
from models.errors import HemostreamError
from models.probabilities import probabilities

Labels = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
GivenLabels = npt.NDArray[Any]
"""Labels as the caller has them, (n,) str or int."""


class TableError(HemostreamError, ValueError):
    """A table or a setting does not allow a fit; a ValueError, as scikit-learn's estimators give."""


class ScoreClassifier(ClassifierMixin, BaseEstimator):
    """A classifier of two or more labels that predicts by a score for each, its logit.

    A subclass's ``fit`` sets ``classes_`` (see `labelled`), and `logits_of_rows` computes.  Its settings are
    the fields of a dataclass, without ``eq`` and ``repr``, which are scikit-learn's.
    """

    classes_: npt.NDArray[Any]

    @abstractmethod
    def logits_of_rows(self, X: Floats) -> Floats:
        """(n, n_columns) float64, checked, to a logit for each of ``classes_``, (n, n_labels) float64."""

    def checked(self, X: npt.ArrayLike) -> Floats:
        """A table as `logits_of_rows` takes it, (n, n_columns) float64."""
        return np.asarray(validate_data(self, X, reset=False, dtype=np.float64))

    def logits(self, X: npt.ArrayLike) -> Floats:
        """A logit for each of ``classes_``, (n, n_labels) float64, of rows (n, n_columns) float64."""
        check_is_fitted(self, "classes_")
        return self.logits_of_rows(self.checked(X))

    def decision_function(self, X: npt.ArrayLike) -> Floats:
        """Of two labels the score of the second, (n,) float64; otherwise logits, (n, n_labels) float64."""
        logits = self.logits(X)
        return np.asarray(logits[:, 1] - logits[:, 0]) if len(self.classes_) == 2 else logits

    def predict(self, X: npt.ArrayLike) -> npt.NDArray[Any]:
        """The label with the greatest logit, (n,) str or int, as they were fitted."""
        logits = self.logits(X)
        return np.asarray(self.classes_[logits.argmax(axis=1)])


class LogitClassifier(ScoreClassifier):
    """A classifier whose scores are log odds."""

    def predict_proba(self, X: npt.ArrayLike) -> Floats:
        """Probabilities, (n, n_labels) float64; each row adds up to 1."""
        return probabilities(self.logits(X))


def labelled(estimator: Any, X: npt.ArrayLike, y: npt.ArrayLike) -> tuple[Floats, Labels]:
    """Check a table (n, n_columns) float64 and its labels (n,) str or int, in an estimator's ``fit``.

    Sets the estimator's ``classes_`` and gives the labels as indices into them, (n,) int64.
    """
    X, y = validate_data(estimator, X, y, dtype=np.float64)
    check_classification_targets(y)
    estimator.classes_, index = np.unique(np.asarray(y), return_inverse=True)
    if len(estimator.classes_) < 2:
        raise TableError(
            f"All {len(index)} rows have the label {estimator.classes_[0]!r}, 1 class; expected two or more."
        )
    return np.asarray(X), index.astype(np.int64)


def against_the_rest(y: Labels) -> Flags:
    """The questions that separate labels: one where there are two, otherwise each label against the rest.

    Labels (n,) int64 from 0 in, whether a row has the label in question, (n, 1) or (n, n_labels) bool, out.
    """
    n_labels = int(y.max()) + 1
    questions = np.arange(1, 2) if n_labels == 2 else np.arange(n_labels)
    return np.asarray(y[:, np.newaxis] == questions)
