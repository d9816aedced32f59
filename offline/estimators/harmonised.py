"""A classifier of features from which ComBat, fitted inside the fold, took what the site adds."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import check_is_fitted

from models.arrays import Floats
from offline.estimators.base import GivenLabels
from offline.estimators.combat import FEWEST, ComBat
from offline.estimators.ridge import Groups
from offline.estimators.without_traits import TraitScale, apart


class Harmonised(ClassifierMixin, BaseEstimator):
    """ComBat on the people of training, then a classifier.

    Parameters
    ----------
    classifier : classifier
        Of harmonised features; its ``fit`` takes the sites.
    n_traits : int
        How many of the last columns are traits; NaN where one is unknown, which stands for the mean of
        training.
    kept : sequence of int
        Which of the traits are covariates, whose effects stay in the features.  One that cannot be separated
        from the sites of training is left out.
    estimate : bool
        Whether a site that was not fitted is estimated from the people of it that are predicted together,
        where they are `offline.estimators.combat.FEWEST` or more.  Without, or with fewer, they stay as they
        are.

    Attributes
    ----------
    kept_ : tuple of int
        Of `kept`, those that could be separated.
    """

    def __init__(
        self, classifier: Any, n_traits: int = 0, *, kept: Sequence[int] = (), estimate: bool = False
    ) -> None:
        self.classifier = classifier
        self.n_traits = n_traits
        self.kept = kept
        self.estimate = estimate

    def fit(self, X: npt.ArrayLike, y: GivenLabels, *, site: Groups) -> Self:
        """Fit the harmonisation, then the classifier.

        Parameters
        ----------
        X : (n, n_features + n_traits) float64
            One row a person.
        y : (n,) array
            Labels; the harmonisation does not look at them.
        site : (n,) str
            Where each was recorded.
        """
        features, traits = apart(X, self.n_traits)
        self.traits_ = TraitScale.of(traits)
        self.kept_ = tellable(self.traits_(traits), np.asarray(site), self.kept)
        self.harmoniser_ = ComBat("estimate" if self.estimate else "pooled")
        rows = self.harmoniser_.fit_transform(features, site=site, covariates=self._covariates(traits))
        self.classifier_ = clone(self.classifier).fit(rows, y, site=site)
        self.classes_ = self.classifier_.classes_
        return self

    def harmonised(self, X: npt.ArrayLike, *, site: npt.ArrayLike | None = None) -> Floats:
        """Features without what their site adds, as far as that is known.

        Parameters
        ----------
        X : (n, n_features + n_traits) float64
            As fitted.
        site : (n,) str, optional
            Where each was recorded; without, at sites of which nothing is known.

        Returns
        -------
        (n, n_features) float64
            In the features' unit.
        """
        check_is_fitted(self)
        features, traits = apart(X, self.n_traits)
        if site is None:
            return features
        where = np.asarray(site).astype(np.str_)
        names, counts = np.unique(where, return_counts=True)
        known = {*self.harmoniser_.sites_, *self.harmoniser_.uncorrected_}
        few = [name for name, n in zip(names, counts, strict=True) if n < FEWEST and name not in known]
        enough = ~np.isin(where, few)
        out = features.copy()
        if enough.any():
            out[enough] = self.harmoniser_.transform(
                features[enough], site=where[enough], covariates=self._covariates(traits[enough])
            )
        return out

    def decision_function(self, X: npt.ArrayLike, *, site: npt.ArrayLike | None = None) -> Floats:
        """Scores of people.

        Parameters
        ----------
        X : (n, n_features + n_traits) float64
            As fitted.
        site : (n,) str, optional
            Where each was recorded.

        Returns
        -------
        (n,) float64
            Above zero for the second label.
        """
        return np.asarray(self.classifier_.decision_function(self.harmonised(X, site=site)))

    def predict(self, X: npt.ArrayLike, *, site: npt.ArrayLike | None = None) -> GivenLabels:
        """Labels of people: (n, n_features + n_traits) float64 and (n,) str to (n,) array."""
        return np.asarray(self.classes_[(self.decision_function(X, site=site) > 0).astype(int)])

    def _covariates(self, traits: Floats) -> Floats:
        return self.traits_(traits)[:, list(self.kept_)]


def tellable(traits: Floats, site: Groups, wanted: Sequence[int]) -> tuple[int, ...]:
    """Those of the wanted columns that differ within sites, and not only as the ones before them do.

    Parameters
    ----------
    traits : (n, n_traits) float64
        All of it numbers.
    site : (n,) str
        Where each was recorded; sites of one person tell nothing.
    wanted : sequence of int
        Columns.

    Returns
    -------
    tuple of int
        In their order.
    """
    within = traits.copy()
    for name in np.unique(site):
        within[site == name] -= within[site == name].mean(axis=0)
    kept: list[int] = []
    for column in wanted:
        if np.linalg.matrix_rank(within[:, [*kept, column]], tol=1e-6 * np.sqrt(len(traits))) > len(kept):
            kept.append(column)
    return tuple(kept)
