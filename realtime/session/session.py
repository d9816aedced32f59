"""One bed, wired: source -> log -> core -> inference -> decision -> journal -> sinks.

Everything runs on one asyncio loop, one entry after another, so that the order in which things were
computed *is* the order in the journal.  What blocks stands elsewhere: LSL in the source's
threads, SQLite in the journal's, a GPU in an executor.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Sequence

from models.bundle import Bundle
from models.errors import StreamError
from realtime.core import Core, Plan
from realtime.core.stream_guard import UNUSABLE, StreamGuard, fault_text
from realtime.decision import Decision
from realtime.inference import Inference
from realtime.log import (
    ClockMeasured,
    Entry,
    Received,
    SessionStarted,
    SourceTrouble,
    StreamLost,
    StreamOpened,
    StreamReset,
)
from realtime.quality.policy import Reason
from realtime.session.bedside_topics import BedsideTopics
from realtime.session.deciding import WindowDecider
from realtime.session.interfaces import Observer, SessionSettings, Source, SourceFactory
from realtime.session.publisher import Publisher
from realtime.session.reporter import Reporter, session_state_of
from realtime.sinks import Sink
from realtime.sinks.journal.journal import JournalWriter
from realtime.sinks.mqtt.sink import MqttSink
from realtime.status import State, Status, WindowStatus
from realtime.windows import Window

TICK_S = 0.25
"""How often the timer looks, local seconds."""
SLICE_S = 0.05
"""Longest that entries are worked off without a look at signals, timers and the broker, s."""
END_WITHIN_S = 5.0
"""Longest that what has arrived is still predicted once the end was asked for, s; the rest is only kept."""


class Session:
    """A bedside session.

    Parameters
    ----------
    bundle : Bundle
        The trained classifier.
    inference : Inference
        Where it is computed.
    make_source : SourceFactory
        Makes the source of entries.
    settings : SessionSettings
        Who, and until when.
    broker : MqttSink or None
        Takes decisions and status; the session opens and closes it.
    sinks : sequence of Sink
        Further places for decisions, open.
    journal : JournalWriter or None
        Keeps the log; the session closes it.  None keeps nothing (and the status says so).
    observer : Observer or None
        Watches.
    """

    def __init__(
        self,
        bundle: Bundle,
        *,
        inference: Inference,
        make_source: SourceFactory,
        settings: SessionSettings,
        broker: MqttSink | None = None,
        sinks: Sequence[Sink] = (),
        journal: JournalWriter | None = None,
        observer: Observer | None = None,
    ) -> None:
        self.core = Core(Plan.from_card(bundle.card))
        self.settings = settings
        self._feed = StreamGuard(self.core)
        self._bundle = bundle
        self._inference = inference
        self._make_source = make_source
        self._broker = broker
        self._out = Publisher(
            journal=journal,
            broker=broker,
            sinks=sinks,
            published=self._published,
            run=settings.run,
            max_age_s=self.core.plan.policy.max_age_s,
            clock=settings.local_clock,
        )
        self._observer = observer
        self._clock = settings.local_clock
        self._source: Source | None = None
        self._arrived: deque[Entry | None] = deque()
        self._called = False  # whether `_work_off` is on its way
        self._end_by: float | None = None  # monotonic s
        self._working = False
        self._finished = asyncio.Event()
        self._failure: Exception | None = None
        self._seconds_decided: float | None = None  # since the first window behind the warm-up
        self._state = session_state_of(self.core.plan, self._clock())
        self._report = Reporter(
            Status(
                session=settings.session,
                run=settings.run,
                state=State.WAITING,
                model=bundle.card.hash,
                evaluation=bundle.card.evaluation_line,
                labels=bundle.card.labels_line,
                window=window_status(self.core.plan),
                channels=len(self.core.plan.spec),
                versions={"device": inference.device_name},
            ),
            state=self._state,
            out=self._out,
            observer=observer,
            clock=lambda: self.core.clock,
            guard=self.core.guard,
            utc_offset=time.time() - self._clock(),
        )
        self._out.failed = self._report.failed
        self._topics = BedsideTopics(
            settings,
            self.core,
            topics=None if broker is None else broker.side,
            keep=self._out.append,
            emit=self._put,
            utc_offset=lambda: self._report.utc_offset,
        )
        self._report.signals = lambda: self._topics.signals_status
        self._report.commands = lambda: self._topics.commands_status
        self._decider = WindowDecider(
            core=self.core,
            guard=self._feed,
            inference=inference,
            out=self._out,
            report=self._report,
            state=self._state,
            clock=self._clock,
            resume=self._work_off,
        )

    # ------------------------------------------------------------- running

    async def run(self) -> None:
        """Run until `stop` is called, the set time is over, or the first stream cannot be used.

        Any other error is reported in the status, and the session goes on.

        Raises
        ------
        HemostreamError
            The first stream cannot be used: none, several, or without the channels that are needed; or the
            journal could not be written to its end.
        """
        loop = asyncio.get_running_loop()
        self._handle(self._started())
        self._topics.began()

        def emit(entry: Entry) -> None:
            # One call for all that came meanwhile: the loop runs all that are due before it looks at signals.
            self._arrived.append(entry)
            if not self._called:
                self._called = True
                loop.call_soon_threadsafe(self._work_off)

        def failed(error: Exception) -> None:
            loop.call_soon_threadsafe(self._end, error)

        source = self._source = self._make_source(emit, failed)
        async with contextlib.AsyncExitStack() as stack:
            if self._broker is not None:
                await stack.enter_async_context(self._broker)
            self._report.publish()
            timer = asyncio.create_task(self._watch(), name="session-timer")
            source.start()
            try:
                await self._finished.wait()
            finally:
                timer.cancel()
                await asyncio.to_thread(source.close)
                await self._come_to_rest()
                self._topics.ended(self._clock())
                unwritten = await self._out.close()
                self._failure = self._failure or unwritten
                self._state.ended(str(self._failure or "session ended"), self._clock())
                self._report.publish()
                self._topics.publish_last()
        if self._failure is not None:
            raise self._failure

    def _put(self, entry: Entry) -> None:
        """What came from elsewhere than the source, behind what has arrived; on the loop."""
        self._arrived.append(entry)
        self._work_off()

    async def abandon(self) -> None:
        """Let go of the journal; for a session that is never run."""
        await self._out.close()

    async def _come_to_rest(self) -> None:
        """What a device still computes is published; what arrived meanwhile is kept, and not predicted."""
        await self._decider.finish()
        for entry in self._arrived:
            if entry is not None:
                self._out.append(entry)
        self._arrived.clear()

    @property
    def decisions(self) -> int:
        """Windows decided so far."""
        return self._decider.decisions

    @property
    def heard(self) -> bool:
        """Whether there was ever a stream."""
        return self._state.stream is not None

    def stop(self) -> None:
        """End cleanly after what has arrived; call it on the loop."""
        if self._end_by is None:
            self._end_by = time.monotonic() + END_WITHIN_S
        self._end(None)

    def _end(self, error: Exception | None) -> None:
        self._failure = self._failure or error
        self._arrived.append(None)
        self._work_off()

    def _started(self) -> SessionStarted:
        settings = {"device": self._inference.device_name, "sizes": list(self._inference.sizes)}
        return SessionStarted(
            self._clock(),
            self.settings.session,
            self.settings.run,
            self._bundle.card.hash,
            {**settings, **self.settings.extra},
        )

    def _work_off(self) -> None:
        """Handle what arrived, in order, as far as no device is computing; None ends the session."""
        self._called = False  # before the look: what comes later calls again
        if self._working:
            return  # a decision that ends the session comes back here: what it queued is handled below
        self._working = True
        predicted = False
        begun = time.monotonic()
        try:
            while self._arrived and not self._decider.computing and not self._finished.is_set():
                now = time.monotonic()
                if self._end_by is not None and now > self._end_by:
                    self._finished.set()
                    break
                if now - begun > SLICE_S:
                    self._called = True
                    asyncio.get_running_loop().call_soon(self._work_off)
                    break
                entry = self._arrived.popleft()
                if entry is None:
                    self._finished.set()
                else:
                    predicted = self._handle_safely(entry) or predicted
            if not predicted:
                self.core.prepare()  # else a decision is on its way, and must not wait
        except Exception as error:  # noqa: BLE001 - a callback has no caller; the status reports it
            self._report.failed("session", fault_text(error))
        finally:
            self._working = False

    def _handle_safely(self, entry: Entry) -> bool:
        """One entry, whatever it is; whether it completed a window."""
        try:
            if windows := self._handle(entry):
                self._topics.windows(windows)
                self._decider.take(windows)
                return True
        except (*UNUSABLE, StreamError) as error:  # the first stream, or what it was configured with
            self._fail(error)
        except Exception as error:  # noqa: BLE001 - no entry ends a session; the status reports it
            self._report.failed("session", fault_text(error))
        return False

    def _fail(self, error: Exception) -> None:
        self._failure = self._failure or error
        self._finished.set()

    def _handle(self, entry: Entry) -> list[Window]:
        """One entry: into the journal, into the core."""
        self._out.append(entry)
        refused, clock_steps, faults = self._feed.refused, self.core.clock_steps, self._feed.faults
        windows = self._feed.feed(entry)
        match entry:
            case Received():
                self._state.sample(entry.local)
            case StreamOpened():
                self._state.opened(entry)
            case StreamLost():
                self._state.lost(entry.reason, entry.local)
            case StreamReset():
                self._state.reset(entry.local)
            case ClockMeasured():
                self._report.measured(entry)
            case SourceTrouble():
                self._report.trouble(entry)
        if self._feed.faults > faults:
            self._report.failed("core", self._feed.fault)
        if self.core.clock_steps > clock_steps or self._feed.faults > faults:
            self._state.reset(entry.local)
        if self._feed.refused and not refused:
            self._refuse(self._feed.refused, entry.local)
        self._report.publish_changes()
        return windows

    def _refuse(self, reason: str, local: float) -> None:
        """The stream that came in the place of another cannot be used: the source looks on."""
        self._state.lost(f"the stream that came back cannot be used: {reason}", local)
        if self._source is not None:
            self._source.refuse(reason)

    def _published(self, decision: Decision) -> None:
        if self._observer is not None:
            self._observer.decision(decision)
        self._topics.decided(decision.reasons)
        self._end_in_time(decision)
        self.core.prepare()

    def _end_in_time(self, decision: Decision) -> None:
        """By windows, not by stamps: a clock that is set ends no session."""
        if self._seconds_decided is None:
            if Reason.WARMING_UP not in decision.reasons:
                self._seconds_decided = 0.0
        else:
            self._seconds_decided += decision.count * self.core.plan.step_s
        seconds = self.settings.seconds
        if seconds is not None and (self._seconds_decided or 0.0) >= seconds:
            self.stop()

    # -------------------------------------------------------------- status

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            try:
                self._state.tick(self._clock(), self.core.clock.rate if self.core.clock else 0.0)
                self._report.works("status")
                self._report.publish()
                self._topics.tick(
                    self._clock(),
                    self._report.latest,
                    self._report.inference_error,
                    idle=not self._arrived and not self._decider.computing,
                )
            except Exception as error:  # noqa: BLE001 - the timer goes on, and reports it where it can
                self._report.failed("status", fault_text(error))


def window_status(plan: Plan) -> WindowStatus:
    """What a plan decides, and until when a decision is current."""
    return WindowStatus(length_s=plan.length_s, step_s=plan.step_s, max_age_s=plan.policy.max_age_s)
