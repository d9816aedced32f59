"""A Lab Streaming Layer stream as log entries, for as long as a session lasts.

liblsl's defaults mislead at haemodynamic rates, so none of its processing is used: raw stamps are
read, the offset between the clocks is measured on our own schedule, and everything blocking
happens in threads of its own.  Each thing that happens is handed on as one entry of the ordered
log, stamped with the local clock when it was in our hands: also that the stream was lost, and
that it, or its replacement, was opened again.
"""

import threading
from collections.abc import Callable

import pylsl

from models.errors import HemostreamError, StreamError
from models.outside import printable
from realtime.channels.layout import StreamLayout
from realtime.channels.lsl_description import read_origin
from realtime.channels.stream_xml import read_stream_xml
from realtime.devices import needed
from realtime.log import Entry, OriginKind, Received, StreamLost, StreamOpened
from realtime.sources.lsl.clock_gate import ClockGate
from realtime.sources.lsl.connection import StreamConnection
from realtime.sources.lsl.events import events_predicate, find_events, listen
from realtime.sources.lsl.flow import Flow
from realtime.sources.lsl.reading import ConnectionReader
from realtime.sources.lsl.search import HAEMODYNAMIC, LOOK_S, StreamChoice, describe_streams, find_stream
from realtime.sources.lsl.search_again import Search, StreamIdentity, look_again
from realtime.sources.lsl.trouble import Troubles
from realtime.sources.stream_checks import open_stream
from realtime.sources.stream_choice import By, parse

__all__ = ["HAEMODYNAMIC", "LslSource", "StreamChoice", "describe_streams", "find_stream"]

TRIAL_S = 60.0
"""A stream that turns out to be too fast so soon after the session's first opening ends the session, local s;
later it is left, and looked for again, as no one may be there."""


class _TooFastError(StreamError):
    """The first stream sends more than any haemodynamic device: that ends the session."""


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
    fits : callable of StreamOpened, optional
        Raises a `SignalError` where the replacement of a lost stream lacks what is needed;
        the search goes on then.  The first stream is not asked for: a person is there to see the error.
    """

    def __init__(
        self,
        choice: StreamChoice,
        *,
        emit: Callable[[Entry], None],
        failed: Callable[[Exception], None],
        fits: Callable[[StreamOpened], object] | None = None,
    ) -> None:
        self._choice = choice
        self._emit = emit
        self._failed = failed
        self._fits = fits
        self._stop = threading.Event()
        self._closing = False
        self._threads: list[threading.Thread] = []
        self._refused: dict[str, str] = {}  # uids of streams that cannot be used, and why
        self._again, self._alone = choice.predicate, ""  # what is looked for once it is gone
        self._refusal = ""  # the session's refusal of the present one
        self._rows = 0  # of the stream that a side file was written for
        self._reported = ""  # the last reason for having no stream
        self._any = False  # whether there was ever one
        self._troubles = Troubles(emit)
        self._began = 0.0  # when the first one was opened, local s
        self._too_fast = ""  # why the present one is

    def start(self) -> None:
        """Begin to look for the stream, and read it."""
        self._run_thread("lsl-samples", self._acquire)

    def close(self) -> None:
        """Stop, and wait until the threads have ended."""
        self._closing = True
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def refuse(self, reason: str) -> None:
        """The replacement of a lost stream cannot be used after all: leave it and search on."""
        self._refusal = reason

    def _run_thread(self, name: str, work: Callable[[], None]) -> None:
        def guarded() -> None:
            try:
                work()
            except Exception as error:  # noqa: BLE001 - whatever ends the thread must be reported, not lost
                # One that fails ends the others: only `close` makes a failure no news.
                if not self._closing:
                    self._failed(error)

        thread = threading.Thread(target=guarded, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    # ---------------------------------------------------------- one after another

    def _acquire(self) -> None:
        try:
            info = find_stream(self._choice, self._stop)
            if self._stop.is_set():
                return
            connection: StreamConnection | None = StreamConnection(info)
            assert connection is not None
            self._again, self._alone = look_again(self._choice, info)
            self._rows = connection.info.channel_count()
            # Looked at before samples are asked for: a replay must not start for nothing.
            opened = self._opened(connection.info)
            predicate = events_predicate(self._choice, connection.info)
            while connection is not None:
                before = connection.found
                try:
                    lost = self._follow(connection, opened, predicate)
                except Exception as error:
                    if not self._any or isinstance(error, _TooFastError):
                        raise
                    lost = f"reading it failed: {type(error).__name__}: {error}"
                    self._stop.wait(LOOK_S)
                predicate = None  # listened to once, for good
                if self._stop.is_set():
                    connection.close()
                    return
                self._lost(lost)
                connection.close()
                connection, opened = self._look_for_it(StreamIdentity.of(before), opened)
        finally:
            self._stop.set()
            for thread in self._threads:
                if thread is not threading.current_thread():
                    thread.join()

    def _lost(self, reason: str) -> None:
        if self._alone:
            reason += f"; {self._alone}"
        reason = printable(reason, 1000)
        if reason != self._reported:
            self._reported = reason
            self._emit(StreamLost(pylsl.local_clock(), reason))

    def _look_for_it(
        self, before: StreamIdentity, last: StreamOpened
    ) -> tuple[StreamConnection | None, StreamOpened]:
        """Look until it is there again and can be used; None where the session ends before."""
        search = Search(self._again, before)
        while not self._stop.is_set():
            try:
                info, why = search.look(self._refused)
                if info is None:
                    if why:
                        self._lost(why)
                    continue
                if (found := self._try(info)) is not None:
                    return found
            except Exception as error:  # noqa: BLE001 - whatever is there, it is reported and passed over
                self._lost(f"looking for it failed: {type(error).__name__}: {error}")
                self._stop.wait(LOOK_S)
        return None, last

    def _try(self, info: pylsl.StreamInfo) -> tuple[StreamConnection, StreamOpened] | None:
        """Connect to what was found; None where it cannot be used."""
        try:
            connection = StreamConnection(info)
        except StreamError as error:
            self._lost(str(error))
            return None
        try:
            opened = self._opened(connection.info)
            if self._fits is not None:
                self._fits(opened)
        except HemostreamError as error:
            connection.close()
            self._refuse(info, str(error))
            return None
        except Exception:
            connection.close()
            self._refused[info.uid()] = "an error"
            raise
        return connection, opened

    def _refuse(self, info: pylsl.StreamInfo, reason: str) -> None:
        self._refused[info.uid()] = reason
        self._lost(f"the stream that came back cannot be used: {reason}")

    def _opened(self, info: pylsl.StreamInfo) -> StreamOpened:
        xml = info.as_xml()
        element = read_stream_xml(xml)
        side = self._choice.layout
        if side is None:
            side = needed(element, self._choice.trained_layout)
        origin = read_origin(element)
        if origin.kind is not OriginKind.LIVE and not self._choice.allow_replay:
            raise StreamError(
                f"Stream {info.name()!r} says that it is {origin.kind}, not live. "
                "Take it on purpose with --allow-replay."
            )
        if isinstance(side, StreamLayout) and info.channel_count() != self._rows:
            raise StreamError(
                f"Stream {info.name()!r} has {info.channel_count()} rows now; the side file was used for "
                f"{self._rows} rows. Start again with a side file for this setting."
            )
        return open_stream(element, side, local=pylsl.local_clock(), declared=xml)

    # ------------------------------------------------------------- one connection

    def _follow(self, connection: StreamConnection, opened: StreamOpened, events: str | None) -> str:
        """Read a connection until it ends; give the reason in plain words."""
        try:
            first = connection.open()
        except StreamError as error:
            if not self._any:
                raise  # a person is there to see it
            return str(error)
        if not self._any:
            self._began = pylsl.local_clock()
        self._reported, self._any, self._too_fast = "", True, ""
        self._refusal = ""  # one that came late meant the stream before
        self._emit(opened)
        self._emit(first)
        if events is not None:
            live = opened.origin.kind is OriginKind.LIVE
            signal = connection.found.uid()
            self._run_thread("lsl-events", lambda: self._listen(events, signal, live))
        ask = threading.Event()
        flow = Flow(read_stream_xml(opened.declared), opened.origin.speed)

        def emit(entry: Entry) -> None:
            self._emit(entry)
            if isinstance(entry, Received) and (why := flow.take(entry.local, len(entry.stamps))):
                self._refusal = self._too_fast = why

        order = ClockGate(emit, ask.set, origin=opened.origin, first=first)
        reading = ConnectionReader(connection, order, opened, ask, self._troubles)
        clocks = threading.Thread(target=lambda: reading.compare(self._again), name="lsl-clock", daemon=True)
        clocks.start()
        try:
            why = reading.pull(lambda: self._stop.is_set() or bool(self._refusal))
            order.close()
            refusal, self._refusal = self._refusal, ""
            if self._too_fast and pylsl.local_clock() - self._began < TRIAL_S:
                raise _TooFastError(self._too_fast)  # a person is there to see it
            if refusal:
                self._refused[connection.found.uid()] = refusal
                back = "" if refusal == self._too_fast else "that came back "
                why = f"the stream {back}cannot be used: {refusal}"
            elif reading.elsewhere:
                self._refused[connection.found.uid()] = why
            if not self._stop.is_set():
                self._lost(why)  # at once: a comparison that is under way may take seconds to end
        finally:
            order.close()
            reading.end()
            clocks.join()
        return why

    def _listen(self, predicate: str, signal: str, live: bool) -> None:
        info = find_events(predicate, named=self._choice.events is not None, signal=signal)
        if info is not None:
            by_uid = self._choice.events is not None and parse(predicate).by is By.UID
            again = StreamIdentity.of(info).predicate if by_uid else predicate
            listen(info, again, emit=self._emit, stop=self._stop, troubles=self._troubles, live=live)
