"""What the registration bench registers: a real run, and known moves of its volumes.

A known move is put into a volume by splines of the fifth degree (ours are of the third), in a smaller field
of view, so that what comes into it was measured.  Noise comes on top, and a scale that drifts linearly and as
a square.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from realtime.volumes.rigid import RigidMove
from realtime.volumes.volume import Volume, VoxelGrid

CROP = 3
"""Slices on either side that are outside of the smaller field."""
PADDED = 3
"""Empty slices that OpenNFT, where SPM's numbers come from, puts below and above."""


@dataclass(frozen=True)
class Case:
    """Volumes to be registered to a reference.

    Parameters
    ----------
    reference : Volume
    volumes : list of Volume
    truth : list of RigidMove
    centre : (3,) float64, mm
        The middle of the reference's field.
    """

    reference: Volume
    volumes: list[Volume]
    truth: list[RigidMove]
    centre: np.ndarray


def moves_of_spm(numbers: np.ndarray, grid: VoxelGrid) -> list[RigidMove]:
    """How the head moved, from SPM's (n, 6) mm and rad in OpenNFT's frame."""
    frame = frame_of_spm(grid)
    found = []
    for x, y, z, pitch, roll, yaw in numbers:
        turned = RigidMove(rotation=(pitch, -roll, yaw))
        shift = -turned.matrix[:3, :3] @ (x, y, z)
        move = RigidMove(tuple(shift), turned.rotation)
        found.append(frame.inverse().after(move).after(frame))
    return found


def frame_of_spm(grid: VoxelGrid) -> RigidMove:
    """From the scanner's space to that in which OpenNFT gave the run to SPM."""
    return RigidMove(tuple(PADDED * grid.affine_mm[:3, 2]))


def padded(volume: Volume) -> Volume:
    """As OpenNFT gave a volume to SPM."""
    data = np.pad(volume.data, ((0, 0), (0, 0), (PADDED, PADDED)))
    grid = VoxelGrid(data.shape, volume.grid.affine_mm)
    return Volume(data, grid, volume.series, volume.number, None, None, 0.0)


def smaller_field(grid: VoxelGrid) -> VoxelGrid:
    affine = grid.affine_mm.copy()
    affine[:3, 3] += CROP * affine[:3, 2]
    x, y, z = grid.shape
    return VoxelGrid((x, y, z - 2 * CROP), affine)


def known_moves(
    volumes: list[Volume],
    spm: list[RigidMove],
    n: int,
    *,
    mm: float = 5.0,
    degrees: float = 5.0,
    noise: float = 0.01,
    drift: float = 0.05,
    seed: int = 0,
) -> Case:
    """``n`` volumes moved by up to ``mm`` along and ``degrees`` about each axis; the reference is the first.

    Parameters
    ----------
    volumes : list of Volume
        A run.
    spm : list of RigidMove
        How the head moved in it: part of the truth.
    n : int
        Volumes wanted.
    mm, degrees : float
        Greatest move along and about each axis, about the middle of the field.
    noise : float
        Standard deviation of what is added, as a share of the reference's greatest value.
    drift : float
        Greatest change of the scale: in all, along each axis, and along each axis squared.
    seed : int
        Of moves, noise and drift.
    """
    rng = np.random.default_rng(seed)
    whole, grid = volumes[0].grid, smaller_field(volumes[0].grid)
    centre = grid.affine_mm[:3, :3] @ ((np.array(grid.shape) - 1) / 2) + grid.affine_mm[:3, 3]
    middle = RigidMove(tuple(centre))
    reference = Volume(volumes[0].data[:, :, CROP:-CROP].copy(), grid, volumes[0].series, 1, None, None, 0.0)
    across = np.stack(np.meshgrid(*(np.linspace(-1, 1, k) for k in grid.shape), indexing="ij"))
    moved, truth = [], []
    for number in range(2, n + 2):
        which = int(rng.integers(1, len(volumes)))
        shift, turn = rng.uniform(-mm, mm, 3), np.radians(rng.uniform(-degrees, degrees, 3))
        move = middle.after(RigidMove(tuple(shift), tuple(turn))).after(middle.inverse())
        back = np.linalg.inv(whole.affine_mm) @ move.inverse().matrix @ grid.affine_mm
        data = ndimage.affine_transform(
            volumes[which].data.astype(float), back[:3, :3], back[:3, 3], grid.shape, order=5, mode="mirror"
        )
        scale = np.full(grid.shape, 1 + rng.uniform(-drift, drift))
        scale = scale + np.tensordot(rng.uniform(-drift, drift, 3), across, 1)
        scale = scale + np.tensordot(rng.uniform(-drift, drift, 3), across**2, 1)
        data = data * scale + rng.normal(0, noise * float(reference.data.max()), grid.shape)
        moved.append(Volume(data.astype(np.float32), grid, "known moves", number, None, None, 0.0))
        truth.append(move.after(spm[which]).after(spm[0].inverse()))
    return Case(reference, moved, truth, centre)


def without_a_slice(case: Case) -> Case:
    """The same, and in each volume one of the middle slices is lost."""
    spoilt = []
    for volume in case.volumes:
        data = volume.data.copy()
        data[:, :, 8 + volume.number % 15] = 0
        spoilt.append(Volume(data, volume.grid, volume.series, volume.number, None, None, 0.0))
    return Case(case.reference, spoilt, case.truth, case.centre)


def errors(case: Case, found: list[RigidMove | None]) -> np.ndarray:
    """How far off: (n, 2) mm at the middle and degrees; infinite where nothing was found."""
    off = np.full((len(found), 2), np.inf)
    for row, move, truth in zip(off, found, case.truth, strict=True):
        if move is not None:
            row[0] = np.linalg.norm(move.at_mm(case.centre) - truth.at_mm(case.centre))
            turn = move.after(truth.inverse()).matrix[:3, :3]
            row[1] = np.degrees(np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1)))
    return off
