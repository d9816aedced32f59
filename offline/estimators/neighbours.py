"""The labels of the nearest people."""

from typing import Self

import numpy.typing as npt

from models.parts.prototypes import Neighbours
from offline.estimators.base import PartsClassifier, TableError, labelled


class NearestNeighbours(PartsClassifier):
    """A vote among the people of training who are nearest (Cover & Hart 1967).

    IEEE Transactions on Information Theory 13:21-27.  Unlike scikit-learn's it can be asked where fewer
    people were fitted than are to vote, as happens to a small site.

    Parameters
    ----------
    n_neighbours : int
        Who vote; all where there are fewer.
    """

    def __init__(self, n_neighbours: int = 15) -> None:
        self.n_neighbours = n_neighbours

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:
        """Fit to a table (n, n_columns) float64 of standardised columns and its labels (n,) str or int."""
        if self.n_neighbours < 1:
            raise TableError(f"n_neighbours is {self.n_neighbours}; expected 1 or more.")
        table, index = labelled(self, X, y)
        asked = min(self.n_neighbours, len(table))
        self.parts_ = (Neighbours(table.copy(), index, asked, len(self.classes_)),)
        return self
