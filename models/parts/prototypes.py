"""Nearness to typical people (prototypes), or to remembered ones (neighbours)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from models.parts.kernel import squared_distances


@dataclass(frozen=True, eq=False)
class Prototypes:
    """Relative distance to the nearest prototype of each label (Sato & Yamada 1996, NIPS 8:423-429).

    Parameters
    ----------
    vectors : (n_prototypes, n_columns) float64
        Prototypes.
    label : (n_prototypes,) int64
        Whose they are; every label has one.
    steepness : float
        Of two labels, log odds at a relative distance difference (d0 - d1) / (d0 + d1) of one half.
    """

    vectors: Floats
    label: npt.NDArray[np.int64]
    steepness: float

    def __call__(self, X: Floats) -> Floats:
        """(n, n_columns) float64 to logits (n, n_labels) float64."""
        all_of = squared_distances(X, self.vectors)
        n_labels = int(self.label.max()) + 1
        nearest = np.stack([all_of[:, self.label == k].min(axis=1) for k in range(n_labels)], axis=1)
        # Where a row lies on a prototype of every label at once, none is nearer.
        mean = np.maximum(nearest.mean(axis=1, keepdims=True), np.finfo(float).tiny)
        return np.asarray(-self.steepness * nearest / mean)


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Labels of the nearest people of training.

    Parameters
    ----------
    vectors : (n_people, n_columns) float64
        People of training.
    label : (n_people,) int64
        Theirs.
    n_neighbours, n_labels : int
        How many are asked; labels there are.
    """

    vectors: Floats
    label: npt.NDArray[np.int64]
    n_neighbours: int
    n_labels: int

    def __call__(self, X: Floats) -> Floats:
        """(n, n_columns) float64 to log shares of votes (n, n_labels) float64, half a vote added to each."""
        nearest = np.argsort(squared_distances(X, self.vectors), axis=1, kind="stable")[
            :, : self.n_neighbours
        ]
        votes = (self.label[nearest][:, :, np.newaxis] == np.arange(self.n_labels)).sum(axis=1)
        # Without the half, a label that none of them has would be impossible.
        return np.asarray(np.log((votes + 0.5) / (self.n_neighbours + 0.5 * self.n_labels)))
