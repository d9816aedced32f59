"""How well what a network found agrees with what somebody drew, structure by structure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import binary_erosion, distance_transform_edt


@dataclass(frozen=True)
class Agreement:
    """Of one structure in one image.

    Parameters
    ----------
    dice : float
        Twice the common voxels over the sum of both, 0 to 1 (Dice 1945).
    hausdorff95_mm : float
        95th percentile of the distances between the two surfaces, mm; infinite where nothing was found.
    volume_error : float
        Found less drawn, as a share of what was drawn.
    """

    dice: float
    hausdorff95_mm: float
    volume_error: float


def agreement_of(
    found: npt.NDArray[np.uint8], drawn: npt.NDArray[np.uint8], label: int, voxel_mm: Sequence[float]
) -> Agreement:
    """Compare one structure.

    Parameters
    ----------
    found, drawn : (x, y, z) uint8
        Labels.
    label : int
        Of the structure; somebody drew it.
    voxel_mm : sequence of 3 floats
        Edges of a voxel, mm.
    """
    one, other = found == label, drawn == label
    both, n_drawn = int(np.count_nonzero(one & other)), int(np.count_nonzero(other))
    if not n_drawn:
        raise ValueError(f"nobody drew label {label} there; expected at least one voxel")
    n_found = int(np.count_nonzero(one))
    distance = float("inf")
    if n_found:
        ours, theirs = _surface(one), _surface(other)
        apart = [
            distance_transform_edt(~to, sampling=list(voxel_mm))[of]
            for of, to in ((ours, theirs), (theirs, ours))
        ]
        distance = max(float(np.percentile(each, 95)) for each in apart)
    return Agreement(2 * both / (n_found + n_drawn), distance, (n_found - n_drawn) / n_drawn)


def _surface(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Voxels of a structure that touch what is none of it; what lies beyond the image is none: (x, y, z)."""
    inner: npt.NDArray[np.bool_] = binary_erosion(mask)
    return mask & ~inner
