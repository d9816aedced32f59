"""What comes from the broker, and the commands that go to it; connected again whenever it is lost."""

import asyncio
import contextlib
import socket
from collections.abc import Callable

import aiomqtt

from models.errors import BrokerError, MessageError
from realtime.monitor.beds import Beds
from realtime.monitor.seen import SeenAnswer, read
from realtime.sinks.mqtt.address import Address
from realtime.sinks.mqtt.client import VERSIONS, Client

TOPICS = ("status", "alive", "decision", "history", "alarms", "channels")
KEEPALIVE_S = 3
PAUSE_S = (0.25, 2.0)
"""First and longest wait before connecting again."""
ANSWERED_WITHIN_S = 4.0
MOST_QUEUED = 20_000
"""Messages that wait to be read; a broker that sends faster loses the rest."""
MOST_ASKED = 64
"""Commands that wait for an answer at the same time."""


class Inlet:
    """The monitor's one connection to the broker.

    Parameters
    ----------
    address : Address
        Where it is.
    beds : Beds
        Takes what comes.
    on_trouble : callable of str
        Called when the broker is lost or cannot be reached, and when it is there again.
    """

    def __init__(self, address: Address, beds: Beds, *, on_trouble: Callable[[str], None]) -> None:
        self._address = address
        self._beds = beds
        self._tell = on_trouble
        self._client: Client | None = None
        self._asked: dict[tuple[str, str], asyncio.Future[SeenAnswer]] = {}
        self._wishes: asyncio.Queue[tuple[str, bool]] = asyncio.Queue()
        beds.on_follow = lambda name, wanted: self._wishes.put_nowait((name, wanted))

    async def run(self) -> None:
        """Stay connected; to be cancelled."""
        pause, longest = PAUSE_S
        told = False
        while True:
            try:
                async with self._new_client() as client:
                    await self._begin(client)
                    if told:
                        self._tell(f"Broker {self._address} is there again.")
                    told, pause = False, PAUSE_S[0]
                    await self._listen(client)
            except (aiomqtt.MqttError, OSError) as error:
                if not told:
                    self._tell(
                        f"Broker {self._address} is not connected ({error}); connecting is tried again."
                    )
                told = True
            finally:
                self._client = None
                self._beds.broker(False)
            await asyncio.sleep(pause)
            pause = min(2 * pause, longest)

    async def command(self, session: str, what: str, text: str, identity: str) -> SeenAnswer | None:
        """Send a command to a session, and wait for its answer; None where none comes in time.

        Parameters
        ----------
        session : str
            Whom.
        what : str
            ``event`` or ``acknowledge``.
        text : str
            The command (JSON).
        identity : str
            Its ``id``; a command that is sent again has the same.

        Raises
        ------
        BrokerError
            The broker is not connected, or too much is asked at once.
        """
        client = self._client
        if client is None:
            raise BrokerError("The broker is not connected. Nothing was sent; try again when it is.")
        key = (session, identity)
        future = self._asked.get(key)
        if future is None:
            if len(self._asked) >= MOST_ASKED:
                raise BrokerError("Too many commands wait for an answer. Nothing was sent.")
            future = self._asked[key] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(ANSWERED_WITHIN_S):
                await client.subscribe(f"hemostream/{session}/command/answer", qos=1)
                await client.publish(f"hemostream/{session}/command/{what}", text, qos=1)
                return await asyncio.shield(future)
        except TimeoutError:
            return None
        except aiomqtt.MqttError as error:
            raise BrokerError(f"The broker was lost ({error}). Whether it was sent is not known.") from error
        finally:
            self._asked.pop(key, None)

    def _new_client(self) -> Client:
        client = Client(
            self._address.host,
            self._address.port,
            username=self._address.user,
            password=self._address.password,
            protocol=VERSIONS["3.1.1"],
            keepalive=KEEPALIVE_S,
            timeout=5.0,
            tls_context=self._address.tls,
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
            max_queued_incoming_messages=MOST_QUEUED,
        )
        client.refused = lambda error: None
        client.pending_calls_threshold = 1000
        return client

    async def _begin(self, client: Client) -> None:
        await client.subscribe([(f"hemostream/+/{what}", 0 if what == "alive" else 1) for what in TOPICS])
        for name in self._beds.followed:
            await client.subscribe(f"hemostream/{name}/signals", qos=0)
        while not self._wishes.empty():
            self._wishes.get_nowait()
        self._client = client
        self._beds.broker(True)

    async def _listen(self, client: Client) -> None:
        follow = asyncio.create_task(self._follow(client), name="monitor follow")
        try:
            async for message in client.messages:
                topic = message.topic.value
                if topic.endswith("/command/answer"):
                    self._answered(topic, message.payload)
                else:
                    self._beds.take(topic, message.payload, retained=message.retain)
        finally:
            follow.cancel()
            with contextlib.suppress(asyncio.CancelledError, aiomqtt.MqttError):
                await follow

    async def _follow(self, client: Client) -> None:
        """Ask for the signals of beds that somebody looks at, and no longer for those of others."""
        while True:
            name, wanted = await self._wishes.get()
            where = f"hemostream/{name}/signals"
            with contextlib.suppress(aiomqtt.MqttError):
                await (client.subscribe(where, qos=0) if wanted else client.unsubscribe(where))

    def _answered(self, topic: str, payload: object) -> None:
        session = topic.split("/")[1]
        try:
            answer = read(SeenAnswer, session, payload)
        except MessageError:
            self._beds.refused["messages"] += 1
            return
        future = self._asked.get((session, answer.id))
        if future is not None and not future.done():
            future.set_result(answer)
