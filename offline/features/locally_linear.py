"""Locally linear embedding of a table, fitted to training people; others are placed by their neighbours.

Roweis ST, Saul LK (2000). Nonlinear dimensionality reduction by locally linear embedding. Science
290:2323-2326.  Sidhu (2019) classifies by it; there the choice of points was scored on the people tested.
"""

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.manifold import LocallyLinearEmbedding
from sklearn.utils.validation import check_is_fitted, validate_data

from models.arrays import Floats
from models.parts.locally_linear import Embedded


class LocallyLinear(TransformerMixin, BaseEstimator):
    """Places in a locally linear embedding.

    Parameters
    ----------
    n_components : int
        Dimensions of the embedding; at most one fewer than there are rows.
    n_neighbors : int
        Nearest rows that make up a row; at most one fewer than there are rows.
    reg : float
        See `models.parts.locally_linear.Embedded`.

    Attributes
    ----------
    part_ : Embedded
        What it computes, for export.
    """

    fitted_to_people: ClassVar[bool] = True

    def __init__(self, *, n_components: int = 2, n_neighbors: int = 10, reg: float = 1e-3) -> None:
        self.n_components = n_components
        self.n_neighbors = n_neighbors
        self.reg = reg

    def fit(self, X: Any, y: Any = None) -> "LocallyLinear":
        """Embed the training rows.

        Parameters
        ----------
        X : (n, n_features) float64
            One row a person.
        y : any
            Not looked at.
        """
        X = validate_data(self, X, dtype=np.float64, ensure_min_samples=3)
        near, dimensions = (min(asked, len(X) - 1) for asked in (self.n_neighbors, self.n_components))
        # The dense solver has no random start: the same rows have the same places.
        embedding = LocallyLinearEmbedding(
            n_neighbors=near, n_components=dimensions, reg=self.reg, eigen_solver="dense"
        ).fit(X)
        self.part_ = Embedded(X.copy(), np.ascontiguousarray(embedding.embedding_), near, self.reg)
        return self

    def transform(self, X: Any) -> Floats:
        """Places of rows, fitted or not.

        Parameters
        ----------
        X : (n, n_features) float64
            As fitted.

        Returns
        -------
        (n, n_components) float64
            No unit.
        """
        check_is_fitted(self, "part_")
        return self.part_(validate_data(self, X, dtype=np.float64, reset=False))

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Names of the columns: (n_components,) str, as objects."""
        check_is_fitted(self, "part_")
        return np.array([f"embedding {i + 1}" for i in range(self.part_.places.shape[1])], dtype=object)
