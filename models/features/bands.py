"""Frequency bands of slow haemodynamics, and which of them a scan can show.

The bands are those of Penttonen and Buzsaki (2003, Thalamus & Related Systems 2:145-152) as Zuo et al. use
them (2010, NeuroImage 49:1432-1445).

A band is reached if at least half of it lies below half the scan's rate: with a repetition time of 2.5 s
(0.2 Hz) slow-2 is not.  What a feature says of a band that is not reached is one declared number, the same
for everybody who was scanned so; it says how somebody was scanned and nothing of the brain.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from models.errors import HemostreamError
from models.features.series import Block

Bands = tuple[tuple[str, float, float], ...]
"""Name, lowest frequency (in the band) and highest (not in it), Hz."""

SLOW: Bands = (
    ("slow-5", 0.01, 0.027),
    ("slow-4", 0.027, 0.073),
    ("slow-3", 0.073, 0.198),
    ("slow-2", 0.198, 0.25),
)


def checked_bands(bands: Sequence[Sequence[str | float]]) -> None:
    """Refuse bands that are none.

    Parameters
    ----------
    bands : sequence of (name, low Hz, high Hz)
        To be looked at.
    """
    for name, low, high in bands:
        if not 0 <= float(low) < float(high):
            raise HemostreamError(f"Band {name!r} goes from {low} to {high} Hz; expected 0 <= low < high.")


def frequencies(block: Block) -> Floats:
    """Frequencies of a scan's spectrum.

    Parameters
    ----------
    block : Block
        People of one length and repetition time.

    Returns
    -------
    (n_frequencies,) float64, Hz
        Half as many as volumes, and one: from 0 to half the rate.  Each is one correctly rounded quotient, so
        that a band's edge that falls on one is found on the same side at any length.
    """
    return np.asarray(np.arange(block.n_times // 2 + 1) / (block.n_times * block.seconds))


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
        Indices into `frequencies`; None where the repetition time does not reach the band.

    Raises
    ------
    HemostreamError
        The band is reached, but the scan is too short to have so many frequencies in it.
    """
    nyquist = 0.5 / block.seconds
    if nyquist < 0.5 * (low + high):
        return None
    have = frequencies(block)
    found = np.flatnonzero((have >= low) & (have < high) & (have > 0))
    if len(found) < least:
        width = min(high, nyquist) - low
        needed = int(np.ceil((least + 1) / (width * block.seconds)))
        # A shorter one may do by chance; with one frequency more in the width it always does.
        block.require(max(needed, block.n_times + 1), f"{name} ({low:g} to {high:g} Hz)")
    return found
