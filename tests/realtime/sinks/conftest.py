"""What the tests of the sinks share."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from realtime.decision import Decision
from tests.realtime.sinks.support import Mosquitto, some_decision

MakeDecision = Callable[..., Decision]


@pytest.fixture(scope="session")
def make_decision() -> MakeDecision:
    """Makes a decision with a given sequence and anything else by keyword."""
    return some_decision


@pytest.fixture
def until() -> Callable[..., None]:
    """Waits until a condition holds, at most ten seconds."""

    def wait(holds: Callable[[], object], why: str = "the condition", within_s: float = 10.0) -> None:
        deadline = time.monotonic() + within_s
        while not holds():
            assert time.monotonic() < deadline, f"waited in vain for {why}"
            time.sleep(0.005)

    return wait


@pytest.fixture
def soon() -> Callable[..., Awaitable[None]]:
    """The same in an event loop."""

    async def wait(holds: Callable[[], object], why: str = "the condition", within_s: float = 10.0) -> None:
        deadline = time.monotonic() + within_s
        while not holds():
            assert time.monotonic() < deadline, f"waited in vain for {why}"
            await asyncio.sleep(0.005)

    return wait


@pytest.fixture
def mosquitto(mosquitto_path: str, tmp_path: Path) -> Iterator[Mosquitto]:
    """A running mosquitto that lets anyone in."""
    broker = Mosquitto(mosquitto_path, tmp_path)
    broker.start()
    yield broker
    broker.kill()
