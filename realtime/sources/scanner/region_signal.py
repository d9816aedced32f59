"""From ordered volumes to region values: `RegionSignal`.

The atlas is brought onto the grid of each series once; where the head's motion is corrected, the series'
first volume
is the reference that the others are put back onto.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from models.errors import SignalError
from realtime.sources.scanner.remarks import ScannerFault, ScannerRemark
from realtime.sources.scanner.series import OrderedVolume
from realtime.volumes.atlas import Atlas, RegionMeans
from realtime.volumes.rigid import RigidMove
from realtime.volumes.volume import Volume, VoxelGrid


class Corrector(Protocol):
    """What estimates and undoes the motion of a head (`realtime.volumes.motion`)."""

    def estimate(self, volume: Volume) -> RigidMove:
        """How the head moved; a `SignalError` where that is not known."""

    def reslice(self, volume: Volume, move: RigidMove) -> npt.NDArray[np.float32]:
        """The volume as it would be had the head not moved: (x, y, z) float32, NaN where that is not
        known."""


@dataclass(frozen=True, eq=False)
class RegionValues:
    """The regions of one volume.

    Parameters
    ----------
    found : OrderedVolume
        The volume.
    values : (n_regions,) float64
        Means in the scanner's arbitrary units; NaN where a region has none.
    move : RigidMove or None
        How the head moved; None where it was not estimated or is not known.
    """

    found: OrderedVolume
    values: Floats
    move: RigidMove | None = None


class RegionSignal:
    """Region values of one series after another.

    Parameters
    ----------
    atlas : Atlas
        The regions.
    corrector : callable of Volume, optional
        Makes a `Corrector` of the reference.
    """

    def __init__(self, atlas: Atlas, corrector: Callable[[Volume], Corrector] | None = None) -> None:
        self.atlas = atlas
        self._corrector = corrector
        self._corrects: Corrector | None = None
        self._means: RegionMeans | None = None

    @property
    def means(self) -> RegionMeans | None:
        """The atlas on the present series' grid; None before it began."""
        return self._means

    def begin(self, grid: VoxelGrid) -> RegionMeans:
        """A series begins.

        Raises
        ------
        VolumeError
            No region lies in its image.
        """
        self._corrects = None
        self._means = RegionMeans(self.atlas, grid)
        return self._means

    def of(self, found: OrderedVolume) -> tuple[RegionValues, ScannerRemark | None]:
        """The values of the next volume, and what is to be said of its motion.

        A volume whose motion is not known has no values: they might be those of other regions.
        """
        assert self._means is not None
        if self._corrector is None:
            return RegionValues(found, self._means.of(found.image.data)), None
        volume = found.image.volume(found.arrived)
        try:
            if self._corrects is None:
                self._corrects = self._corrector(volume)
            move = self._corrects.estimate(volume)
            data = self._corrects.reslice(volume, move)
        except SignalError as error:
            nothing = np.full(len(self.atlas.names), np.nan)
            remark = ScannerRemark(found.arrived, ScannerFault.MOTION, f"{error} Its regions are missing.")
            return RegionValues(found, nothing), remark
        return RegionValues(found, self._means.of(data), move), None


def about_atlas(atlas: Atlas, means: RegionMeans | None) -> Mapping[str, str]:
    """What a stream says of where its regions are from."""
    out = {"atlas": atlas.title, "atlas_sha256": atlas.sha256}
    if means is not None:
        out["regions_outside"] = "\n".join(means.outside())
    return out
