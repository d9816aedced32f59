"""Learning vector quantisation: typical people of every label, moved until they separate labels."""

from dataclasses import KW_ONLY, dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.utils import check_random_state

from models.arrays import Floats
from offline.estimators.base import Labels, LogitClassifier, TableError, labelled


@dataclass(eq=False, repr=False)
class LearningVectorQuantisation(LogitClassifier):
    """Generalised learning vector quantisation (Sato & Yamada 1996, NIPS 8:423-429).

    Prototypes are moved down the gradient of a smooth count of errors, by L-BFGS, all people at once.

    Parameters
    ----------
    n_prototypes : int
        Of each label, at most.
    steepness : float
        How sharply an error is counted; also turns relative distances into log odds.
    max_iter : int
        Most steps.
    random_state : int, RandomState or None
        Which people the first prototypes are means of.
    """

    n_prototypes: int = 2
    _: KW_ONLY
    steepness: float = 4.0
    max_iter: int = 100
    random_state: Any = None

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:
        """Fit to a table (n, n_columns) float64 of standardised columns and its labels (n,) str or int."""
        if self.n_prototypes < 1:
            raise TableError(f"n_prototypes is {self.n_prototypes}; expected 1 or more.")
        table, index = labelled(self, X, y)
        rng = check_random_state(self.random_state)
        first, whose = [], []
        for label in range(len(self.classes_)):
            own = rng.permutation(np.flatnonzero(index == label))
            for share in np.array_split(own, min(self.n_prototypes, len(own))):
                first.append(table[share].mean(axis=0))
                whose.append(label)
        label_of = np.array(whose, dtype=np.int64)
        start = np.array(first)
        found = minimize(
            _errors,
            start.ravel(),
            args=(table, index, label_of, self.steepness),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": self.max_iter},
        )
        self.n_iter_ = int(found.nit)
        self.prototypes_, self.label_of_ = found.x.reshape(start.shape), label_of
        return self

    def logits_of_rows(self, X: Floats) -> Floats:
        """Logits (n, n_labels) float64: minus the relative distance to each label's nearest prototype."""
        distance = euclidean_distances(X, self.prototypes_, squared=True)
        labels = range(len(self.classes_))
        nearest = np.stack([distance[:, self.label_of_ == k].min(axis=1) for k in labels], axis=1)
        # Where a row lies on a prototype of every label at once, none is nearer.
        mean = np.maximum(nearest.mean(axis=1, keepdims=True), np.finfo(float).tiny)
        return np.asarray(-self.steepness * nearest / mean)


def _errors(
    flat: Floats, table: Floats, index: Labels, label_of: Labels, steepness: float
) -> tuple[float, Floats]:
    """Mean of a logistic function of the relative distance difference, and its gradient."""
    vectors = flat.reshape(len(label_of), table.shape[1])
    distance = euclidean_distances(table, vectors, squared=True)
    same = index[:, np.newaxis] == label_of
    near = np.where(same, distance, np.inf).argmin(axis=1)
    wrong = np.where(same, np.inf, distance).argmin(axis=1)
    rows = np.arange(len(table))
    to_near, to_wrong = distance[rows, near], distance[rows, wrong]
    total = np.maximum(to_near + to_wrong, np.finfo(float).tiny)
    share = 0.5 * (1.0 + np.tanh(0.5 * steepness * (to_near - to_wrong) / total))
    slope = steepness * share * (1.0 - share) * 2.0 / np.square(total) / len(table)
    pull = np.zeros_like(distance)  # derivative with respect to each squared distance
    pull[rows, near] = slope * to_wrong
    pull[rows, wrong] = -slope * to_near
    gradient = 2.0 * (pull.sum(axis=0)[:, np.newaxis] * vectors - pull.T @ table)
    return float(share.mean()), gradient.ravel()
