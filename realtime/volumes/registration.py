"""One level of rigid registration: where in a volume the reference's samples are, by Gauss-Newton.

What is made small is the difference ``reference - scale * volume`` at fixed points of the reference (Friston
et al. 1995).  The step is taken on the reference's side (the inverse compositional form of Baker and Matthews
2004), so slopes are computed once.  The scale is solved for with the step.  It may change linearly across the
head, as when the head moves in the field of the coil, which would else look like a shift.  Samples that fit
far worse than the others lose their weight (Tukey's biweight).
"""

from dataclasses import dataclass

import numpy as np
import torch

from models.arrays import Floats
from realtime.volumes.splines import FWHM_OF_SIGMA, Spline, SplineFilter, inside
from realtime.volumes.volume import VoxelGrid

TUKEY = 20.0
"""Of the residuals' spread: only what is no noise loses weight; a slice that was lost lies far beyond."""
MARGIN = 0.5
"""Voxels from the edge of the field within which nothing is compared: smoothing makes the edge up."""
SPREAD_OF_MEDIAN = 1.4826
ARM_MM = 50.0
"""Where an angle is turned into a length, so that all six steps weigh alike."""
AT_LEAST = 32
"""Samples without which nothing is solved."""


@dataclass(frozen=True)
class RegistrationFit:
    """How well a volume and the moved reference agree.

    Parameters
    ----------
    matrix : (4, 4) float64, mm
        From the reference's space to the volume's.
    steps : int
        That were taken.
    last_step_mm : float
        Length of the last one.
    overlap : float
        Share of the reference's samples that lie in the volume, where it was measured.
    trusted : float
        Share of the weights that these samples kept.
    correlation : float
        Of both at these samples, weighted, before the last step.
    """

    matrix: Floats
    steps: int
    last_step_mm: float
    overlap: float
    trusted: float
    correlation: float


class RegistrationLevel:
    """The reference at one resolution.

    Parameters
    ----------
    grid : VoxelGrid
        Where the reference's voxels are.
    data : (x, y, z) float32 tensor
        The reference, finite.
    valid : (x, y, z) bool tensor or None
        Voxels that were measured; None: all.
    separation_mm : float
        Between samples.
    fwhm_mm : float
        Full width at half maximum of the Gaussian that smooths both.
    energy : float
        Share of the squared slopes that the samples kept are to hold; the flat rest tells nothing of a move.
    """

    def __init__(
        self,
        grid: VoxelGrid,
        data: torch.Tensor,
        valid: torch.Tensor | None,
        *,
        separation_mm: float,
        fwhm_mm: float,
        energy: float,
    ) -> None:
        sx, sy, sz = (fwhm_mm / FWHM_OF_SIGMA / grid.voxel_mm).tolist()
        self.shape = grid.shape
        self.filter = SplineFilter(grid.shape, (sx, sy, sz), data.device)
        points = spread_points(grid, separation_mm).to(data.device)
        points = points[:, inside(points, grid.shape, MARGIN)]
        if valid is not None:
            points = points[:, nearest(valid, points)]
        spline = self.filter(data)
        slopes = spline.gradient_at(points)
        axes = torch.tensor(np.linalg.inv(grid.affine_mm[:3, :3]).T, dtype=torch.float32, device=data.device)
        slopes = axes @ slopes  # a mm of the scanner's space
        kept = _steepest((slopes**2).sum(dim=0), energy)
        self.points, slopes = points[:, kept], slopes[:, kept]
        values = spline.at(self.points)
        affine = torch.tensor(grid.affine_mm, dtype=torch.float32, device=data.device)
        places = affine[:3, :3] @ self.points + affine[:3, 3:]
        self.centre: Floats = places.mean(dim=1).double().cpu().numpy()
        arms = (places - places.mean(dim=1, keepdim=True)) / ARM_MM
        self.size = float(values.abs().mean()) if values.numel() else 0.0
        turning = torch.linalg.cross(arms, slopes, dim=0)
        # (7, n): what a step of 1 mm along six directions changes, and the values themselves.
        self.design = torch.cat([slopes, turning, values[None]]) / max(self.size, 1e-30)
        # (4, n): how the volume's scale may change across the head.
        self.fields = torch.cat([torch.ones_like(values)[None], arms])
        self.affine_mm = grid.affine_mm

    def fit(
        self,
        volume: Spline,
        valid: torch.Tensor | None,
        affine_mm: Floats,
        start: Floats,
        *,
        tolerance_mm: float,
        most: int,
        robust: bool,
    ) -> RegistrationFit:
        """Move the reference until it lies on the volume.

        Parameters
        ----------
        volume : Spline
            Made by ``filter``.
        valid : (x, y, z) bool tensor or None
            Its voxels that were measured; None: all.
        affine_mm : (4, 4) float64
            Of the volume.
        start : (4, 4) float64
            The first guess.
        tolerance_mm : float
            A step shorter than this is the last one.
        most : int
            Steps.
        robust : bool
            Take weight from samples that fit far worse than the others.
        """
        matrix, length, step = start, np.inf, 0
        overlap = trusted = correlation = 0.0
        while step < most and length > tolerance_mm:
            to_voxels = np.linalg.inv(affine_mm) @ matrix @ self.affine_mm
            turn = torch.tensor(to_voxels, dtype=torch.float32, device=self.points.device)
            points = turn[:3, :3] @ self.points + turn[:3, 3:]
            there = inside(points, self.shape, MARGIN)
            if valid is not None:
                there &= nearest(valid, points)
            overlap = float(there.float().mean())
            if int(there.sum()) < AT_LEAST:
                return RegistrationFit(matrix, step, np.inf, overlap, 0.0, 0.0)
            found = volume.at(points) / self.size
            weights = there.float()
            if robust:
                weights *= self._trust(found, there)
            trusted = float(weights.sum() / there.sum())
            moved, correlation = self._step(found, weights)
            if moved is None:
                return RegistrationFit(matrix, step, np.inf, overlap, trusted, correlation)
            matrix = matrix @ np.linalg.inv(_about(self.centre, moved))
            length = float(np.linalg.norm(moved))
            step += 1
        return RegistrationFit(matrix, step, length, overlap, trusted, correlation)

    def _step(self, found: torch.Tensor, weights: torch.Tensor) -> tuple[Floats | None, float]:
        """Six numbers, mm and mm on the arm, None where nothing is solved; and the correlation before.

        Solved are the step, (6,), and minus the fields' scales, (4,); known is the reference.
        """
        columns = torch.cat([self.design, found * self.fields, torch.ones_like(found)[None]])  # (12, n)
        products = ((columns * weights) @ columns.T).double().cpu().numpy()
        correlation = _correlation(products[np.ix_([6, 7, -1], [6, 7, -1])])
        unknown, known = [*range(6), *range(7, len(columns) - 1)], 6
        normal, right = products[np.ix_(unknown, unknown)], -products[unknown, known]
        if not np.isfinite(products).all() or np.linalg.cond(normal) > 1e10:
            return None, correlation
        return np.linalg.solve(normal, right)[:6], correlation

    def _trust(self, found: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
        """Tukey's weight of each sample: (n,) float32."""
        expected = self.design[6]
        scale = (expected * there).sum() / (found * there).sum().clamp(min=1e-12)
        apart = (expected - scale * found).abs()
        spread = SPREAD_OF_MEDIAN * apart[there].median()
        return (1 - (apart / (TUKEY * spread).clamp(min=1e-12)) ** 2).clamp(min=0) ** 2


def spread_points(grid: VoxelGrid, separation_mm: float) -> torch.Tensor:
    """Voxel indices about ``separation_mm`` apart, each a little beside its place: (3, n) float32.

    Places of a regular grid would all lie alike between voxels, and what interpolation does there would pull
    the estimate towards whole voxels.
    """
    axes = [
        np.arange(0, n - 1, max(separation_mm / edge, 1.0))
        for n, edge in zip(grid.shape, grid.voxel_mm, strict=True)
    ]
    places = np.stack(np.meshgrid(*axes, indexing="ij")).reshape(3, -1)
    # Shares of the powers of the plastic number fill a cube evenly (Roberts 2018).
    steps = np.array([0.8191725133961645, 0.6710436067037893, 0.5497004779019703])
    places = places + 0.5 * ((np.arange(places.shape[1]) * steps[:, None]) % 1.0)
    return torch.tensor(places, dtype=torch.float32)


def nearest(flags: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    """The (x, y, z) bool flag of the voxel nearest to each of (3, n) voxel indices: (n,) bool."""
    last = torch.tensor(flags.shape, device=points.device)[:, None] - 1
    x, y, z = torch.minimum(points.round().long().clamp(min=0), last)
    return flags[x, y, z]


def _steepest(energies: torch.Tensor, share: float) -> torch.Tensor:
    """Which samples, from the steepest on, hold this share: (n,) bool."""
    ordered = energies.sort(descending=True).values.double()
    total = ordered.cumsum(0)
    if not total.numel() or not float(total[-1]) > 0:
        return torch.zeros_like(energies, dtype=torch.bool)
    last = int(torch.searchsorted(total, share * total[-1]).clamp(max=len(total) - 1))
    return energies >= ordered[last].float()


def _correlation(products: Floats) -> float:
    """Of two columns, from their sums of products with each other and with ones: (3, 3)."""
    n = max(products[2, 2], 1e-12)
    covariance = products[:2, :2] - np.outer(products[:2, 2], products[:2, 2]) / n
    both = covariance[0, 0] * covariance[1, 1]
    return float(covariance[0, 1] / np.sqrt(both)) if both > 0 else 0.0


def _about(centre: Floats, step: Floats) -> Floats:
    """The small move of a step: a turn about ``centre`` and a shift, (4, 4)."""
    angle = step[3:] / ARM_MM
    size = float(np.linalg.norm(angle))
    turn = np.eye(3)
    if size > 0:
        x, y, z = angle / size
        cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
        turn += np.sin(size) * cross + (1 - np.cos(size)) * cross @ cross
    move = np.eye(4)
    move[:3, :3] = turn
    move[:3, 3] = centre - turn @ centre + step[:3]
    return move
