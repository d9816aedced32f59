"""Which number a session's run may have, as far as the broker knows.

A decision's identity is (session, run, sequence).  Runs are counted in the journal; a session that is
started under the same name with another journal would begin with run 1 again, and its
decisions would be taken for those of an earlier day.  The broker keeps each session's latest status,
which names its run: so it is asked before a run begins.
"""

import asyncio
import json
import secrets
from collections.abc import Callable
from contextlib import suppress

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from models.errors import BrokerError
from realtime.log import MOST_RUNS
from realtime.sinks.mqtt.address import Address, Protocol
from realtime.sinks.mqtt.client import VERSIONS, Client
from realtime.sinks.mqtt.topics import topic
from realtime.status import State

REACHED_WITHIN_S = 3.0
"""Longest wait for the broker to be there, s."""
RETAINED_WITHIN_S = 0.5
"""What a broker has retained it sends right behind its answer to a subscription; that there is nothing
it does not say."""
MOST_STATUS = 2**20
"""Bytes of a status that are looked at."""


async def free_run(
    address: Address,
    session: str,
    run: int,
    *,
    on_trouble: Callable[[str], None],
    protocol: Protocol = "5",
    take_over: bool = False,
) -> int:
    """The number for the next run of a session.

    Parameters
    ----------
    address : Address
        The broker.
    session : str
        Name of the session.
    run : int
        What the journal says (`realtime.sinks.journal.journal.next_run`); 1 where it is new.
    on_trouble : callable of str
        Called where the broker knows of later runs, and where a new journal's run could not be compared.
    protocol : {"5", "3.1.1"}
        Version of MQTT.
    take_over : bool
        Whether to begin although the broker shows the session as running.

    Returns
    -------
    int
        ``run``, or a higher number where the broker has seen that one already.

    Raises
    ------
    BrokerError
        The broker shows a session of this name as running: one that ended is shown as
        offline, by itself or by the broker.
    """
    client = asking(address, session, protocol)
    try:
        async with asyncio.timeout(REACHED_WITHIN_S), client:
            await client.subscribe(topic(session, "status"), qos=1)
            latest, running = await _latest_run(client)
    except (aiomqtt.MqttError, TimeoutError):
        if run == 1:
            on_trouble(
                f"Broker {address} cannot be asked which runs of session {session!r} it has seen, and the "
                "journal is new. If another journal was kept under this name, give the session another "
                "one: decisions of both would have the same identity."
            )
        return run
    if running and not take_over:
        raise runs_already(address, session, running)
    if latest is None:
        on_trouble(
            f"Broker {address} keeps a status under session {session!r} that no session of ours writes: it "
            f"is not believed, this is run {run}. See who else may publish there."
        )
        return run
    if latest < run:
        return run
    on_trouble(
        f"Broker {address} has seen run {latest} of session {session!r}, which this journal does not hold: "
        f"this is run {latest + 1}."
    )
    return latest + 1


def asking(address: Address, session: str, protocol: Protocol) -> Client:
    """A client that asks for what is kept under a session's name.

    Each has an identifier of its own: two of one would throw each other out.
    """
    return Client(
        address.host,
        address.port,
        username=address.user,
        password=address.password,
        identifier=f"hemostream-{session}-run-{secrets.token_hex(4)}",
        protocol=VERSIONS[protocol],
        tls_context=address.tls,
        timeout=REACHED_WITHIN_S,
        properties=_connect_properties() if protocol == "5" else None,
    )


def runs_already(address: Address, session: str, state: str) -> BrokerError:
    """The error where a name is taken by a session in a state."""
    return BrokerError(
        f"Session {session!r} runs already: broker {address} shows it as {state!r}. Decisions of "
        "two sessions of one name cannot be distinguished. End that one, or choose another --session. "
        "One that was cut off is declared offline by the broker within 15 s: then start again. If it "
        "surely does not run, since broker and session ended together, say --take-over."
    )


async def _latest_run(client: Client) -> tuple[int | None, str]:
    """The run and the state that the retained status names; 0 where there is none, None where not ours."""
    with suppress(TimeoutError):
        async with asyncio.timeout(RETAINED_WITHIN_S):
            async for message in client.messages:
                return run_of(message.payload), running_state(message.payload)
    return 0, ""


def _connect_properties() -> Properties:
    """With MQTT 5 a client can ask for no message that is too long."""
    properties = Properties(PacketTypes.CONNECT)
    properties.MaximumPacketSize = 2 * MOST_STATUS
    return properties


def run_of(payload: object) -> int | None:
    """The run that a status names; None where nothing of ours can have written it.

    Any client that may publish there can have: it is bounded before it is used.

    Parameters
    ----------
    payload : bytes or anything
        The message as it came.
    """
    if not isinstance(payload, bytes | bytearray) or len(payload) > MOST_STATUS:
        return None
    try:
        status = json.loads(payload)
    except (ValueError, RecursionError):  # bytes that are no UTF-8 are a ValueError too
        return None
    run = status.get("run") if isinstance(status, dict) else None
    if isinstance(run, bool) or not isinstance(run, int) or not 0 <= run < MOST_RUNS:
        return None
    return run


def running_state(payload: object) -> str:
    """The state that a status names, where a session that shows it runs; else, and where it is none, empty.

    Parameters
    ----------
    payload : bytes or anything
        The message as it came: any client that may publish there can have written it.
    """
    if not isinstance(payload, bytes | bytearray) or len(payload) > MOST_STATUS:
        return ""
    try:
        state = State(json.loads(payload)["state"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return "" if state is State.OFFLINE else str(state)
