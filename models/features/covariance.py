"""The covariance of many regions from few volumes, shrunk by as much as the data ask for.

Ledoit O, Wolf M (2004). A well-conditioned estimator for large-dimensional covariance matrices. Journal of
Multivariate Analysis 88(2):365-411.
"""

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from models.features.series import Block, centred

LEAST_VOLUMES = 3
"""Two volumes have one direction: nothing says how far to shrink."""


def ledoit_wolf(block: Block, *, standardised: bool) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Shrunk covariance of each person's regions.

    A masked region takes no part: the others are estimated as if it were not there.

    Parameters
    ----------
    block : Block
        People of one length.
    standardised : bool
        Whether every region is first brought to variance 1 (then only correlations are shrunk, and the unit
        of the series does not matter).

    Returns
    -------
    covariance : (m, n_regions, n_regions) float64, the series' unit squared
        A masked region has the others' mean variance, and covaries with nothing.
    live : (m, n_regions) bool
        Which regions are not masked.
    """
    block.require(LEAST_VOLUMES, "a covariance")
    series, norm = centred(block)
    series, norm = series.astype(np.float64), norm.astype(np.float64)
    live = norm[:, :, 0] > 0
    n_times = block.n_times
    if standardised:
        series *= np.sqrt(n_times) / np.where(norm > 0, norm, 1.0)
    n_live = np.maximum(live.sum(axis=1), 1)
    covariance = series @ series.swapaxes(1, 2) / n_times
    mean = np.trace(covariance, axis1=1, axis2=2) / n_live
    # With S the covariance and m its mean variance: how far S is from m times the identity, and how far
    # each volume's own product is from S, both squared.  The second over the first is the shrinkage.
    square = np.einsum("mij,mij->m", covariance, covariance)
    apart = square - n_live * mean**2
    size = np.einsum("mrt,mrt->mt", series, series)
    noise = (np.einsum("mt,mt->m", size, size) / n_times - square) / n_times
    shrinkage = np.clip(np.minimum(noise, apart) / np.maximum(apart, 1e-300), 0.0, 1.0)
    covariance *= (1 - shrinkage)[:, np.newaxis, np.newaxis]
    regions = np.arange(covariance.shape[1])
    # A scan without any live region has no variance at all: 1, so that its matrix can be inverted.
    mean = np.where(mean > 0, mean, 1.0)[:, np.newaxis]
    covariance[:, regions, regions] += np.where(live, shrinkage[:, np.newaxis] * mean, mean)
    return covariance, live
