"""Fewer columns, chosen by what a classifier makes of them together; selectors, fitted inside the fold."""

import warnings
from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_selection import SelectorMixin
from sklearn.svm import SVC
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from models.arrays import Floats
from offline.estimators.base import Flags, Labels, TableError, against_the_rest, labelled
from offline.estimators.discriminant import about_the_others, balanced
from offline.estimators.ridge import PENALTIES, Ridge
from offline.estimators.scaling import standardise

CLUSTER_PENALTIES = PENALTIES[4:11:2]
"""Of the ridge fits that a cluster is evaluated by, in units of the mean eigenvalue; its best counts.  With
one penalty for all, a large cluster would be evaluated by how much it overfits."""
AT_ONCE = 256
"""Columns looked at together: what is made of them on the way stays in the processor's cache."""


class _Elimination(SelectorMixin, BaseEstimator):
    """A selector that has a ``support_``."""

    support_: Flags

    def _get_support_mask(self) -> Flags:
        check_is_fitted(self, "support_")
        return self.support_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags


@dataclass(eq=False, repr=False)
class RecursiveElimination(_Elimination):
    """SVM-RFE: the half of the columns with the least weights is dropped, again and again.

    Guyon, Weston, Barnhill & Vapnik 2002 (Machine Learning 46:389-422).  The machine is fitted through the
    Gram matrix of the people, so 20,000 columns cost little more than 200.

    Parameters
    ----------
    n_features_to_keep : int
        Columns kept; all of them where there are fewer.
    C : float
        Of the linear machine, for people at about unit distance.
    """

    n_features_to_keep: int = 200
    _: KW_ONLY
    C: float = 1.0

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:
        """Choose from a table (n, n_columns) float64 with labels (n,) str or int."""
        table, index = _checked(self, X, y)
        # In double precision: by the rounding of single the machine stops elsewhere within its tolerance, and
        # up to a fifth of the columns kept are others.
        rows = _standardised(table)
        questions = against_the_rest(index)
        kept = np.arange(table.shape[1])
        while len(kept) > self.n_features_to_keep:
            weight = _squared_weights(rows, questions, self.C)
            n = max(len(kept) // 2, self.n_features_to_keep)
            stay = np.sort(np.argsort(-weight, kind="stable")[:n])
            kept = kept[stay]
            if n > self.n_features_to_keep:
                rows = rows.take(stay, axis=1)
        self.support_ = np.isin(np.arange(table.shape[1]), kept)
        return self


@dataclass(eq=False, repr=False)
class ClusterElimination(_Elimination):
    """Recursive cluster elimination: columns that go together are kept or dropped together.

    Yousef, Jung, Showe & Showe 2007 (BMC Bioinformatics 8:144); Deshpande 2010 (IEEE Transactions on
    Biomedical Engineering 57:1446-1456).  Columns are clustered by k-means, every cluster is
    evaluated by a classifier that sees nothing else, the worst are dropped, and what is left is clustered
    again.  Where the papers cross-validate a support vector machine, a cluster is evaluated here by the
    squared error of least squares on people left out one at a time, which has a closed form.

    Parameters
    ----------
    n_features_to_keep : int
        Columns kept; all of them where there are fewer.  Of the last cluster to fall, the columns with the
        greatest F stay.
    n_clusters : int
        At the start; with half the columns gone, half as many.
    share : float
        Of the clusters, dropped in a round.
    random_state : int, RandomState or None
        Where k-means begins.
    """

    n_features_to_keep: int = 500
    _: KW_ONLY
    n_clusters: int = 100
    share: float = 0.25
    random_state: Any = None

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:
        """Choose from a table (n, n_columns) float64 with labels (n,) str or int."""
        if self.n_clusters < 1 or not 0 < self.share < 1:
            raise TableError(
                f"n_clusters is {self.n_clusters} and share {self.share}; expected 1 or more, and 0 to 1."
            )
        table, index = _checked(self, X, y)
        rng = check_random_state(self.random_state)
        n_columns, target = table.shape[1], balanced(against_the_rest(index), np.ones(len(index)))
        rows = _standardised(table)
        varies = np.ptp(table, axis=0) > 0
        # What never changes goes first.
        kept = np.flatnonzero(varies) if varies.sum() >= self.n_features_to_keep else np.arange(n_columns)
        first, strength = len(kept), f_values(rows, index)
        while len(kept) > self.n_features_to_keep:
            n_clusters = min(len(kept), max(2, round(self.n_clusters * len(kept) / first)))
            cluster = _clusters(rows[:, kept], n_clusters, rng)
            names = np.unique(cluster)
            error = np.array([_left_out_error(rows[:, kept[cluster == name]], target) for name in names])
            worst = names[np.argsort(-error, kind="stable")]
            for name in worst[: max(1, int(self.share * len(names)))]:
                own = np.flatnonzero(cluster == name)
                weakest = own[np.argsort(strength[kept[own]], kind="stable")]
                dropped = weakest[: len(kept) - self.n_features_to_keep]
                kept, cluster = np.delete(kept, dropped), np.delete(cluster, dropped)
        self.support_ = np.isin(np.arange(n_columns), kept)
        return self


def f_values(table: Floats, y: Labels) -> Floats:
    """Variance between labels (n,) int64 over variance within, of each column of (n, n_columns) float64.

    (n_columns,) float64, 0 for a column that never changes.
    """
    counts = np.bincount(y)
    people = [np.flatnonzero(y == label) for label in range(len(counts))]
    mean = table.mean(axis=0, dtype=np.float64)
    between, total = np.zeros_like(mean), np.empty_like(mean)
    for columns in _blocks(len(mean)):
        centred = table[:, columns] - mean[columns]
        total[columns] = np.einsum("ij,ij->j", centred, centred)
        for own in people:
            between[columns] += np.square(centred[own].sum(axis=0)) / len(own)
    within = np.maximum(total - between, 1e-12 * total)
    freedom = max(len(y) - len(counts), 1) / max(len(counts) - 1, 1)
    # The mean of equal numbers may be rounded: what is left of them is no variance.
    varies = total > len(y) * np.square(1e-12 * mean)
    return np.divide(freedom * between, within, out=np.zeros_like(mean), where=varies)


def _blocks(n_columns: int) -> Iterator[slice]:
    return (slice(start, start + AT_ONCE) for start in range(0, n_columns, AT_ONCE))


def _standardised(table: Floats) -> Floats:
    """The table with columns of mean 0 and SD 1; nothing else of its size is made on the way."""
    rows = np.empty(table.shape)
    for columns in _blocks(table.shape[1]):
        block = table[:, columns]
        rows[:, columns] = standardise(block)(block)
    return rows


def _checked(selector: Any, X: npt.ArrayLike, y: npt.ArrayLike) -> tuple[Floats, Labels]:
    if selector.n_features_to_keep < 1:
        raise TableError(f"n_features_to_keep is {selector.n_features_to_keep}; expected 1 or more.")
    return labelled(selector, X, y)


def _squared_weights(rows: Floats, questions: Flags, C: float) -> Floats:
    """Of a linear support vector machine, summed over questions: (n_columns,)."""
    gram = rows @ rows.T
    gram /= max(float(np.trace(gram)) / len(rows), np.finfo(float).tiny)
    total = np.zeros(rows.shape[1])
    for q in range(questions.shape[1]):
        machine = SVC(C=C, kernel="precomputed", class_weight="balanced").fit(gram, questions[:, q])
        # People who support nothing count 0, which is less work than a copy of those who do.
        dual = np.zeros(len(rows))
        dual[machine.support_] = machine.dual_coef_[0]
        total += np.square(dual @ rows)
    return total


def _clusters(rows: Floats, n_clusters: int, rng: np.random.RandomState) -> Labels:
    """Which cluster each column is in, (n_columns,)."""
    means = KMeans(n_clusters, n_init=1, max_iter=20, random_state=rng.randint(2**31 - 1))
    with warnings.catch_warnings():
        # Columns that are copies of one another make fewer clusters: so be it.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return np.asarray(means.fit_predict(np.ascontiguousarray(rows.T)), dtype=np.int64)


def _left_out_error(rows: Floats, target: Floats) -> float:
    scores = about_the_others(Ridge.of(rows), target, CLUSTER_PENALTIES)
    return float(np.square(scores - target).mean(axis=(1, 2)).min())
