"""A head that is a formula: it can be measured after any move, and nothing is interpolated."""

import numpy as np

from realtime.volumes.rigid import STILL, RigidMove
from realtime.volumes.volume import Volume, VoxelGrid

SHAPE = (30, 32, 22)


def oblique(edges: tuple[float, float, float] = (4.0, 4.0, 5.0)) -> VoxelGrid:
    """Voxels that are no cubes, turned about all axes, left-handed as mosaics are; the head in the middle."""
    affine = RigidMove(rotation=(0.3, -0.1, 0.2)).matrix @ np.diag([-edges[0], edges[1], edges[2], 1.0])
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(SHAPE) - 1) / 2) + (3.0, -12.0, 20.0)
    return VoxelGrid(SHAPE, affine)


def head(points: np.ndarray) -> np.ndarray:
    """Brightness at (..., 3) mm: a skull's edge, ventricles, lobes that are not each other's mirror image."""
    at = points - (3.0, -12.0, 20.0)
    radius = np.sqrt(((at / (38.0, 44.0, 36.0)) ** 2).sum(-1))
    inside = 1 / (1 + np.exp((radius - 1) / 0.06))
    bright = 800 + 100 * np.sin(at[..., 0] / 9 + 1) * np.cos(at[..., 1] / 11) + 80 * np.sin(at[..., 2] / 8)
    for middle, width, height in (((12, 5, 4), 9, 300), ((-10, -15, 8), 7, -350), ((4, 18, -12), 8, -250)):
        bright = bright + height * np.exp(-0.5 * ((at - middle) ** 2).sum(-1) / width**2)
    return inside * bright


def measured_head(
    move: RigidMove = STILL,
    *,
    grid: VoxelGrid | None = None,
    number: int = 2,
    noise: float = 0.0,
    seed: int = 0,
) -> Volume:
    """The head after a move."""
    where = grid or oblique()
    indices = np.stack(np.meshgrid(*(np.arange(n) for n in where.shape), indexing="ij"), axis=-1)
    places = indices @ where.affine_mm[:3, :3].T + where.affine_mm[:3, 3]
    data = head(move.inverse().at_mm(places))
    data = data + np.random.default_rng(seed).normal(0, noise, data.shape) if noise else data
    return Volume(data.astype(np.float32), where, "head", number, 2.0, None, 0.0)
