"""UTC in an XDF file, which holds only the date at which it was opened, to a second.

What the recorder's clock read then is not in the file either.  What can be trusted for it are the
recorder's own readings of its clock, at each comparison with a sender's: no sender can spoil them.  Stamps
are only trusted where they agree with them, and where a file holds no comparison, where they agree
with each other.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np

from models.arrays import Floats
from offline.recordings import dates
from offline.recordings.xdf_streams import XdfStream

FIRST_COMPARISON_S = 5.0
"""LabRecorder compares the clocks for the first time so long (s) after it opened the file."""
NEAR_S, BEHIND_S = 15.0, 60.0
"""A stream whose stamps begin no more than `NEAR_S` before the first comparison may have been there when the
file was opened; the signal's must lie between that and `BEHIND_S` behind the last one, s."""
ALONE_S = 60.0
"""A reading of the recorder's clock that is so far (s) from all others is damage: it is read every 5 s."""
TOGETHER_S = 10.0
"""Without any comparison: what begins earlier (s) than the signal is on another clock."""


def start_of(
    opened: datetime | None, signal: XdfStream, streams: Sequence[XdfStream]
) -> tuple[float | None, list[str], dict[str, Any]]:
    """UTC (s since 1970) at time 0 of the recorder's clock, remarks, and notes.

    The file of these streams tells when it was `opened`, or does not; the UTC of `signal` is wanted.
    """
    if opened is None:
        return None, [], {}
    utc, remarks, notes = dates.start_of(opened)
    if utc is None:
        return None, remarks, notes
    clock, why = _clock_at_opening(signal, streams)
    if clock is None:
        return None, [f"UTC is not known: {why}"], notes
    return utc - clock, ["UTC is good to a few seconds: XDF holds only when the file was opened"], notes


def _clock_at_opening(signal: XdfStream, streams: Sequence[XdfStream]) -> tuple[float | None, str]:
    """What the recorder's clock (s) read when the file was opened, or why that is not known."""
    readings = _trusted(np.concatenate([one.compared for one in streams]))
    firsts = [_first(one) for one in streams if np.any(np.isfinite(one.times))]
    if len(readings):
        first, last = float(readings[0]), float(readings[-1])
        middle = float(np.median(signal.times))
        if not first - NEAR_S <= middle <= last + BEHIND_S:
            return None, (
                f"the signal is stamped {middle:.6g} s where the recorder's clock read {first:.6g} to "
                f"{last:.6g} s, so it is on a clock that was not compared"
            )
        return min(
            [at for at in firsts if first - NEAR_S <= at <= first], default=first - FIRST_COMPARISON_S
        ), ""
    begun = _first(signal)
    if (earliest := min(firsts)) < begun - TOGETHER_S:
        return None, (
            f"a stream begins at {earliest:.6g} s and the signal at {begun:.6g} s, and the file holds no "
            "comparison of their clocks"
        )
    return earliest, ""


def _trusted(readings: Floats) -> Floats:
    """Readings of the recorder's clock (s), ascending, without those that stand alone."""
    found = np.sort(readings[np.isfinite(readings)])
    if len(found) < 2:
        return found
    near = np.diff(found) <= ALONE_S
    return found[np.append(near, False) | np.append(False, near)]


def _first(one: XdfStream) -> float:
    """When a stream begins (s): its first stamp, or for a stream with a rate what the first few agree on."""
    times = one.times[np.isfinite(one.times)]
    few = times[:11]
    if one.rate <= 0 or len(few) < 3:
        return float(few[0])
    step = float(np.median(np.diff(times)))
    return float(np.median(few - step * np.arange(len(few))))
