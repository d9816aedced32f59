"""One bed, wired: source -> log -> core -> inference -> decision -> journal -> sinks.

Everything runs on one asyncio loop, one entry after another, so that the order in which things were
computed *is* the order in the journal.  What blocks stands elsewhere: LSL in the source's
threads, SQLite in the journal's, a GPU in an executor.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from models.bundle import Bundle
from models.errors import JournalError
from realtime.core import Core, Plan
from realtime.decision import Decision
from realtime.inference import Inference
from realtime.log import Entry, EventReceived, Produced, Received, SessionStarted, StreamOpened
from realtime.sinks import Sink
from realtime.sinks.journal import JournalWriter
from realtime.status import State, Status
from realtime.windows import Window

STALL_INTERVALS = 5
"""Sample intervals without a sample after which a stream is said to have stalled."""
STALL_LEAST_S = 1.0
"""... but never sooner than this, local seconds."""
TICK_S = 0.25
"""How often the timer looks, local seconds."""


class Source(Protocol):
    """What gives entries: made with ``emit`` and ``failed`` callbacks, see `realtime.sources.lsl`."""

    def start(self) -> None:
        """Begin."""
        ...

    def close(self) -> None:
        """Stop, and wait until no callback can come any more."""
        ...


SourceFactory = Callable[[Callable[[Entry], None], Callable[[Exception], None]], Source]
"""Makes a source from its two callbacks, ``emit(entry)`` and ``failed(error)``."""


@dataclass(frozen=True, kw_only=True)
class SessionSettings:
    """Who this is and how it ends.

    Parameters
    ----------
    session : str
        Pseudonymous name; part of topics and of each decision's identity.
    run : int
        Grows by one at each start of the same session.
    seconds : float or None
        End after so many stream seconds of decisions, counted from the first possible one;
        None goes on until stopped.
    end_when_quiet_s : float or None
        End when a replayed stream has been silent so long (local seconds); None waits for ever.
    local_clock : callable
        The machine's monotonic clock, s, on which entries are stamped.
    extra : mapping
        Noted in the journal beside the settings.
    """

    session: str
    run: int = 1
    seconds: float | None = None
    end_when_quiet_s: float | None = None
    local_clock: Callable[[], float] = time.monotonic
    extra: Mapping[str, Any] = field(default_factory=dict)


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
    sinks : sequence of Sink
        Where decisions and status go.
    journal : JournalWriter or None
        Keeps the log; None keeps nothing (the caller has said so to the person).
    settings : SessionSettings
        Who, and until when.
    observe : callable or None
        Takes each published decision, on the loop; for a terminal view.
    """

    def __init__(
        self,
        bundle: Bundle,
        *,
        inference: Inference,
        make_source: SourceFactory,
        sinks: Sequence[Sink],
        journal: JournalWriter | None,
        settings: SessionSettings,
        observe: Callable[[Decision], None] | None = None,
    ) -> None:
        self.core = Core(Plan.from_card(bundle.card))
        self.settings = settings
        self.decisions = 0
        self._bundle = bundle
        self._inference = inference
        self._make_source = make_source
        self._sinks = sinks
        self._journal = journal
        self._observe = observe
        self._entries: asyncio.Queue[Entry | None] = asyncio.Queue()
        self._failure: Exception | None = None
        self._state = State.WAITING
        self._reason = ""
        self._stream: StreamOpened | None = None
        self._last_sample = 0.0
        self._first_possible: float | None = None
        self._told: Status | None = None

    # ------------------------------------------------------------- running

    async def run(self) -> None:
        """Run until the source ends, `stop` is called, or the set time is over.

        Raises
        ------
        HemostreamError
            The stream cannot be used: none, several, or without the channels that are needed.
        """
        loop = asyncio.get_running_loop()
        self._loop = loop

        def emit(entry: Entry) -> None:
            loop.call_soon_threadsafe(self._entries.put_nowait, entry)

        def failed(error: Exception) -> None:
            loop.call_soon_threadsafe(self._end, error)

        clock = self.settings.local_clock
        started = SessionStarted(
            clock(),
            self.settings.session,
            self.settings.run,
            self._bundle.card.hash,
            {
                "device": self._inference.device_name,
                "sizes": list(self._inference.sizes),
                **self.settings.extra,
            },
        )
        self._note(started)
        self.core.feed(started)
        source = self._make_source(emit, failed)
        async with contextlib.AsyncExitStack() as stack:
            for sink in self._sinks:
                await stack.enter_async_context(sink)
            self._tell()
            source.start()
            timer = asyncio.create_task(self._watch(), name="session-timer")
            try:
                await self._consume()
            finally:
                timer.cancel()
                await asyncio.to_thread(source.close)
                with contextlib.suppress(asyncio.CancelledError):
                    await timer
                await self._settle()
                self._become(State.OFFLINE, str(self._failure) if self._failure else "session ended")
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """End cleanly after what has arrived; call it on the loop."""
        self._end(None)

    def _end(self, error: Exception | None) -> None:
        self._failure = self._failure or error
        self._entries.put_nowait(None)

    async def _consume(self) -> None:
        while (entry := await self._entries.get()) is not None:
            self._note(entry)
            windows = self.core.feed(entry)
            match entry:
                case Received():
                    self._last_sample = entry.local
                case StreamOpened():
                    self._opened(entry)
                case EventReceived():
                    for sink in self._sinks:
                        sink.event(entry)
            if windows:
                await self._judge(windows)

    async def _judge(self, windows: Sequence[Window]) -> None:
        """Windows in, decisions out, in order."""
        fit = [window for window in windows if window.fit and window.data is not None]
        logits: dict[int, Any] = {}
        batches: dict[int, int] = {}
        if fit:
            stacked = np.stack([window.data for window in fit if window.data is not None])
            try:
                if self._inference.on_cpu:
                    # A hop to another thread and back costs more than it frees here.
                    rows, sizes = self._inference.logits(stacked)
                else:
                    rows, sizes = await asyncio.to_thread(self._inference.logits, stacked)
            except RuntimeError as error:  # torch's: out of memory, device lost
                self._reason = f"inference failed: {error}"
            else:
                for window, row, size in zip(fit, rows, sizes, strict=True):
                    logits[window.sequence] = row
                    batches[window.sequence] = int(size)
        for window in windows:
            produced = Produced(self.settings.local_clock(), window.sequence, batches.get(window.sequence, 0))
            self._note(produced)
            self._publish(self.core.decide(window, logits.get(window.sequence), produced))

    def _publish(self, decision: Decision) -> None:
        self.decisions += decision.count
        text = decision.to_json()
        if self._journal is None:
            self._send(decision, text)
        else:
            # Committed first, published then: what a subscriber has seen, the journal has.
            self._journal.decide(
                decision.identity,
                text,
                lambda _error: self._loop.call_soon_threadsafe(self._send, decision, text),
            )

    def _send(self, decision: Decision, text: str) -> None:
        for sink in self._sinks:
            sink.decision(decision, text)
        if self._observe is not None:
            self._observe(decision)
        self._follow(decision)

    async def _settle(self) -> None:
        """Let the journal commit what is under way, so that its decisions are still published."""
        if self._journal is not None:
            try:
                await asyncio.to_thread(self._journal.flush)
            except JournalError as error:
                self._reason = str(error)
        await asyncio.sleep(0)  # the hops of the last commits

    # -------------------------------------------------------------- status

    def _opened(self, entry: StreamOpened) -> None:
        self._stream = entry
        self._last_sample = entry.local
        self._become(State.WARMING_UP, f"connected to {entry.name!r}")

    def _follow(self, decision: Decision) -> None:
        """What a decision says about the state."""
        warming = "warming up" in decision.reasons
        if not warming and self._first_possible is None:
            self._first_possible = decision.window_end
        self._become(State.WARMING_UP if warming else State.LIVE, "")
        seconds = self.settings.seconds
        if (
            seconds is not None
            and self._first_possible is not None
            and decision.window_end - self._first_possible >= seconds
        ):
            self.stop()

    async def _watch(self) -> None:
        """Tell what no sample can tell: that none comes."""
        while True:
            await asyncio.sleep(TICK_S)
            stream = self._stream
            if stream is not None:
                silent = self.settings.local_clock() - self._last_sample
                rate = self.core.clock.rate if self.core.clock else 0.0
                interval = 1.0 / (rate * stream.origin.speed) if rate else 0.0
                if silent > max(STALL_LEAST_S, STALL_INTERVALS * interval):
                    self._become(State.STALLED, f"no sample for {silent:.0f} s")
                quiet = self.settings.end_when_quiet_s
                if quiet is not None and silent > quiet:
                    self.stop()
            self._tell()

    def _become(self, state: State, reason: str) -> None:
        if state is not self._state:
            self._state, self._reason = state, reason
            self._tell()

    def _tell(self) -> None:
        """Publish the status where it changed."""
        stream = self._stream
        status = Status(
            session=self.settings.session,
            run=self.settings.run,
            state=self._state,
            reason=self._reason,
            journal_depth=self._journal.depth if self._journal else 0,
            journal_dropped=self._journal.dropped if self._journal else 0,
            journal_trouble=self._journal.trouble if self._journal else "",
            stream=stream.name if stream else "",
            origin=str(stream.origin.kind) if stream else "",
            model=self._bundle.card.hash,
            device=self._inference.device_name,
        )
        if status != self._told:
            self._told = status
            for sink in self._sinks:
                sink.status(status)

    def _note(self, entry: Entry) -> None:
        if self._journal is not None:
            self._journal.append(entry)
