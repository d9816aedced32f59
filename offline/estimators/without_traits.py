"""What a classifier of brains still predicts when age, sex and motion were taken out of the brain's numbers.

Every feature's regression on the traits is fitted to the people of training, inside the fold, and taken out
of whoever is predicted; the diagnosis has no part in it.  What the diagnosis shares with a trait goes with
it; what is left owes nothing to these traits, as far as a straight line (in age: a parabola) goes.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import check_is_fitted

from models.arrays import Floats
from models.errors import HemostreamError
from offline.estimators.base import GivenLabels
from offline.estimators.ridge import Groups
from offline.estimators.scaling import safe_scale


@dataclass(frozen=True, eq=False)
class TraitScale:
    """Traits on the scale of training, where unknown ones stand at the mean.

    Parameters
    ----------
    mean, scale : (n_traits,) float64
        Of those who are known; 0 and 1 where none are, and scale 1 where all are alike.
    """

    mean: Floats
    scale: Floats

    @classmethod
    def of(cls, traits: Floats) -> "TraitScale":
        """Measure the people of training: (n, n_traits) float64, NaN where unknown."""
        known = np.isfinite(traits)
        count = np.maximum(known.sum(axis=0), 1)
        mean = np.where(known, traits, 0.0).sum(axis=0) / count
        spread = np.sqrt(np.square(np.where(known, traits - mean, 0.0)).sum(axis=0) / count)
        return cls(mean, safe_scale(mean, spread))

    def __call__(self, traits: Floats) -> Floats:
        """Standardised: (n, n_traits) float64 as measured to the same shape, all of it numbers."""
        return np.where(np.isfinite(traits), (traits - self.mean) / self.scale, 0.0)


def apart(X: npt.ArrayLike, n_traits: int) -> tuple[Floats, Floats]:
    """A table's features, and the traits in its last columns.

    Parameters
    ----------
    X : (n, n_features + n_traits) float64
        One row a person.
    n_traits : int
        How many of the columns are traits.

    Returns
    -------
    features, traits : (n, n_features) float64, (n, n_traits) float64
        Views.
    """
    table = np.asarray(X, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] <= n_traits:
        raise HemostreamError(
            f"The table has shape {table.shape}; expected (people, features and {n_traits} traits)."
        )
    return table[:, : table.shape[1] - n_traits], table[:, table.shape[1] - n_traits :]


class WithoutTraits(ClassifierMixin, BaseEstimator):
    """A classifier of features from which the traits in the table's last columns were regressed out.

    Parameters
    ----------
    classifier : classifier
        Of what is left; its ``fit`` takes the sites.
    n_traits : int
        How many of the last columns are traits; NaN where one is unknown, which stands for the mean of
        training.

    Attributes
    ----------
    effects_ : (1 + n_traits, n_features) float64
        Intercept, and what one SD of each trait adds to each feature.
    """

    def __init__(self, classifier: Any, n_traits: int) -> None:
        self.classifier = classifier
        self.n_traits = n_traits

    def fit(self, X: npt.ArrayLike, y: GivenLabels, *, site: Groups) -> Self:
        """Fit the regressions, then the classifier to what they leave.

        Parameters
        ----------
        X : (n, n_features + n_traits) float64
            One row a person.
        y : (n,) array
            Labels; the regressions do not look at them.
        site : (n,) str
            Where each was recorded.
        """
        features, traits = apart(X, self.n_traits)
        self.traits_ = TraitScale.of(traits)
        # A trait that is the same in everybody has no effect: the shortest solution is taken.
        self.effects_: Floats = np.linalg.pinv(self._design(traits)) @ features
        self.classifier_ = clone(self.classifier).fit(self._left(features, traits), y, site=site)
        self.classes_ = self.classifier_.classes_
        return self

    def left(self, X: npt.ArrayLike) -> Floats:
        """What the traits do not account for.

        Parameters
        ----------
        X : (n, n_features + n_traits) float64
            As fitted.

        Returns
        -------
        (n, n_features) float64
            In the features' unit, mean zero over the people of training.
        """
        check_is_fitted(self)
        return self._left(*apart(X, self.n_traits))

    def decision_function(self, X: npt.ArrayLike) -> Floats:
        """Scores of people: (n, n_features + n_traits) float64 to (n,) float64."""
        return np.asarray(self.classifier_.decision_function(self.left(X)))

    def predict(self, X: npt.ArrayLike) -> GivenLabels:
        """Labels of people: (n, n_features + n_traits) float64 to (n,) array."""
        return np.asarray(self.classes_[(self.decision_function(X) > 0).astype(int)])

    def _design(self, traits: Floats) -> Floats:
        return np.column_stack([np.ones(len(traits)), self.traits_(traits)])

    def _left(self, features: Floats, traits: Floats) -> Floats:
        return np.asarray(features - self._design(traits) @ self.effects_)
