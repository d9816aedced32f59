"""A head of which everything is known: an ellipsoid in eight regions, whose signals and moves are given."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy.ndimage import affine_transform, gaussian_filter

from models.arrays import Floats
from realtime.volumes.atlas import Atlas, labels_on
from realtime.volumes.volume import VoxelGrid
from tools.emulators.scanner.images import ExportedVolume

REGIONS = tuple(
    f"{side} {front} {height}"
    for height in ("lower", "upper")
    for front in ("back", "front")
    for side in ("left", "right")
)
"""Names of the eight regions; region 1 is the first."""
SMOOTH = 1.2
"""Width of the head's texture, voxels (standard deviation): a scanner's images have none finer."""
BEGAN = 1_700_000_000.0
"""When the console says that a simulated run began, s since 1970."""


def head_grid(shape: tuple[int, int, int] = (32, 32, 16), voxel_mm: float = 6.0) -> VoxelGrid:
    """A grid as scanners have it: rows to the back, columns to the left, slices tilted a little, middle at
    0."""
    tilt = np.radians(10)
    down = np.array([0, -np.cos(tilt), -np.sin(tilt)])
    along = np.array([-1.0, 0, 0])
    normal = np.cross(along * [-1, -1, 1], down * [-1, -1, 1]) * [-1, -1, 1]
    affine = np.eye(4)
    affine[:3, :3] = np.stack([down, along, normal], axis=1) * voxel_mm
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return VoxelGrid(shape, affine)


def ellipsoid_atlas(grid: VoxelGrid, fill: float = 0.8) -> Atlas:
    """An ellipsoid around the middle of a grid in eight regions: left and right, back and front, lower and
    upper.

    Parameters
    ----------
    grid : VoxelGrid
        Where.
    fill : float
        Its diameters as a part of the grid's edges.
    """
    index = np.stack(np.meshgrid(*[np.arange(n) for n in grid.shape], indexing="ij"), axis=-1)
    middle = (np.array(grid.shape) - 1) / 2
    inside = (((index - middle) / (np.array(grid.shape) / 2 * fill)) ** 2).sum(axis=-1) <= 1
    centre = grid.affine_mm[:3, :3] @ middle + grid.affine_mm[:3, 3]
    right, front, up = (
        np.moveaxis(index @ grid.affine_mm[:3, :3].T + grid.affine_mm[:3, 3] - centre, -1, 0) > 0
    )
    labels = np.where(inside, 1 + right + 2 * front + 4 * up, 0).astype(np.int32)
    return Atlas(labels, grid, dict(enumerate(REGIONS, start=1)), "ellipsoid")


def rigid(move: Floats) -> Floats:
    """The matrix of a move: (4, 4) float64 of three translations (mm) and three rotations (rad), about 0."""
    x, y, z = move[3:]
    about_x = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_z = np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]])
    out = np.eye(4)
    out[:3, :3], out[:3, 3] = about_z @ about_y @ about_x, move[:3]
    return out


def moved(data: npt.NDArray[np.float32], grid: VoxelGrid, move: Floats) -> npt.NDArray[np.float32]:
    """An image, (x, y, z) float32, of a head that has moved, (6,) float64: what was at ``p`` is at
    ``rigid(move) @ p``."""
    place = np.linalg.inv(grid.affine_mm) @ np.linalg.inv(rigid(move)) @ grid.affine_mm
    out = affine_transform(data, place[:3, :3], place[:3, 3], order=3, mode="nearest")
    return np.asarray(out, np.float32)


class Phantom:
    """A head with an atlas in it.

    Parameters
    ----------
    atlas : Atlas
        Its regions.
    grid : VoxelGrid
        Of the images.
    noise : float
        Standard deviation of each voxel, a.u.; the head has about 1000.
    seed : int
        Of the noise.
    """

    def __init__(self, atlas: Atlas, grid: VoxelGrid, *, noise: float = 5.0, seed: int = 0) -> None:
        self.atlas, self.grid, self._noise, self._seed = atlas, grid, noise, seed
        labels = labels_on(atlas, grid)
        self._row = np.searchsorted(list(atlas.names), labels)
        self._inside = labels > 0
        rough = np.random.default_rng([seed, 0]).normal(0.0, 1.0, grid.shape)
        texture = gaussian_filter(rough, SMOOTH)
        head = gaussian_filter(self._inside.astype(float), SMOOTH / 2)  # no edge is sharper than a scanner's
        self._base = (60.0 + head * (940.0 + 150.0 * texture / texture.std())).astype(np.float32)

    def image(self, percent: Floats, move: Floats, number: int) -> npt.NDArray[np.float32]:
        """The head with its regions changed by so many percent, (n_regions,) float64, and moved, (6,) mm and
        rad."""
        gain = np.where(self._inside, 1.0 + percent[np.minimum(self._row, len(percent) - 1)] / 100.0, 1.0)
        data = (self._base * gain).astype(np.float32)
        if np.any(move):
            data = moved(data, self.grid, move)
        random = np.random.default_rng([self._seed, number])
        return data + random.normal(0.0, self._noise, self.grid.shape).astype(np.float32)

    def run(self, percent: Floats, moves: Floats, tr: float) -> Iterator[ExportedVolume]:
        """Volumes of given signals, (n_regions, n_volumes) float64 percent, and moves, (n_volumes, 6), a TR
        (s)
        apart."""
        for index in range(percent.shape[1]):
            truth = {
                "percent": dict(
                    zip(self.atlas.names.values(), percent[:, index].round(6).tolist(), strict=True)
                ),
                "move": moves[index].round(9).tolist(),
            }
            data = self.image(percent[:, index], moves[index], index + 1)
            yield ExportedVolume(data, self.grid, index + 1, BEGAN + index * tr, truth)


def block_signals(
    n_regions: int, n_volumes: int, tr: float, amplitude: float = 2.0, period_s: float = 40.0
) -> Floats:
    """Regions that are active in turn: (n_regions, n_volumes) float64 percent, a sine of its own phase
    each."""
    time = np.arange(n_volumes) * tr
    phase = 2 * np.pi * np.arange(n_regions)[:, None] / n_regions
    return np.asarray(amplitude * np.sin(2 * np.pi * time / period_s + phase))


def slow_moves(n_volumes: int, most_mm: float, most_rad: float) -> Floats:
    """A head that sways: (n_volumes, 6) float64, mm and rad; still where both are 0, and in the first
    volume."""
    turn = np.linspace(0, 3 * np.pi, n_volumes)[:, None] * np.array([1.0, 0.7, 0.4, 0.9, 0.5, 0.3])
    return np.asarray(np.sin(turn) * np.repeat([most_mm, most_rad], 3))
