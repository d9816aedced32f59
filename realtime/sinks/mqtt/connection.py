"""A connection to a broker that is taken up again whenever it is lost, with a pause that grows."""

import asyncio
import random
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress

import aiomqtt

from models.outside import printable
from realtime.sinks.mqtt.address import Address
from realtime.sinks.mqtt.client import VERSIONS, Client
from realtime.sinks.mqtt.trouble import Trouble, explain

KEEPALIVE_S = 10
"""After one and a half times this the broker takes a silent session for lost."""
GIVEN_UP_AFTER_S = 5.0
"""What the other machine hasn't acknowledged by then ends the connection: TCP would go on trying, and
deliver as current what was current when it was sent."""
BACKOFF_S = (0.25, 5.0)
"""First and longest wait before connecting again; each is shortened by chance by up to a half."""
STEADY_S = 5.0
"""A connection that held so long was a good one: the next wait is short again."""
MOST_INCOMING = 64
"""Messages that came and were not looked at yet; further ones are dropped."""

RUMQTTD = {"TopicAliasMaximum": 4096}
"""How the embedded broker greets over MQTT 5.  It dies of a message that has properties and a
subscriber who speaks MQTT 3.1.1 (rumqttd 0.20: a panic in its listener), so it is sent none."""
# Small packets must not wait for the acknowledgement of earlier ones.
_SOCKET = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
if hasattr(socket, "TCP_USER_TIMEOUT"):
    _SOCKET.append((socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(GIVEN_UP_AFTER_S * 1000)))


class BrokerConnection:
    """Keeps one client of a broker connected; runs as a task.

    Parameters
    ----------
    address : Address
        Where the broker is.
    session : str
        Name of the session; makes the client's identifier, one for all of its connections.
    protocol : {"5", "3.1.1"}
        Version of MQTT.
    will : aiomqtt.Will
        What the broker says when the connection is lost.
    opened : callable
        Called when there is a client to publish through.
    closed : callable, awaited
        Called when there is none any more.
    waiting : callable
        How many decisions wait; for messages.
    on_trouble : callable of str
        Called when the broker cannot be reached, is lost, and is there again.
    received : callable of aiomqtt.Message
        Takes what comes from topics that a client subscribed to.
    """

    def __init__(
        self,
        address: Address,
        *,
        session: str,
        protocol: str,
        will: aiomqtt.Will,
        opened: Callable[[], None],
        closed: Callable[[], Awaitable[None]],
        waiting: Callable[[], int],
        on_trouble: Callable[[str], None],
        received: Callable[[aiomqtt.Message], None] = lambda message: None,
    ) -> None:
        self.address = address
        self.client: aiomqtt.Client | None = None
        """Only while connected."""
        self.expires = False
        """Whether this broker takes an expiry for a message."""
        self.failures = 0
        """Connections in a row that failed or did not hold."""
        self._session = session
        self._protocol = VERSIONS[protocol]
        self._will = will
        self._opened, self._closed = opened, closed
        self._waiting = waiting
        self._tell = on_trouble
        self._received = received
        self._reported = ""  # Kind of the trouble that was reported last, and is not over.
        self._lost: asyncio.Future[None] | None = None

    async def run(self) -> None:
        """Connect, stay connected, connect again; to be cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            since = None
            try:
                async with self._new_client() as client:
                    since = loop.time()
                    await self._serve(client)
            except aiomqtt.MqttError as error:
                steady = since is not None and loop.time() - since >= STEADY_S
                self.failures = 1 if steady else self.failures + 1
                brief = since is not None and not steady
                self._trouble(explain(error, session=self._session, brief=brief))
            except Exception as error:  # noqa: BLE001 - a broker may send anything: it is reported, and tried again
                self.failures += 1
                why = printable(f"{type(error).__name__}: {error}", 300)
                self._trouble(Trouble("fault", f"what it sent cannot be handled ({why})."))
            first, longest = BACKOFF_S
            pause = min(first * 2 ** min(self.failures - 1, 10), longest)
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))

    def proved(self) -> None:
        """The broker has acknowledged something: whatever was wrong is over."""
        if self._reported:
            self._reported = ""
            self._tell(f"Broker {self.address} is connected; {self._waiting()} decisions wait.")

    def broken(self, client: aiomqtt.Client, error: aiomqtt.MqttError) -> None:
        """Nothing can be sent through this client any more."""
        if client is self.client and self._lost and not self._lost.done():
            self._lost.set_exception(error)

    def _trouble(self, trouble: Trouble) -> None:
        # Another kind of trouble is news; the same one, or a silence after it, is not.
        if trouble.kind == self._reported or (self._reported and trouble.kind == "away"):
            return
        self._reported = trouble.kind
        self._tell(
            f"Broker {self.address} is not connected: {trouble.text} The session goes on; decisions wait, "
            "and connecting is tried again."
        )

    def _new_client(self) -> Client:
        # One name for all connections of a session: taking it up again ends the old connection at
        # the broker now, so that its will cannot be published over a newer status.
        client = Client(
            self.address.host,
            self.address.port,
            username=self.address.user,
            password=self.address.password,
            identifier=f"hemostream-{self._session}",
            protocol=self._protocol,
            will=self._will,
            keepalive=KEEPALIVE_S,
            tls_context=self.address.tls,
            socket_options=_SOCKET,
            max_queued_incoming_messages=MOST_INCOMING,
        )
        client.pending_calls_threshold = 100
        client.refused = lambda error: self.broken(client, error)
        return client

    async def _serve(self, client: Client) -> None:
        """Stay until this connection is lost; raises what was wrong."""
        self.expires = self._protocol is VERSIONS["5"] and client.greeting != RUMQTTD
        self._lost = asyncio.get_running_loop().create_future()
        self.client = client
        watch = asyncio.create_task(_until_disconnected(client, self._received), name="mqtt watch")
        try:
            self._opened()
            done, _ = await asyncio.wait({watch, self._lost}, return_when=asyncio.FIRST_COMPLETED)
            for one in done:
                one.result()
        finally:
            self.client = None
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
            await self._closed()
            if self._lost.done() and not self._lost.cancelled():
                self._lost.exception()  # Seen.


async def _until_disconnected(client: aiomqtt.Client, received: Callable[[aiomqtt.Message], None]) -> None:
    """Wait for the end of a connection; aiomqtt reports it only to whoever waits for messages."""
    with suppress(StopAsyncIteration):
        async for message in client.messages:
            received(message)
