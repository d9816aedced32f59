"""Check of the MQTT broker: does it answer, and does it take us?"""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from models.errors import BrokerError
from tools.doctor.finding import Finding, good, problem, warning

if TYPE_CHECKING:
    from realtime.sinks.mqtt.address import Address

ANSWER_S = 4.0
"""Longest wait for a broker to answer, s."""


def check_broker(
    url: str | None,
    environ: Mapping[str, str],
    *,
    allow_insecure: bool = False,
    protocol: Literal["5", "3.1.1"] = "5",
) -> Finding:
    """See whether a session could speak to the broker; nothing is published.

    Parameters
    ----------
    url : str or None
        As `live --broker` takes it; None is a broker of our own.
    environ : mapping
        Where the credentials stand; they are never shown.
    allow_insecure : bool
        As `live --allow-insecure`.
    protocol : {"5", "3.1.1"}
        MQTT version.
    """
    from realtime.sinks.mqtt.address import Address

    check = "broker"
    if url is None:
        return good(check, "none named: a session starts one of its own on 127.0.0.1")
    try:
        address = Address.parse(url, environ, allow_insecure=allow_insecure)
    except BrokerError as error:
        return problem(check, str(error))
    how = "with user name and password" if address.user else "without credentials"
    from tools.event_loop import run_async

    try:
        refused = run_async(_ask(address, protocol))
    except (OSError, TimeoutError) as error:
        return problem(
            check,
            f"{address} does not answer: {error or type(error).__name__}",
            "a broker there",
            "Start it, look at host and port, or let the firewall pass",
        )
    if refused:
        return problem(
            check,
            f"{address} answers, and refuses us {how}: {refused}",
            "to be let in",
            "Set HEMOSTREAM_MQTT_USER and HEMOSTREAM_MQTT_PASSWORD in the environment to what the broker "
            "knows",
        )
    notes = [str(one) for one in getattr(address, "warnings", ())]
    if notes:
        return warning(check, f"{address} takes us {how}; {'; '.join(notes)}")
    return good(check, f"{address} takes us {how}, MQTT {protocol}")


async def _ask(address: "Address", protocol: Literal["5", "3.1.1"]) -> str:
    """Connect and leave; give the broker's answer where it refused."""
    import aiomqtt

    version = aiomqtt.ProtocolVersion.V5 if protocol == "5" else aiomqtt.ProtocolVersion.V311
    # TCP first: whether anything listens there is another question than whether it lets us in.
    _, writer = await asyncio.wait_for(asyncio.open_connection(address.host, address.port), ANSWER_S)
    writer.close()
    try:
        async with aiomqtt.Client(
            address.host,
            address.port,
            username=address.user,
            password=address.password,
            tls_context=address.tls,
            protocol=version,
            timeout=ANSWER_S,
        ):
            return ""
    except aiomqtt.MqttError as error:
        return str(error) or type(error).__name__
