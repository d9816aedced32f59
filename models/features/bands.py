"""Which frequencies of a scan lie in a band, and whether the scan can show the band.

A band is reached if at least half of it lies below half the scan's rate.  What a feature gives for a band
that is not reached is one declared number, the same for everybody who was scanned so.
"""

import numpy as np
import numpy.typing as npt

from models.errors import HemostreamError
from models.features.series import Block


def check_band(name: str, low: float, high: float) -> None:
    """Refuse a band, Hz, that has no width."""
    if not 0 <= low < high:
        raise HemostreamError(f"Band {name!r} goes from {low} to {high} Hz; expected 0 <= low < high.")


def bins_of(block: Block, name: str, low: float, high: float, *, least: int) -> npt.NDArray[np.intp] | None:
    """Which of a scan's frequencies lie in a band.

    Parameters
    ----------
    block : Block
        People of one length and repetition time.
    name : str
        The band's.
    low, high : float, Hz
        In it is ``low <= f < high``, never 0.
    least : int
        So many there must be.

    Returns
    -------
    (k,) intp or None
        Indices into the spectrum's frequencies; None where the repetition time does not reach the band.

    Raises
    ------
    HemostreamError
        The band is reached, but the scan is too short to have so many frequencies in it.
    """
    nyquist = 0.5 / block.seconds
    if nyquist < 0.5 * (low + high):
        return None
    # Each is one correctly rounded quotient: a band's edge on one is found on the same side at any length.
    have = np.arange(block.n_times // 2 + 1) / (block.n_times * block.seconds)
    found = np.flatnonzero((have >= low) & (have < high) & (have > 0))
    if len(found) < least:
        width = min(high, nyquist) - low
        needed = int(np.ceil((least + 1) / (width * block.seconds)))
        # A shorter one may do by chance; with one frequency more in the width it always does.
        block.require(max(needed, block.n_times + 1), f"{name} ({low:g} to {high:g} Hz)")
    return found
