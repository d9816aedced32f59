"""Where the voxels of parallel slices are, from what DICOM says of each: `grid_of_slices`.

DICOM counts millimetres to the patient's left, back and head (LPS); nibabel and `VoxelGrid` to the right,
front and head (RAS).  Axes are those of nibabel's reading: rows of the image, columns, slices.  Slices stand
in
ascending order along the normal, which is the cross product of the two directions of the image.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.arrays import Floats
from models.errors import SignalError, VolumeError
from realtime.volumes.volume import VoxelGrid

RAS_OF_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
UNEVEN = 0.02
"""Part of the distance of slices by which one may differ: positions are written with six digits or fewer."""
ASIDE_MM = 0.1
"""How far a slice may lie off the line through the others, mm."""


@dataclass(frozen=True, eq=False)
class SlicePlane:
    """How the slices of a series lie.

    Parameters
    ----------
    orientation : (6,) float64
        Direction of a row (along its columns), then of a column, unit vectors, LPS
        (ImageOrientationPatient).
    spacing_mm : (2,) float64, mm
        Between rows, between columns (PixelSpacing).
    distance_mm : float, mm
        Between the middles of two slices, where it is declared; needed for a single slice only.
    """

    orientation: Floats
    spacing_mm: Floats
    distance_mm: float

    def __post_init__(self) -> None:
        along, down = self.orientation[:3], self.orientation[3:]
        right = np.allclose([along @ along, down @ down, along @ down], [1, 1, 0], atol=1e-3)
        if not right:
            raise VolumeError(
                f"ImageOrientationPatient is {self.orientation.tolist()}; expected two directions of "
                f"length 1 "
                "at right angles. Correct the export."
            )
        lengths = [*self.spacing_mm.tolist(), self.distance_mm]
        if not all(1e-3 <= length <= 1e3 for length in lengths):
            raise VolumeError(
                f"Voxels of {lengths} mm; expected 0.001 to 1000 mm (PixelSpacing, SpacingBetweenSlices)."
            )

    @property
    def normal(self) -> Floats:
        """Direction in which slices are counted: (3,) float64, LPS."""
        return np.cross(self.orientation[:3], self.orientation[3:])

    def heights_mm(self, positions_mm: Floats) -> Floats:
        """How far along the normal slices lie: (n_slices,) float64, mm, of (n_slices, 3) positions."""
        return positions_mm @ self.normal

    def grid(self, shape: tuple[int, int, int], first_mm: Floats, step_mm: Floats) -> VoxelGrid:
        """The grid of slices.

        Parameters
        ----------
        shape : tuple of 3 ints
            Rows, columns, slices.
        first_mm, step_mm : (3,) float64, mm
            The first pixel of the first slice, and the way from it to that of the next, LPS.

        Raises
        ------
        VolumeError
            There are no voxels.
        """
        affine = np.eye(4)
        affine[:3, 0] = self.orientation[3:] * self.spacing_mm[0]
        affine[:3, 1] = self.orientation[:3] * self.spacing_mm[1]
        affine[:3, 2] = step_mm
        affine[:3, 3] = first_mm
        try:
            return VoxelGrid(shape, RAS_OF_LPS @ affine)
        except SignalError as error:
            raise VolumeError(str(error)) from error


def grid_of_slices(
    plane: SlicePlane, positions_mm: Floats, rows: int, columns: int
) -> tuple[VoxelGrid, Sequence[int]]:
    """The grid of slices, and their order.

    Parameters
    ----------
    plane : SlicePlane
        How they lie.
    positions_mm : (n_slices, 3) float64, mm
        Of each slice's first pixel, LPS (ImagePositionPatient), in any order.
    rows, columns : int
        Pixels of a slice.

    Returns
    -------
    VoxelGrid, sequence of int
        Of shape (rows, columns, n_slices); the indices of the slices in ascending order.

    Raises
    ------
    VolumeError
        Two slices lie in one place, or distances differ: a slice is missing.
    """
    heights = plane.heights_mm(positions_mm)
    order = np.argsort(heights, kind="stable")
    placed = positions_mm[order]
    if len(order) == 1:
        step = plane.normal * plane.distance_mm
    else:
        step = (placed[-1] - placed[0]) / (len(order) - 1)
        expected = placed[0] + np.arange(len(order))[:, None] * step
        length = float(np.linalg.norm(step))
        if length < 1e-3 or np.abs(placed - expected).max() > max(UNEVEN * length, ASIDE_MM):
            gaps = np.diff(heights[order])
            raise VolumeError(
                f"{len(order)} slices lie {gaps.min():.4g} to {gaps.max():.4g} mm apart; expected one "
                f"distance "
                "between all. A slice is missing, or slices of two stacks are mixed."
            )
    return plane.grid((rows, columns, len(order)), placed[0], step), order.tolist()
