"""What a clock found in the stamps of a source."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClockReport:
    """What the clock found in the stamps since it was reset.

    Parameters
    ----------
    rate : float
        Measured, samples a stream second (Hz); 0 before it is known.
    jitter_s : float
        Mean absolute distance of the stamps from the line, s.
    uncertainty_s : float
        Uncertainty of the times given now, as far as stamps and comparisons of the clocks show, s.
    gaps : int
        Places where samples lacked.
    dropped : int
        Samples that could not be used: duplicates, and those behind what was given already.
    duplicates : int
        Samples that came again.
    disordered : int
        Samples that came out of order.
    lost : int
        Samples that the device counted and that never came, where it counts its frames.
    invented : bool
        Whether stamps inside chunks are deduced from the declared rate, so that only the last of each
        chunk is a measurement.
    """

    rate: float = 0.0
    jitter_s: float = 0.0
    uncertainty_s: float = 0.0
    gaps: int = 0
    dropped: int = 0
    duplicates: int = 0
    disordered: int = 0
    lost: int = 0
    invented: bool = False
