"""What a replay sends and when: the samples and events of a recording in one order."""

import math
from dataclasses import dataclass

import numpy as np

from models.errors import RecordingError
from realtime.sources.recording import Event, Recording


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to send.

    Parameters
    ----------
    after : float
        Recording seconds from sample 0: what it is stamped by.
    due : float
        The same, but never before that of an earlier item: when it is sent.
    sample : int
        Index into the recording, or -1 for an event.
    event : Event or None
        The event, if it is one.
    """

    after: float
    due: float
    sample: int
    event: Event | None = None


def schedule(recording: Recording, start: float = 0.0, seconds: float | None = None) -> tuple[Item, ...]:
    """What to send and when: samples in the order of the file, each event before the samples that follow it.

    Parameters
    ----------
    recording : Recording
        Stamps may be as untidy as they were recorded.
    start : float
        Skip so many seconds of it.
    seconds : float or None
        Take so many seconds; None takes the rest.

    Returns
    -------
    tuple of Item
        With non-decreasing `Item.due`.  Events outside the chosen stretch are left out, but what
        happened before the first or after the last sample of a whole recording is kept.

    Raises
    ------
    RecordingError
        If nothing is left to send.
    """
    times = recording.times
    if not (math.isfinite(start) and start >= 0) or not (seconds is None or seconds > 0):
        raise RecordingError(
            f"Asked to replay {seconds if seconds is not None else 'all'} seconds from {start}; "
            "expected a start of 0 s or more and a length of more than 0 s."
        )
    first = float(times[0]) + start if len(times) else 0.0
    last = math.inf if seconds is None else first + seconds
    # From the very start nothing is left out, be it stamped earlier than the first sample.
    lowest = first if start > 0 else -math.inf
    chosen = np.flatnonzero((times >= lowest) & (times < last))
    if not len(chosen):
        raise RecordingError(
            f"Recording {recording.name!r} has {len(times)} samples over {recording.duration:g} s; "
            f"none is left from {start:g} s on. Give a smaller --start."
        )
    origin = float(times[chosen[0]])
    events = [event for event in recording.events if lowest <= event.onset < last]
    found: list[Item] = []
    due = 0.0

    def add(when: float, sample: int, event: Event | None = None) -> None:
        nonlocal due
        due = max(due, when - origin)
        found.append(Item(when - origin, due, sample, event))

    for index in chosen.tolist():
        while events and events[0].onset <= times[index]:
            event = events.pop(0)
            add(event.onset, -1, event)
        add(float(times[index]), index)
    for event in events:
        add(event.onset, -1, event)
    return tuple(found)
