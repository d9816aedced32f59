"""Locally linear embedding of a table, fitted to training people; others are placed by their neighbours.

Roweis ST, Saul LK (2000). Nonlinear dimensionality reduction by locally linear embedding. Science
290:2323-2326.  Sidhu (2019) classifies by it; there the choice of points was scored on the people tested.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.manifold import LocallyLinearEmbedding
from sklearn.utils.validation import check_is_fitted, validate_data

from models.arrays import Floats


@dataclass(eq=False, repr=False, kw_only=True)
class LocallyLinear(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """scikit-learn's embedding, also where fewer people are fitted than it asks for neighbours.

    Parameters
    ----------
    n_components : int
        Dimensions of the embedding; at most one fewer than there are rows.
    n_neighbors : int
        Nearest rows that make up a row; at most one fewer than there are rows.
    reg : float
        Ridge, as a share of the trace of the neighbours' products.

    Attributes
    ----------
    embedding_ : LocallyLinearEmbedding
        Fitted.
    """

    n_components: int = 2
    n_neighbors: int = 10
    reg: float = 1e-3

    def fit(self, X: Any, y: Any = None) -> Self:
        """Embed the training rows, (n, n_features) float64, one a person; ``y`` is not looked at."""
        X = validate_data(self, X, dtype=np.float64, ensure_min_samples=3)
        near, dimensions = (min(wanted, len(X) - 1) for wanted in (self.n_neighbors, self.n_components))
        # The dense solver has no random start: the same rows have the same coordinates.
        self.embedding_ = LocallyLinearEmbedding(
            n_neighbors=near, n_components=dimensions, reg=self.reg, eigen_solver="dense"
        ).fit(X)
        self._n_features_out = dimensions
        return self

    def transform(self, X: Any) -> Floats:
        """Coordinates, (n, n_components) float64, of rows (n, n_features) float64, fitted or not."""
        check_is_fitted(self, "embedding_")
        return np.asarray(self.embedding_.transform(validate_data(self, X, dtype=np.float64, reset=False)))
