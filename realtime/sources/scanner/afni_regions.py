"""AFNI's realtime protocol, the other direction: motion and region values, one record a volume.

A sender says hello with four bytes, the last of which holds the version, and how many values each record has
beside the six of motion; it ends with bye (AFNI's ``lib_realtime.py``).  Numbers are 4 bytes, little-endian,
as on every machine that AFNI runs on today.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from math import degrees, radians

import numpy as np

from models.arrays import Floats
from models.errors import StreamError

HELLO = b"\xab\xcd\xef"
VERSION_0 = 0xAB
BYE = b"\xde\xad\xde\xad"
VOXEL_VALUES = 8
"""Numbers of a voxel in version 2: index, three subscripts, three coordinates, value."""
MOST_VALUES = 2**20
"""Of a record."""
N_MOTION = 6


@dataclass(frozen=True, eq=False)
class AfniRecord:
    """What came of one volume.

    Parameters
    ----------
    motion : (6,) float64
        In AFNI's order and units: `motion_in_si` brings them into ours.
    values : (n_values,) float64
        Region means (versions 1, 3 and 4), or voxels of eight numbers each (version 2).
    voxels : (n_voxels,) float64
        Values of single voxels besides (version 4).
    """

    motion: Floats
    values: Floats
    voxels: Floats


class AfniRegions:
    """The records of one connection."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._sizes: tuple[int, int] | None = None
        self.version = -1
        """As the hello says, 0 to 4; -1 before it."""
        self.ended = False
        """Whether bye was said."""

    def take(self, data: bytes) -> list[AfniRecord]:
        """Take the next bytes; give the records that they complete.

        Raises
        ------
        StreamError
            What came is not the protocol; the connection must be closed.
        """
        if self.ended:
            return []
        self._bytes += data
        begin = 0
        if self._sizes is None:
            begin = self._hello()
            if self._sizes is None:
                return []
        found: list[AfniRecord] = []
        size = 4 * (N_MOTION + sum(self._sizes))
        while len(self._bytes) - begin >= len(BYE):
            if self._bytes[begin : begin + 3] == BYE[:3]:
                self.ended = True
                self._bytes.clear()
                return found
            if len(self._bytes) - begin < size:
                break
            values = np.frombuffer(bytes(self._bytes[begin : begin + size]), dtype="<f4").astype(np.float64)
            motion, rest = values[:N_MOTION], values[N_MOTION:]
            found.append(AfniRecord(motion, rest[: self._sizes[0]], rest[self._sizes[0] :]))
            begin += size
        del self._bytes[:begin]
        return found

    def _hello(self) -> int:
        """Read the hello, if it is whole; give where records begin."""
        if len(self._bytes) < 4:
            return 0
        self.version = self._bytes[3] - VERSION_0
        if self._bytes[:3] != HELLO or not 0 <= self.version <= 4:
            raise StreamError(
                f"A sender of AFNI's region values began with {bytes(self._bytes[:4]).hex(' ')}; expected "
                "ab cd ef and ab to af."
            )
        n_counts = (0, 1, 1, 1, 2)[self.version]
        if len(self._bytes) < 4 + 4 * n_counts:
            return 0
        counts = struct.unpack_from(f"<{n_counts}i", self._bytes, 4)
        sizes = [count * (VOXEL_VALUES if self.version == 2 else 1) for count in counts] + [0, 0]
        if min(sizes) < 0 or sum(sizes) > MOST_VALUES:
            raise StreamError(
                f"A sender of AFNI's region values announces {', '.join(map(str, counts))} values a volume; "
                f"expected 0 to {MOST_VALUES}."
            )
        self._sizes = (sizes[0], sizes[1])
        return 4 + 4 * n_counts


def hello(n_values: int, *, version: int = 1, n_voxels: int = 0) -> bytes:
    """How a sender begins.

    Parameters
    ----------
    n_values : int
        Region values of each record; of version 2 voxels.
    version : int
        0 (motion alone) to 4.
    n_voxels : int
        Values of single voxels besides; version 4 only.
    """
    counts = (n_values, n_voxels) if version == 4 else () if version == 0 else (n_values,)
    return HELLO + bytes([VERSION_0 + version]) + struct.pack(f"<{len(counts)}i", *counts)


def record(motion: Sequence[float], values: Sequence[float] = ()) -> bytes:
    """One volume: motion as AFNI has it, then values; as 32-bit floats.

    A first number that reads as bye is sent as the next smaller one: no head moves by such numbers.
    """
    data = np.array([*motion, *values], dtype="<f4").tobytes()
    return (b"\xdd" + data[1:]) if data[:3] == BYE[:3] else data


def motion_in_si(motion: Sequence[float]) -> tuple[float, ...]:
    """AFNI's shifts (dx, dy, dz, mm) and angles (roll, pitch, yaw, degrees) in metres and radians."""
    return (*(value * 1e-3 for value in motion[:3]), *(radians(value) for value in motion[3:N_MOTION]))


def motion_for_afni(motion: Sequence[float]) -> tuple[float, ...]:
    """Undo `motion_in_si`."""
    return (*(value * 1e3 for value in motion[:3]), *(degrees(value) for value in motion[3:N_MOTION]))
