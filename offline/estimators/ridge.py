"""Ridge regression: any targets, penalties and left-out groups from one decomposition of the rows.

The penalty is that of Hoerl and Kennard (1970, Technometrics 12:55-67).  Rows are decomposed through the
smaller of their two Gram matrices, so twenty thousand columns of some hundred people cost what the people's
products cost (the dual; Saunders, Gammerman and Vovk 1998, ICML 515-521).  What a fit without a group of rows
would have predicted for that group follows from the fit with it: for least squares with a fixed quadratic
penalty, the residuals of a group that is left out are ``(I - H_gg)^-1`` times its residuals when it is in, H
the matrix from targets to fitted values (Cook and Weisberg 1982, Residuals and Influence in Regression,
section 3.2).  The intercept is part of H, so these are the scores of fits that never saw the group, not an
approximation of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from offline.estimators.scaling import standard_of

Groups = npt.NDArray[Any]

PENALTIES = tuple(float(value) for value in np.logspace(-3, 6, 19))
"""The grid of penalties, in half decades.  In units of the rows' mean eigenvalue `RELATIVE`, or every other
of them, are tried; of standardised columns, in scikit-learn's units (``alpha``), `ABSOLUTE`."""
RELATIVE, EVERY_OTHER, ABSOLUTE = PENALTIES[:13], PENALTIES[2:13:2], PENALTIES[2:]
LEAST_SIZE = 1e-12
"""Of the greatest eigenvalue: a direction in which rows differ less is of rounding."""


def decomposed(gram: Floats) -> tuple[Floats, Floats]:
    """Eigenvectors (n, k) and eigenvalues (k,), the least first, of (n, n) float64; none of rounding."""
    sizes, vectors = np.linalg.eigh(gram)
    kept = sizes > LEAST_SIZE * max(float(sizes[-1]), np.finfo(float).tiny)
    return vectors[:, kept], sizes[kept]


@dataclass(frozen=True, eq=False)
class Ridge:
    """Rows decomposed once: every fit is then a product.

    Where a penalty is asked for, (n_targets,) float64 gives each target its own.
    """

    vectors: Floats  # (n, k): orthonormal directions of the weighted rows
    sizes: Floats  # (k,): their eigenvalues, above zero
    root: Floats  # (n,), of what each row weighs; the mean weight is one
    rows: npt.NDArray[np.floating[Any]] | None = None  # (n, n_columns); None where only products are known
    axes: Floats | None = None  # (n_columns, k): directions of columns, where these are fewer than rows

    @classmethod
    def of(cls, rows: Floats, weight: Floats | None = None) -> "Ridge":
        """Decompose rows, (n, n_columns) float64, whose (weighted) mean is zero; weights are (n,) float64."""
        root = np.ones(len(rows)) if weight is None else np.sqrt(len(rows) * weight / weight.sum())
        weighted = rows if weight is None else root[:, np.newaxis] * rows
        if rows.shape[0] <= rows.shape[1]:
            return cls(*decomposed(weighted @ weighted.T), root, rows)
        axes, sizes = decomposed(weighted.T @ weighted)
        return cls(weighted @ (axes / np.sqrt(sizes)), sizes, root, rows, axes)

    @classmethod
    def of_products(cls, gram: Floats, weight: Floats | None = None) -> "Ridge":
        """Decompose the products, (n, n) float64, of rows whose (weighted) mean is zero."""
        if weight is None:
            return cls(*decomposed(gram), np.ones(len(gram)))
        root = np.sqrt(len(gram) * weight / weight.sum())
        return cls(*decomposed(root[:, np.newaxis] * gram * root), root)

    @property
    def unit(self) -> float:
        """Mean eigenvalue of the smaller Gram matrix, for penalties that mean the same for any columns."""
        n = len(self.vectors) if self.axes is None else len(self.axes)
        return max(float(self.sizes.sum()) / n, 1e-12)  # below it constant columns leave only rounding

    def centred(self, target: Floats) -> Floats:
        """Weighted targets, (n, n_targets) float64, about their weighted mean."""
        mean = np.square(self.root) @ target / len(target)
        return np.asarray(self.root[:, np.newaxis] * (target - mean))

    def weights(self, target: Floats, penalty: float | Floats) -> Floats:
        """What each row weighs in the fitted directions, (n, n_targets) float64: these are sums of the rows.

        Of targets (n, n_targets) float64, their mean the intercept, and a penalty of a direction's squared
        norm, above zero.
        """
        return self.root[:, np.newaxis] * (self.vectors @ self._shrunk(target, penalty))

    def directions(self, target: Floats, penalty: float | Floats) -> Floats:
        """Coefficients of columns, (n_columns, n_targets) float64; arguments as `weights` has them."""
        if self.axes is not None:
            root = np.sqrt(self.sizes)[:, np.newaxis]
            return np.asarray(self.axes @ (root * self._shrunk(target, penalty)))
        assert self.rows is not None, "products alone have no columns"
        return np.asarray(self.rows.T @ self.weights(target, penalty))

    def left_out(self, target: Floats, penalty: float, group: Groups | None = None) -> Floats:
        """Scores of each row by the fit without its whole group, (n,) array; None: each row alone.

        Of targets and a penalty as `weights` has them: (n, n_targets) float64, intercept included.
        """
        shrunk = self.sizes / (self.sizes + penalty)
        centred = self.centred(target)
        residual = centred - self.vectors @ (shrunk[:, np.newaxis] * (self.vectors.T @ centred))
        root, share = self.root[:, np.newaxis], np.square(self.root) / len(target)
        if group is None:
            influence = np.square(self.vectors) @ shrunk + share
            return np.asarray(target - residual / root / np.maximum(1.0 - influence, 1e-9)[:, np.newaxis])
        out = np.empty_like(target)
        for name in np.unique(group):
            own = group == name
            rows = self.vectors[own]
            block = np.eye(len(rows)) - (rows * shrunk) @ rows.T - root[own] @ root[own].T / len(target)
            out[own] = target[own] - np.linalg.solve(block, residual[own]) / root[own]
        return out

    def path(self, target: Floats, penalties: Sequence[float], group: Groups | None = None) -> Floats:
        """`left_out` at every penalty: (n_penalties, n, n_targets) float64."""
        return np.stack([self.left_out(target, penalty, group) for penalty in penalties])

    def _shrunk(self, target: Floats, penalty: float | Floats) -> Floats:
        return np.asarray(self.vectors.T @ self.centred(target) / (self.sizes[:, np.newaxis] + penalty))


def predict_by_ridge(X: Floats, y: Floats, new: Floats, penalties: Sequence[float] = ABSOLUTE) -> Floats:
    """Predict continuous targets; each has its own penalty, chosen by leaving out one training row at a time.

    Of rows of training, (n, n_features) float64, standardised here, their targets, (n, n_targets) float64,
    and who is predicted, (m, n_features) float64, it gives (m, n_targets) float64, in the targets' units.
    The penalty of least squared error is taken, the smallest where several are equal.
    """
    mean, scale = standard_of(X)
    ridge = Ridge.of((X - mean) / scale)
    best = np.square(ridge.path(y, penalties) - y).mean(axis=1).argmin(axis=0)  # (n_targets,)
    return (new - mean) / scale @ ridge.directions(y, np.array(penalties)[best]) + y.mean(axis=0)
