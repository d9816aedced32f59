"""An atlas, a label image in the person's own space, and its regions on a scanner's grid.

The atlas is brought onto the grid once, by nearest neighbour: each voxel of the scanner gets the label of
the atlas'
voxel that its middle lies in.  From then on the means of all regions are one matrix product.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from models.arrays import Floats
from models.errors import VolumeError
from realtime.volumes.volume import VoxelGrid

MOST_REGIONS = 5000
"""Most regions of an atlas: the finest in use have a thousand."""
PARTIAL = 0.9
"""A region of which less of its volume lies in the image is named as cut off."""
LEAST_KNOWN = 0.5
"""Least part of a region's voxels that must have a value for the region to have one."""


@dataclass(frozen=True, eq=False)
class Atlas:
    """Regions of a brain.

    Parameters
    ----------
    labels : (x, y, z) int32
        Number of the region of each voxel; 0 is none.
    grid : VoxelGrid
        Where they are: in the space that the scanner's volumes are in.
    names : mapping of int to str
        Of every region, in ascending order of its number.
    title : str
        What the atlas is called, usually the name of its file.
    """

    labels: npt.NDArray[np.int32]
    grid: VoxelGrid
    names: Mapping[int, str]
    title: str

    def __post_init__(self) -> None:
        if self.labels.shape != self.grid.shape:
            raise VolumeError(
                f"Atlas {self.title!r} has labels {self.labels.shape}, its grid {self.grid.shape}."
            )
        if not 1 <= len(self.names) <= MOST_REGIONS:
            raise VolumeError(
                f"Atlas {self.title!r} has {len(self.names)} regions; expected 1 to {MOST_REGIONS}."
            )
        if len(set(self.names.values())) < len(self.names):
            twice = sorted(
                {name for name in self.names.values() if list(self.names.values()).count(name) > 1}
            )
            raise VolumeError(f"Atlas {self.title!r} calls two regions {twice[0]!r}; names must be unique.")

    @property
    def sha256(self) -> str:
        """Of labels, grid and names: what region means depend on."""
        digest = hashlib.sha256()
        digest.update(repr((self.labels.shape, list(self.names.items()))).encode())
        digest.update(np.ascontiguousarray(self.grid.affine_mm, "<f8").tobytes())
        digest.update(np.ascontiguousarray(self.labels, "<i4").tobytes())
        return digest.hexdigest()

    def centres_mm(self) -> Floats:
        """The middle of each region: (n_regions, 3) float64, mm RAS; NaN where the image has none of it."""
        at = np.flatnonzero(self.labels)
        numbers = list(self.names)
        row = np.searchsorted(numbers, self.labels.ravel()[at])
        count = np.bincount(row, minlength=len(numbers)).astype(float)
        index = np.stack(np.unravel_index(at, self.labels.shape))
        with np.errstate(invalid="ignore"):
            mean = np.stack([np.bincount(row, axis, len(numbers)) / count for axis in index.astype(float)], 1)
        affine = self.grid.affine_mm
        return np.asarray(mean @ affine[:3, :3].T + affine[:3, 3])


class RegionMeans:
    """The regions of an atlas on a grid.

    Parameters
    ----------
    atlas : Atlas
        The regions.
    grid : VoxelGrid
        Of the volumes.

    Raises
    ------
    VolumeError
        No region lies in the image.
    """

    def __init__(self, atlas: Atlas, grid: VoxelGrid) -> None:
        self.atlas, self.grid = atlas, grid
        numbers = np.array(list(atlas.names))
        labels = labels_on(atlas, grid).ravel()
        at = np.flatnonzero(labels)
        row = np.searchsorted(numbers, labels[at])
        held = np.bincount(row, minlength=len(numbers))
        whole = np.bincount(np.searchsorted(numbers, atlas.labels[atlas.labels != 0]), minlength=len(numbers))
        size = np.abs([np.linalg.det(each.affine_mm[:3, :3]) for each in (grid, atlas.grid)])
        self.shares: Floats = held * size[0] / np.maximum(whole * size[1], 1e-30)
        """Part of each region's volume that lies in the image: (n_regions,), about 1 where all of it does."""
        self.missing: npt.NDArray[np.bool_] = held == 0
        if self.missing.all():
            raise VolumeError(
                f"No region of atlas {atlas.title!r} lies in the image. Expected an atlas in this person's "
                f"own "
                "space: register it to a volume of this session first."
            )
        weights = 1.0 / held[row]
        shape = (len(numbers), len(labels))
        self._mean = csr_array((weights, (row, at)), shape=shape)

    def of(self, data: npt.NDArray[np.float32]) -> Floats:
        """The mean of each region.

        Parameters
        ----------
        data : (x, y, z) float32
            Of a volume on this grid; NaN where a voxel has no value.

        Returns
        -------
        (n_regions,) float64
            Over the voxels that have a value; NaN where the region lies outside the image, or less than half
            of
            its voxels have one.
        """
        values = np.asarray(data, dtype=np.float64).ravel()
        out = np.asarray(self._mean @ values)
        if not np.isfinite(out).all():
            known = np.isfinite(values)
            share = np.asarray(self._mean @ known.astype(np.float64))
            with np.errstate(invalid="ignore", divide="ignore"):
                out = np.asarray(self._mean @ np.where(known, values, 0.0)) / share
            out[share < LEAST_KNOWN] = np.nan
        out[self.missing] = np.nan
        return out

    def outside(self) -> list[str]:
        """Names of the regions that lie outside the image."""
        return [name for name, gone in zip(self.atlas.names.values(), self.missing, strict=True) if gone]

    def cut_off(self) -> dict[str, float]:
        """Names of the regions that the image's edge cuts, and which part of each is in it."""
        shares = zip(self.atlas.names.values(), self.shares.tolist(), strict=True)
        edge = self._reaches_out()
        return {
            name: share
            for (name, share), out in zip(shares, edge, strict=True)
            if out and 0 < share < PARTIAL
        }

    def _reaches_out(self) -> Sequence[bool]:
        """Whether a voxel of each region lies beyond the image: small regions may lose volume without."""
        numbers = np.array(list(self.atlas.names))
        at = np.argwhere(self.atlas.labels)
        place = np.linalg.inv(self.grid.affine_mm) @ self.atlas.grid.affine_mm
        where = np.rint(at @ place[:3, :3].T + place[:3, 3])
        out = ((where < 0) | (where >= self.grid.shape)).any(axis=1)
        row = np.searchsorted(numbers, self.atlas.labels[tuple(at.T)])
        return (np.bincount(row, out, len(numbers)) > 0).tolist()


def labels_on(atlas: Atlas, grid: VoxelGrid) -> npt.NDArray[np.int32]:
    """The label of each voxel of a grid, by nearest neighbour: (x, y, z) int32, 0 outside the atlas."""
    place = np.linalg.inv(atlas.grid.affine_mm) @ grid.affine_mm
    x, y, z = (np.arange(n, dtype=float) for n in grid.shape)
    out = np.zeros(grid.shape, np.int32)
    index = np.empty((3, *grid.shape[1:]), np.intp)
    for i in range(
        grid.shape[0]
    ):  # plane by plane: indices of a whole volume would take eight times its memory
        for axis in range(3):
            where = place[axis, 0] * x[i] + place[axis, 1] * y[:, None] + place[axis, 2] * z + place[axis, 3]
            index[axis] = np.clip(np.floor(where + 0.5), -1, atlas.grid.shape[axis])
        inside = ((index >= 0) & (index < np.array(atlas.grid.shape)[:, None, None])).all(axis=0)
        out[i][inside] = atlas.labels[tuple(index[:, inside])]
    return out
