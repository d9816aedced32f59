"""Ridge regression on connectivity: the linear baseline, its penalty chosen on sites that were left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import StratifiedKFold
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from models.arrays import Floats
from models.errors import HemostreamError
from models.layers.linear import Linear, logits_of
from offline.estimators.base import Flags, GivenLabels
from offline.estimators.binary import BinaryClassifier
from offline.estimators.ridge import Groups, Ridge
from offline.estimators.scaling import standard_of
from offline.stats.metrics import auc

PENALTIES = (1e2, 1e3, 3e3, 1e4, 3e4, 1e5, 1e6)
"""Tried on sites that were left out; for standardised features, in scikit-learn's units (``alpha``).  Not the
half decades of `offline.estimators.ridge`: these were settled before any result on left-out sites was seen,
and others would be a second look."""
FOLDS = 5
"""Divisions of the people where no sites are given."""


def ridge_of_two(
    ridge: Ridge, second: Flags, group: Groups, penalties: Sequence[float]
) -> tuple[Floats, float]:
    """Choose a penalty on left-out groups and fit with it to all.

    The penalty with the best mean AUC is taken, the first where several are equal.  Of who has the second
    label, (n,) bool, and groups (n,): what each row weighs in the fitted direction, (n,) float64, labels
    being -1 and 1, and the penalty.
    """
    target = np.where(second, 1.0, -1.0)[:, np.newaxis]
    best = 0
    if len(penalties) > 1 and len(np.unique(group)) > 1:
        held = ridge.path(target, penalties, group)[:, :, 0]
        best = int(np.argmax([mean_auc(second, scores, group) for scores in held]))
    return ridge.weights(target, penalties[best])[:, 0], float(penalties[best])


def mean_auc(y: Flags, scores: Floats, group: Groups) -> float:
    """Mean of the groups' own areas under the curve; groups, (n,), with one label are passed over.

    Labels are (n,) bool, scores (n,) float64, higher for true.
    """
    areas = [auc(y[group == name], scores[group == name], group[group == name]) for name in np.unique(group)]
    each = [area for area in areas if area is not None]
    return float(np.mean(each)) if each else 0.5


@dataclass(frozen=True, eq=False)
class StandardisedRows:
    """Standardised rows, decomposed: all of a fit that looks at no label, where sites are given."""

    mean: Floats  # (n_features,), taken from features ...
    scale: Floats  # (n_features,), ... and divided out of them
    ridge: Ridge  # of the rows
    group: Groups  # (n,): who is left out together to choose a penalty

    @classmethod
    def of(cls, X: Floats, group: Groups) -> "StandardisedRows":
        """Standardise rows, (n, n_features) float64, of groups, (n,) array."""
        mean, scale = standard_of(X, np.ones(len(X)))
        rows = X - mean
        rows /= scale
        return cls(mean, scale, Ridge.of(rows), group)

    def direction(self, second: Flags, penalties: Sequence[float]) -> tuple[Floats, float]:
        """Direction of standardised features, (n_features,) float64, and the penalty chosen for it."""
        weights, penalty = ridge_of_two(self.ridge, second, self.group, penalties)
        assert self.ridge.rows is not None
        return self.ridge.rows.T @ weights, penalty


@dataclass(eq=False, repr=False)
class RidgeConnectivity(BinaryClassifier):
    """Ridge classifier of two labels on standardised features.

    With one penalty it is scikit-learn's ``StandardScaler`` and ``RidgeClassifier``; with several it is these
    with ``GridSearchCV`` over left-out sites by AUC, the scaler standing before the search.

    Parameters
    ----------
    penalties : sequence of float
        The one with the best mean AUC over left-out sites is taken, the smaller where two are equal.

    Attributes
    ----------
    coef_ : (n_features,) float64
        Of standardised features.
    penalty_ : float
        Of ``penalties``.
    """

    penalties: Sequence[float] = PENALTIES

    def fit(self, X: Floats, y: GivenLabels, *, site: Groups | None = None) -> Self:
        """Fit; without sites, (n,) str, people are left out in `FOLDS` divisions.

        A table is (n, n_features) float64, one row a person, with two labels (n,).
        """
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_min_samples=2)
        check_classification_targets(y)
        second = self._second(y)
        group = _divisions(second.astype(np.intp)) if site is None else np.asarray(site)
        if len(group) != len(y):
            raise HemostreamError(f"site has {len(group)} rows; expected {len(y)}, one a person.")
        self._fit_second(StandardisedRows.of(X, group), second)
        return self

    def read(self, X: Floats, *, site: Groups) -> StandardisedRows:
        """Standardise and decompose (n, n_features) float64, of sites (n,) str."""
        return StandardisedRows.of(validate_data(self, X, dtype=np.float64), np.asarray(site))

    def _fit_second(self, reading: StandardisedRows, second: Flags) -> None:
        """See `BinaryClassifier`; of labels, (n,) bool."""
        self.coef_, self.penalty_ = reading.direction(second, self.penalties)
        direction = self.coef_ / reading.scale
        # The mean is taken out of the direction's score: no second table is made.
        bias = np.array([[2.0 * second.mean() - 1.0 - reading.mean @ direction]])
        self.layers_ = (Linear(logits_of(direction[:, np.newaxis]), logits_of(bias)[0]),)


def _divisions(which: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Stratified divisions of the people: (n,) intp, all the same where there are too few."""
    fewest = int(np.bincount(which).min())
    part = np.zeros(len(which), dtype=np.intp)
    if fewest > 1:
        split = StratifiedKFold(min(FOLDS, fewest), shuffle=True, random_state=0)
        for k, (_, out) in enumerate(split.split(part, which)):
            part[out] = k
    return part
