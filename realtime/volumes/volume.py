"""What flows before there are regions: `Volume`, one image of the brain, and where its voxels are.

Lengths are millimetres here, as in every neuroimaging header and in nibabel; names say so.  What leaves
as a signal (motion, displacement) is in metres and radians.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from models.errors import SignalError


@dataclass(frozen=True, eq=False)
class VoxelGrid:
    """Where the voxels of an image are.

    Parameters
    ----------
    shape : tuple of 3 ints
        Voxels along each axis.
    affine_mm : (4, 4) float64, mm
        From voxel indices to the scanner's RAS+ space, as nibabel has it.

    Raises
    ------
    SignalError
        An axis has no voxels, or the affine is no invertible one.
    """

    shape: tuple[int, int, int]
    affine_mm: Floats

    def __post_init__(self) -> None:
        if len(self.shape) != 3 or min(self.shape) < 1:
            raise SignalError(f"A volume has the shape {self.shape}; expected three axes of 1 voxel or more.")
        affine = np.array(self.affine_mm, dtype=float)
        whole = affine.shape == (4, 4) and np.isfinite(affine).all() and (affine[3] == (0, 0, 0, 1)).all()
        if not whole or abs(float(np.linalg.det(affine[:3, :3]))) < 1e-9:
            raise SignalError(f"A volume has the affine {affine.tolist()}; expected 4 x 4, invertible.")
        affine.setflags(write=False)
        object.__setattr__(self, "affine_mm", affine)

    @property
    def voxel_mm(self) -> Floats:
        """Lengths of a voxel's edges: (3,) mm."""
        return np.sqrt((self.affine_mm[:3, :3] ** 2).sum(axis=0))

    def same_as(self, other: "VoxelGrid") -> bool:
        """Whether both have the same voxels in the same places, within a thousandth of a millimetre."""
        close = np.allclose(self.affine_mm, other.affine_mm, rtol=0, atol=1e-3)
        return self.shape == other.shape and bool(close)


@dataclass(frozen=True, eq=False)
class Volume:
    """One image of the brain, as the scanner gave it.

    Parameters
    ----------
    data : (x, y, z) float32
        In the scanner's arbitrary units, scaled as its header says.
    grid : VoxelGrid
        Where its voxels are.
    series : str
        Identity of the series (a DICOM UID, or the name of a folder or stream): what must not be mixed.
    number : int
        Its place in the series, from 1: what volumes are ordered by.
    tr : float or None
        Repetition time, s; None where the file does not say.
    acquired : float or None
        When the scanner's own clock says that it was acquired, s since the epoch; None where it does not say.
    arrived : float
        When it was complete here, s on the monotonic clock.
    """

    data: npt.NDArray[np.float32]
    grid: VoxelGrid
    series: str
    number: int
    tr: float | None
    acquired: float | None
    arrived: float

    def __post_init__(self) -> None:
        if self.data.shape != self.grid.shape:
            raise SignalError(
                f"Volume {self.number} has data of shape {self.data.shape}; its grid has {self.grid.shape}."
            )
