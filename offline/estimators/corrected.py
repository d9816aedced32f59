"""Classifiers of features that were corrected inside the fold, by what stands in the table's last columns.

A correction is fitted to the people of training and applied to whoever is predicted; the diagnosis has no
part in it.
"""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import check_is_fitted

from models.arrays import Floats
from models.errors import HemostreamError
from offline.estimators.base import GivenLabels
from offline.estimators.combat import FEWEST, ComBat
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
        """Standardised: (n, n_traits) float64 as measured to the same shape, without NaN."""
        return np.where(np.isfinite(traits), (traits - self.mean) / self.scale, 0.0)


def split_traits(X: npt.ArrayLike, n_traits: int) -> tuple[Floats, Floats]:
    """Features (n, n_features) float64 and the traits in the last columns, (n, n_traits) float64; views."""
    table = np.asarray(X, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] <= n_traits:
        raise HemostreamError(
            f"The table has shape {table.shape}; expected (people, features and {n_traits} traits)."
        )
    return table[:, : table.shape[1] - n_traits], table[:, table.shape[1] - n_traits :]


@dataclass(eq=False, repr=False)
class CorrectedClassifier(ClassifierMixin, BaseEstimator):
    """A correction of features, and a classifier of what it leaves.

    A table is (n, n_features + n_traits) float64, one row a person.

    Parameters
    ----------
    classifier : classifier
        Of corrected features; its ``fit`` takes the sites.
    n_traits : int
        How many of the last columns are traits; NaN where one is unknown, which stands for the mean of
        training.
    """

    classifier: Any
    n_traits: int = 0

    @abstractmethod
    def _fit_correction(self, features: Floats, traits: Floats, site: Groups) -> Floats:
        """Fit to the people of training, and give their corrected features, (n, n_features) float64."""

    @abstractmethod
    def corrected(self, X: npt.ArrayLike, *, site: npt.ArrayLike | None = None) -> Floats:
        """Features, (n, n_features) float64 in their unit, of a table and sites, (n,) str or None."""

    def fit(self, X: npt.ArrayLike, y: GivenLabels, *, site: Groups) -> Self:
        """Fit the correction, then the classifier, to a table, labels (n,) array and sites (n,) str.

        The correction does not look at labels.
        """
        features, traits = split_traits(X, self.n_traits)
        self.traits_ = TraitScale.of(traits)
        rows = self._fit_correction(features, traits, site)
        self.classifier_ = clone(self.classifier).fit(rows, y, site=site)
        self.classes_ = self.classifier_.classes_
        return self

    def decision_function(self, X: npt.ArrayLike, *, site: npt.ArrayLike | None = None) -> Floats:
        """Scores of people, (n,) float64, above zero for the second label; arguments as of `corrected`."""
        return np.asarray(self.classifier_.decision_function(self.corrected(X, site=site)))

    def predict(self, X: npt.ArrayLike, *, site: npt.ArrayLike | None = None) -> GivenLabels:
        """Labels of people, (n,) array; arguments as of `corrected`."""
        return np.asarray(self.classes_[(self.decision_function(X, site=site) > 0).astype(int)])


@dataclass(eq=False, repr=False)
class WithoutTraits(CorrectedClassifier):
    """A classifier of features from which the traits in the table's last columns were regressed out.

    What the diagnosis shares with a trait goes with it; what is left owes nothing to these traits, as far as
    a straight line (in age: a parabola) goes.

    Attributes
    ----------
    effects_ : (1 + n_traits, n_features) float64
        Intercept, and what one SD of each trait adds to each feature.
    """

    def _fit_correction(self, features: Floats, traits: Floats, site: Groups) -> Floats:
        """Fit every feature's regression on the traits; what it leaves."""
        # A trait that is the same in everybody has no effect: the shortest solution is taken.
        self.effects_: Floats = np.linalg.pinv(self._design(traits)) @ features
        return self._left(features, traits)

    def corrected(self, X: npt.ArrayLike, *, site: npt.ArrayLike | None = None) -> Floats:
        """What traits do not account for, (n, n_features) float64, mean zero over training; of any site."""
        check_is_fitted(self)
        return self._left(*split_traits(X, self.n_traits))

    def _design(self, traits: Floats) -> Floats:
        return np.column_stack([np.ones(len(traits)), self.traits_(traits)])

    def _left(self, features: Floats, traits: Floats) -> Floats:
        return np.asarray(features - self._design(traits) @ self.effects_)


@dataclass(eq=False, repr=False)
class Harmonised(CorrectedClassifier):
    """A classifier of features from which ComBat took what the site adds.

    Parameters
    ----------
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

    _: KW_ONLY
    kept: Sequence[int] = ()
    estimate: bool = False

    def _fit_correction(self, features: Floats, traits: Floats, site: Groups) -> Floats:
        """Fit ComBat; features without what their site adds."""
        self.kept_ = separable(self.traits_(traits), np.asarray(site), self.kept)
        self.harmoniser_ = ComBat("estimate" if self.estimate else "pooled")
        return self.harmoniser_.fit_transform(features, site=site, covariates=self._covariates(traits))

    def corrected(self, X: npt.ArrayLike, *, site: npt.ArrayLike | None = None) -> Floats:
        """Features (n, n_features) float64 without what their sites, (n,) str or None, are known to add."""
        check_is_fitted(self)
        features, traits = split_traits(X, self.n_traits)
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

    def _covariates(self, traits: Floats) -> Floats:
        return self.traits_(traits)[:, list(self.kept_)]


def separable(traits: Floats, site: Groups, wanted: Sequence[int]) -> tuple[int, ...]:
    """Those of the wanted columns that differ within sites, and not only as the ones before them do.

    Of traits (n, n_traits) float64 without NaN and sites (n,) str; a site of one person says nothing.
    """
    within = traits.copy()
    for name in np.unique(site):
        within[site == name] -= within[site == name].mean(axis=0)
    kept: list[int] = []
    for column in wanted:
        if np.linalg.matrix_rank(within[:, [*kept, column]], tol=1e-6 * np.sqrt(len(traits))) > len(kept):
            kept.append(column)
    return tuple(kept)
