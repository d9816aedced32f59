"""Sessions of one name that are started in one moment."""

import asyncio
from typing import Any

import aiomqtt
import pytest

from models.errors import BrokerError
from realtime.sinks.mqtt.address import Address
from realtime.sinks.mqtt.claim import claim
from realtime.sinks.mqtt.runs import free_run
from realtime.status import State, Status
from tests.realtime.sinks.support import free_port

STATUS = "hemostream/bed-1/status"


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
@pytest.mark.parametrize("count", [1, 2, 8])
def test_one_of_those_who_start_together_has_the_name(mosquitto: Any, protocol: Any, count: int) -> None:
    """All of them ask who runs, and none does yet."""
    address = Address.parse(mosquitto.url, {})

    async def start() -> bool:
        await free_run(address, "bed-1", 1, on_trouble=lambda text: None, protocol=protocol)
        try:
            await claim(address, "bed-1", 1, protocol=protocol)
        except BrokerError:
            return False
        return True

    async def scenario() -> list[bool]:
        return await asyncio.gather(*(start() for _ in range(count)))

    assert sorted(asyncio.run(scenario())) == [False] * (count - 1) + [True]


def test_a_name_is_taken_where_it_is_free_and_kept_where_it_is_not(mosquitto: Any) -> None:
    address = Address.parse(mosquitto.url, {})

    async def scenario() -> None:
        async with aiomqtt.Client(address.host, address.port) as other:

            async def keep(payload: bytes | str) -> None:
                await other.publish(STATUS, payload, qos=1, retain=True)

            for free in (b"", Status.lost("bed-1", 3).to_json(), "no JSON", b"\xff", '{"state":"live"'):
                await keep(free)
                await claim(address, "bed-1", 4)
            for taken in (
                Status(session="bed-1", run=3, state=State.LIVE).to_json(),
                '{"state":"waiting","versions":7}',
            ):
                await keep(taken)
                with pytest.raises(BrokerError, match="runs already"):
                    await claim(address, "bed-1", 4)
                await other.subscribe(STATUS, qos=1)
                kept = await anext(aiter(other.messages))
                assert kept.payload == taken.encode(), "one that is refused says nothing"
                await other.unsubscribe(STATUS)

    asyncio.run(scenario())


def test_a_broker_that_is_not_there_prevents_no_name() -> None:
    asyncio.run(claim(Address.parse(f"mqtt://127.0.0.1:{free_port()}", {}), "bed-1", 1))
