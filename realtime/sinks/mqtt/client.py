"""One connection's client, which remembers the other side's answers.

aiomqtt and paho drop three things that we want: how a broker greets; that it refused a message, which
with MQTT 5 it says in its acknowledgement; and the error with which it ended a connection before it
greeted at all (with TLS 1.3 a certificate is refused only after the handshake).  paho reports the last one
to its log alone, so we listen there; and nothing of it is printed.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

VERSIONS: Mapping[str, aiomqtt.ProtocolVersion] = {
    "5": aiomqtt.ProtocolVersion.V5,
    "3.1.1": aiomqtt.ProtocolVersion.V311,
}


class RefusedError(aiomqtt.MqttError):
    """The broker does not take what we publish; its words."""


class _Ear(logging.Handler):
    """Keeps the last error that was noted."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: Exception | None = None

    def emit(self, record: logging.LogRecord) -> None:
        arguments = record.args if isinstance(record.args, tuple) else ()
        self.heard = next((each for each in arguments if isinstance(each, Exception)), self.heard)


class Client(aiomqtt.Client):
    """`aiomqtt.Client` for one connection; the parameters are its own."""

    greeting: Mapping[str, Any] = {}
    """Properties with which the broker greeted; empty before, and with MQTT 3.1.1."""

    refused: Callable[[RefusedError], None]
    """Called when the broker refuses a message; `publish` then never returns."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self._ear = _Ear()
        # A logger of its own that no configuration reaches: topics and errors stay in here.
        logger = logging.Logger("mqtt", logging.ERROR)
        logger.addHandler(self._ear)
        super().__init__(*args, logger=logger, **options)

    def _on_connect(
        self, client: Any, userdata: Any, flags: Any, reason_code: Any, properties: Properties | None = None
    ) -> None:
        if properties is not None:
            self.greeting = properties.json()
        super()._on_connect(client, userdata, flags, reason_code, properties)

    def _on_publish(
        self, client: Any, userdata: Any, mid: int, reason_code: Any, properties: Properties
    ) -> None:
        if reason_code.is_failure:
            self.refused(RefusedError(str(reason_code)))
            return
        super()._on_publish(client, userdata, mid, reason_code, properties)

    def _on_disconnect(
        self, client: Any, userdata: Any, flags: Any, reason_code: Any, properties: Properties | None = None
    ) -> None:
        if not self._connected.done():  # aiomqtt would wait for a greeting until its time is over.
            error = aiomqtt.MqttError("the connection was ended before the broker greeted")
            error.__cause__ = self._ear.heard
            self._connected.set_exception(error)
        super()._on_disconnect(client, userdata, flags, reason_code, properties)


def expiring(seconds: float) -> Properties:
    """MQTT 5's properties of a message that the broker is to throw away after so long, whole s, 1 or more."""
    properties = Properties(PacketTypes.PUBLISH)
    properties.MessageExpiryInterval = int(min(max(seconds, 1.0), 2**32 - 1))
    return properties
