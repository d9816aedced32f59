"""The rotation forest: every tree sees the columns turned in another way."""

from dataclasses import KW_ONLY, dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import check_random_state

from models.arrays import Floats
from offline.estimators.base import Labels, LogitClassifier, TableError, labelled

SHARE = 0.75
"""Of the people, on whom a group of columns finds its axes (Rodriguez 2006)."""


@dataclass(eq=False, repr=False)
class RotationForest(LogitClassifier):
    """Trees on principal axes of random groups of columns (Rodriguez, Kuncheva & Alonso 2006).

    IEEE Transactions on Pattern Analysis and Machine Intelligence 28:1619-1630.  For every tree the columns
    are dealt into groups; the axes of a group come from three quarters of the people of some of the labels,
    drawn anew, and all axes are kept, so a tree loses nothing and no two trees see the same.

    Parameters
    ----------
    n_trees : int
        In the forest.
    n_each : int
        Columns in a group.
    min_samples_leaf : int
        Fewest people in a leaf.
    random_state : int, RandomState or None
        Deals groups, labels and people.
    """

    n_trees: int = 10
    _: KW_ONLY
    n_each: int = 3
    min_samples_leaf: int = 1
    random_state: Any = None

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:
        """Fit to a table (n, n_columns) float64 of standardised columns and its labels (n,) str or int."""
        if self.n_trees < 1 or self.n_each < 1:
            raise TableError(
                f"{self.n_trees} trees, {self.n_each} columns a group; expected 1 or more of each."
            )
        table, index = labelled(self, X, y)
        rng = check_random_state(self.random_state)
        self.turns_: list[Floats] = []
        self.trees_: list[DecisionTreeClassifier] = []
        for _ in range(self.n_trees):
            turn = self._turn(table, index, rng)
            tree = DecisionTreeClassifier(
                min_samples_leaf=self.min_samples_leaf, random_state=rng.randint(2**31 - 1)
            )
            self.turns_.append(turn)
            self.trees_.append(tree.fit(table @ turn, index))
        return self

    def logits_of_rows(self, X: Floats) -> Floats:
        """Logits (n, n_labels) float64 of rows (n, n_columns) float64; half a vote is added to each label."""
        pairs = zip(self.turns_, self.trees_, strict=True)
        shares = np.mean([tree.predict_proba(X @ turn) for turn, tree in pairs], axis=0)
        return np.asarray(np.log(shares + 0.5 / self.n_trees))

    def _turn(self, rows: Floats, index: Labels, rng: np.random.RandomState) -> Floats:
        """New columns, (n_columns, n_columns): each a weighted sum of the old ones of a group."""
        order = rng.permutation(rows.shape[1])
        turn = np.zeros((rows.shape[1], rows.shape[1]))
        n_labels = int(index.max()) + 1
        for first in range(0, len(order), self.n_each):
            group = order[first : first + self.n_each]
            labels = rng.permutation(n_labels)[: rng.randint(1, n_labels + 1)]
            people = np.flatnonzero(np.isin(index, labels))
            drawn = people[rng.randint(len(people), size=max(2, round(SHARE * len(people))))]
            part = rows[np.ix_(drawn, group)]
            _, axes = np.linalg.eigh(np.cov(part, rowvar=False).reshape(len(group), len(group)))
            turn[group, first : first + len(group)] = axes
        return turn
