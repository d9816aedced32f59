"""Enhanced multi-frame DICOM (Siemens XA, Philips): frames sorted into volumes by time, then by position.

There is no AcquisitionMatrix and no mosaic.  What all frames share stands in one group of elements, what
differs in
one group a frame.  A file holds one volume, or the whole run.
"""

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from models.errors import UnfinishedVolumeError, VolumeError
from realtime.sources.scanner.dicom_values import (
    items,
    needed,
    number,
    numbers,
    pixels,
    repetition_time,
    scaled,
    seconds_of,
    text,
    whole,
)
from realtime.sources.scanner.plane import plane_of
from realtime.volumes.slices import grid_of_slices
from realtime.volumes.volume import VoxelGrid

MOST_FRAMES = 2**20
_NONE = Dataset()


class FrameGroups:
    """The functional groups of a file: an element's macro, of one frame or of all.

    Parameters
    ----------
    elements : Dataset
        Of the file.
    frames : int
        How many it declares.
    """

    def __init__(self, elements: Dataset, frames: int) -> None:
        shared = items(elements, "SharedFunctionalGroupsSequence")
        self._shared = shared[0] if shared else _NONE
        self._frames = items(elements, "PerFrameFunctionalGroupsSequence")
        if len(self._frames) != frames:
            lacking = UnfinishedVolumeError if "PixelData" not in elements else VolumeError
            raise lacking(f"The file describes {len(self._frames)} frames and declares {frames}.")

    def of(self, frame: int, name: str) -> Dataset:
        """A macro of a frame, else the shared one, else one without elements."""
        own = items(self._frames[frame], name) or items(self._shared, name)
        return own[0] if own else _NONE


def is_enhanced(elements: Dataset) -> bool:
    """Whether frames are described one by one."""
    return "PerFrameFunctionalGroupsSequence" in elements or "SharedFunctionalGroupsSequence" in elements


def read_enhanced(
    elements: Dataset,
) -> list[tuple[npt.NDArray[np.float32], VoxelGrid, float | None, float | None]]:
    """The volumes of a file, in order of time: (x, y, z) float32, grid, repetition time and acquisition (s).

    Raises
    ------
    VolumeError
        Frames do not make whole volumes.
    """
    frames = needed(elements, "NumberOfFrames", 1, MOST_FRAMES)
    stored = pixels(elements, frames)
    groups = FrameGroups(elements, frames)
    positions = np.empty((frames, 3))
    times = np.empty(frames, dtype=int)
    for frame in range(frames):
        where = numbers(groups.of(frame, "PlanePositionSequence"), "ImagePositionPatient", 3)
        if where is None:
            raise VolumeError(f"Frame {frame + 1} has no ImagePositionPatient; expected three numbers.")
        positions[frame] = where
        content = groups.of(frame, "FrameContentSequence")
        times[frame] = whole(content, "TemporalPositionIndex", 1, 2**31) or 1
    plane = plane_of(groups.of(0, "PlaneOrientationSequence"), groups.of(0, "PixelMeasuresSequence"))
    times = _parted(times, plane.heights_mm(positions))
    out = []
    counts = np.unique(times, return_counts=True)[1]
    if len(set(counts.tolist())) > 1:
        raise VolumeError(f"Volumes of {counts.min()} to {counts.max()} slices; expected as many in each.")
    for time in np.unique(times).tolist():
        chosen = np.flatnonzero(times == time)
        grid, order = grid_of_slices(plane, positions[chosen], stored.shape[1], stored.shape[2])
        frames_in_order = chosen[order]
        image = np.moveaxis(stored[frames_in_order], 0, -1)
        value = groups.of(int(frames_in_order[0]), "PixelValueTransformationSequence")
        data = scaled(image, number(value, "RescaleSlope"), number(value, "RescaleIntercept"))
        first = int(chosen[0])
        timing = groups.of(first, "MRTimingAndRelatedParametersSequence")
        at = text(groups.of(first, "FrameContentSequence"), "FrameAcquisitionDateTime")
        out.append((data, grid, repetition_time(timing), seconds_of(at)))
    return out


def _parted(times: npt.NDArray[np.int_], heights: npt.NDArray[np.float64]) -> npt.NDArray[np.int_]:
    """Which volume each frame is of: as declared, or by how often its place has come, where nothing is
    declared."""
    if len(np.unique(times)) > 1:
        return times
    place = np.round(heights, 2)
    seen: dict[float, int] = {}
    out = np.empty_like(times)
    for frame, where in enumerate(place.tolist()):
        out[frame] = seen[where] = seen.get(where, 0) + 1
    return out
