"""Which run a session's next one is, where the broker has seen others."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from models.errors import BrokerError
from realtime.sinks.mqtt.address import Address
from realtime.sinks.mqtt.runs import free_run, running_state
from realtime.sinks.mqtt.sink import MqttSink
from realtime.status import State, Status
from tests.realtime.sinks.support import free_port

Soon = Callable[..., Awaitable[None]]


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_run_that_the_broker_knows_is_not_given_again(mosquitto: Any, protocol: Any, soon: Soon) -> None:
    """Another journal under the same name: decisions of both would have the same identity."""
    reported: list[str] = []
    address = Address.parse(mosquitto.url, {})

    async def ask(run: int, session: str = "bed-1") -> int:
        return await free_run(address, session, run, on_trouble=reported.append, protocol=protocol)

    async def scenario() -> None:
        assert await ask(1) == 1, "the name is free"
        async with MqttSink(
            mosquitto.url, session="bed-1", last_will="{}", on_trouble=reported.append, environ={}
        ) as sink:
            sink.publish_status(Status.lost("bed-1", 4).to_json())
            assert await sink.drain(10)
        assert reported == []
        assert await ask(5) == 5, "the journal goes on from there"
        assert reported == []
        assert await ask(1) == 5
        assert await ask(3) == 5
        assert [line.endswith("this is run 5.") for line in reported] == [True, True]
        assert await ask(1, "bed-2") == 1

    asyncio.run(scenario())


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_what_the_broker_says_is_not_believed_blindly(mosquitto: Any, protocol: Any) -> None:
    import aiomqtt

    async def scenario() -> None:
        address = Address.parse(mosquitto.url, {})
        for text in (
            *(
                "no JSON",
                "[]",
                '{"run":"x"}',
                '{"run":null}',
                "{}",
                '{"run":true}',
                '{"run":1.5}',
                b"\xff\xfe",
            ),
            # Each of these ended the session, or its journal.
            *(
                '{"run":Infinity}',
                '{"run":9223372036854775807}',
                '{"run":1e400}',
                '{"run":' + "9" * 5000 + "}",
            ),
            *(
                "[" * 100_000,
                '{"a":' * 100_000,
                '{"run":-1}',
                '{"run":' + "[" * 100_000 + "]" * 100_000 + "}",
            ),
        ):
            async with aiomqtt.Client("127.0.0.1", mosquitto.port) as other:
                await other.publish("hemostream/bed-1/status", text, qos=1, retain=True)
            reported: list[str] = []
            assert await free_run(address, "bed-1", 2, on_trouble=reported.append, protocol=protocol) == 2
            assert "not believed" in reported[0]

    asyncio.run(scenario())


def test_a_broker_that_is_absent_holds_nothing_up_but_a_new_journal_is_warned_of() -> None:
    reported: list[str] = []
    address = Address.parse(f"mqtt://127.0.0.1:{free_port()}", {})
    assert asyncio.run(free_run(address, "bed-1", 3, on_trouble=reported.append)) == 3
    assert reported == []
    assert asyncio.run(free_run(address, "bed-1", 1, on_trouble=reported.append)) == 1
    assert "would have the same identity" in reported[0]


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_second_session_of_a_name_is_refused_while_the_first_runs(
    mosquitto: Any, protocol: Any, soon: Soon
) -> None:
    address = Address.parse(mosquitto.url, {})
    reported: list[str] = []

    async def ask(**options: Any) -> int:
        return await free_run(address, "bed-1", 1, on_trouble=reported.append, protocol=protocol, **options)

    def sink() -> MqttSink:
        will = Status.lost("bed-1", 1).to_json()
        return MqttSink(
            mosquitto.url, session="bed-1", last_will=will, on_trouble=reported.append, environ={}
        )

    async def scenario() -> None:
        async with sink() as first:
            for state in State:
                if state is State.OFFLINE:
                    continue
                first.publish_status(Status(session="bed-1", run=1, state=state).to_json())
                assert await first.drain(10)
                with pytest.raises(BrokerError, match=r"runs already.*--session.*--take-over"):
                    await ask()
            assert await ask(take_over=True) == 2
            # What the broker says in the place of one that crashed: the same name may begin again.
            first.publish_status(Status.lost("bed-1", 1).to_json())
            assert await first.drain(10)
            assert await ask() == 2

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "payload", [b'{"state":"live"', b"\xff", b'{"state":["live"]}', b"[" * 100_000, b"[]"]
)
def test_what_is_no_status_prevents_no_session(payload: bytes) -> None:
    assert running_state(payload) == ""
    assert running_state(b'{"state":"offline"}') == ""
    assert running_state(b'{"state":"stalled"}') == "stalled"
