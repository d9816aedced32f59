"""What leaves a session: entries to the journal, decisions to the journal first and to the sinks then.

What a subscriber has received, the journal has.  Should the journal fail, a decision is published all the
same: the session goes on, and its status shows what is lost.

The broker gets the time until which a decision is current: the policy's age, put on the local clock.  What it
cannot be given in time waits in the journal, until the broker has acknowledged it.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from models.errors import JournalError
from realtime.decision import Decision
from realtime.log import Entry
from realtime.quality.policy import Reason
from realtime.sinks import Sink
from realtime.sinks.journal.journal import JournalWriter
from realtime.sinks.mqtt.outbox import Letter
from realtime.sinks.mqtt.sink import MqttSink
from realtime.status import BrokerStatus, JournalStatus

COMMITTED_WITHIN_S = 30.0
"""Longest wait at the end for the journal to confirm each decision, s."""


class Publisher:
    """The way out of one session; used on its loop.

    Parameters
    ----------
    journal : JournalWriter or None
        Keeps the log and the decisions; closed by `close`.  None keeps nothing (the status says so).
    broker : MqttSink or None
        Takes decisions and status; the session opens and closes it.
    sinks : sequence of Sink
        Further places for decisions, open.
    published : callable of Decision
        Called, on the loop, when a decision has been handed to all of them.
    run : int
        The session's run.
    max_age_s : float
        Age (stream seconds) up to which a decision is current.
    clock : callable
        The local clock, s.
    """

    def __init__(
        self,
        *,
        journal: JournalWriter | None,
        broker: MqttSink | None,
        sinks: Sequence[Sink],
        published: Callable[[Decision], None],
        run: int = 1,
        max_age_s: float = float("inf"),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._journal = journal
        self._broker = broker
        self._sinks = tuple(sinks)
        self._published = published
        self._max_age_s = max_age_s
        self.failed: Callable[[str, str], None] = lambda part, why: None
        """Called with the sink that raised, and the error."""
        self._committing = 0
        self._all_committed = asyncio.Event()
        if broker is not None and journal is not None:
            broker.attend(clock=clock, run=run, spool=journal.spool, acknowledged=journal.acknowledge)
        elif broker is not None:
            broker.attend(clock=clock, run=run)

    def append(self, entry: Entry) -> None:
        """Keep an entry of the log."""
        if self._journal is not None:
            self._journal.append(entry)

    def pass_on(self, decision: Decision, window_end: float) -> None:
        """Commit a decision, then publish it.

        Parameters
        ----------
        decision : Decision
            In the order in which they were made.
        window_end : float
            Its window's end, seconds on the local clock.
        """
        text = decision.to_json()
        if self._journal is None:
            self._publish(decision, text, window_end, kept=False)
            return
        loop = asyncio.get_running_loop()

        def committed(trouble: JournalError | None) -> None:
            loop.call_soon_threadsafe(self._committed, decision, text, window_end, trouble is None)

        self._committing += 1
        self._journal.decide(decision, committed, text=text, spooled=self._broker is not None)

    def _committed(self, decision: Decision, text: str, window_end: float, kept: bool) -> None:
        self._committing -= 1
        if not self._committing:
            self._all_committed.set()
        self._publish(decision, text, window_end, kept=kept)

    def _publish(self, decision: Decision, text: str, window_end: float, *, kept: bool) -> None:
        if self._broker is not None:
            fresh_until = window_end + self._max_age_s / decision.speed
            if Reason.STALE in decision.reasons:
                fresh_until = float("-inf")
            self._broker.publish(Letter(decision.run, decision.sequence, text, fresh_until, kept))
        for sink in self._sinks:
            try:
                sink.publish(text, window_end)
            except Exception as error:  # noqa: BLE001 - one place that fails keeps nothing from the others
                self.failed(f"sink {type(sink).__name__}", f"{type(error).__name__}: {error}")
        self._published(decision)

    def publish_status(self, text: str) -> None:
        """Publish a status (JSON)."""
        if self._broker is not None:
            self._broker.publish_status(text)

    async def close(self) -> JournalError | None:
        """Close the journal; the error, where something could not be written.

        The broker is given a little time before, so that the journal can note what it has.
        """
        trouble: JournalError | None = None
        if self._journal is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(COMMITTED_WITHIN_S):
                    while self._committing:
                        self._all_committed.clear()
                        await self._all_committed.wait()
            if self._broker is not None and self._broker.connected:
                await self._broker.drain()
            try:
                await asyncio.to_thread(self._journal.close)
            except JournalError as error:
                trouble = error
        # The last commits have handed their decisions to the loop: let it publish them.
        await asyncio.sleep(0)
        return trouble

    @property
    def journal_status(self) -> JournalStatus | None:
        """How the journal is doing; None where there is none."""
        journal = self._journal
        if journal is None:
            return None
        return JournalStatus(depth=journal.depth, dropped=journal.dropped, failing=journal.failing)

    @property
    def broker_status(self) -> BrokerStatus | None:
        """How publishing is doing; None where there is no broker."""
        broker = self._broker
        if broker is None:
            return None
        # What waits for an acknowledgement at this moment is no news; what cannot be sent, or is to be
        # published later as history, is.
        waiting = broker.backlog if broker.connected else broker.waiting
        return BrokerStatus(connected=broker.connected, waiting=waiting, dropped=broker.dropped)
