"""What of a volume was measured: `MeasuredVolume`, without holes, and where they were.

What is not finite was not measured.  For the registration a slice (along the third axis) was not either
where all of it is one value, or where it is much darker or brighter than the slices on both sides of it: the
scanner or the export lost it, or a spike spoilt it.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from models.arrays import Bools, Floats

LEAST_MEASURED = 0.1
"""Share of a volume's voxels without which it is empty."""
NEAR = 2
"""Voxels around one that was not measured from which it is filled, and in which nothing is compared."""
BESIDE = 3
"""Slices on either side with which a slice is compared."""
TIMES = 1.6
"""A slice so much brighter or darker than those on both sides is lost; a head that moves changes all."""
FAINT = 0.1
"""Of the brightest slice: slices below are not judged."""


@dataclass(frozen=True, eq=False)
class MeasuredVolume:
    """A volume on a device.

    Parameters
    ----------
    data : (x, y, z) float32
        Finite: what was not measured holds the mean of what is near.
    missing : (x, y, z) bool or None
        What was not measured; None: nothing.
    """

    data: torch.Tensor
    missing: torch.Tensor | None

    def away_from_missing(self) -> torch.Tensor | None:
        """Voxels whose surroundings were all measured: (x, y, z) bool; None: all of them."""
        if self.missing is None:
            return None
        return _around(self.missing.float()) < 0.5 / (2 * NEAR + 1) ** 3


def measured(
    data: npt.NDArray[np.float32], device: torch.device, lost: Bools | None = None
) -> MeasuredVolume | None:
    """A volume of (x, y, z) without its holes; None where it is empty.

    Parameters
    ----------
    data : (x, y, z) float32
        NaN and infinite where nothing was measured.
    device : torch.device
        Where it goes.
    lost : (z,) bool, optional
        Slices that were not measured.
    """
    array = np.array(data, dtype=np.float32)
    known = np.isfinite(array)
    if lost is not None:
        known[:, :, lost] = False
    if known.mean() < LEAST_MEASURED or np.ptp(array[known]) == 0:
        return None
    if known.all():
        return MeasuredVolume(torch.from_numpy(array).to(device), None)
    kept = torch.from_numpy(known).to(device)
    holed = torch.from_numpy(np.where(known, array, 0)).to(device)
    near = _around(holed) / _around(kept.float()).clamp(min=1e-6)
    return MeasuredVolume(torch.where(kept, holed, near), ~kept)


def _around(data: torch.Tensor) -> torch.Tensor:
    """Mean of the cube of voxels around each, (x, y, z) float32; what lies outside counts as 0."""
    for axis in range(3):
        along = data.movedim(axis, 2)
        data = torch.nn.functional.avg_pool1d(along, 2 * NEAR + 1, stride=1, padding=NEAR).movedim(2, axis)
    return data


def brightness(data: npt.NDArray[np.float32]) -> Floats:
    """Mean of each slice's finite voxels: (x, y, z) to (z,) float64; NaN where it is one value or none."""
    slices = np.moveaxis(data, 2, 0).reshape(data.shape[2], -1)
    found = np.full(len(slices), np.nan)
    for at, values in enumerate(slices):
        finite = values[np.isfinite(values)]
        if finite.size and np.ptp(finite) > 0:
            found[at] = finite.mean(dtype=np.float64)
    return found


def lost_slices(found: Floats, expected: Floats) -> Bools:
    """Slices of which the volume lost the signal, from its `brightness` and the reference's: (z,) bool."""
    lost = np.isnan(found)
    judged = ~lost & (expected > FAINT * np.nanmax(expected, initial=0.0)) & (expected > 0)
    ratio = np.where(judged, found / np.where(judged, expected, 1.0), np.nan)
    for at in np.flatnonzero(judged):
        below, above = ratio[max(at - BESIDE, 0) : at], ratio[at + 1 : at + 1 + BESIDE]
        if np.isfinite(below).any() and np.isfinite(above).any():
            usual = sorted((float(np.nanmedian(below)), float(np.nanmedian(above))))
            lost[at] = usual[0] > 0 and not usual[0] / TIMES < ratio[at] < usual[1] * TIMES
    return lost
