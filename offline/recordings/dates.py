"""When a recording was made, and whether its events happened during it: what can be trusted, or is not known.

A wall clock without a time zone is no UTC, and a date that a library or a clock without battery puts in
where there is none is no date.  Both give None and a remark; `notes["start_local"]` keeps what the wall
clock read.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from models.arrays import Bools, Floats
from realtime.sources.recording import Event, Recording

PLACEHOLDER_DAYS = ("1970-01-01", "1980-01-01", "2000-01-01")
"""Days on which clocks begin that were never set, MNE's placeholder among them: it gives it to
recordings without a date, and writes it out again as if it were one."""
EARLIEST_YEAR, LATEST_YEAR = 1990, 2200
"""Years outside of which nothing of ours was recorded."""
NEVER_S = 60.0
"""Where all events lie further (s) from the recording than this and its length, clocks differ."""
SLACK_S = 1.0
"""An event so shortly (s) before the first sample or behind the last one is still within the recording."""


def start_of(moment: datetime) -> tuple[float | None, list[str], dict[str, Any]]:
    """UTC of a moment in a file (s since 1970), or None and a remark on why it is not known; what to note.

    Noted is what a wall clock without a zone read.
    """
    if why := _no_date(moment):
        return None, [why], {}
    if moment.tzinfo is None:
        zoneless = f"{_shown(moment)} has no time zone, so UTC is not known"
        return None, [zoneless], {"start_local": moment.isoformat()}
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(seconds=1), [], {}


def trusted(recording: Recording) -> Recording:
    """The recording without a date that cannot be one, and with a remark on events that lie outside."""
    remarks: list[str] = []
    start = recording.start_utc
    if start is not None and len(recording.times):
        try:
            why = _no_date(datetime.fromtimestamp(start + float(recording.times[0]), UTC))
        except (ValueError, OverflowError, OSError):
            why = f"the start ({start:.6g} s since 1970) is no date, so UTC is not known"
        if why:
            start = None
            remarks.append(why)
    if words := _outside_words(recording):
        remarks.append(words)
    return replace(recording, start_utc=start).remarked(remarks)


def outside(events: Sequence[Event], times: Floats) -> Bools:
    """Which events, (n_events,) bool, lie before the first of (n_samples,) stamps (s) or behind the last."""
    onsets = np.array([event.onset for event in events])
    if not len(times):
        return np.ones(len(onsets), dtype=bool)
    inside: Bools = (onsets >= np.min(times) - SLACK_S) & (onsets <= np.max(times) + SLACK_S)
    return ~inside


def _outside_words(recording: Recording) -> str:
    """How many events lie outside, where, and whether they can be on the signal's clock at all."""
    far = outside(recording.events, recording.times)
    if not far.any():
        return ""
    onset = recording.events[int(np.argmax(far))].onset
    first, last = float(np.min(recording.times)), float(np.max(recording.times))
    text = (
        f"{np.count_nonzero(far)} of {len(far)} events lie outside the recording ({first:.6g} to {last:.6g} "
        f"s; the first such at {onset:.6g} s)"
    )
    away = max(NEVER_S, last - first)
    if all(not first - away <= event.onset <= last + away for event in recording.events):
        text += ": they are on a clock that the signal does not share"
    return text


def _no_date(moment: datetime) -> str:
    """Why that is no moment at which something was recorded; empty where it may be."""
    if moment.date().isoformat() in PLACEHOLDER_DAYS:
        return f"{_shown(moment)} is a placeholder where no date is known, so UTC is not known"
    if not EARLIEST_YEAR <= moment.year <= LATEST_YEAR:
        return f"{_shown(moment)} cannot be, so UTC is not known"
    return ""


def _shown(moment: datetime) -> str:
    return f"the start ({moment.isoformat(sep=' ')})"
