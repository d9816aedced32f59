"""Ridge regression from people's products, every penalty and every left-out group at once.

People are hundreds and edges are twenty thousand, so everything is computed from the people's Gram matrix
(the dual; Saunders, Gammerman and Vovk 1998, ICML 515-521).  One decomposition of it serves all penalties and
all labellings, and what a fit without a site would have said of that site follows from the fit with it: for
any least squares with a fixed quadratic penalty, the residuals of a group that is left out are
``(I - H_gg)^-1`` times its residuals when it is in, H the matrix from labels to fitted values
(Cook and Weisberg 1982, Residuals and Influence in Regression, section 3.2).  The intercept is part of H, so
these are the scores of fits that never saw the group, not an approximation of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from offline.stats.metrics import auc

Labels = npt.NDArray[Any]

PENALTIES = (1e2, 1e3, 3e3, 1e4, 3e4, 1e5, 1e6)
"""Tried on sites that were left out; for standardised features, in scikit-learn's units (``alpha``)."""


@dataclass(frozen=True, eq=False)
class Dual:
    """A centred Gram matrix, decomposed: every penalty is then a product.

    Parameters
    ----------
    vectors : (n, n) float64
        Orthonormal, in columns.
    sizes : (n,) float64
        Eigenvalues, none negative.
    """

    vectors: Floats
    sizes: Floats

    @classmethod
    def of(cls, gram: Floats) -> "Dual":
        """Decompose the products of rows whose mean is zero.

        Parameters
        ----------
        gram : (n, n) float64
            Of features from which their mean over these n rows was taken.
        """
        sizes, vectors = np.linalg.eigh(gram)
        return cls(vectors, np.maximum(sizes, 0.0))

    def coefficients(self, target: Floats, penalty: float) -> Floats:
        """What each row weighs in the fitted direction.

        Parameters
        ----------
        target : (n,) float64
            What is fitted; its mean is the intercept.
        penalty : float
            Of the squared norm of the direction.

        Returns
        -------
        (n,) float64
            The direction is the sum of the rows with these weights.
        """
        turned = self.vectors.T @ (target - target.mean())
        return np.asarray(self.vectors @ (turned / (self.sizes + penalty)))

    def held_out(self, target: Floats, group: Labels, penalties: Sequence[float]) -> Floats:
        """Scores of each row by the fit without its whole group.

        Parameters
        ----------
        target : (n,) float64
            What is fitted.
        group : (n,) array
            What is left out together.
        penalties : sequence of float
            One fit each; not zero.

        Returns
        -------
        (n_penalties, n) float64
            Intercept included.
        """
        n = len(target)
        turned = self.vectors.T @ (target - target.mean())
        out = np.empty((len(penalties), n))
        for scores, penalty in zip(out, penalties, strict=True):
            left = penalty / (self.sizes + penalty)  # I - H, the intercept's share apart
            residual = self.vectors @ (left * turned)
            for name in np.unique(group):
                own = group == name
                rows = self.vectors[own]
                block = (rows * left) @ rows.T - 1.0 / n
                scores[own] = target[own] - np.linalg.solve(block, residual[own])
        return out

    def choose(
        self, second: npt.NDArray[np.bool_], group: Labels, penalties: Sequence[float]
    ) -> tuple[Floats, float]:
        """Choose a penalty on left-out groups and fit with it to all.

        Parameters
        ----------
        second : (n,) bool
            Labels.
        group : (n,) array
            What is left out together.
        penalties : sequence of float
            The one with the best mean AUC is taken, the first where several are equal.

        Returns
        -------
        coefficients : (n,) float64
            What each row weighs in the fitted direction.
        penalty : float
            That was taken.
        """
        target = np.where(second, 1.0, -1.0)
        best = 0
        if len(penalties) > 1 and len(np.unique(group)) > 1:
            held = self.held_out(target, group, penalties)
            best = int(np.argmax([mean_auc(second, scores, group) for scores in held]))
        return self.coefficients(target, penalties[best]), float(penalties[best])


def mean_auc(y: npt.NDArray[np.bool_], scores: Floats, group: Labels) -> float:
    """Mean of the groups' own areas under the curve; groups with one label are passed over.

    Parameters
    ----------
    y : (n,) bool
        Labels.
    scores : (n,) float64
        Higher for true.
    group : (n,) array
        E.g. sites.
    """
    areas = [auc(y[group == name], scores[group == name], group[group == name]) for name in np.unique(group)]
    each = [area for area in areas if area is not None]
    return float(np.mean(each)) if each else 0.5
