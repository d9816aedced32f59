"""What leaves a session: entries to the journal, decisions to the journal first and to the sinks then.

What a subscriber has seen, the journal has.  Should the journal fail, a decision is published all the
same: the session goes on, and its status says what is lost.
"""

import asyncio
from collections.abc import Callable, Sequence

from models.errors import JournalError
from realtime.decision import Decision
from realtime.log import Entry
from realtime.sinks import Sink
from realtime.sinks.journal import JournalWriter
from realtime.sinks.mqtt import MqttSink
from realtime.status import BrokerStatus, JournalStatus


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
        Told, on the loop, when a decision has been handed to all of them.
    """

    def __init__(
        self,
        *,
        journal: JournalWriter | None,
        broker: MqttSink | None,
        sinks: Sequence[Sink],
        published: Callable[[Decision], None],
    ) -> None:
        self._journal = journal
        self._broker = broker
        self._sinks: list[Sink] = [*([broker] if broker else []), *sinks]
        self._published = published

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
            self._publish(decision, text, window_end)
            return
        loop = asyncio.get_running_loop()

        def committed(_trouble: JournalError | None) -> None:
            loop.call_soon_threadsafe(self._publish, decision, text, window_end)

        self._journal.decide(decision, committed, text=text)

    def _publish(self, decision: Decision, text: str, window_end: float) -> None:
        for sink in self._sinks:
            sink.publish(text, window_end)
        self._published(decision)

    def tell_status(self, text: str) -> None:
        """Publish a status (JSON)."""
        if self._broker is not None:
            self._broker.tell_status(text)

    async def close(self) -> JournalError | None:
        """Close the journal; the error, where something could not be written."""
        trouble: JournalError | None = None
        if self._journal is not None:
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
        # What waits for an acknowledgement at this moment is no news; what cannot be sent is.
        waiting = 0 if broker.connected else broker.waiting
        return BrokerStatus(connected=broker.connected, waiting=waiting, dropped=broker.dropped)
