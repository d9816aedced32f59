"""Trees as tables of nodes: forests, boosted trees, and the turned columns of a rotation forest."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from models.errors import BundleError

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Trees:
    """Every row falls through every tree; what it finds in the leaves is added up.

    Parameters
    ----------
    roots : (n_trees,) int64
        Each tree's first node.
    column : (n_nodes,) int64
        Which column a node looks at; -1 in a leaf.
    threshold : (n_nodes,) float64
        A row whose value, rounded to single precision, is not above it goes left.
    left, right : (n_nodes,) int64
        The next node.
    value : (n_nodes, n_labels) float64
        Of leaves.
    start : (n_labels,) float64
        What all rows begin with.
    least : float
        0: the sum is the logit.  Above 0: it is a probability, this is added, and the logarithm taken; a
        label that no tree found is unlikely, not impossible.
    """

    roots: Indices
    column: Indices
    threshold: Floats
    left: Indices
    right: Indices
    value: Floats
    start: Floats
    least: float

    def __post_init__(self) -> None:
        inner = self.column >= 0
        here = np.flatnonzero(inner)
        for name in ("left", "right"):
            there = getattr(self, name)[inner]
            # Children stand after their parent, so every walk ends.
            if (there <= here).any() or (there >= len(self.column)).any():
                raise BundleError(
                    f"A tree's {name} nodes do not stand after their parents; the table is damaged."
                )

    def __call__(self, X: Floats) -> Floats:
        """(n, n_columns) float64 to logits (n, n_labels) float64."""
        single = X.astype(np.float32)
        total = np.tile(self.start, (len(X), 1))
        rows = np.arange(len(X))
        for root in self.roots:
            node = np.full(len(X), root)
            going = rows
            while len(going):
                at = node[going]
                inside = self.column[at] >= 0
                going, at = going[inside], at[inside]
                low = single[going, self.column[at]] <= self.threshold[at]
                node[going] = np.where(low, self.left[at], self.right[at])
            total += self.value[node]
        return np.log(total + self.least) if self.least > 0 else total


@dataclass(frozen=True, eq=False)
class Turn:
    """New columns, each a weighted sum of a few old ones.

    Parameters
    ----------
    columns : (n_out, n_each) int64
        Which are summed.
    weights : (n_out, n_each) float64
        By how much; 0 where fewer are.
    """

    columns: Indices
    weights: Floats

    def __call__(self, X: Floats) -> Floats:
        """(n, n_columns) float64 to (n, n_out) float64."""
        out = np.zeros((len(X), len(self.columns)))
        for k in range(self.columns.shape[1]):
            out += X[:, self.columns[:, k]] * self.weights[:, k]
        return out
