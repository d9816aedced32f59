"""Connectivity as the way from a reference to a person's covariance, in the tangent space at the reference.

Varoquaux G, Baronnet F, Kleinschmidt A, Fillard P, Thirion B (2010). Detection of brain
functional-connectivity difference in post-stroke patients using group-level covariance modeling. MICCAI,
LNCS 6361:200-208.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from models.features.covariance import ledoit_wolf
from models.features.series import Series, blocks, checked, pair_names, upper

LEAST_EIGENVALUE = 1e-10
"""Of a whitened covariance: a logarithm below is of rounding."""


@dataclass(frozen=True, eq=False)
class Tangent:
    """Logarithm of the whitened Ledoit-Wolf covariance; needs 3 volumes.

    Parameters
    ----------
    whitening : (n_regions, n_regions) float64
        Inverse square root of the reference: the reference itself is mapped to zeros.
    standardised : bool
        Whether regions are brought to variance 1 first.
    """

    whitening: Floats
    standardised: bool = True

    def __call__(self, X: Series, repetition_time: Floats) -> Floats:
        """Series in, (n, n_regions * (n_regions + 1) / 2) float64 out.

        Pairs are multiplied by the root of 2, so that distances of rows are distances of matrices.  For a
        masked region stands what the reference expects of it, given the person's other regions.
        """
        X = checked(X, n_regions=len(self.whitening))
        triangle = upper(X.shape[1], diagonal=True)
        weight = np.sqrt(2 - np.eye(X.shape[1])[triangle])
        out = np.empty((len(X), len(weight)))
        for block in blocks(X, repetition_time):
            covariance, live = ledoit_wolf(block, standardised=self.standardised)
            for m in np.flatnonzero(~live.all(axis=1)):
                covariance[m] = expected(covariance[m], live[m], self.whitening @ self.whitening)
            logarithm = log_symmetric(self.whitening @ covariance @ self.whitening)
            out[block.rows] = logarithm[:, triangle] * weight
        return out

    def names(self, regions: Sequence[str]) -> list[str]:
        """Names of the columns."""
        return pair_names(regions, diagonal=True)


def log_symmetric(matrix: Floats) -> Floats:
    """Logarithm of symmetric positive matrices.

    Parameters
    ----------
    matrix : (..., n, n) float64
        Eigenvalues below `LEAST_EIGENVALUE` are taken for it.

    Returns
    -------
    (..., n, n) float64
        Symmetric.
    """
    values, vectors = np.linalg.eigh(matrix)
    logarithm = np.log(np.maximum(values, LEAST_EIGENVALUE))
    return np.asarray((vectors * logarithm[..., np.newaxis, :]) @ vectors.swapaxes(-1, -2))


def expected(covariance: Floats, live: npt.NDArray[np.bool_], precision: Floats) -> Floats:
    """A covariance in which masked regions have what a reference expects of them.

    Parameters
    ----------
    covariance : (n, n) float64
        Of a person; only live regions are looked at.
    live : (n,) bool
        Which those are.
    precision : (n, n) float64
        The reference's inverse.

    Returns
    -------
    (n, n) float64
        The one nearest to the reference, in the sense of Kullback and Leibler, that has the live regions'
        covariance: regressions of masked on live regions, and what these leave, are the reference's.
    """
    dead = ~live
    left = np.linalg.inv(precision[np.ix_(dead, dead)])
    slope = -left @ precision[np.ix_(dead, live)]
    own = covariance[np.ix_(live, live)]
    out = covariance.copy()
    out[np.ix_(dead, live)] = slope @ own
    out[np.ix_(live, dead)] = out[np.ix_(dead, live)].T
    out[np.ix_(dead, dead)] = slope @ own @ slope.T + left
    return out
