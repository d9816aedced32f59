"""Any classifier of scikit-learn on standardised columns, predicting logits."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import clone

from models.arrays import Floats
from models.layers import Layer
from models.layers.linear import logits_of
from offline.estimators.base import LogitClassifier, labelled
from offline.estimators.export import layers_of
from offline.estimators.scaling import standardise


@dataclass(eq=False, repr=False)
class Standardised(LogitClassifier):
    """A classifier whose columns have mean 0 and SD 1 among the people of training.

    A pipeline would do the same, but a pipeline fits the very step it was given (so it fails scikit-learn's
    own checks).  Trees gain too: they compare in single precision, which a column far from zero does not
    survive.

    Parameters
    ----------
    estimator : estimator
        A classifier.  Not fitted itself: a copy is, with labels as integers from 0, and is kept as
        ``estimator_``.
    """

    estimator: Any

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:
        """Fit to a table (n, n_columns) float64 and its labels (n,) str or int."""
        table, index = labelled(self, X, y)
        self.standard_ = standardise(table)
        self.estimator_ = clone(self.estimator).fit(self.standard_(table), index)
        return self

    def logits_of_rows(self, X: Floats) -> Floats:
        """Logits (n, n_labels) float64 of rows (n, n_columns) float64."""
        return predicted_logits(self.estimator_, self.standard_(X))

    @property
    def layers_(self) -> tuple[Layer, ...]:
        """What it computes, for export; an error where its classifier is not exported."""
        return (self.standard_, *layers_of(self.estimator_))


def predicted_logits(fitted: Any, X: Floats) -> Floats:
    """A logit for each label, (n, n_labels) float64, from any fitted classifier of (n, n_columns) float64.

    Of two labels, the second minus the first is the decision function, or the log odds of the probabilities;
    of votes (forests, neighbours) half a vote is added to each label first, or a label without a vote would
    be impossible.
    """
    if isinstance(fitted, LogitClassifier):
        return fitted.logits(X)
    if hasattr(fitted, "decision_function"):
        return logits_of(np.asarray(fitted.decision_function(X), dtype=np.float64).reshape(len(X), -1))
    if votes := len(getattr(fitted, "estimators_", ())) or getattr(fitted, "n_neighbors", 0):
        return np.asarray(np.log(fitted.predict_proba(X) + 0.5 / votes))
    return np.asarray(fitted.predict_log_proba(X))
