"""Ridge regression on connectivity: the linear baseline, its penalty chosen on sites that were left out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import StratifiedKFold
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from models.arrays import Floats
from models.errors import HemostreamError
from models.parts.layers import Linear, logits_of
from offline.estimators.discriminant import standard_of
from offline.studies.dual import PENALTIES, Dual, Labels
from offline.studies.two_labels import TwoLabels

FOLDS = 5
"""Divisions of the people where no sites are given."""


@dataclass(frozen=True, eq=False)
class StandardisedRows:
    """Standardised rows and their products: all of a fit that looks at no label, where sites are given.

    Parameters
    ----------
    mean, scale : (n_features,) float64
        Taken from and divided out of features.
    rows : (n, n_features) float64
        Standardised.
    dual : Dual
        Of their products.
    group : (n,) array
        Who is left out together to choose a penalty.
    """

    mean: Floats
    scale: Floats
    rows: Floats
    dual: Dual
    group: Labels

    @classmethod
    def of(cls, X: Floats, group: Labels) -> "StandardisedRows":
        """Standardise rows, (n, n_features) float64, of groups, (n,) array."""
        mean, scale = standard_of(X, np.ones(len(X)))
        rows = X - mean
        rows /= scale
        return cls(mean, scale, rows, Dual.of(rows @ rows.T), group)

    def direction(self, second: npt.NDArray[np.bool_], penalties: Sequence[float]) -> tuple[Floats, float]:
        """Direction of standardised features, (n_features,) float64, and the penalty chosen for it."""
        weights, penalty = self.dual.choose(second, self.group, penalties)
        return self.rows.T @ weights, penalty


class RidgeConnectivity(TwoLabels):
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
        second = self._second(y)
        group = _divisions(second.astype(np.intp)) if site is None else np.asarray(site)
        if len(group) != len(y):
            raise HemostreamError(f"site has {len(group)} rows; expected {len(y)}, one a person.")
        return self._directed(StandardisedRows.of(X, group), second)

    def read(self, X: Floats, *, site: Labels) -> StandardisedRows:
        """What a fit does without looking at labels: it serves any of the same people.

        Parameters
        ----------
        X : (n, n_features) float64
            One row a person.
        site : (n,) str
            Where each was recorded.
        """
        return StandardisedRows.of(validate_data(self, X, dtype=np.float64), np.asarray(site))

    def fit_read(self, reading: StandardisedRows, y: Labels) -> "RidgeConnectivity":
        """`fit` to people who were read.

        Parameters
        ----------
        reading : Reading
            Of `read`.
        y : (n,) array
            Two labels.
        """
        return self._directed(reading, self._second(y))

    def _directed(self, reading: StandardisedRows, second: npt.NDArray[np.bool_]) -> "RidgeConnectivity":
        self.mean_, self.scale_ = reading.mean, reading.scale
        self.coef_, self.penalty_ = reading.direction(second, self.penalties)
        self.intercept_ = float(2.0 * second.mean() - 1.0)
        direction = self.coef_ / self.scale_
        # The mean is taken out of the direction's score: no second table is made.
        bias = np.array([[self.intercept_ - self.mean_ @ direction]])
        self.parts_ = (Linear(logits_of(direction[:, np.newaxis]), logits_of(bias)[0]),)
        return self

    def _table(self, X: Floats) -> Floats:
        return np.asarray(validate_data(self, X, dtype=np.float64, reset=False))


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
        weights, chosen[str(name)] = Dual.of(rows @ rows.T).choose(second[~out], site[~out], penalties)
        direction = rows.T @ weights
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
