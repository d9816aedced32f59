"""What an emulated scanner exports next: `ExportedVolume`, and what all of a series share."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from realtime.log import Origin, OriginKind
from realtime.volumes.volume import VoxelGrid


@dataclass(frozen=True)
class ExportedSeries:
    """What the files of a series say alike.

    Parameters
    ----------
    uid : str
        SeriesInstanceUID.
    number : int
        SeriesNumber.
    description : str
        What it is called at the console.
    tr : float
        Repetition time that is written, s.
    origin : Origin
        What the files say of themselves; not live.
    """

    uid: str
    number: int
    description: str
    tr: float
    origin: Origin = field(default_factory=lambda: Origin(OriginKind.SIMULATED))


@dataclass(frozen=True, eq=False)
class ExportedVolume:
    """A volume.

    Parameters
    ----------
    data : (x, y, z) float32
        What it shows; written as whole numbers from 0 to 65535.
    grid : VoxelGrid
        Where; axes at right angles.
    number : int
        Its place in the series, from 1.
    acquired : float
        By the console's clock, s since 1970.
    truth : mapping
        What is known of it, JSON types.
    """

    data: npt.NDArray[np.float32]
    grid: VoxelGrid
    number: int
    acquired: float
    truth: dict[str, Any] = field(default_factory=dict)

    @property
    def stored(self) -> npt.NDArray[np.uint16]:
        """As it is written: rounded to whole numbers."""
        return np.clip(np.rint(self.data), 0, 65535).astype(np.uint16)
