"""The ward's ear: everything that the sessions publish, with the moment at which it was in hand."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

PAUSE_S = 0.2

TOPICS = ("status", "decision", "history")
"""What is listened to: a flood on any other topic must not make the listener late."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A decision as it arrived.

    Parameters
    ----------
    at_utc : float
        When it was in the subscriber's hands, seconds since 1970.
    topic : str
        ``decision`` or ``history``.
    text : str
        The decision.
    """

    at_utc: float
    topic: str
    text: str


def age_at(values: dict[str, Any], at_utc: float) -> float:
    """How old (stream s) a decision was at a moment (s since 1970)."""
    produced = datetime.fromisoformat(values["produced_at_utc"]).timestamp()
    return float(values["age_s"] + (at_utc - produced) * values["speed"])


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
        self.listening = asyncio.Event()
        """Set once the broker knows of the subscription, which it then keeps."""

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
                    identifier="ward",
                    protocol=aiomqtt.ProtocolVersion.V5,
                    clean_start=False,
                    properties=properties,
                ) as client:
                    await client.subscribe([(f"hemostream/+/{what}", 1) for what in TOPICS])
                    self.listening.set()
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
