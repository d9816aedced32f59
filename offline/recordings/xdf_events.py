"""The events of an XDF file's marker streams; what of a stream is an event is `realtime.sources.markers`."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from offline.recordings.checks import in_order
from offline.recordings.xdf_streams import XdfStream, choose_markers, several
from realtime.devices import companion_of
from realtime.sources.markers import Marks
from realtime.sources.recording import Event

_MARKERS = frozenset(
    {
        *("markers", "marker", "event", "events", "event marker", "event markers"),
        *("trigger", "triggers", "trig", "ttl", "stim", "stimulus", "stimuli"),
    }
)
"""Types of marker streams, in lower case."""
_SAME_EVENT_S = 0.1
"""Two marker streams that hold the same events within this time are one, sent twice."""


def read_events(
    streams: Sequence[XdfStream], wanted: str | None, path: Path
) -> tuple[tuple[Event, ...], list[XdfStream], list[str]]:
    """Events, the marker streams they are of, and remarks; of the wanted stream, by default of all.

    A RecordingError where one was named, and none or several fit.
    """
    remarks: list[str] = []
    if wanted is None:
        chosen = [one for one in streams if one.is_text or one.kind.lower() in _MARKERS]
    else:
        chosen = choose_markers(streams, wanted, path)
    kept: list[tuple[XdfStream, list[Event]]] = []
    for one in chosen:
        events = _events(one, remarks)
        if any(_same(events, other) for _, other in kept):
            remarks.append(f"marker stream {one.name!r} repeats another and was ignored")
        elif events:
            kept.append((one, events))
    if len(kept) > 1 and wanted is not None:
        raise several([one for one, _ in kept], "--events", path)
    if len(kept) > 1:
        names = ", ".join(f"{one.name!r} ({len(events)})" for one, events in kept)
        remarks.append(
            f"events of {len(kept)} marker streams were joined: {names}; --events (events) names one of them"
        )
        if repeated := _without_repeats([events for _, events in kept]):
            remarks.append(f"{repeated} of them are in two streams and were taken once")
    if wanted is not None and not kept:
        remarks.append(f"the marker stream {chosen[0].name!r} holds no event")
    ordered, twice = in_order([event for _, events in kept for event in events])
    return ordered, chosen, remarks + twice


def _events(one: XdfStream, remarks: list[str]) -> list[Event]:
    marks = Marks(one.rate)
    events = [Event(onset, label) for onset, label in marks.take(one.values, one.times)]
    if marks.up_at_start:
        remarks.append(
            f"marker stream {one.name!r} is at {marks.up_at_start!r} at its first sample; when that began is "
            "not known"
        )
    if untimed := int(np.count_nonzero(~np.isfinite(one.times))):
        remarks.append(f"{untimed} markers of {one.name!r} have no time; ignored")
    if events and one.rate > 0 and not one.is_text and np.any(one.values % 1 > 0):
        remarks.append(
            f"marker stream {one.name!r} has values that are not whole, as noise has and no trigger: its "
            f"{len(events)} events may be none"
        )
    if marks.rejected:
        remarks.append(f"{marks.rejected} onsets of {one.name!r} are below 0, marked as rejected; ignored")
    return events


def unread(streams: Sequence[XdfStream]) -> list[str]:
    """A remark on unread streams whose type names no markers but whose samples look like such."""
    names = ", ".join(
        f"{one.name!r} (type {one.kind!r})"
        for one in streams
        if len(one.times) and not companion_of(one.info) and (one.rate <= 0 or one.is_whole)
    )
    return [f"ignored though they may hold markers: {names}; --events (events) names one"] if names else []


def _without_repeats(kept: Sequence[list[Event]]) -> int:
    """Take out what an earlier stream holds too, in place; how many events these are."""
    repeated = 0
    earlier: dict[str, list[float]] = {}
    for events in kept:
        fresh = []
        for event in events:
            # Each event of an earlier stream stands for one of a later one.
            near = [at for at in earlier.get(event.label, ()) if abs(at - event.onset) <= _SAME_EVENT_S]
            if near:
                earlier[event.label].remove(near[0])
            else:
                fresh.append(event)
        repeated += len(events) - len(fresh)
        events[:] = fresh
        for event in fresh:
            earlier.setdefault(event.label, []).append(event.onset)
    return repeated


def _same(events: Sequence[Event], others: Sequence[Event]) -> bool:
    return len(events) == len(others) and all(
        a.label == b.label and abs(a.onset - b.onset) <= _SAME_EVENT_S
        for a, b in zip(events, others, strict=True)
    )
