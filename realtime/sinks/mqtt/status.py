"""The status of a session over MQTT: retained, and only the latest one matters."""

import asyncio
from collections.abc import Callable

import aiomqtt

from realtime.sinks.mqtt.connection import BrokerConnection

ACKNOWLEDGED_WITHIN_S = 10.0
"""After this long without an acknowledgement a connection is taken for lost."""


class StatusTopic:
    """Keeps what the broker shows as a session's status the latest one.

    Parameters
    ----------
    name : str
        The topic.
    connection : Connection
        Through which it is published.
    settled : callable
        Called when the broker has it, or it could not be published.
    """

    def __init__(self, name: str, connection: BrokerConnection, settled: Callable[[], None]) -> None:
        self._name = name
        self._connection = connection
        self._settled = settled
        self._latest: str | None = None
        self._shown: str | None = None  # What the broker acknowledged on this connection.
        self._sender: asyncio.Task[None] | None = None

    @property
    def shown(self) -> bool:
        """Whether the broker shows the latest."""
        return self._latest is self._shown

    def publish(self, text: str) -> None:
        """Publish a status (JSON)."""
        self._latest = text
        self._send()

    def opened(self) -> None:
        """There is a connection: whatever the broker shows, ours is newer."""
        self._shown = None
        self._send()

    def closed(self) -> list[asyncio.Task[None]]:
        """The connection is lost; what is to be cancelled."""
        return [self._sender] if self._sender else []

    def _send(self) -> None:
        client = self._connection.client
        if client is not None and not self.shown and self._latest is not None and self._sender is None:
            self._sender = asyncio.create_task(self._deliver(client))

    async def _deliver(self, client: aiomqtt.Client) -> None:
        try:
            while (text := self._latest) is not self._shown:
                await client.publish(self._name, text, qos=1, retain=True, timeout=ACKNOWLEDGED_WITHIN_S)
                self._connection.proved()
                self._shown = text
        except aiomqtt.MqttError as error:
            self._connection.broken(client, error)
        finally:
            self._sender = None
            self._settled()
