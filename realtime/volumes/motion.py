"""How the head moved from a reference to each volume, and the volume put back: `MotionCorrector`.

Rigid registration by Gauss-Newton, first coarse, then fine (`realtime.volumes.registration`), with what SPM's
realignment uses (Friston et al. 1995): samples 4 mm apart, smoothed by 5 mm.  Each volume starts where the
last one was.  A result that cannot be one is no number but a `MotionError` with its reason.

On a CPU the same volumes give the same numbers as long as torch, the processor and the number of threads are
the same.
"""

import numpy as np
import numpy.typing as npt
import torch

from models.errors import SignalError
from realtime.volumes.measured import LEAST_MEASURED, brightness, lost_slices, measured
from realtime.volumes.motion_result import MotionError, MotionLimits, MotionReason, why_doubted
from realtime.volumes.registration import AT_LEAST, RegistrationFit, RegistrationLevel
from realtime.volumes.rigid import STILL, RigidMove
from realtime.volumes.splines import SplineFilter, flagged_at, inside
from realtime.volumes.volume import Volume

LEAST_VOXELS = 4
"""Along each axis of a volume that is registered."""
LEAST_SAMPLES = 100
"""Of a reference, with contrast."""
ENERGY = 0.99
"""Of a reference's squared slopes: what its samples are to hold."""
COARSER = 2.5
"""The first level's separation and smoothing, in those of the second."""
COARSE_STEPS, FINE_STEPS = 12, 20
"""At most."""
COARSE_MM, FINE_MM = 0.05, 0.002
"""A step shorter than this is a level's last."""
EDGE = 1e-2
"""So much of a voxel a resliced one may lie outside, or in what was not measured."""


class MotionCorrector:
    """Registers volumes to a reference, and reslices them.

    Parameters
    ----------
    reference : Volume
        What the others are moved onto; usually the first whole volume of the session.  Its third axis counts
        slices.
    device : str
        Where torch computes: ``"cpu"``, ``"cuda"``.
    separation_mm : float
        Between the fine level's samples.
    fwhm_mm : float
        Of the fine level's Gaussian.
    robust : bool
        Take weight from samples that fit far worse than the others, and leave out slices that lost their
        signal.
    limits : MotionLimits, optional
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
        limits: MotionLimits | None = None,
    ) -> None:
        self.grid = reference.grid
        shape = self.grid.shape
        if min(shape) < LEAST_VOXELS:
            raise SignalError(
                f"The reference has the shape {shape}; expected {LEAST_VOXELS} voxels or more along each "
                "axis. Register volumes, not slices."
            )
        self._device = torch.device(device)
        self._limits = limits or MotionLimits()
        self._robust = robust
        self._brightness = brightness(reference.data)
        found = measured(reference.data, self._device, np.isnan(self._brightness))
        if found is None:
            raise SignalError(
                f"The reference, volume {reference.number}, is empty. Take another volume as the reference."
            )
        away = found.away_from_missing()
        self._coarse, self._fine = (
            RegistrationLevel(
                self.grid,
                found.data,
                away,
                separation_mm=times * separation_mm,
                fwhm_mm=times * fwhm_mm,
                energy=ENERGY,
            )
            for times in (COARSER, 1.0)
        )
        if self._fine.points.shape[1] < LEAST_SAMPLES or self._coarse.points.shape[1] < AT_LEAST:
            raise SignalError(
                f"The reference, volume {reference.number}, has {self._fine.points.shape[1]} samples with "
                f"contrast; expected {LEAST_SAMPLES} or more. Take another volume as the reference."
            )
        self._reslicing = SplineFilter(shape, (0.0, 0.0, 0.0), self._device)
        axes = [torch.arange(n, dtype=torch.float32, device=self._device) for n in shape]
        self._voxels = torch.stack(torch.meshgrid(*axes, indexing="ij")).reshape(3, -1)
        self._last = STILL

    def reset(self) -> None:
        """Start the next volume from no move at all."""
        self._last = STILL

    def estimate(self, volume: Volume) -> RigidMove:
        """How the head moved from the reference to this volume.

        Parameters
        ----------
        volume : Volume
            Of the reference's shape and voxel size; its affine may be another.  What is not finite was not
            measured.

        Raises
        ------
        MotionError
            There is no result, or none that can be one; the next volume starts where the last good one was.
        SignalError
            The volume's voxels are not the reference's.
        """
        self._check(volume)
        lost = lost_slices(brightness(volume.data), self._brightness) if self._robust else None
        found = measured(volume.data, self._device, lost)
        if found is None:
            wanted = f"expected {LEAST_MEASURED:.0%} of the voxels or more, and contrast"
            raise MotionError(MotionReason.EMPTY, volume.number, wanted)
        away = found.away_from_missing()
        fit = self._register(volume, found.data, away, self._last)
        doubt = why_doubted(fit, self._fine.centre, self._limits)
        if doubt is not None and self._last != STILL:
            fit = self._register(volume, found.data, away, STILL)
            doubt = why_doubted(fit, self._fine.centre, self._limits)
        if doubt is not None:
            raise MotionError(doubt[0], volume.number, doubt[1])
        self._last = RigidMove.from_matrix(fit.matrix)
        return self._last

    def reslice(self, volume: Volume, move: RigidMove) -> npt.NDArray[np.float32]:
        """The volume as it would be had the head not moved.

        Parameters
        ----------
        volume : Volume
            Of the reference's shape and voxel size.
        move : RigidMove
            How the head moved to it.

        Returns
        -------
        (x, y, z) float32
            On the reference's grid, by cubic B-splines; NaN where the volume has no voxels, or where one of
            those around was not measured.

        Raises
        ------
        SignalError
            The volume's voxels are not the reference's.
        """
        self._check(volume)
        found = measured(volume.data, self._device)
        if found is None:
            return np.full(self.grid.shape, np.nan, dtype=np.float32)
        to_voxels = np.linalg.inv(volume.grid.affine_mm) @ move.matrix @ self.grid.affine_mm
        turn = torch.tensor(to_voxels, dtype=torch.float32, device=self._device)
        points = turn[:3, :3] @ self._voxels + turn[:3, 3:]
        values = self._reslicing(found.data).at(points)
        values[~inside(points, self.grid.shape, -EDGE)] = torch.nan
        if found.missing is not None:
            values[flagged_at(found.missing, points) > EDGE] = torch.nan
        return np.asarray(values.reshape(self.grid.shape).cpu().numpy())

    def _check(self, volume: Volume) -> None:
        ours, theirs = self.grid, volume.grid
        alike = np.allclose(theirs.voxel_mm, ours.voxel_mm, rtol=0, atol=1e-3)
        if theirs.shape != ours.shape or not alike:
            raise SignalError(
                f"Volume {volume.number} has {theirs.shape} voxels of {theirs.voxel_mm.round(3).tolist()} "
                f"mm; expected {ours.shape} of {ours.voxel_mm.round(3).tolist()} mm as in the reference. "
                "Take one of the same protocol."
            )

    def _register(
        self, volume: Volume, data: torch.Tensor, valid: torch.Tensor | None, start: RigidMove
    ) -> RegistrationFit:
        """Coarse, then fine."""
        matrix, affine = start.matrix, volume.grid.affine_mm
        for level, most, tolerance in (
            (self._coarse, COARSE_STEPS, COARSE_MM),
            (self._fine, FINE_STEPS, FINE_MM),
        ):
            fit = level.fit(
                level.filter(data),
                valid,
                affine,
                matrix,
                tolerance_mm=tolerance,
                most=most,
                robust=self._robust,
            )
            matrix = fit.matrix
        return fit
