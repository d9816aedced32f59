"""What one file of a scanner holds: `ScannerImage`."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from realtime.log import Origin
from realtime.volumes.volume import Volume, VoxelGrid

MOST_BYTES = 2**30
"""Largest file that is read; a volume of 512 x 512 x 512 has a quarter of it."""
MOST_VOXELS = 2**28
"""Most voxels that a file may declare."""


@dataclass(frozen=True, eq=False)
class SlicePosition:
    """Which slice of a volume a file holds, where a file holds one.

    Parameters
    ----------
    instance : int
        Its place in the series, from 1.
    position_mm : (3,) float64, mm
        Of its first pixel, LPS.
    time_index : int or None
        Which volume it belongs to, from 1, where the file says so.
    per_volume : int or None
        Slices of a volume, where the file says so.
    """

    instance: int
    position_mm: npt.NDArray[np.float64]
    time_index: int | None
    per_volume: int | None


@dataclass(frozen=True, eq=False)
class ScannerImage:
    """One volume, or one slice of one, as a file has it.

    Parameters
    ----------
    data : (x, y, z) float32
        Scaled as the header says.
    grid : VoxelGrid
        Where its voxels are; of a slice, its own.
    series : str
        Identity of the series.
    number : int
        Place in the series, from 1.
    uid : str
        Identity of the image; empty where the format has none.
    form : str
        ``mosaic``, ``enhanced``, ``slices`` or ``nifti``.
    tr : float or None
        Repetition time, s.
    acquired : float or None
        When the scanner's clock says that it was acquired, s since the epoch (taken as UTC where the file
        gives
        no zone).
    origin : Origin
        Live, unless the file says that it was emulated.
    slice_of : SlicePosition or None
        Where the file holds one slice.
    called : str
        What the series is called at the console: its number and description.
    """

    data: npt.NDArray[np.float32]
    grid: VoxelGrid
    series: str
    number: int
    uid: str
    form: str
    tr: float | None
    acquired: float | None
    origin: Origin = field(default_factory=Origin)
    slice_of: SlicePosition | None = None
    called: str = ""

    def volume(self, arrived: float) -> Volume:
        """It as a volume that was complete at a local time (s)."""
        return Volume(self.data, self.grid, self.series, self.number, self.tr, self.acquired, arrived)
