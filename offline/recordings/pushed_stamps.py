"""Offsets that leave stamps recognisable: deduced ones as deduced, repeated ones as repeated.

The live clock knows stamps that were deduced when a chunk was pushed by steps of exactly one declared period
(`realtime.clock.chunk_stamps`), and samples that were sent twice by the same stamp.  An offset that bends
from sample to sample would hide both.
"""

import math

import numpy as np

from models.arrays import Floats
from realtime.clock.chunk_stamps import EXACT_S, LONGEST_FEWEST, LONGEST_MOST, LONGEST_S


def as_pushed(stamps: Floats, offsets: Floats, rate: float) -> Floats:
    """Offsets that move a chunk as a whole, by the offset of its last sample, which was measured.

    Stamps, (n_samples,) float64 in the order of arrival, are s on the sender's clock, offsets what to add;
    the stream declares `rate`, Hz, or 0.  What is given is the same for the same stamp.
    """
    _, firsts, again = np.unique(stamps, return_index=True, return_inverse=True)
    order = np.sort(firsts)
    kept = offsets.copy()
    kept[order] = _by_chunks(stamps[order], offsets[order], rate)
    return kept[firsts[again]]


def _by_chunks(stamps: Floats, offsets: Floats, rate: float) -> Floats:
    if rate <= 0.0 or len(stamps) < 2:
        return offsets
    nominal = 1.0 / rate
    with np.errstate(invalid="ignore"):
        steps = np.diff(stamps)
        whole = np.maximum(np.round(steps / nominal), 1.0)
        exact = np.abs(steps / whole - nominal) < np.maximum(EXACT_S, 1e-15 * np.abs(stamps[1:]))
    longest = min(max(math.ceil(LONGEST_S / nominal), LONGEST_FEWEST), LONGEST_MOST)
    starts = np.concatenate([[0], np.flatnonzero(~exact) + 1])
    kept = offsets.copy()
    stops = np.append(starts[1:], len(stamps))
    runs = np.stack([starts, stops], axis=1)[stops - starts > 1]
    for first, stop in runs.tolist():
        last = min(stop - 1, first + longest)
        kept[first : last + 1] = offsets[last]
        if stop - first > longest:
            break  # longer than any chunk: from here on the stamps are known to be a grid
    return kept
