"""Ridge regression on connectivity: the linear baseline, its penalty chosen on sites that were left out.

People are hundreds and edges are twenty thousand, so everything is computed from the people's Gram matrix
(the dual; Saunders, Gammerman and Vovk 1998, ICML 515-521).  One decomposition of it serves all penalties,
and what a fit without a site would have said of that site follows from the fit with it: for any
least squares with a fixed quadratic penalty, the residuals of a group that is left out are
``(I - H_gg)^-1`` times its residuals when it is in, H the matrix from labels to fitted values
(Cook and Weisberg 1982, Residuals and Influence in Regression, section 3.2).  The intercept is part of H, so
these are the scores of fits that never saw the group, not an approximation of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import StratifiedKFold
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from models.errors import HemostreamError
from models.parts.layers import Linear, logits_of
from offline.discriminant import standard_of
from offline.metrics import auc

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[Any]

PENALTIES = (1e2, 1e3, 3e3, 1e4, 3e4, 1e5, 1e6)
"""Tried on sites that were left out; for standardised features, in scikit-learn's units (``alpha``)."""
FOLDS = 5
"""Divisions of the people where no sites are given."""


@dataclass(frozen=True, eq=False)
class Dual:
    """A centred Gram matrix, decomposed: every penalty is then a product.

    Parameters
    ----------
    vectors : (n, n) float64
        Orthonormal, in columns.
    sizes : (n,) float64
        Eigenvalues, none negative.
    """

    vectors: Floats
    sizes: Floats

    @classmethod
    def of(cls, gram: Floats) -> "Dual":
        """Decompose the products of rows whose mean is zero.

        Parameters
        ----------
        gram : (n, n) float64
            Of features from which their mean over these n rows was taken.
        """
        sizes, vectors = np.linalg.eigh(gram)
        return cls(vectors, np.maximum(sizes, 0.0))

    def coefficients(self, target: Floats, penalty: float) -> Floats:
        """What each row weighs in the fitted direction.

        Parameters
        ----------
        target : (n,) float64
            What is fitted; its mean is the intercept.
        penalty : float
            Of the squared norm of the direction.

        Returns
        -------
        (n,) float64
            The direction is the sum of the rows with these weights.
        """
        turned = self.vectors.T @ (target - target.mean())
        return np.asarray(self.vectors @ (turned / (self.sizes + penalty)))

    def held_out(self, target: Floats, group: Labels, penalties: Sequence[float]) -> Floats:
        """Scores of each row by the fit without its whole group.

        Parameters
        ----------
        target : (n,) float64
            What is fitted.
        group : (n,) array
            What is left out together.
        penalties : sequence of float
            One fit each; not zero.

        Returns
        -------
        (n_penalties, n) float64
            Intercept included.
        """
        n = len(target)
        turned = self.vectors.T @ (target - target.mean())
        out = np.empty((len(penalties), n))
        for scores, penalty in zip(out, penalties, strict=True):
            left = penalty / (self.sizes + penalty)  # I - H, the intercept's share apart
            residual = self.vectors @ (left * turned)
            for name in np.unique(group):
                own = group == name
                rows = self.vectors[own]
                block = (rows * left) @ rows.T - 1.0 / n
                scores[own] = target[own] - np.linalg.solve(block, residual[own])
        return out


def mean_auc(y: npt.NDArray[np.bool_], scores: Floats, group: Labels) -> float:
    """Mean of the groups' own areas under the curve; groups with one label are passed over.

    Parameters
    ----------
    y : (n,) bool
        Labels.
    scores : (n,) float64
        Higher for true.
    group : (n,) array
        E.g. sites.
    """
    areas = [auc(y[group == name], scores[group == name], group[group == name]) for name in np.unique(group)]
    each = [area for area in areas if area is not None]
    return float(np.mean(each)) if each else 0.5


def fit_direction(
    rows: Floats, second: npt.NDArray[np.bool_], group: Labels, penalties: Sequence[float]
) -> tuple[Floats, float]:
    """Choose a penalty on left-out groups and fit with it to all.

    Parameters
    ----------
    rows : (n, n_features) float64
        Standardised: the mean of each feature is zero.
    second : (n,) bool
        Labels.
    group : (n,) array
        What is left out together.
    penalties : sequence of float
        The one with the best mean AUC is taken, the first where several are equal.

    Returns
    -------
    direction : (n_features,) float64
        Of standardised features.
    penalty : float
        That was taken.
    """
    dual = Dual.of(rows @ rows.T)
    target = np.where(second, 1.0, -1.0)
    best = 0
    if len(penalties) > 1 and len(np.unique(group)) > 1:
        held = dual.held_out(target, group, penalties)
        best = int(np.argmax([mean_auc(second, scores, group) for scores in held]))
    return rows.T @ dual.coefficients(target, penalties[best]), float(penalties[best])


class RidgeConnectivity(ClassifierMixin, BaseEstimator):
    """Ridge classifier of two labels on standardised features, in the dual.

    With one penalty it is scikit-learn's ``StandardScaler`` and ``RidgeClassifier``; with several it is these
    with ``GridSearchCV`` over left-out sites by AUC, the scaler standing before the search.

    Parameters
    ----------
    penalties : sequence of float
        The one with the best mean AUC over left-out sites is taken, the smaller where two are equal.

    Attributes
    ----------
    mean_, scale_ : (n_features,) float64
        Taken from and divided out of features.
    coef_ : (n_features,) float64
        Of standardised features.
    intercept_ : float
        Mean of the labels as minus and plus one.
    penalty_ : float
        Of ``penalties``.
    parts_ : (Linear,)
        What it computes, for export.
    """

    def __init__(self, penalties: Sequence[float] = PENALTIES) -> None:
        self.penalties = penalties

    def fit(self, X: Floats, y: Labels, *, site: Labels | None = None) -> "RidgeConnectivity":
        """Fit.

        Parameters
        ----------
        X : (n, n_features) float64
            One row a person.
        y : (n,) array
            Two labels.
        site : (n,) str, optional
            Where each was recorded.  Without: people in `FOLDS` divisions.
        """
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_min_samples=2)
        check_classification_targets(y)
        self.classes_, which = np.unique(y, return_inverse=True)
        if len(self.classes_) != 2:
            n = len(self.classes_)
            # The first sentence is what scikit-learn's contract looks for.
            raise ValueError(
                "Only binary classification is supported. "
                f"y has {n} class{'' if n == 1 else 'es'}; expected two labels."
            )
        group = _divisions(which) if site is None else np.asarray(site)
        if len(group) != len(y):
            raise HemostreamError(f"site has {len(group)} rows; expected {len(y)}, one a person.")
        second = which == 1
        self.mean_, self.scale_ = standard_of(X, np.ones(len(X)))
        rows = (X - self.mean_) / self.scale_
        self.coef_, self.penalty_ = fit_direction(rows, second, group, self.penalties)
        self.intercept_ = float(2.0 * second.mean() - 1.0)
        direction = self.coef_ / self.scale_
        # The mean is taken out of the direction's score: no second table is made.
        bias = np.array([[self.intercept_ - self.mean_ @ direction]])
        self.parts_ = (Linear(logits_of(direction[:, np.newaxis]), logits_of(bias)[0]),)
        return self

    def decision_function(self, X: Floats) -> Floats:
        """Scores of people.

        Parameters
        ----------
        X : (n, n_features) float64
            As fitted.

        Returns
        -------
        (n,) float64
            Above zero for the second label.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        logits = self.parts_[0](X)
        return np.asarray(logits[:, 1] - logits[:, 0])

    def predict(self, X: Floats) -> Labels:
        """Labels of people.

        Parameters
        ----------
        X : (n, n_features) float64
            As fitted.

        Returns
        -------
        (n,) array
            Of the labels fitted.
        """
        second = self.decision_function(X) > 0
        return np.asarray(self.classes_[second.astype(int)])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags


def leave_sites_out(
    X: Floats, y: Labels, site: Labels, penalties: Sequence[float] = PENALTIES
) -> tuple[Floats, dict[str, float]]:
    """Scores of every person by a fit that saw nobody of their site; the penalty chosen anew without it.

    Parameters
    ----------
    X : (n, n_features) float64
        One row a person.
    y : (n,) array
        Two labels.
    site : (n,) str
        Where each was recorded.
    penalties : sequence of float
        As in `RidgeConnectivity`.

    Returns
    -------
    scores : (n,) float64
        Above zero for the second label.
    chosen : dict of str to float
        The penalty for each site.
    """
    second = y == np.unique(y)[1]
    scores = np.empty(len(X))
    chosen = {}
    buffer = np.empty(X.shape)  # one for all sites: asking for so much memory costs as much as the products
    for name in np.unique(site):
        out = site == name
        rows = np.compress(~out, X, axis=0, out=buffer[: int((~out).sum())])
        mean = rows.mean(axis=0)
        rows -= mean
        scale = np.sqrt(np.einsum("ij,ij->j", rows, rows) / len(rows))
        scale = np.where(scale > 1e-12 * (1.0 + np.abs(mean)), scale, 1.0)
        rows /= scale
        direction, chosen[str(name)] = fit_direction(rows, second[~out], site[~out], penalties)
        scores[out] = ((X[out] - mean) / scale) @ direction + (2.0 * second[~out].mean() - 1.0)
    return scores, chosen


def _divisions(which: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Stratified divisions of the people: (n,) intp, all the same where there are too few."""
    fewest = int(np.bincount(which).min())
    part = np.zeros(len(which), dtype=np.intp)
    if fewest > 1:
        split = StratifiedKFold(min(FOLDS, fewest), shuffle=True, random_state=0)
        for k, (_, out) in enumerate(split.split(part, which)):
            part[out] = k
    return part
