"""How systems put their models together: what several begin with, chosen within the fit, before a classifier.

Everything here can be sent to another process: functions of a module, bound by `functools.partial`.
"""

from collections.abc import Callable
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted, validate_data

from offline.estimators import MEMBERS, RecursiveElimination
from offline.estimators.elimination import f_values


class Best(SelectorMixin, BaseEstimator):
    """The ``most`` columns with the largest F, or all where there are fewer.

    Parameters
    ----------
    most : int
        How many.

    Attributes
    ----------
    support_ : (n_features,) bool
        Which columns are kept.
    """

    def __init__(self, most: int = 500) -> None:
        self.most = most

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:
        """Look at the labels of training people only."""
        table, labels = validate_data(self, X, y)
        F = f_values(table, np.unique(labels, return_inverse=True)[1])
        # A column that never changes tells nothing: it comes after one that is the same for every label.
        none = np.flatnonzero(F == 0)
        F[none[np.ptp(table[:, none], axis=0) == 0]] = -1.0
        self.support_: npt.NDArray[np.bool_] = np.zeros(table.shape[1], dtype=np.bool_)
        self.support_[np.argsort(-F, kind="stable")[: self.most]] = True
        return self

    def _get_support_mask(self) -> npt.NDArray[np.bool_]:
        check_is_fitted(self)
        return self.support_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags


def behind_best(make: Callable[..., Any], *, columns: int, random_state: int) -> Pipeline:
    """A classifier of the best columns (`Best`)."""
    return Pipeline([("best", Best(columns)), ("classifier", make(random_state=random_state))])


def behind_elimination(member: str, *, kept: int, random_state: int) -> Pipeline:
    """One of the eighteen classifiers, on the columns that recursive elimination leaves."""
    return Pipeline([("kept", RecursiveElimination(kept)), ("classifier", MEMBERS[member]())])


def without_chance(make: Callable[..., Any], *given: Any, random_state: int, **settings: Any) -> Any:
    """A model that draws nothing."""
    return make(*given, **settings)
