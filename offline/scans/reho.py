"""Regional homogeneity: how alike a voxel's time course is to its neighbours'.

Zang Y, Jiang T, Lu Y, He Y, Tian L (2004). Regional homogeneity approach to fMRI data analysis. NeuroImage
22(1):394-400.  It wants images that were not smoothed: smoothing makes neighbours alike.
"""

import numpy as np
import numpy.typing as npt
from scipy.ndimage import uniform_filter
from scipy.stats import rankdata

from models.arrays import Floats

SIDE = 3
"""Voxels along each side of the neighbourhood: 27 in all."""
FEWEST = 7
"""Voxels that a neighbourhood needs: the voxel and one at each of its faces."""


def regional_homogeneity(data: npt.NDArray[np.floating]) -> Floats:
    """Kendall's W of every voxel and its neighbours.

    Parameters
    ----------
    data : (n_x, n_y, n_z, n_times) floating
        Volumes, in any unit; a voxel that never changes lies outside the brain.

    Returns
    -------
    (n_x, n_y, n_z) float64
        From 0 (nothing in common) to 1 (the same ranks); no number outside the brain, and where fewer than
        `FEWEST` of the 27 voxels are inside.
    """
    n_times = data.shape[3]
    inside = np.ptp(data, axis=3) > 0
    ranks = np.zeros(data.shape)
    ranks[inside] = rankdata(data[inside], axis=1)
    voxels = _over_neighbours(inside.astype(np.float64))
    squares = np.zeros(inside.shape)
    for volume in range(n_times):  # one at a time: the sums of all together need as much memory as the scan
        squares += np.square(_over_neighbours(ranks[..., volume]))
    mean = voxels * (n_times + 1) / 2.0
    spread = squares - n_times * np.square(mean)
    enough = inside & (np.rint(voxels) >= FEWEST)
    most = np.square(voxels) * (n_times**3 - n_times)
    return np.where(enough, 12.0 * spread / np.where(enough, most, 1.0), np.nan)


def _over_neighbours(volume: Floats) -> Floats:
    """Sums over the neighbourhood of each voxel; nothing lies beyond the image's edge."""
    return np.asarray(uniform_filter(volume, SIDE, mode="constant", cval=0.0) * SIDE**3)
