"""When a recording was made, and whether its events happened during it: what can be trusted, or is not known.

A wall clock without a time zone is no UTC, and a date that a library or a clock without battery puts in
where there is none is no date.  Both give None and a remark; `notes["start_local"]` keeps what the wall
clock read.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from realtime.signal import Bools, Floats
from realtime.sources.recording import Event, Recording

PLACEHOLDER_DAYS = ("1970-01-01", "1980-01-01", "2000-01-01")
"""Days (UTC) on which clocks begin that were never set, MNE's placeholder among them: it gives it to
recordings without a date, and writes it out again as if it were one."""
EARLIEST_YEAR, LATEST_YEAR = 1990, 2200
"""Years outside of which nothing of ours was recorded."""
SLACK_S = 1.0
"""An event so shortly (s) before the first sample or behind the last one is still within the recording."""


def utc_of(moment: datetime) -> tuple[float | None, str]:
    """UTC of a moment that a file tells, and why it is not known.

    Parameters
    ----------
    moment : datetime
        As the file has it.

    Returns
    -------
    float or None
        Seconds since 1970.
    str
        A remark where it is None.
    """
    if moment.tzinfo is None:
        return None, f"{_shown(moment)} has no time zone, so UTC is not known"
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(seconds=1), ""


def local_start(moment: datetime) -> dict[str, Any]:
    """What the notes keep of a wall clock without a zone; nothing of a moment that has one."""
    return {} if moment.tzinfo else {"start_local": moment.isoformat()}


def outside(events: tuple[Event, ...], times: Floats) -> Bools:
    """Which events (n_events,) lie before the first sample or behind the last.

    Parameters
    ----------
    events : tuple of Event
        Of a recording.
    times : (n_samples,) float64
        Its stamps, s, in any order.
    """
    onsets = np.array([event.onset for event in events])
    if not len(times):
        return np.ones(len(onsets), dtype=bool)
    first, last = float(np.min(times)), float(np.max(times))
    inside: Bools = (onsets >= first - SLACK_S) & (onsets <= last + SLACK_S)
    return ~inside


def trusted(recording: Recording) -> Recording:
    """The recording without a date that cannot be one, and with a remark on events that lie outside.

    Parameters
    ----------
    recording : Recording
        As a reader gives it.
    """
    remarks: list[str] = []
    start = recording.start_utc
    if start is not None and len(recording.times) and (why := _no_date(start + float(recording.times[0]))):
        start = None
        remarks.append(why)
    if far := int(np.count_nonzero(outside(recording.events, recording.times))):
        remarks.append(
            f"{far} of {len(recording.events)} events lie outside the recording "
            f"({np.min(recording.times):.6g} to {np.max(recording.times):.6g} s; the first such at "
            f"{_first_outside(recording):.6g} s)"
            + (": they are on a clock that the signal does not share" if far == len(recording.events) else "")
        )
    if not remarks:
        return recording
    before = recording.notes.get("remarks", [])
    told = [*before, *remarks] if isinstance(before, list) else remarks
    return replace(
        recording, start_utc=start, notes={**recording.notes, "remarks": list(dict.fromkeys(told))}
    )


def _first_outside(recording: Recording) -> float:
    return recording.events[int(np.argmax(outside(recording.events, recording.times)))].onset


def _no_date(seconds: float) -> str:
    """Why seconds since 1970 are no moment at which something was recorded; empty where they may be."""
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return f"the start ({seconds:.6g} s since 1970) is no date, so UTC is not known"
    if moment.date().isoformat() in PLACEHOLDER_DAYS:
        return f"{_shown(moment)} is a placeholder where no date is known, so UTC is not known"
    if not EARLIEST_YEAR <= moment.year <= LATEST_YEAR:
        return f"{_shown(moment)} cannot be, so UTC is not known"
    return ""


def _shown(moment: datetime) -> str:
    return f"the start ({moment.isoformat(sep=' ')})"
