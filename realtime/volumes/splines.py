"""A volume between its voxels: cubic B-splines (Unser 1999), smoothed on the way to their coefficients.

Smoothing, the spline's prefilter and the mirror at the edges are linear along each axis, so they are one
matrix an axis: three products of matrices give the coefficients, on any device.  A sample takes 16 rows of
four coefficients each, which `torch.nn.functional.embedding_bag` adds up.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
import torch

from models.arrays import Floats

BEFORE, AFTER = 1, 2
"""Coefficients that a sample needs before and after the voxels between which it lies."""
AT_ONCE = 8192
"""Samples that a CPU's caches hold with their 16 weights each."""
FWHM_OF_SIGMA = float(np.sqrt(8 * np.log(2)))


class SplineFilter:
    """From voxels to the coefficients of a spline through the smoothed volume.

    Parameters
    ----------
    shape : 3 ints
        Of the volumes.
    sigma_voxels : 3 floats
        Standard deviation of the Gaussian along each axis; 0 smooths nothing.
    device : torch.device
        Where volumes are.
    """

    def __init__(
        self, shape: tuple[int, int, int], sigma_voxels: tuple[float, float, float], device: torch.device
    ) -> None:
        self.shape = shape
        self._x, self._y, self._z = (
            torch.tensor(axis_matrix(n, sigma), dtype=torch.float32, device=device)
            for n, sigma in zip(shape, sigma_voxels, strict=True)
        )

    def __call__(self, data: torch.Tensor) -> "Spline":
        """Of (x, y, z) float32, all of it finite."""
        along_z = data @ self._z.T  # (x, y, z + 3)
        along_y = self._y @ along_z  # (x, y + 3, z + 3)
        coefficients = (self._x @ along_y.reshape(self.shape[0], -1)).reshape(-1)
        rows = torch.nn.functional.pad(coefficients, (0, BEFORE + AFTER)).unfold(0, 4, 1).contiguous()
        return Spline(rows, self.shape)


@dataclass(frozen=True, eq=False)
class Spline:
    """A volume that has a value everywhere.

    Parameters
    ----------
    rows : (n, 4) float32
        At each coefficient it and the three after it along z.
    shape : 3 ints
        Of the volume.
    """

    rows: torch.Tensor
    shape: tuple[int, int, int]

    def at(self, points: torch.Tensor) -> torch.Tensor:
        """Values at (3, n) float32 voxel indices: (n,) float32; outside, those of the edge."""
        at_once = AT_ONCE if points.device.type == "cpu" else max(points.shape[1], 1)
        return torch.cat([self._values_at(part) for part in points.split(at_once, dim=1)])

    def gradient_at(self, points: torch.Tensor) -> torch.Tensor:
        """Changes along each axis at (3, n) float32 voxel indices: (3, n) float32, a voxel."""
        low, within = self._cells(points)
        values, slopes = [_values(part) for part in within], [_slopes(part) for part in within]
        return torch.stack(
            [self._sum(low, [slopes[i] if i == axis else values[i] for i in range(3)]) for axis in range(3)]
        )

    def _values_at(self, points: torch.Tensor) -> torch.Tensor:
        low, within = self._cells(points)
        return self._sum(low, [_values(part) for part in within])

    def _cells(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The voxel before each sample, and how far after it the sample is: (3, n) int32, (3, n) float32."""
        return cells(points, self.shape)

    def _sum(self, low: torch.Tensor, weights: list[torch.Tensor]) -> torch.Tensor:
        across_y, across_z = (n + BEFORE + AFTER for n in self.shape[1:])
        first = (low[0] * across_y + low[1]) * across_z + low[2]
        steps = torch.arange(4, dtype=torch.int32, device=low.device)
        steps = (steps[:, None] * across_y + steps) * across_z
        bags = first[:, None] + steps.reshape(-1)  # (n, 16)
        weight = (weights[0][:, :, None] * weights[1][:, None, :]).reshape(-1, 16)
        along_z = torch.nn.functional.embedding_bag(bags, self.rows, mode="sum", per_sample_weights=weight)
        return (along_z * weights[2]).sum(dim=1)


def cells(points: torch.Tensor, shape: tuple[int, int, int]) -> tuple[torch.Tensor, torch.Tensor]:
    """The voxel before each of (3, n) voxel indices, and how far after it each is.

    Returns
    -------
    low : (3, n) int32
    part : (3, n) float32
        From 0 to 1; what is outside counts as on the edge.
    """
    last = points.new_tensor(shape).sub(1)[:, None]
    held = torch.minimum(points.clamp(min=0), last)
    low = torch.minimum(held.floor(), last - 1)
    return low.int(), held - low


def inside(points: torch.Tensor, shape: tuple[int, int, int], margin: float) -> torch.Tensor:
    """Which of (3, n) voxel indices lie ``margin`` voxels or more within the outermost voxels: (n,) bool."""
    last = points.new_tensor(shape).sub(1)[:, None]
    return ((points >= margin) & (points <= last - margin)).all(dim=0)


def flagged_at(flags: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    """How much of each place lies in flagged voxels: (x, y, z) bool at (3, n) indices to (n,) float32."""
    x, y, z = flags.shape
    low, part = cells(points, (x, y, z))
    share = torch.zeros_like(part[0])
    for corner in product((0, 1), repeat=3):
        step = torch.tensor(corner, device=low.device)[:, None]
        weight = torch.where(step > 0, part, 1 - part).prod(dim=0)
        at = (low + step).long()
        share += weight * flags[at[0], at[1], at[2]]
    return share


def axis_matrix(n: int, sigma: float) -> Floats:
    """Gaussian, prefilter and mirror along an axis of ``n`` voxels: (n + 3, n) float64."""
    spline, smooth = np.zeros((n, n)), np.zeros((n, n))
    reach = int(np.ceil(4 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(sigma, 1e-9)) ** 2)
    for at in range(n):
        for step, weight in zip((-1, 0, 1), (1 / 6, 4 / 6, 1 / 6), strict=True):
            spline[at, _mirror(at + step, n)] += weight
        for step, weight in zip(range(-reach, reach + 1), kernel / kernel.sum(), strict=True):
            smooth[at, _mirror(at + step, n)] += weight
    coefficients: Floats = np.linalg.solve(spline, smooth).astype(np.float64)
    return coefficients[[_mirror(at, n) for at in range(-BEFORE, n + AFTER)]]


def _mirror(at: int, n: int) -> int:
    """The voxel among ``n`` that stands for one outside: 1 for -1."""
    at %= 2 * (n - 1)
    return min(at, 2 * (n - 1) - at)


def _values(part: torch.Tensor) -> torch.Tensor:
    """Weights of four coefficients, (n,) to (n, 4)."""
    rest = 1 - part
    return torch.stack(
        [
            rest**3 / 6,
            2 / 3 - part**2 * (2 - part) / 2,
            2 / 3 - rest**2 * (2 - rest) / 2,
            part**3 / 6,
        ],
        dim=1,
    )


def _slopes(part: torch.Tensor) -> torch.Tensor:
    """Weights' changes, (n,) to (n, 4)."""
    rest = 1 - part
    return torch.stack(
        [-(rest**2) / 2, part * (1.5 * part - 2), -rest * (1.5 * rest - 2), part**2 / 2], dim=1
    )
