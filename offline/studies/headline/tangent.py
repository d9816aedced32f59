"""Correlation matrices in the tangent space at their mean (Varoquaux et al. 2010, MICCAI 13:200-208).

The mean is the log-Euclidean one (Arsigny et al. 2006, Magn Reson Med 56:411-421): it has a closed form, and
as a point to look from it serves as well as the geometric one.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def reference(table: Floats) -> Floats:
    """Inverse square root of the mean of matrices.

    Parameters
    ----------
    table : (n, n_regions (n_regions + 1) / 2) float64
        Upper triangles with the diagonal, positive definite.

    Returns
    -------
    (n_regions, n_regions) float64
        What each matrix is multiplied with on both sides.
    """
    total = sum(_of_eigenvalues(_matrix(row), _logarithm) for row in table)
    return _of_eigenvalues(np.asarray(total) / len(table), lambda values: np.exp(-values / 2.0))


def tangent_rows(table: Floats, seen_from: Floats) -> Floats:
    """Logarithms of the matrices as seen from a reference.

    Parameters
    ----------
    table : (n, n_regions (n_regions + 1) / 2) float64
        As in `reference`.  A region that correlates with none was constant.
    seen_from : (n_regions, n_regions) float64
        From `reference`.

    Returns
    -------
    (n, n_regions (n_regions + 1) / 2) float64
        No number where a constant region is meant.
    """
    upper = np.triu_indices(len(seen_from))
    out = np.empty(table.shape)
    for row, own in zip(out, table, strict=True):
        matrix = _matrix(own)
        seen = _of_eigenvalues(seen_from @ matrix @ seen_from, _logarithm)
        constant = np.count_nonzero(matrix, axis=1) == 1
        seen[constant] = np.nan
        seen[:, constant] = np.nan
        row[:] = seen[upper]
    return out


def _matrix(row: Floats) -> Floats:
    n = int((np.sqrt(8 * len(row) + 1) - 1) / 2)
    matrix = np.zeros((n, n))
    matrix[np.triu_indices(n)] = row
    return matrix + np.triu(matrix, 1).T


def _of_eigenvalues(matrix: Floats, function: Callable[[Floats], Floats]) -> Floats:
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * function(values)) @ vectors.T)


def _logarithm(values: Floats) -> Floats:
    return np.log(np.maximum(values, 1e-12))
