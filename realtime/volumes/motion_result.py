"""Whether a registration found how the head moved: `why_doubted`, and the reasons why it may not have."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from models.arrays import Floats
from models.errors import SignalError
from realtime.volumes.registration import RegistrationFit
from realtime.volumes.rigid import RigidMove


class MotionReason(StrEnum):
    """Why it is not known how the head moved."""

    EMPTY = "nothing was measured"
    OUT_OF_FIELD = "too little of the head in the field of view"
    UNLIKE = "unlike the reference"
    DIVERGED = "the registration did not settle"
    TOO_FAR = "further than a head moves in a coil"


class MotionError(SignalError):
    """It is not known how the head moved in a volume.

    Parameters
    ----------
    reason : MotionReason
        Why.
    volume : int
        The volume's number.
    found : str
        What was found, and what was expected.
    """

    def __init__(self, reason: MotionReason, volume: int, found: str) -> None:
        super().__init__(f"The motion in volume {volume} is not known: {reason} ({found}).")
        self.reason = reason


@dataclass(frozen=True)
class MotionLimits:
    """What is taken for a result.

    Parameters
    ----------
    overlap : float
        Share of the reference's samples that must lie in the volume, where it was measured.
    trusted : float
        Share of their weights that must be left.
    correlation : float
        Of the volume with the moved reference.
    shift_mm : float
        How far the middle of the head may have gone.
    turn : float, rad
        How far the head may have turned.
    settled_mm : float
        Length of the last step.
    """

    overlap: float = 0.5
    trusted: float = 0.5
    correlation: float = 0.8
    shift_mm: float = 30.0
    turn: float = float(np.radians(30))
    settled_mm: float = 0.05


def why_doubted(
    fit: RegistrationFit, centre: Floats, limits: MotionLimits
) -> tuple[MotionReason, str] | None:
    """Why a fit is no result, and what was found; None where it is one.

    Parameters
    ----------
    fit : RegistrationFit
        Of the finest level.
    centre : (3,) float64, mm
        The middle of the head in the reference.
    limits : MotionLimits
        What is taken for a result.
    """
    if fit.overlap < limits.overlap:
        found = f"{fit.overlap:.0%} of it; expected {limits.overlap:.0%} or more"
        return MotionReason.OUT_OF_FIELD, found
    if not fit.last_step_mm <= limits.settled_mm:
        found = f"step {fit.steps} was {fit.last_step_mm:.2g} mm; expected {limits.settled_mm:g} mm or less"
        return MotionReason.DIVERGED, found
    if fit.correlation < limits.correlation or fit.trusted < limits.trusted:
        found = (
            f"correlation {fit.correlation:.2f} in {fit.trusted:.0%} of the samples; expected "
            f"{limits.correlation:g} in {limits.trusted:.0%}"
        )
        return MotionReason.UNLIKE, found
    shift = float(np.linalg.norm(RigidMove.from_matrix(fit.matrix).at_mm(centre) - centre))
    turn = float(np.arccos(np.clip((np.trace(fit.matrix[:3, :3]) - 1) / 2, -1, 1)))
    if shift > limits.shift_mm or turn > limits.turn:
        found = (
            f"{shift:.1f} mm and {np.degrees(turn):.1f} degrees; expected {limits.shift_mm:g} mm and "
            f"{np.degrees(limits.turn):.0f} degrees at most"
        )
        return MotionReason.TOO_FAR, found
    return None
