"""How the head moved from a reference to each volume, and the volume put back: `MotionCorrector`.

Rigid registration by Gauss-Newton, first coarse, then fine (`realtime.volumes.registration`), with what SPM's
realignment uses (Friston et al. 1995): samples 4 mm apart, smoothed by 5 mm.  Each volume starts where the
last one was.  A result that cannot be one is no number but a `MotionUnknown` with its reason.

On a CPU the same volumes give the same numbers as long as torch, the processor and the number of threads are
the same.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import torch

from models.errors import SignalError
from realtime.volumes.registration import Fit, Level
from realtime.volumes.rigid import STILL, RigidMove
from realtime.volumes.splines import BEFORE, SplineFilter, inside
from realtime.volumes.volume import Volume, VoxelGrid

LEAST_VOXELS = 4
"""Along each axis of a volume that is registered."""


class MotionReason(StrEnum):
    """Why it is not known how the head moved."""

    EMPTY = "nothing was measured"
    OUT_OF_FIELD = "the head is out of the field of view"
    UNLIKE = "unlike the reference"
    DIVERGED = "the registration did not settle"
    TOO_FAR = "further than a head moves in a coil"


class MotionUnknown(SignalError):
    """It is not known how the head moved in a volume.

    Parameters
    ----------
    reason : MotionReason
        Why.
    volume : int
        The volume's number.
    found : str
        What was found, and what was expected.
    """

    def __init__(self, reason: MotionReason, volume: int, found: str) -> None:
        super().__init__(f"The motion in volume {volume} is not known: {reason} ({found}).")
        self.reason = reason


@dataclass(frozen=True)
class MotionLimits:
    """What is taken for a result.

    Parameters
    ----------
    overlap : float
        Share of the reference's samples that must lie in the volume.
    correlation : float
        Of the volume with the moved reference.
    shift_mm : float
        How far the middle of the head may have gone.
    turn : float, rad
        How far the head may have turned.
    settled_mm : float
        Length of the last step.
    """

    overlap: float = 0.5
    correlation: float = 0.8
    shift_mm: float = 30.0
    turn: float = float(np.radians(30))
    settled_mm: float = 0.05


LIMITS = MotionLimits()


class MotionCorrector:
    """Registers volumes to a reference, and reslices them.

    Parameters
    ----------
    reference : Volume
        What the others are moved onto; usually the first whole volume of the session.
    device : str
        Where torch computes: ``"cpu"``, ``"cuda"``.
    separation_mm : float
        Between the fine level's samples.
    fwhm_mm : float
        Of the fine level's Gaussian.
    robust : bool
        Take weight from samples that fit far worse than the others, such as a slice that was lost.
    limits : MotionLimits
        What is taken for a result.

    Raises
    ------
    SignalError
        The reference is too small, or there is nothing in it to register to.
    """

    def __init__(
        self,
        reference: Volume,
        *,
        device: str = "cpu",
        separation_mm: float = 4.0,
        fwhm_mm: float = 5.0,
        robust: bool = True,
        limits: MotionLimits = LIMITS,
    ) -> None:
        self.grid = reference.grid
        if min(self.grid.shape) < LEAST_VOXELS:
            raise SignalError(
                f"The reference has the shape {self.grid.shape}; expected {LEAST_VOXELS} voxels or more along each "
                "axis. Register volumes, not slices."
            )
        self._device = torch.device(device)
        self._limits = limits
        self._robust = robust
        self._reslicing = SplineFilter(self.grid.shape, (0.0, 0.0, 0.0), self._device)
        data, valid = self._on_device(reference)
        self._coarse, self._fine = (
            Level(self.grid, data, valid, separation_mm=apart, fwhm_mm=fwhm, energy=energy)
            for apart, fwhm, energy in ((2.5 * separation_mm, 3 * fwhm_mm, 0.99), (separation_mm, fwhm_mm, 0.99))
        )
        if self._fine.points.shape[1] < 100 or self._coarse.points.shape[1] < 32:
            raise SignalError(
                f"The reference, volume {reference.number}, has {self._fine.points.shape[1]} samples with any contrast; "
                "expected 100 or more. Take another volume as the reference."
            )
        self._last = STILL

    def reset(self) -> None:
        """Start the next volume from no move at all."""
        self._last = STILL

    def estimate(self, volume: Volume) -> RigidMove:
        """How the head moved from the reference to this volume.

        Parameters
        ----------
        volume : Volume
            Of the reference's shape and voxel size; its affine may be another.  Voxels that are NaN were not
            measured.

        Raises
        ------
        MotionUnknown
            There is no result, or none that can be one.
        SignalError
            The volume's voxels are not the reference's.
        """
        self._check(volume)
        data, valid = self._on_device(volume)
        fit = self._register(volume, data, valid, self._last)
        if self._doubt(fit) is not None and self._last != STILL:
            fit = self._register(volume, data, valid, STILL)
        doubt = self._doubt(fit)
        if doubt is not None:
            raise MotionUnknown(doubt[0], volume.number, doubt[1])
        self._last = RigidMove.from_matrix(fit.matrix)
        return self._last

    def reslice(self, volume: Volume, move: RigidMove) -> npt.NDArray[np.float32]:
        """The volume as it would be had the head not moved.

        Parameters
        ----------
        volume : Volume
            Of the reference's shape.
        move : RigidMove
            How the head moved to it.

        Returns
        -------
        (x, y, z) float32
            On the reference's grid, by cubic B-splines; NaN where the volume has no voxels, or where one next to
            the place was not measured.
        """
        self._check(volume)
        data, valid = self._on_device(volume)
        to_voxels = np.linalg.inv(volume.grid.affine_mm) @ move.matrix @ self.grid.affine_mm
        turn = torch.tensor(to_voxels, dtype=torch.float32, device=self._device)
        axes = [torch.arange(n, dtype=torch.float32, device=self._device) for n in self.grid.shape]
        points = torch.stack(torch.meshgrid(*axes, indexing="ij")).reshape(3, -1)
        points = turn[:3, :3] @ points + turn[:3, 3:]
        values = self._reslicing(data).at(points)
        known = inside(points, self.grid.shape)
        values[~known] = torch.nan
        return np.asarray(values.reshape(self.grid.shape).cpu().numpy())

    def _check(self, volume: Volume) -> None:
        same = np.allclose(volume.grid.voxel_mm, self.grid.voxel_mm, rtol=0, atol=1e-3)
        if volume.grid.shape != self.grid.shape or not same:
            raise SignalError(
                f"Volume {volume.number} has {volume.grid.shape} voxels of {volume.grid.voxel_mm.round(3).tolist()} mm; "
                f"the reference has {self.grid.shape} of {self.grid.voxel_mm.round(3).tolist()}. Start another session "
                "for another protocol."
            )

    def _on_device(self, volume: Volume) -> tuple[torch.Tensor, torch.Tensor | None]:
        data = torch.as_tensor(np.ascontiguousarray(volume.data, dtype=np.float32)).to(self._device)
        return data, None

    def _register(self, volume: Volume, data: torch.Tensor, valid: torch.Tensor | None, start: RigidMove) -> Fit:
        matrix = start.matrix
        for level, most, tolerance, robust in ((self._coarse, 12, 0.05, False), (self._fine, 20, 0.002, self._robust)):
            fit = level.fit(
                level.filter(data), valid, volume.grid.affine_mm, matrix, tolerance_mm=tolerance, most=most, robust=robust
            )
            matrix = fit.matrix
        self.fit=fit
        return fit

    def _doubt(self, fit: Fit) -> tuple[MotionReason, str] | None:
        return None
