"""The ward's ear: everything that the sessions publish, with the moment at which it was in hand."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tools.soak.account import Heard

PAUSE_S = 0.2


class Ear:
    """Subscribes, and takes a lost connection up again: the broker keeps for it what came meanwhile.

    Parameters
    ----------
    port : int
        Of the broker on 127.0.0.1, MQTT 5.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._heard: dict[str, list[Heard]] = defaultdict(list)
        self.statuses: dict[str, list[tuple[float, str]]] = defaultdict(list)
        """For each session: when (s since 1970), and the status."""

    @property
    def heard(self) -> Mapping[str, list[Heard]]:
        """For each session, its decisions as they arrived."""
        return self._heard

    async def listen(self) -> None:
        """Listen until cancelled."""
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = 3600
        while True:
            with suppress(aiomqtt.MqttError):
                async with aiomqtt.Client(
                    "127.0.0.1",
                    self._port,
                    identifier="soak-ward",
                    protocol=aiomqtt.ProtocolVersion.V5,
                    clean_start=False,
                    properties=properties,
                ) as client:
                    await client.subscribe("hemostream/#", qos=1)
                    async for message in client.messages:
                        self._note(str(message.topic), message.payload)
            await asyncio.sleep(PAUSE_S)

    def _note(self, topic: str, payload: object) -> None:
        assert isinstance(payload, bytes)
        _, session, what = topic.split("/")
        text = payload.decode()
        if what == "status":
            self.statuses[session].append((time.time(), text))
        else:
            self._heard[session].append(Heard(time.time(), what, text))
