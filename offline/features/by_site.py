"""What a site adds to everybody's features, taken out without any label (but by other people)."""

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from models.features.tangent import log_symmetric
from models.layers.connectivity_ensemble import matrix_of


def centred(rows: Floats, site: npt.NDArray[np.str_]) -> Floats:
    """Features less the mean of each site's people: no label is looked at, but other people are.

    Of everybody's, (n, n_features) float64, and where each was recorded, (n,) str.
    """
    out = rows.copy()
    for name in np.unique(site):
        here = site == name
        known = np.isfinite(rows[here])
        total = np.where(known, rows[here], 0.0).sum(axis=0)
        out[here] -= total / np.maximum(known.sum(axis=0), 1)
    return out


def recentred(rows: Floats, site: npt.NDArray[np.str_]) -> Floats:
    """Positive definite matrices whose sites were moved onto one another; less a mean they would be none.

    Every site's mean logarithm becomes that of all people (the log-Euclidean mean, Arsigny et al. 2006, Magn
    Reson Med 56:411-421).  Of upper triangles with the diagonal, (n, n_regions (n_regions + 1) / 2) float64,
    and sites (n,) str.  A region that correlates with none is masked, and stays so.
    """
    matrices = [matrix_of(row) for row in rows]
    logarithms = np.stack([log_symmetric(matrix) for matrix in matrices])
    everybody = logarithms.mean(axis=0)
    for name in np.unique(site):
        here = site == name
        logarithms[here] += everybody - logarithms[here].mean(axis=0)
    upper = np.triu_indices(logarithms.shape[1])
    out = np.empty(rows.shape, dtype=rows.dtype)
    for row, logarithm, matrix in zip(out, logarithms, matrices, strict=True):
        values, vectors = np.linalg.eigh(logarithm)
        moved = (vectors * np.exp(values)) @ vectors.T
        masked = np.count_nonzero(matrix, axis=1) == 1
        moved[masked], moved[:, masked] = 0.0, 0.0
        moved[masked, masked] = 1.0
        row[:] = moved[upper]
    return out


def moved_together(rows: Floats, site: npt.NDArray[np.str_], matrices: slice | None) -> Floats:
    """Features (n, n_features) float64 of everybody `centred`, or `recentred` where columns are of matrices.

    ``site``, (n,) str, is where each was recorded; ``matrices`` which columns are their upper triangles.
    """
    out = centred(rows, site)
    if matrices is not None:
        out[:, matrices] = recentred(rows[:, matrices], site)
    return out
