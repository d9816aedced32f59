"""Decisions and status over MQTT.

``hemostream/<session>/decision`` carries decisions (QoS 1, never retained: an old decision must not
look like a current one), ``hemostream/<session>/status`` the latest status (retained, and replaced
by the broker with a last will when the connection ends without a goodbye).

A decision is put on its way at once, in order, without waiting for the acknowledgement of the one
before.  While the broker is away decisions wait, as many as fit; then the connection is taken up
again and what was not acknowledged goes out first, in order.  QoS 1 means at least once: only
what was in flight when a connection broke may arrive twice, and its identity tells.
"""

import asyncio
import os
import random
import socket
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import aiomqtt
from aiomqtt.exceptions import MqttConnectError

from realtime.sinks.mqtt_address import PASSWORD, USER, Address, Protocol, topic

IN_FLIGHT = 16
"""Most decisions sent and not yet acknowledged; paho holds back what goes beyond 20."""
KEEPALIVE_S = 10
"""After one and a half times this the broker takes a silent session for lost."""
ACKNOWLEDGED_WITHIN_S = 10.0
"""After this long without an acknowledgement the connection is taken for lost."""
BACKOFF_S = (0.25, 5.0)
"""First and longest wait before connecting again; each is shortened by chance by up to a half."""
REFUSED_CREDENTIALS = {4, 5, 134, 135}
"""MQTT 3.1.1's and MQTT 5's codes for a wrong user or password and for no permission."""
STEADY_S = 5.0
"""A connection that held so long was a good one: the next wait is short again."""

_VERSIONS = {"5": aiomqtt.ProtocolVersion.V5, "3.1.1": aiomqtt.ProtocolVersion.V311}


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
        Told, in the event loop, when the broker cannot be reached, is lost, and is there again.
    protocol : {"5", "3.1.1"}
        Version of MQTT.
    queue_size : int
        Most decisions that wait while the broker is away; what goes beyond is counted and told.
    allow_insecure : bool
        Whether another machine may be spoken to in the clear or without credentials.
    ca_file : path or None
        Certificates to trust instead of the system's (PEM).
    environ : mapping of str
        Where the credentials stand.
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
        self.status_topic = topic(session, "status")
        self._session = session
        self._protocol = _VERSIONS[protocol]
        self._will = aiomqtt.Will(self.status_topic, last_will, qos=1, retain=True)
        self._tell = on_trouble
        self._size = queue_size
        self._drain_s = drain_s

        self._waiting: deque[str] = deque()
        self._sent: dict[asyncio.Task[None], str] = {}  # In the order in which they were sent.
        self._dropped = 0
        self._status: str | None = None
        self._status_shown: str | None = None  # What the broker acknowledged on this connection.
        self._status_sender: asyncio.Task[None] | None = None
        self._client: aiomqtt.Client | None = None  # Only while connected.
        self._lost: asyncio.Future[None] | None = None
        self._failures = 0  # Connections in a row that failed or did not hold.
        self._in_trouble = False
        self._settled = asyncio.Event()
        self._runner: asyncio.Task[None] | None = None

    # ------------------------------------------------------------------ for the session

    @property
    def connected(self) -> bool:
        """Whether the broker is there."""
        return self._client is not None

    @property
    def waiting(self) -> int:
        """How many decisions the broker has not acknowledged yet."""
        return len(self._waiting) + len(self._sent)

    @property
    def dropped(self) -> int:
        """How many decisions did not fit into the queue since the start."""
        return self._dropped

    def publish(self, text: str, window_end: float = 0.0) -> None:
        """Put a decision on its way; returns at once (`realtime.sinks.Sink`)."""
        if self.waiting >= self._size:
            self._dropped += 1
            if self._dropped == 1:
                self._tell(
                    f"Broker {self.address} has not taken {self.waiting} decisions; further ones are not "
                    "published until it does. The status says how many."
                )
            return
        self._waiting.append(text)
        self._send()

    def tell_status(self, text: str) -> None:
        """Publish a status (JSON), retained; only the latest one matters."""
        self._status = text
        self._send_status()

    async def drain(self, within_s: float) -> bool:
        """Wait until the broker has acknowledged everything; False if it does not in time (s)."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while not self._all_told:
                    self._settled.clear()
                    await self._settled.wait()
        return self._all_told

    @property
    def _all_told(self) -> bool:
        return not self.waiting and self._status is self._status_shown

    async def __aenter__(self) -> Self:
        self._runner = asyncio.create_task(self._run(), name="mqtt")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._runner is not None
        if self.connected or not self._failures:
            await self.drain(self._drain_s)
        self._runner.cancel()
        with suppress(asyncio.CancelledError):
            await self._runner
        if self.waiting:
            self._tell(f"Broker {self.address} has not acknowledged {self.waiting} decisions.")

    # ------------------------------------------------------------------ connection

    async def _run(self) -> None:
        """Connect, stay connected, connect again."""
        loop = asyncio.get_running_loop()
        while True:
            since = None
            try:
                async with self._new_client() as client:
                    since = loop.time()
                    if self._in_trouble:
                        self._in_trouble = False
                        self._tell(f"Broker {self.address} is connected; {self.waiting} decisions waited.")
                    await self._serve(client)
            except aiomqtt.MqttError as error:
                steady = since is not None and loop.time() - since >= STEADY_S
                self._failures = 1 if steady else self._failures + 1
                if not self._in_trouble:
                    self._in_trouble = True
                    self._tell(self._explain(error, brief=since is not None and not steady))
            first, longest = BACKOFF_S
            pause = min(first * 2 ** min(self._failures - 1, 10), longest)
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))

    def _new_client(self) -> aiomqtt.Client:
        # One name for all connections of a session: taking it up again ends the old connection at
        # the broker now, so that its will cannot be published over a newer status.
        client = aiomqtt.Client(
            self.address.host,
            self.address.port,
            username=self.address.user,
            password=self.address.password,
            identifier=f"hemostream-{self._session}",
            protocol=self._protocol,
            will=self._will,
            keepalive=KEEPALIVE_S,
            tls_context=self.address.tls,
            # Small packets must not wait for the acknowledgement of earlier ones.
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )
        client.pending_calls_threshold = IN_FLIGHT + 4
        return client

    async def _serve(self, client: aiomqtt.Client) -> None:
        """Publish through this connection until it is lost, then take back what is in flight."""
        self._lost = asyncio.get_running_loop().create_future()
        self._client = client
        watch = asyncio.create_task(_until_disconnected(client), name="mqtt watch")
        try:
            self._status_shown = None
            self._send_status()
            self._send()
            done, _ = await asyncio.wait({watch, self._lost}, return_when=asyncio.FIRST_COMPLETED)
            for one in done:
                one.result()  # Raises what was wrong.
        finally:
            self._client = None
            tasks = [watch, *self._sent, *([self._status_sender] if self._status_sender else [])]
            self._waiting.extendleft(reversed(self._sent.values()))
            self._sent.clear()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._lost.done() and not self._lost.cancelled():
                self._lost.exception()  # Seen.

    # ------------------------------------------------------------------ sending

    def _send(self) -> None:
        """Start sending what waits, in order, as far as there may be more in flight."""
        while self._client is not None and self._waiting and len(self._sent) < IN_FLIGHT:
            text = self._waiting.popleft()
            # Tasks start in the order in which they were made, and the packet is handed over
            # before a task first waits: so the order holds although acknowledgements are awaited.
            task = asyncio.create_task(self._deliver(self._client, text))
            self._sent[task] = text

    async def _deliver(self, client: aiomqtt.Client, text: str) -> None:
        task = asyncio.current_task()
        assert task is not None
        try:
            await client.publish(self.decision_topic, text, qos=1, timeout=ACKNOWLEDGED_WITHIN_S)
        except aiomqtt.MqttError as error:
            self._broken(client, error)
            return
        self._sent.pop(task, None)
        self._settled.set()
        self._send()

    def _send_status(self) -> None:
        news = self._status is not None and self._status is not self._status_shown
        if self._client is not None and news and self._status_sender is None:
            self._status_sender = asyncio.create_task(self._deliver_status(self._client))

    async def _deliver_status(self, client: aiomqtt.Client) -> None:
        try:
            while (text := self._status) is not self._status_shown:
                await client.publish(
                    self.status_topic, text, qos=1, retain=True, timeout=ACKNOWLEDGED_WITHIN_S
                )
                self._status_shown = text
        except aiomqtt.MqttError as error:
            self._broken(client, error)
        finally:
            self._status_sender = None
            self._settled.set()

    def _broken(self, client: aiomqtt.Client, error: aiomqtt.MqttError) -> None:
        if client is self._client and self._lost and not self._lost.done():
            self._lost.set_exception(error)

    def _explain(self, error: aiomqtt.MqttError, *, brief: bool) -> str:
        if isinstance(error.__cause__, aiomqtt.MqttCodeError):
            error = error.__cause__  # What the broker said, rather than where we noticed.
        code = error.rc if isinstance(error, aiomqtt.MqttCodeError) else None
        if isinstance(error, MqttConnectError) and getattr(code, "value", code) in REFUSED_CREDENTIALS:
            hint = f"Check {USER} and {PASSWORD} in the environment."
        elif brief:
            hint = (
                f"The broker ended the connection soon: if another program publishes as session "
                f"{self._session!r}, end it or choose another name."
            )
        else:
            hint = "Check that it runs and that the address is right."
        return (
            f"Broker {self.address} is not connected: {error}. {hint} The session goes on; up to "
            f"{self._size} decisions wait, and connecting is tried again."
        )


async def _until_disconnected(client: aiomqtt.Client) -> None:
    """Wait for the end of a connection; aiomqtt tells it only to whoever waits for messages."""
    async for _ in client.messages:
        pass
