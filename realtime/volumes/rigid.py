"""How a head moved: `RigidMove`, six numbers, and how far it is from one volume to the next.

A move takes the head from where it was in the reference to where it is now: what was at ``p`` is at
``matrix @ p``, in the scanner's RAS+ space.  Rotations are about that space's origin (the isocentre, or what
the header takes for it), first about x, then y, then z, anticlockwise as seen from the axis's tip.

SPM's ``rp_*.txt`` describe the way back, from the volume to the reference, and count roll the other way round
than pitch and yaw.  `RigidMove.spm` gives those six numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from models.errors import SignalError

HEAD_RADIUS_MM = 50.0
"""Of the sphere on which Power et al. (2012) turn angles into lengths."""

Three = tuple[float, float, float]


@dataclass(frozen=True)
class RigidMove:
    """A rotation and then a translation.

    Parameters
    ----------
    translation_mm : 3 floats, mm
        To the right, forwards, upwards.
    rotation : 3 floats, rad
        About x (pitch), y (roll) and z (yaw), in this order.

    Raises
    ------
    SignalError
        A number is not finite.
    """

    translation_mm: Three = (0.0, 0.0, 0.0)
    rotation: Three = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        for name in ("translation_mm", "rotation"):
            values = tuple(float(value) for value in getattr(self, name))
            if len(values) != 3 or not np.isfinite(values).all():
                raise SignalError(f"A move has the {name} {values}; expected three finite numbers.")
            object.__setattr__(self, name, values)

    @classmethod
    def from_matrix(cls, matrix: npt.ArrayLike) -> "RigidMove":
        """Of a rigid (4, 4) matrix, mm; what a matrix is more than rigid is left out."""
        whole = np.asarray(matrix, dtype=float)
        left, _, right = np.linalg.svd(whole[:3, :3])
        turn = left @ right
        pitch = np.arctan2(turn[2, 1], turn[2, 2])
        roll = np.arctan2(-turn[2, 0], np.hypot(turn[2, 1], turn[2, 2]))
        yaw = np.arctan2(turn[1, 0], turn[0, 0])
        return cls(_three(whole[:3, 3]), (float(pitch), float(roll), float(yaw)))

    @property
    def matrix(self) -> Floats:
        """From the reference's space to the volume's: (4, 4) float64, mm."""
        whole = np.eye(4)
        whole[:3, :3] = (
            _about(2, self.rotation[2]) @ _about(1, self.rotation[1]) @ _about(0, self.rotation[0])
        )
        whole[:3, 3] = self.translation_mm
        return whole

    def after(self, first: "RigidMove") -> "RigidMove":
        """``first``, and then this one."""
        return RigidMove.from_matrix(self.matrix @ first.matrix)

    def inverse(self) -> "RigidMove":
        """The way back."""
        turn = self.matrix[:3, :3].T
        back = np.eye(4)
        back[:3, :3], back[:3, 3] = turn, -turn @ self.translation_mm
        return RigidMove.from_matrix(back)

    @property
    def spm(self) -> Floats:
        """The six numbers that SPM writes of this move: (6,) mm and rad."""
        pitch, roll, yaw = self.rotation
        return np.array([*self.inverse().translation_mm, pitch, -roll, yaw])

    def at_mm(self, points: npt.ArrayLike) -> Floats:
        """Where points of the reference are now: (..., 3) to (..., 3) float64, mm."""
        return np.asarray(points, dtype=float) @ self.matrix[:3, :3].T + self.translation_mm


STILL = RigidMove()
"""No move at all."""


def framewise_displacement_mm(before: RigidMove, now: RigidMove) -> float:
    """How far the head moved from one volume to the next (Power et al. 2012), mm.

    The sum of the six changes, angles as arcs on a sphere of 50 mm.
    """
    lengths = np.abs(np.subtract(now.translation_mm, before.translation_mm)).sum()
    turned = np.subtract(now.rotation, before.rotation)
    angles = np.abs((turned + np.pi) % (2 * np.pi) - np.pi).sum()
    return float(lengths + HEAD_RADIUS_MM * angles)


def _about(axis: int, angle: float) -> Floats:
    """Anticlockwise about one axis: (3, 3)."""
    one, other = (axis + 1) % 3, (axis + 2) % 3
    turn = np.eye(3)
    turn[one, one] = turn[other, other] = np.cos(angle)
    turn[one, other], turn[other, one] = -np.sin(angle), np.sin(angle)
    return turn


def _three(values: Sequence[float] | Floats) -> Three:
    x, y, z = (float(value) for value in values)
    return x, y, z
