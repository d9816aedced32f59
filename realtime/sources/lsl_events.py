"""Markers that come by a stream of their own, with a clock and a life of their own.

What of it is an event, and under which label, is `realtime.markers`.
"""

import threading
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import pylsl

from models.errors import StreamError
from realtime.log import EventReceived, OriginKind
from realtime.lsl_info import origin_from_info
from realtime.markers import Marks
from realtime.sources.lsl_connection import ANSWER_S, BUFFER_S, GONE, PULL_TIMEOUT_S
from realtime.sources.lsl_search import LOOK_S, MANY, StreamChoice, several

FIND_S = 2.0
"""How long to look for a stream of markers, s."""
CLOCK_EVERY_S = 5.0
"""Local seconds between two comparisons with its clock."""


def events_predicate(choice: StreamChoice, signal: pylsl.StreamInfo) -> str | None:
    """What the marker stream that belongs to a signal matches; None where there is none to listen to."""
    if choice.events is not None:
        return choice.events
    if origin_from_info(signal).kind is OriginKind.LIVE:
        return None
    return f"source_id='{signal.source_id()}-events'"


def find_events(predicate: str, *, named: bool) -> pylsl.StreamInfo | None:
    """The one marker stream that is meant; None where there is none and nobody named one.

    Raises
    ------
    StreamError
        One was named and is not there, or several match (it lists them).
    """
    found = pylsl.resolve_bypred(predicate, minimum=1, timeout=FIND_S)
    if found and named:
        found = pylsl.resolve_bypred(predicate, minimum=MANY, timeout=LOOK_S) or found
    if len(found) > 1:
        raise StreamError(several(found, predicate, "--events"))
    if not found and named:
        raise StreamError(
            f"No event stream matches {predicate} after {FIND_S:g} s. Start it first, or leave out --events."
        )
    return found[0] if found else None


def listen(
    info: pylsl.StreamInfo,
    predicate: str,
    *,
    emit: Callable[[EventReceived], None],
    stop: threading.Event,
) -> None:
    """Hand on markers until told to stop; a stream that is gone is listened to again when it is back.

    Parameters
    ----------
    info : pylsl.StreamInfo
        The stream.
    predicate : str
        What its replacement must match, besides the source_id.
    emit : callable of EventReceived
        Takes them.
    stop : threading.Event
        Ends it.
    """
    again: pylsl.StreamInfo | None = info
    while not stop.is_set():
        if again is not None:
            with suppress(*GONE):
                _listen_once(again, emit, stop)
        if stop.wait(LOOK_S):
            return
        found = pylsl.resolve_bypred(predicate, minimum=1, timeout=LOOK_S)
        same = [one for one in found if one.source_id() == info.source_id()]
        again = same[0] if len(same) == 1 else None


def _listen_once(
    info: pylsl.StreamInfo, emit: Callable[[EventReceived], None], stop: threading.Event
) -> None:
    inlet = pylsl.StreamInlet(info, max_buflen=BUFFER_S, recover=False, processing_flags=0)
    marks = Marks(info.nominal_srate())  # anew: what happened while it was gone is not known
    try:
        inlet.open_stream(timeout=ANSWER_S)
        offset = inlet.time_correction(timeout=ANSWER_S)
        measured = pylsl.local_clock()
        while not stop.is_set():
            sample, stamp = inlet.pull_sample(timeout=PULL_TIMEOUT_S)
            local = pylsl.local_clock()
            if local - measured > CLOCK_EVERY_S:
                offset, measured = inlet.time_correction(timeout=ANSWER_S), local
            if sample is not None:
                for onset, label in marks.take([sample], np.array([stamp])):
                    emit(EventReceived(local, onset + offset, label))
    finally:
        inlet.close_stream()
