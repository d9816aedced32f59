"""A Lab Streaming Layer stream as log entries.

liblsl's defaults mislead at haemodynamic rates, so none of its processing is used: raw stamps are
read, the offset between the clocks is measured on our own schedule, and everything blocking
happens in threads of its own.  Each thing that happens is handed on as one entry of the ordered
log, stamped with the local clock when it was in our hands.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pylsl

from models.errors import StreamError
from realtime.log import ClockMeasured, Entry, EventReceived, OriginKind, Received, StreamOpened
from realtime.lsl_info import is_companion, layout_from_info, origin_from_info
from realtime.side_file import SideFile

HAEMODYNAMIC = "type='NIRS' or type='NIRSx' or type='fNIRS' or type='fMRI'"
"""Streams that `live` takes when none is named."""
CLOCK_EVERY_S = 5.0
"""Local seconds between two comparisons of the clocks."""
LOOK_S = 1.0
"""How long to look for streams at once, s: liblsl hears of none in the first half second (measured)."""
MANY = 1000
"""More streams than there are."""
ANSWER_S = 10.0
"""Longest wait for a stream that was found to answer, s."""
PULL_TIMEOUT_S = 0.2
"""Longest wait for a sample before the thread looks whether it should stop, s."""
PULL_MOST = 64
"""Most samples taken at once; a burst comes as several entries."""
BUFFER_S = 360
"""What liblsl keeps for us while we are busy, s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamChoice:
    """Which stream to take.

    Parameters
    ----------
    predicate : str
        XPath predicate over the stream's description, as LSL's resolver takes it.
    layout : StreamLayout, Geometry or None
        What a side file says of the rows, for a stream that does not (wholly) describe itself.
    allow_replay : bool
        Whether a replayed or simulated stream may be taken.
    wait_s : float
        Longest wait for the stream to appear, s.
    events : str or None
        Predicate of a marker stream to listen to as well.  None listens to the one that belongs
        to a hemostream replay, if there is one.
    """

    predicate: str = HAEMODYNAMIC
    layout: SideFile | None = None
    allow_replay: bool = False
    wait_s: float = 30.0
    events: str | None = None


def find_stream(choice: StreamChoice, stop: threading.Event | None = None) -> pylsl.StreamInfo:
    """Find the one stream that is meant.

    Raises
    ------
    StreamError
        No stream matches (it lists what was seen) or more than one does (it lists them).
    """
    deadline = time.monotonic() + choice.wait_s
    found: list[pylsl.StreamInfo] = []
    while not found and not (stop and stop.is_set()):
        left = deadline - time.monotonic()
        if left <= 0:
            break
        found = pylsl.resolve_bypred(choice.predicate, minimum=1, timeout=min(left, LOOK_S))
    if found:
        # The first answer came; give all others the time to answer too.
        found = pylsl.resolve_bypred(choice.predicate, minimum=MANY, timeout=LOOK_S) or found
        # Some devices send statistics or motion beside the signal, under the same type.
        found = [info for info in found if not is_companion(info)] or found
    if len(found) == 1:
        return found[0]
    if found:
        raise StreamError(
            f"{len(found)} streams match {choice.predicate}: {describe_streams(found)}. "
            "Name one with --stream, for instance --stream \"source_id='…'\"."
        )
    seen = pylsl.resolve_streams(wait_time=LOOK_S)
    raise StreamError(
        f"No stream matches {choice.predicate} after {choice.wait_s:g} s. "
        + (f"Seen: {describe_streams(seen)}. " if seen else "No LSL stream at all was seen. ")
        + "Start the stream, or name it with --stream; a firewall that blocks multicast hides streams too."
    )


def describe_streams(infos: Sequence[pylsl.StreamInfo]) -> str:
    """Streams in one line: name, type, channels, rate, source id, host."""
    return "; ".join(
        f"{info.name()!r} (type {info.type()}, {info.channel_count()} channels, {info.nominal_srate():g} Hz, "
        f"source_id {info.source_id()!r}, on {info.hostname()})"
        for info in infos
    )


class LslSource:
    """Threads that turn a stream into entries.

    Parameters
    ----------
    choice : StreamChoice
        Which stream.
    emit : callable
        Takes each entry; called from this source's threads, must not block.
    failed : callable
        Takes the error that ended the source; called from one of its threads.
    """

    def __init__(
        self,
        choice: StreamChoice,
        *,
        emit: Callable[[Entry], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self._choice = choice
        self._emit = emit
        self._failed = failed
        self._stop = threading.Event()
        self._closing = False
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin to look for the stream, and read it."""
        self._run_thread("lsl-samples", self._acquire)

    def close(self) -> None:
        """Stop, and wait until the threads have ended."""
        self._closing = True
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run_thread(self, name: str, work: Callable[[], None]) -> None:
        def guarded() -> None:
            try:
                work()
            except Exception as error:  # noqa: BLE001 - whatever ends the thread must be told, not lost
                # One that fails ends the others: only `close` makes a failure no news.
                if not self._closing:
                    self._failed(error)

        thread = threading.Thread(target=guarded, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _acquire(self) -> None:
        info = find_stream(self._choice, self._stop)
        if self._stop.is_set():
            return
        inlet = pylsl.StreamInlet(info, max_buflen=BUFFER_S, processing_flags=0)
        try:
            try:
                # Looked at before samples are asked for: a replay must not start for nothing.
                full = inlet.info(timeout=ANSWER_S)
                opened = self._opened(full)
                inlet.open_stream(timeout=ANSWER_S)
                # The first comparison takes liblsl half a second; samples wait in its buffer meanwhile.
                measured = self._measure(inlet)
            except (pylsl.util.TimeoutError, pylsl.util.LostError) as error:
                raise StreamError(
                    f"Found {describe_streams([info])}, but it does not answer within {ANSWER_S:g} s. Is it "
                    "still there? A firewall may let the search through and not the data (LSL needs TCP and "
                    "UDP ports 16572 to 16604)."
                ) from error
            self._emit(opened)
            self._emit(measured)
            self._run_thread("lsl-clock", lambda: self._keep_measuring(inlet))
            self._listen_to_events(full)
            self._pull(inlet)
        finally:
            self._stop.set()
            for thread in self._threads:
                if thread is not threading.current_thread():
                    thread.join()
            inlet.close_stream()

    def _opened(self, info: pylsl.StreamInfo) -> StreamOpened:
        origin = origin_from_info(info)
        if origin.kind is not OriginKind.LIVE and not self._choice.allow_replay:
            raise StreamError(
                f"Stream {info.name()!r} says that it is {origin.kind}, not live. "
                "Take it on purpose with --allow-replay."
            )
        layout = layout_from_info(info, self._choice.layout)
        return StreamOpened(
            local=pylsl.local_clock(),
            spec=layout.spec,
            origin=origin,
            name=info.name(),
            source_id=info.source_id(),
            declared=info.as_xml(),
            rows=layout.rows,
            scales=layout.scales,
            device=layout.device,
            frame_row=layout.frame_row,
        )

    def _measure(self, inlet: pylsl.StreamInlet) -> ClockMeasured:
        offset = inlet.time_correction(timeout=ANSWER_S)
        # The narrowest of a few brackets: between the two readings the thread may have been put aside.
        readings = []
        for _ in range(5):
            before = pylsl.local_clock()
            utc = time.time()
            after = pylsl.local_clock()
            readings.append((after - before, utc - (before + after) / 2))
        return ClockMeasured(pylsl.local_clock(), offset, min(readings)[1])

    def _keep_measuring(self, inlet: pylsl.StreamInlet) -> None:
        while not self._stop.wait(CLOCK_EVERY_S):
            try:
                self._emit(self._measure(inlet))
            except (pylsl.util.TimeoutError, pylsl.util.LostError):
                continue  # the last offset holds; the stall itself is told by the session's timer

    def _pull(self, inlet: pylsl.StreamInlet) -> None:
        while not self._stop.is_set():
            # Return with the first sample: a decision may wait for it.
            samples, stamps = inlet.pull_chunk(timeout=PULL_TIMEOUT_S, max_samples=1, as_numpy=True)
            if not len(stamps):
                continue
            if inlet.samples_available():  # a burst: whatever else is there already comes with it
                more, more_stamps = inlet.pull_chunk(timeout=0.0, max_samples=PULL_MOST - 1, as_numpy=True)
                samples = np.concatenate([samples, more])
                stamps = np.concatenate([stamps, more_stamps])
            local = pylsl.local_clock()
            self._emit(Received(local, stamps, np.ascontiguousarray(samples.T)))

    def _listen_to_events(self, info: pylsl.StreamInfo) -> None:
        predicate = self._choice.events
        if predicate is None:
            if origin_from_info(info).kind is OriginKind.LIVE:
                return
            predicate = f"source_id='{info.source_id()}-events'"
        found = pylsl.resolve_bypred(predicate, minimum=1, timeout=2.0)
        if found:
            self._run_thread("lsl-events", lambda: self._pull_events(found[0]))
        elif self._choice.events is not None:
            raise StreamError(
                f"No event stream matches {predicate} after 2 s. Start it first, or leave out --events."
            )

    def _pull_events(self, info: pylsl.StreamInfo) -> None:
        inlet = pylsl.StreamInlet(info, max_buflen=BUFFER_S, processing_flags=0)
        try:
            inlet.open_stream(timeout=10.0)
            offset = inlet.time_correction(timeout=10.0)
            while not self._stop.is_set():
                sample, stamp = inlet.pull_sample(timeout=PULL_TIMEOUT_S)
                if sample is not None:
                    self._emit(EventReceived(pylsl.local_clock(), stamp + offset, str(sample[0])))
        finally:
            inlet.close_stream()
