"""A network of the few who are young, which first learns from the many who are older."""

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from models.arrays import Floats
from models.errors import HemostreamError
from offline.estimators.corrected import split_traits
from offline.estimators.torch_cnn import ConvolutionalClassifier
from offline.studies.systems.models import Best
from offline.studies.tables import AGE, N_TRAITS

Labels = npt.NDArray[Any]


class TransferByAge(ClassifierMixin, BaseEstimator):
    """Convolutions that are taught by older people and fine-tuned by the young; age itself is not seen.

    Parameters
    ----------
    before : float, years
        Who is younger is young; whoever's age is unknown is taken for older.
    columns : int
        How many edges, those that differ most among all people of training.
    random_state : int or None
        Draws everything.
    """

    def __init__(self, before: float = 11.0, *, columns: int = 400, random_state: Any = None) -> None:
        self.before = before
        self.columns = columns
        self.random_state = random_state

    def fit(self, X: Floats, y: Labels) -> "TransferByAge":
        """Fit.

        Parameters
        ----------
        X : (n, n_edges + n_traits) float64
            Edges, then traits as `offline.studies.tables.trait_columns` gives them.
        y : (n,) array
            Labels; each among the young and among the older.
        """
        edges, traits = split_traits(X, N_TRAITS)
        young = traits[:, AGE] < self.before  # NaN is not less
        for who, chosen in (("young", young), ("older", ~young)):
            if len(np.unique(y[chosen])) < len(np.unique(y)):
                raise HemostreamError(
                    f"The {np.count_nonzero(chosen)} {who} people of training (under {self.before:g} years, "
                    "or not) lack a label; expected every label among both."
                )
        self.best_ = Best(self.columns).fit(edges, y)
        network = ConvolutionalClassifier.quick(random_state=self.random_state)
        self.network_ = network.fit(self.best_.transform(edges), y, source=~young)
        self.classes_ = self.network_.classes_
        return self

    def decision_function(self, X: Floats) -> Floats:
        """Log odds of the second label, (n,) float64, of rows as fitted, (n, n_edges + n_traits) float64."""
        check_is_fitted(self, "network_")
        return np.asarray(self.network_.decision_function(self.best_.transform(split_traits(X, N_TRAITS)[0])))

    def predict(self, X: Floats) -> Labels:
        """Labels, (n,) array, of rows as fitted, (n, n_edges + n_traits) float64."""
        check_is_fitted(self, "network_")
        return np.asarray(self.network_.predict(self.best_.transform(split_traits(X, N_TRAITS)[0])))
