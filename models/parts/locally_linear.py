"""A place in a locally linear embedding for somebody who was not there when it was made.

Saul LK, Roweis ST (2003). Think globally, fit locally: unsupervised learning of low dimensional
manifolds. Journal of Machine Learning Research 4:119-155: the weights that make a row of its nearest
fitted rows make its place of these rows' places.
"""

from dataclasses import dataclass

import numpy as np

from models.arrays import Floats
from models.errors import HemostreamError

AT_ONCE = 1024
"""Rows whose distances are one product: of any number of rows, it would not fit into memory."""


@dataclass(frozen=True, eq=False)
class Embedded:
    """Places of rows.

    Parameters
    ----------
    fitted : (n_fitted, n_features) float64
        Rows that the embedding was made of.
    places : (n_fitted, n_components) float64
        Where they are in it.
    n_neighbors : int
        So many of the fitted rows make up a new one.
    reg : float
        Ridge, as a share of the trace of the neighbours' products: more neighbours than dimensions, or rows
        that are the same, would leave the weights undetermined.
    """

    fitted: Floats
    places: Floats
    n_neighbors: int
    reg: float

    def __call__(self, X: Floats) -> Floats:
        """Table in, (n, n_components) float64 out."""
        X = np.asarray(X, dtype=np.float64)
        if X.ndim != 2 or X.shape[1] != self.fitted.shape[1]:
            raise HemostreamError(f"X has shape {X.shape}; expected (n, {self.fitted.shape[1]}), as fitted.")
        out = np.empty((len(X), self.places.shape[1]))
        size = np.square(self.fitted).sum(axis=1)
        neighbours = np.empty((len(X), self.n_neighbors), dtype=np.intp)
        for start in range(0, len(X), AT_ONCE):
            some = slice(start, start + AT_ONCE)
            apart = size - 2 * (X[some] @ self.fitted.T)  # less the row's own square, the same for all
            neighbours[some] = np.argpartition(apart, self.n_neighbors - 1)[:, : self.n_neighbors]
        for i, (row, near) in enumerate(zip(X, neighbours, strict=True)):
            away = self.fitted[near] - row
            products = away @ away.T
            trace = float(np.trace(products))
            products[np.diag_indices(len(near))] += self.reg * trace if trace > 0 else self.reg
            weights = np.linalg.solve(products, np.ones(len(near)))
            out[i] = (weights / weights.sum()) @ self.places[near]
        return out
