"""Markers that come by a stream of their own, with a clock and a life of their own.

What of it is an event, and under which label, is `realtime.sources.markers`.
"""

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pylsl

from models.arrays import Floats
from models.errors import StreamError
from models.outside import LONGEST_LABEL, decoded, printable
from realtime.input_guards.stamps import on_a_clock
from realtime.log import EventReceived, OriginKind
from realtime.sources.lsl.connection import ANSWER_S, BUFFER_S, GONE, PULL_TIMEOUT_S, clock_offset
from realtime.sources.lsl.resolve import resolve
from realtime.sources.lsl.search import LOOK_S, MANY, StreamChoice, several
from realtime.sources.lsl.search import named as named_streams
from realtime.sources.lsl.stream_info import origin_from_info
from realtime.sources.lsl.trouble import Troubles
from realtime.sources.markers import Marks
from realtime.sources.stream_choice import literal

FIND_S = 2.0
"""How long to look for a stream of markers, s."""
CLOCK_EVERY_S = 5.0
"""Local seconds between two comparisons with its clock."""
PULL_MOST = 64
"""Most markers taken at once."""
MOST_A_SECOND = 500
"""Most markers that are taken in a local second: more is a signal, or a fault, and would fill the journal."""
AHEAD_S = 10.0
"""So far (s) before its own time no marker comes, nor later than what waits in an inlet's buffer."""
MARKERS = "markers"
"""What they are called where trouble is reported."""


def events_predicate(choice: StreamChoice, signal: pylsl.StreamInfo) -> str | None:
    """What the marker stream that belongs to a signal matches; None where there is none to listen to."""
    if choice.events is not None:
        return choice.events
    if origin_from_info(signal).kind is OriginKind.LIVE:
        return None
    return f"source_id={literal(signal.source_id() + '-events')}"


def find_events(predicate: str, *, named: bool, signal: str) -> pylsl.StreamInfo | None:
    """The one marker stream that is meant; None where there is none and none was asked for.

    Parameters
    ----------
    predicate : str
        What it is chosen by.
    named : bool
        Whether a person named it.
    signal : str
        The uid of the signal, which is no stream of markers.

    Raises
    ------
    StreamError
        One was named and is not there, or several match (it lists them).
    """
    found = (named_streams if named else resolve)(predicate, minimum=1, timeout=FIND_S)
    if found and named:
        found = named_streams(predicate, minimum=MANY, timeout=LOOK_S) or found
    if named and [one.uid() for one in found] == [signal]:
        raise StreamError(f"{predicate} is the signal itself; expected a stream of markers for --events.")
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
    troubles: Troubles,
    live: bool,
) -> None:
    """Hand on markers until stopped; a stream that is gone is listened to again when it is back.

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
    troubles : Troubles
        Gets what could not be taken, and errors: none of them ends the listening.
    live : bool
        Whether the signal goes at the pace of its stamps.
    """
    again: pylsl.StreamInfo | None = info
    while not stop.is_set():
        try:
            if again is not None:
                _listen_once(again, Markers(emit, troubles, again.nominal_srate(), live=live), stop, troubles)
            if stop.wait(LOOK_S):
                return
            found = named_streams(predicate, minimum=1, timeout=LOOK_S)
            same = [one for one in found if one.source_id() == info.source_id()]
            again = same[0] if len(same) == 1 else None
        except GONE:
            again = None
        except Exception as error:  # noqa: BLE001 - markers end no session; it is reported, and tried again
            again = None
            troubles.failed(MARKERS, error)
            stop.wait(LOOK_S)


def _listen_once(
    info: pylsl.StreamInfo, markers: "Markers", stop: threading.Event, troubles: Troubles
) -> None:
    # As arrays: texts come as the bytes that were sent, and pylsl would raise on what is not UTF-8.
    inlet = pylsl.StreamInlet(info, max_buflen=BUFFER_S, recover=False, processing_flags=0, as_numpy=True)
    try:
        inlet.open_stream(timeout=ANSWER_S)
        offset = clock_offset(inlet, ANSWER_S)
        measured = pylsl.local_clock()
        troubles.works(MARKERS)
        while not stop.is_set():
            values, stamps = inlet.pull_chunk(timeout=PULL_TIMEOUT_S, max_samples=PULL_MOST, min_samples=1)
            local = pylsl.local_clock()
            if local - measured > CLOCK_EVERY_S:
                offset, measured = clock_offset(inlet, ANSWER_S), local
            markers.take(values, stamps + offset, local)
    finally:
        inlet.close_stream()
        troubles.report(all_of_it=True)


class Markers:
    """The edge at which markers come in: decoded, bounded, printable.

    Parameters
    ----------
    emit : callable of EventReceived
        Takes those that can be taken.
    troubles : Troubles
        Gets the others.
    rate : float
        That the stream declares, Hz: one with a rate is a trigger line.
    live : bool
        Whether its stamps must go with our clock, as those of a replay that is fast do not.
    """

    def __init__(
        self,
        emit: Callable[[EventReceived], None],
        troubles: Troubles,
        rate: float = 0.0,
        *,
        live: bool = False,
    ) -> None:
        self._emit = emit
        self._live = live
        self._marks = Marks(rate)
        self._troubles = troubles
        self._second = 0
        self._in_second = 0

    def take(self, values: npt.NDArray[Any], stamps: Floats, local: float) -> None:
        """Markers as they came.

        Parameters
        ----------
        values : (n_markers, n_channels) array of bytes objects or numbers
            What they say.
        stamps : (n_markers,) float64, s
            On the local clock.
        local : float
            Local time (s) of their arrival.
        """
        good = [on_a_clock(stamp) for stamp in stamps.tolist()]
        for stamp in stamps[np.logical_not(good)].tolist():
            self._troubles.rejected(MARKERS, f"stamped {stamp:g} s, which no clock gives")
        rows = [_readable(row) for row, on in zip(values, good, strict=True) if on]
        began, rejected = self._marks.up_at_start, self._marks.rejected
        events = self._marks.take(rows, stamps[good])
        if self._marks.up_at_start != began:
            up = self._marks.up_at_start
            self._troubles.rejected(MARKERS, f"{up!r} at the first sample; when that began is not known")
        if more := self._marks.rejected - rejected:
            self._troubles.rejected(MARKERS, "below 0, marked as rejected", more)
        for onset, label in events:
            if self._too_many(local):
                self._troubles.rejected(MARKERS, f"more than {MOST_A_SECOND} came in a second")
            else:
                if self._live and not -BUFFER_S <= onset - local <= AHEAD_S:
                    self._troubles.rejected(
                        MARKERS,
                        f"stamped {onset - local:+.0f} s from when it came, by a clock that the signal does "
                        "not share; kept as it is",
                    )
                self._emit(EventReceived(local, onset, self._bounded(label)))
        self._troubles.report()

    def _bounded(self, text: str) -> str:
        if len(text) > LONGEST_LABEL:
            self._troubles.rejected(MARKERS, f"{len(text)} characters long; the middle is left out")
        return printable(text, LONGEST_LABEL)

    def _too_many(self, local: float) -> bool:
        if int(local) != self._second:
            self._second, self._in_second = int(local), 0
        self._in_second += 1
        return self._in_second > MOST_A_SECOND


def _readable(values: npt.NDArray[Any]) -> list[Any]:
    """All values of a sample: texts decoded, numbers as they are."""
    return [decoded(value) if isinstance(value, bytes) else value for value in values.tolist()]
