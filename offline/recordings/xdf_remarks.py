"""What a person should know of an XDF file's signal and its marker streams: their clocks, and their rate."""

from collections.abc import Sequence

import numpy as np

from offline.recordings.xdf_streams import XdfStream

OFF = 0.1
"""Part by which a rate may differ from the one that a stream declares without a word."""
FEWEST = 20
"""Samples below which how many come in a second proves nothing."""


def of_clocks(signal: XdfStream, marking: Sequence[XdfStream]) -> list[str]:
    """What was found of the clocks of the signal and of the marker streams read with it."""
    remarks = [*signal.clock_remarks]
    remarks += [f"marker stream {one.name!r}: {text}" for one in marking for text in one.clock_remarks]
    for one in marking:
        if len(one.times) and _is_compared(one) != _is_compared(signal):
            lacking, other = (signal, one) if _is_compared(one) else (one, signal)
            remarks.append(
                f"stream {lacking.name!r} holds no usable clock offset and {other.name!r} does: whether "
                "events and signal are on one clock is not known"
            )
    return remarks


def of_rate(signal: XdfStream) -> list[str]:
    """That samples come at another rate than the stream declares; nothing where they do not.

    A loss makes the mean rate less and leaves the typical step; stamps that are deduced within a chunk have
    the declared step whatever the device does.
    """
    if signal.rate <= 0 or len(signal.times) < FEWEST:
        return []
    steps = np.diff(signal.times)
    forward = steps[steps > 0]
    span = float(forward.sum())
    typical = 1 / float(np.median(forward)) if len(forward) else 0.0
    mean = len(forward) / span if span else 0.0
    if mean > (1 + OFF) * signal.rate:
        found = mean
    elif 0 < typical < (1 - OFF) * signal.rate:
        found = typical
    else:
        return []
    return [f"stream {signal.name!r} declares {signal.rate:.4g} Hz, and its samples come at {found:.4g} Hz"]


def _is_compared(one: XdfStream) -> bool:
    return bool(np.isfinite(one.compared).any())
