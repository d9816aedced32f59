"""Decisions and status over MQTT.

``hemostream/<session>/decision`` carries the decisions that are current (QoS 1, never retained: an old
decision must not look like a current one), rising, and none that is older than the policy allows;
``hemostream/<session>/history`` all that are not: too old when they could be sent, or left over from a
broker's outage or an earlier run.  ``hemostream/<session>/status`` is the latest status (retained, and
replaced by the broker with a last will when the connection ends without a goodbye).

A decision is put on its way at once, in order, without waiting for the acknowledgement of the one before
(`realtime.sinks.mqtt.outbox` decides what is next).  With MQTT 5 a current decision is marked to be thrown
away by the broker when its time is over, so that no sleeping client gets it later (not so with the
embedded broker, see `realtime.sinks.mqtt.connection.RUMQTTD`: there a subscriber that slept must look at a
decision's own times).  QoS 1 means at least once: only what was in flight when a connection broke, or was
acknowledged in the moment in which the process ended, may arrive twice, with the same identity.
"""

import asyncio
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import aiomqtt
from paho.mqtt.properties import Properties

from models.errors import JournalError
from realtime.sinks.mqtt.address import Address, Protocol
from realtime.sinks.mqtt.client import expiring
from realtime.sinks.mqtt.connection import BrokerConnection
from realtime.sinks.mqtt.outbox import Identity, InFlight, Letter, Outbox, Page
from realtime.sinks.mqtt.side_topics import SideTopics
from realtime.sinks.mqtt.status import ACKNOWLEDGED_WITHIN_S, StatusTopic
from realtime.sinks.mqtt.topics import personal, topic

Spool = Callable[[Identity, Identity], Page]
"""Reads what waits in the journal, from an identity (inclusive) to another; may block."""


class MqttSink:
    """Publishes the decisions and the status of one session.

    An asynchronous context: entering starts connecting and returns at once, whether or not there
    is a broker; leaving waits a little for what is still on its way and says goodbye.

    Parameters
    ----------
    url : str
        ``mqtt://HOST[:PORT]`` or ``mqtts://HOST[:PORT]``.
    session : str
        Name of the session; part of the topics.
    last_will : str
        The status (JSON) that the broker publishes when this connection is lost
        (`realtime.status.Status.lost`).
    on_trouble : callable of str
        Called, in the event loop, when the broker cannot be reached, is lost, and is there again.
    protocol : {"5", "3.1.1"}
        Version of MQTT.
    queue_size : int
        Most decisions that wait in memory while the broker is away.  The oldest make room; with a
        journal they wait there, without one they are counted and reported.
    allow_insecure : bool
        Whether another machine may be spoken to in the clear or without credentials.
    ca_file : path or None
        Certificates to trust instead of the system's (PEM).
    environ : mapping of str
        Where the credentials stand (`realtime.sinks.mqtt.address.Address.parse`).
    drain_s : float
        Longest wait (s) at the end for what is still on its way.

    Raises
    ------
    BrokerError
        The URL or the session's name cannot be used, or the connection would not be safe.
    """

    def __init__(
        self,
        url: str,
        *,
        session: str,
        last_will: str,
        on_trouble: Callable[[str], None],
        protocol: Protocol = "5",
        queue_size: int = 1000,
        allow_insecure: bool = False,
        ca_file: Path | str | None = None,
        environ: Mapping[str, str] = os.environ,
        drain_s: float = 5.0,
    ) -> None:
        self.address = Address.parse(url, environ, allow_insecure=allow_insecure, ca_file=ca_file)
        self.decision_topic = topic(session, "decision")
        self.history_topic = topic(session, "history")
        self.status_topic = topic(session, "status")
        self._session = session
        self._tell = on_trouble
        self._size = queue_size
        self._drain_s = drain_s

        self._outbox = Outbox(size=queue_size)
        self._spool: Spool | None = None
        self._acknowledged: Callable[[int, int], None] = lambda run, sequence: None
        self._expiring: dict[int, Properties] = {}
        self._reported_dropped = False
        self._senders: set[asyncio.Task[None]] = set()
        self._reader: asyncio.Task[None] | None = None
        self._settled = asyncio.Event()
        self._runner: asyncio.Task[None] | None = None
        self._connection = BrokerConnection(
            self.address,
            session=session,
            protocol=protocol,
            will=aiomqtt.Will(self.status_topic, last_will, qos=1, retain=True),
            opened=self._opened,
            closed=self._closed,
            waiting=lambda: self.waiting,
            on_trouble=on_trouble,
            received=lambda message: self.side.received(message),
        )
        self.side = SideTopics(session, self._connection, self._settled.set)
        """Its other topics."""
        self._status = StatusTopic(self.status_topic, self._connection, self._settled.set)

    # ------------------------------------------------------------------ for the session

    @property
    def connected(self) -> bool:
        """Whether the broker is there."""
        return self._connection.client is not None

    @property
    def waiting(self) -> int:
        """How many decisions the broker has not acknowledged yet, those in the journal included."""
        return self._outbox.waiting

    @property
    def backlog(self) -> int:
        """How many of them wait to be published as history."""
        return self._outbox.backlog

    @property
    def dropped(self) -> int:
        """How many decisions found no room since the start, neither in memory nor in the journal."""
        return self._outbox.dropped

    def attend(
        self,
        *,
        clock: Callable[[], float],
        run: int = 1,
        spool: Spool | None = None,
        acknowledged: Callable[[int, int], None] = lambda run, sequence: None,
    ) -> None:
        """Say, before entering, on which clock decisions grow old, and where they are kept.

        Parameters
        ----------
        clock : callable
            Local clock, s, on which `Letter.fresh_until` is.
        run : int
            The session's run; decisions of earlier ones may wait in the spool.
        spool : callable or None
            Reads it; None where there is no journal.
        acknowledged : callable of run and sequence
            Called, on the loop, with what the broker has.
        """
        before = None if spool is None else (run, 0)
        self._outbox = Outbox(size=self._size, clock=clock, spooled_before=before)
        self._spool, self._acknowledged = spool, acknowledged

    def publish(self, letter: Letter) -> None:
        """Put a decision on its way; returns at once."""
        self._outbox.put(letter)
        if self._outbox.dropped and not self._reported_dropped:
            self._reported_dropped = True
            self._tell(
                f"Broker {self.address} has not taken {self.waiting} decisions, and there is no room for "
                "more: the oldest are not published. The status says how many."
            )
        self._send()

    def publish_status(self, text: str) -> None:
        """Publish a status (JSON), retained; only the latest one matters."""
        self._status.publish(text)

    async def drain(self, within_s: float | None = None) -> bool:
        """Wait until the broker has acknowledged everything; False if it does not in time (s)."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._drain_s if within_s is None else within_s):
                while not self._all_acknowledged:
                    self._settled.clear()
                    await self._settled.wait()
        return self._all_acknowledged

    @property
    def _all_acknowledged(self) -> bool:
        return not self.waiting and self._status.shown and self.side.shown

    async def __aenter__(self) -> Self:
        for warning in (*self.address.warnings, *personal(self._session)):
            self._tell(warning)
        self._runner = asyncio.create_task(self._connection.run(), name="mqtt")
        self._read_spool()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._runner is not None
        if self.connected or not self._connection.failures:
            await self.drain()
        tasks = [self._runner, *([self._reader] if self._reader else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self.waiting:
            kept = " They are in the journal; the session's next run publishes them." if self._spool else ""
            self._tell(f"Broker {self.address} has not acknowledged {self.waiting} decisions.{kept}")

    # ------------------------------------------------------------------ sending

    def _opened(self) -> None:
        self._status.opened()
        self.side.opened()
        self._send()

    async def _closed(self) -> None:
        tasks = [*self._senders, *self._status.closed(), *self.side.closed()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._outbox.broken()

    def _send(self) -> None:
        """Start sending what is next, as far as there may be more in flight."""
        client = self._connection.client
        while client is not None and (sending := self._outbox.next()) is not None:
            # Tasks start in the order in which they were made, and the packet is handed over
            # before a task first waits: so the order holds although acknowledgements are awaited.
            task = asyncio.create_task(self._deliver(client, sending))
            self._senders.add(task)
            task.add_done_callback(self._senders.discard)
        self._read_spool()

    async def _deliver(self, client: aiomqtt.Client, sending: InFlight) -> None:
        letter, current, since = sending
        where, properties = self.history_topic, None
        if current:
            where, properties = self.decision_topic, self._properties(letter.fresh_until - since)
        try:
            await client.publish(
                where, letter.text, qos=1, properties=properties, timeout=ACKNOWLEDGED_WITHIN_S
            )
        except aiomqtt.MqttError as error:
            self._connection.broken(client, error)
            return
        self._connection.proved()
        self._outbox.acknowledged(sending)
        self._acknowledged(letter.run, letter.sequence)
        self._settled.set()
        self._send()

    def _properties(self, seconds: float) -> Properties | None:
        """When the broker is to drop a message, where the protocol can say so."""
        if not self._connection.expires or seconds == float("inf"):
            return None
        whole = int(seconds)
        if whole not in self._expiring:
            self._expiring[whole] = expiring(whole)
        return self._expiring[whole]

    def _read_spool(self) -> None:
        if self._spool is not None and self._reader is None and (part := self._outbox.page_wanted()):
            self._reader = asyncio.create_task(self._read_page(self._spool, *part))

    async def _read_page(self, spool: Spool, since: Identity, before: Identity) -> None:
        page: Page | None = None
        try:
            page = await asyncio.to_thread(spool, since, before)
        except JournalError as error:
            self._tell(f"{error} What it holds of earlier decisions is not published now.")
        self._outbox.take_page(page, before)
        self._reader = None
        self._settled.set()
        self._send()
