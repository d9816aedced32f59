"""What else a session says over the connection of its decisions, never in their way; and what it is asked.

*Retained* topics keep their latest text (`realtime.sinks.mqtt.status.StatusTopic`).  *Passing* ones (signals,
heartbeats) are sent at QoS 0, one at a time: while one has not left this machine, or there is no broker, the
next is dropped, and counted.  Of what comes in, a bounded number waits; a flood is answered by listening no
more for a while.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence

import aiomqtt

from realtime.sinks.mqtt.connection import BrokerConnection
from realtime.sinks.mqtt.status import StatusTopic
from realtime.sinks.mqtt.topics import Topic, topic

LEFT_WITHIN_S = 5.0
"""What has not left this machine by then is given up."""
MOST_ANSWERS = 16
"""Answers that wait to be acknowledged; further ones are dropped, and counted."""

Received = Callable[[str, bytes, bool], None]
"""Takes a command's name (the last level of its topic), what it holds, and whether it was retained."""


class SideTopics:
    """The other topics of one session, on the connection of its decisions.

    Parameters
    ----------
    session : str
        Name of the session.
    connection : BrokerConnection
        Through which they go.
    settled : callable
        Called when the broker has a retained one, or it could not be published.
    """

    def __init__(self, session: str, connection: BrokerConnection, settled: Callable[[], None]) -> None:
        self.dropped: Counter[Topic] = Counter()
        """Messages that could not be sent, by topic."""
        self.sent: Counter[Topic] = Counter()
        """Messages that left, by topic."""
        self._session = session
        self._connection = connection
        self._settled = settled
        self._retained: dict[str, StatusTopic] = {}
        self._passing: dict[Topic, asyncio.Task[None]] = {}
        self._answers: set[asyncio.Task[None]] = set()
        self._commands: Sequence[Topic] = ()
        self._received: Received = lambda name, payload, retained: None
        self._subscriber: asyncio.Task[None] | None = None
        self.listening = False
        """Whether commands are listened to."""

    # ------------------------------------------------------------- out

    def retain(self, what: Topic, text: str) -> None:
        """Publish a retained text; only the latest one matters."""
        self.retain_at(topic(self._session, what), text)

    def retain_at(self, name: str, text: str) -> None:
        """The same at a topic that is not the session's own."""
        if name not in self._retained:
            self._retained[name] = StatusTopic(name, self._connection, self._settled)
        self._retained[name].publish(text)

    @property
    def shown(self) -> bool:
        """Whether the broker shows the latest of each retained topic."""
        return all(one.shown for one in self._retained.values())

    def send(self, what: Topic, text: str) -> bool:
        """Send a passing text now, or never; whether it is on its way."""
        client = self._connection.client
        if client is None or what in self._passing:
            self.dropped[what] += 1
            return False
        self._passing[what] = asyncio.create_task(self._pass(client, what, text), name=f"mqtt {what}")
        return True

    async def _pass(self, client: aiomqtt.Client, what: Topic, text: str) -> None:
        try:
            await client.publish(topic(self._session, what), text, qos=0, timeout=LEFT_WITHIN_S)
            self.sent[what] += 1
        except aiomqtt.MqttError:  # whether the connection is lost, others find out
            self.dropped[what] += 1
        finally:
            self._passing.pop(what, None)

    def answer(self, text: str) -> None:
        """Answer a command (QoS 1)."""
        client = self._connection.client
        if client is None or len(self._answers) >= MOST_ANSWERS:
            self.dropped["command/answer"] += 1
            return
        task = asyncio.create_task(self._answer(client, text), name="mqtt answer")
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def _answer(self, client: aiomqtt.Client, text: str) -> None:
        try:
            await client.publish(topic(self._session, "command/answer"), text, qos=1, timeout=LEFT_WITHIN_S)
        except aiomqtt.MqttError:
            self.dropped["command/answer"] += 1

    # ------------------------------------------------------------- in

    def listen(self, commands: Sequence[Topic], received: Received) -> None:
        """Take commands from these topics, from the next connection on."""
        self._commands, self._received = commands, received

    def pause(self, paused: bool) -> None:
        """Listen no more for commands, or again."""
        client = self._connection.client
        if client is not None and self._commands and self.listening is paused and self._subscriber is None:
            self._subscriber = asyncio.create_task(self._subscribe(client, not paused), name="mqtt subscribe")

    def received(self, message: aiomqtt.Message) -> None:
        """A message came."""
        name = str(message.topic).rpartition("/")[2]
        payload = message.payload
        if isinstance(payload, bytes | bytearray):
            self._received(name, bytes(payload), bool(message.retain))

    async def _subscribe(self, client: aiomqtt.Client, listening: bool) -> None:
        try:
            names = [topic(self._session, each) for each in self._commands]
            if listening:
                await client.subscribe([(name, 1) for name in names], timeout=LEFT_WITHIN_S)
            else:
                await client.unsubscribe(names, timeout=LEFT_WITHIN_S)
            self.listening = listening
        except aiomqtt.MqttError:
            pass  # asked for again by whoever pauses, or with the next connection
        finally:
            self._subscriber = None

    # ------------------------------------------------------------- connection

    def opened(self) -> None:
        """There is a connection: whatever the broker shows, ours is newer."""
        for one in self._retained.values():
            one.opened()
        self.listening = False
        self.pause(False)

    def closed(self) -> list[asyncio.Task[None]]:
        """The connection is lost; what is to be cancelled."""
        tasks = [*self._passing.values(), *self._answers]
        for one in self._retained.values():
            tasks += one.closed()
        if self._subscriber is not None:
            tasks.append(self._subscriber)
        return tasks
