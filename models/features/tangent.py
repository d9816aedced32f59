"""Logarithms of symmetric positive matrices: from a reference, connectivity in its tangent space.

Varoquaux G, Baronnet F, Kleinschmidt A, Fillard P, Thirion B (2010). Detection of brain
functional-connectivity difference in post-stroke patients using group-level covariance modeling. MICCAI,
LNCS 6361:200-208.
"""

import numpy as np

from models.arrays import Floats

LEAST_EIGENVALUE = 1e-10
"""Of a whitened covariance: a logarithm below is of rounding."""


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
