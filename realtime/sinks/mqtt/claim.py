"""A session's name, taken at a broker before anything is published under it.

Two sessions of one name that are started together both find it free (`realtime.sinks.mqtt.runs`), and while
each loads its model neither has published anything yet.  So the last thing before a session begins is to say
under the name that it is taken, with a word of chance, and to listen.  A broker sends what is published on a
topic to all in one order: whoever's word comes first has the name, and the others see that it is not theirs.
"""

import asyncio
import json
import secrets
from contextlib import suppress

import aiomqtt

from realtime.sinks.mqtt.address import Address, Protocol
from realtime.sinks.mqtt.runs import REACHED_WITHIN_S, RETAINED_WITHIN_S, asking, running_state, runs_already
from realtime.sinks.mqtt.topics import topic
from realtime.status import State, Status

CLAIM = "claim"
"""Where the word stands among a status' versions."""


async def claim(address: Address, session: str, run: int, *, protocol: Protocol = "5") -> None:
    """Take a session's name; a broker that is not there, or does not let us publish, prevents nothing.

    Parameters
    ----------
    address : Address
        The broker.
    session : str
        The name.
    run : int
        The session's run.
    protocol : {"5", "3.1.1"}
        Version of MQTT.

    Raises
    ------
    BrokerError
        Another session has it.
    """
    word = secrets.token_hex(8)
    ours = Status(
        session=session, run=run, state=State.WAITING, reason="the session starts", versions={CLAIM: word}
    )
    where = topic(session, "status")
    client = asking(address, session, protocol)
    client.refused = lambda error: None
    first: bytes | None = None
    with suppress(aiomqtt.MqttError, TimeoutError):
        async with asyncio.timeout(REACHED_WITHIN_S), client:
            await client.subscribe(where, qos=1)
            first = await _first_running(client)
            if first is None:
                await client.publish(where, ours.to_json(), qos=1, retain=True)
                first = await _first_running(client)
    if first is not None and _word(first) != word:
        raise runs_already(address, session, running_state(first))


async def _first_running(client: aiomqtt.Client) -> bytes | None:
    """The first status of a session that runs; None where none comes in time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(RETAINED_WITHIN_S):
            async for message in client.messages:
                if isinstance(message.payload, bytes) and running_state(message.payload):
                    return message.payload
    return None


def _word(payload: bytes) -> object:
    """The word of chance in a status, which `running_state` has read before."""
    versions = json.loads(payload).get("versions")
    return versions.get(CLAIM) if isinstance(versions, dict) else None
