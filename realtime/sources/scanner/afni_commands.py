"""What AFNI's realtime commands say of the volumes that follow, and the commands for volumes of ours.

Lines of text, ended by a NUL byte (``README.realtime`` of AFNI): how many voxels, how large, where, of which
type.  What only concerns AFNI's windows (``DRIVE_AFNI``, ``NOTE``) is passed over.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

import numpy as np

from models.arrays import Floats
from models.errors import SignalError, StreamError
from models.outside import printable
from realtime.volumes.volume import VoxelGrid

MOST_VOXELS = 2**25
"""Of a volume: more than 320 along each edge would be a mistake."""
LONGEST_TR = 3600.0
DATUMS: Mapping[str, str] = {"short": "i2", "float": "f4", "byte": "u1"}
_AXES = {"R-L": (0, -1), "L-R": (0, 1), "A-P": (1, -1), "P-A": (1, 1), "S-I": (2, -1), "I-S": (2, 1)}
"""RAS axis along which a voxel index grows, and whether up or down it."""
_SIDES = {"R": (0, 1), "L": (0, -1), "A": (1, 1), "P": (1, -1), "S": (2, 1), "I": (2, -1)}
_FIRST = re.compile(r"^([-+0-9.eE]+)([RLAPSI]?)$")
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True, eq=False)
class AfniHeader:
    """The volumes that follow.

    Parameters
    ----------
    grid : VoxelGrid
        Where their voxels are.
    dtype : numpy.dtype
        Of a voxel.
    tr : float or None
        Repetition time, s.
    name : str
        What the data set is called; empty where it is not.
    by_slice : bool
        Whether one image is a slice, not a volume.
    slices : tuple of int
        Where the slices of a volume belong, in the order in which they come.
    """

    grid: VoxelGrid
    dtype: "np.dtype[np.generic]"
    tr: float | None
    name: str
    by_slice: bool
    slices: tuple[int, ...]

    @property
    def volume_bytes(self) -> int:
        """Size of a volume, bytes."""
        return int(np.prod(self.grid.shape)) * self.dtype.itemsize

    @property
    def image_bytes(self) -> int:
        """Size of what is sent at once, bytes: a slice or a volume."""
        return self.volume_bytes // self.grid.shape[2] if self.by_slice else self.volume_bytes


def read_commands(text: str) -> AfniHeader:
    """Understand the commands before the first image.

    Raises
    ------
    StreamError
        A command that is needed is not there or not understood.
    """
    said: dict[str, list[str]] = {}
    for line in text.splitlines():
        words = line.split()
        if words:
            said[words[0].upper()] = words[1:]
    matrix = _whole(said, "XYMATRIX")
    shape = (*matrix[:2], *(matrix[2:3] or _whole(said, "ZNUM")[:1]))
    if len(shape) != 3 or not all(1 <= n <= 4096 for n in shape) or int(np.prod(shape)) > MOST_VOXELS:
        raise StreamError(
            f"AFNI's XYMATRIX and ZNUM say {shape} voxels; expected three numbers, {MOST_VOXELS} voxels or "
            "fewer."
        )
    nx, ny, nz = shape
    datum = (said.get("DATUM") or ["short"])[0].lower()
    if datum not in DATUMS:
        raise StreamError(f"AFNI's DATUM is {printable(datum, 20)!r}; expected {', '.join(DATUMS)}.")
    order = (said.get("BYTEORDER") or ["LSB_FIRST"])[0].upper()
    if order not in ("LSB_FIRST", "MSB_FIRST"):
        raise StreamError(f"AFNI's BYTEORDER is {printable(order, 20)!r}; expected LSB_FIRST or MSB_FIRST.")
    if (channels := said.get("NUM_CHAN")) not in (None, ["1"]):
        raise StreamError(
            f"AFNI's NUM_CHAN is {printable(' '.join(channels or []), 20)}; expected 1 channel."
        )
    how = (said.get("ACQUISITION_TYPE") or ["2D+zt"])[0].lower()
    if how not in ("2d+z", "2d+zt", "3d", "3d+t"):
        raise StreamError(f"AFNI's ACQUISITION_TYPE is {printable(how, 20)!r}; expected 2D+zt or 3D+t.")
    alternating = (said.get("ZORDER") or ["alt"])[0].lower() != "seq"
    slices = (*range(0, nz, 2), *range(1, nz, 2)) if alternating else tuple(range(nz))
    tr = _numbers(said, "TR", 1)[0] if said.get("TR") else None
    if tr is not None and not 0 < tr < LONGEST_TR:
        raise StreamError(f"AFNI's TR is {tr:g}; expected seconds, more than 0.")
    try:
        grid = VoxelGrid((nx, ny, nz), _affine(said, (nx, ny, nz)))
    except SignalError as error:
        raise StreamError(f"AFNI's commands describe no grid of voxels: {error}") from error
    name = " ".join(said.get("PREFIX") or said.get("NAME") or [])
    dtype = np.dtype(DATUMS[datum]).newbyteorder("<" if order == "LSB_FIRST" else ">")
    by_slice = how.startswith("2d")
    return AfniHeader(grid, dtype, tr, printable(name, 100), by_slice, slices)


def write_commands(grid: VoxelGrid, tr: float, *, name: str = "") -> bytes:
    """The commands for float volumes of such a grid, NUL included.

    AFNI's axes are those of the body, so an oblique grid is described by its nearest one, and exactly in
    ``OBLIQUE_XFORM``.

    Parameters
    ----------
    grid : VoxelGrid
        Where the voxels are.
    tr : float
        Repetition time, s.
    name : str
        What AFNI calls the data set.
    """
    affine = grid.affine_mm
    axes, first = [], []
    left = [0, 1, 2]
    for column in range(3):
        axis = max(left, key=lambda each: abs(affine[each, column]))
        left.remove(axis)
        sign = 1 if affine[axis, column] > 0 else -1
        axes.append(next(code for code, where in _AXES.items() if where == (axis, sign)))
        at = float(affine[axis, 3])
        side = next(code for code, where in _SIDES.items() if where == (axis, 1 if at >= 0 else -1))
        first.append(f"{abs(at):.6f}{side}")
    field = grid.voxel_mm * np.array(grid.shape)
    lines = [
        "ACQUISITION_TYPE 3D+t",
        f"TR {tr:.6f}",
        "XYFOV " + " ".join(f"{length:.6f}" for length in field),
        "XYMATRIX " + " ".join(map(str, grid.shape)),
        "DATUM float",
        "BYTEORDER LSB_FIRST",
        f"XYZAXES {' '.join(axes)}",
        f"XYZFIRST {' '.join(first)}",
    ]
    if name:
        lines.append(f"NAME {printable(name, 100)}")
    straight = np.count_nonzero(np.abs(affine[:3, :3]) > 1e-6) == 3
    if not straight:
        lines.append("OBLIQUE_XFORM " + " ".join(f"{value:.9g}" for value in (_LPS_TO_RAS @ affine).ravel()))
    return ("\n".join(lines) + "\n").encode("ascii", "replace") + b"\0"


def _affine(said: Mapping[str, list[str]], shape: tuple[int, int, int]) -> Floats:
    """From voxels to RAS+, (4, 4) mm."""
    if said.get("OBLIQUE_XFORM"):
        values = np.array(_numbers(said, "OBLIQUE_XFORM", 16)).reshape(4, 4)
        return np.asarray(_LPS_TO_RAS @ values)
    codes = [code.upper() for code in said.get("XYZAXES", [])][:3]
    codes = [code if "-" in code else "-".join(code) for code in codes]
    if len(codes) != 3 or not all(code in _AXES for code in codes):
        raise StreamError(
            f"AFNI's XYZAXES is {printable(' '.join(codes), 40)!r}; expected three of {', '.join(_AXES)}."
        )
    field = _numbers(said, "XYFOV", 2)
    field = [field[0], field[1] or field[0], *field[2:3]]
    steps = [field[0] / shape[0], field[1] / shape[1]]
    steps.append(field[2] / shape[2] if len(field) > 2 else _numbers(said, "ZDELTA", 1)[0])
    first: list[str] = said.get("XYZFIRST", []) or ["", "", *said.get("ZFIRST", [""])]
    if len(first) < 3:
        raise StreamError(f"AFNI's XYZFIRST is {printable(' '.join(first), 60)!r}; expected three positions.")
    affine = np.eye(4)
    affine[:3, :3] = 0.0
    for column, (code, step, count, text) in enumerate(zip(codes, steps, shape, first[:3], strict=True)):
        axis, sign = _AXES[code]
        affine[axis, column] = sign * step
        affine[axis, 3] = -sign * step * (count - 1) / 2 if not text else _position(text, axis, code[0])
    return affine


def _position(text: str, axis: int, begin: str) -> float:
    """Of the first voxel along a RAS axis, mm; without a side it is meant from where the voxels begin."""
    found = _FIRST.match(text.upper())
    try:
        size = float(found[1]) if found else float("nan")
    except ValueError:
        size = float("nan")
    side = (found[2] if found else "") or begin
    if not isfinite(size) or _SIDES[side][0] != axis:
        raise StreamError(
            f"AFNI's XYZFIRST has {printable(text, 20)!r}; expected a number and one of R, L, A, P, S, I "
            "along its axis."
        )
    return size * _SIDES[side][1]


def _numbers(said: Mapping[str, list[str]], command: str, least: int) -> list[float]:
    words = said.get(command, [])
    try:
        values = [float(word) for word in words[:16]]
    except ValueError:
        values = []
    if len(values) < least or not all(isfinite(value) and abs(value) < 1e6 for value in values):
        raise StreamError(
            f"AFNI's {command} is {printable(' '.join(words), 60)!r}; expected {least} numbers or more."
        )
    return values


def _whole(said: Mapping[str, list[str]], command: str) -> list[int]:
    return [int(value) for value in _numbers(said, command, 1)]
