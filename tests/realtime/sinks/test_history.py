"""Never stale, never lost, through real brokers: what is current and what is history, whatever happened."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from realtime.session.publisher import Publisher
from realtime.sinks.journal.journal import JournalWriter, read_decisions
from realtime.sinks.mqtt.broker import EmbeddedBroker
from realtime.sinks.mqtt.client import VERSIONS
from realtime.sinks.mqtt.outbox import Letter
from realtime.sinks.mqtt.sink import MqttSink
from realtime.sinks.mqtt.tls import PASSWORD, USER
from realtime.status import Status
from tests.realtime.sinks.support import some_decision

ROOT = Path(__file__).parents[3]
Soon = Callable[..., Awaitable[None]]


def unexpected(message: str) -> None:
    raise AssertionError(message)


def sink_for(url: str, **options: Any) -> MqttSink:
    options = {"on_trouble": lambda _: None, "environ": {}, **options}
    return MqttSink(url, session="bed-1", last_will=Status.lost("bed-1", 1).to_json(), **options)


def client(port: int, protocol: str, name: str, **known: str) -> aiomqtt.Client:
    """A subscriber for whom the broker keeps what comes while it sleeps."""
    if protocol == "3.1.1":
        return aiomqtt.Client(
            "127.0.0.1", port, identifier=name, protocol=VERSIONS[protocol], clean_session=False, **known
        )
    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = 600
    return aiomqtt.Client(
        "127.0.0.1",
        port,
        identifier=name,
        protocol=VERSIONS[protocol],
        clean_start=False,
        properties=properties,
        **known,
    )


class Heard:
    """What a subscriber was given: topic's last part and text."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str]] = []

    def on(self, what: str) -> list[str]:
        return [text for topic, text in self.messages if topic == what]

    def sequences(self, what: str) -> list[tuple[int, int]]:
        found = [json.loads(text) for text in self.on(what)]
        return [(one["run"], one["sequence"]) for one in found]


@asynccontextmanager
async def listening(port: int, protocol: str = "3.1.1", name: str = "ward", **known: str) -> Any:
    heard = Heard()
    ready = asyncio.Event()

    async def listen() -> None:
        async with client(port, protocol, name, **known) as ear:
            await ear.subscribe("hemostream/bed-1/#", qos=1)
            ready.set()
            async for message in ear.messages:
                assert isinstance(message.payload, bytes)
                heard.messages.append((message.topic.value.rpartition("/")[2], message.payload.decode()))

    task = asyncio.create_task(listen())
    async with asyncio.timeout(10):
        await ready.wait()
    yield heard
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_subscriber_that_slept_is_shown_nothing_old(mosquitto: Any, protocol: str, soon: Soon) -> None:
    """The broker throws away what has had its time; what has none (or time left) it delivers."""

    async def scenario() -> None:
        async with listening(mosquitto.port, protocol):
            pass
        async with sink_for(mosquitto.url) as sink:
            now = time.monotonic()
            sink.publish(Letter(1, 0, '{"run":1,"sequence":0}', now + 1.5))
            sink.publish(Letter(1, 1, '{"run":1,"sequence":1}', now + 1000.0))
            sink.publish(Letter(1, 2, '{"run":1,"sequence":2}', now - 1.0))
            assert await sink.drain(10)
            # mosquitto counts whole seconds; there is nothing to be asked whether it is over.
            await asyncio.sleep(3.0)
            async with listening(mosquitto.port, protocol) as heard:
                await soon(lambda: len(heard.messages) >= 2, "what has time left")
        assert heard.sequences("decision") == [(1, 1)]
        assert heard.sequences("history") == [(1, 2)]

    asyncio.run(scenario())


def test_the_embedded_broker_survives_a_current_decision_whatever_its_subscribers_speak(soon: Soon) -> None:
    """It would die of a message that has an expiry and goes to a subscriber with MQTT 3.1.1."""

    async def scenario(broker: EmbeddedBroker) -> None:
        known = {"username": broker.environ[USER], "password": broker.environ[PASSWORD]}
        old, new = (int(url.rpartition(":")[2]) for url in (broker.url, broker.url_v5))
        async with (
            listening(old, **known) as first,
            listening(new, "5", "other", **known) as second,
        ):
            async with sink_for(broker.url_v5, environ=broker.environ) as sink:
                for index in range(3):
                    text = json.dumps({"run": 1, "sequence": index})
                    sink.publish(Letter(1, index, text, time.monotonic() + 100.0))
                assert await sink.drain(10)
                await soon(lambda: len(first.messages) >= 3, "MQTT 3.1.1")
                await soon(lambda: len(second.messages) >= 3, "MQTT 5")
            async with listening(old, name="late", **known):
                pass  # Its listener still takes subscribers.
        assert first.sequences("decision") == second.sequences("decision") == [(1, 0), (1, 1), (1, 2)]

    with EmbeddedBroker() as broker:
        asyncio.run(scenario(broker))


class Bed:
    """A publisher with journal and broker, as a session has it, on a clock of its own."""

    def __init__(
        self, url: str, path: Path, run: int, *, queue_size: int = 1000, max_age_s: float = 5.0
    ) -> None:
        self.sink = sink_for(url, queue_size=queue_size)
        self.path, self.run = path, run
        self.now = 1000.0 * run
        self.made = 0
        self.published = 0
        self.journal = JournalWriter(path, on_trouble=unexpected)
        self.publisher = Publisher(
            journal=self.journal,
            broker=self.sink,
            sinks=(),
            published=self._count,
            run=run,
            max_age_s=max_age_s,
            clock=lambda: self.now,
        )

    def _count(self, _decision: Any) -> None:
        self.published += 1

    async def decide(self, number: int, age_s: float = 0.0) -> None:
        for _ in range(number):
            end = self.now - age_s
            decision = some_decision(self.made, run=self.run, window_start=end - 7.0, window_end=end)
            self.publisher.pass_on(decision, end)
            self.made += 1
            self.now += 1.0
        async with asyncio.timeout(20):
            while self.published < self.made:
                await asyncio.sleep(0.002)


def test_after_an_outage_longer_than_memory_everything_comes_as_history(
    mosquitto: Any, tmp_path: Path, soon: Soon
) -> None:
    path = tmp_path / "j"

    async def scenario() -> None:
        async with listening(mosquitto.port):
            mosquitto.save()
        mosquitto.kill()
        bed = Bed(mosquitto.url, path, 1, queue_size=50)
        async with bed.sink:
            await bed.decide(400)
            assert bed.sink.dropped == 0
            assert bed.sink.waiting == 400
            status = bed.publisher.broker_status
            assert status is not None
            assert (status.connected, status.waiting) == (False, 400)
            mosquitto.start()
            async with listening(mosquitto.port) as heard:
                await soon(lambda: bed.sink.connected, "the connection")
                await bed.decide(20)
                await soon(lambda: bed.sink.waiting == 0, "the backlog to be gone", 20.0)
                await soon(lambda: len(heard.messages) >= 420, "what was sent", 10.0)
                assert await bed.publisher.close() is None
        texts = list(read_decisions(path))
        current, history = heard.on("decision"), heard.on("history")
        # The last five seconds of the outage were still current; byte for byte the journal's, in order.
        assert sorted([*current, *history], key=texts.index) == texts
        assert current == [text for text in texts if text in set(current)]
        assert history == [text for text in texts if text in set(history)]
        assert len(history) >= 395
        with JournalWriter(path, on_trouble=unexpected) as again:
            assert again.spool((0, 0), (9, 0)).letters == [], "all is acknowledged, and noted"

    asyncio.run(scenario())


def test_what_is_old_when_it_is_made_is_history(mosquitto: Any, tmp_path: Path, soon: Soon) -> None:
    """A burst after a freeze: 20 s of windows at once."""

    async def scenario() -> None:
        async with listening(mosquitto.port) as heard:
            bed = Bed(mosquitto.url, tmp_path / "j", 1)
            async with bed.sink:
                await soon(lambda: bed.sink.connected)
                await bed.decide(3, age_s=20.0)
                await bed.decide(2)
                await soon(lambda: len(heard.messages) >= 5)
                await bed.publisher.close()
        assert heard.sequences("decision") == [(1, 3), (1, 4)]
        assert heard.sequences("history") == [(1, 0), (1, 1), (1, 2)]

    asyncio.run(scenario())


def test_the_next_run_publishes_what_the_one_before_could_not(
    mosquitto: Any, tmp_path: Path, soon: Soon
) -> None:
    """Runs that end without a broker; then one that has it.  And after a clean end nothing comes twice."""
    path = tmp_path / "j"

    async def scenario() -> None:
        async with listening(mosquitto.port):
            mosquitto.save()
        mosquitto.kill()
        for run in (1, 2):
            bed = Bed(mosquitto.url, path, run)
            async with bed.sink:
                await bed.decide(100)
                await bed.publisher.close()
        mosquitto.start()
        async with listening(mosquitto.port) as heard:
            for run in (3, 4):
                bed = Bed(mosquitto.url, path, run)
                async with bed.sink:
                    await soon(lambda bed=bed: bed.sink.connected)
                    await bed.decide(3)
                    await bed.publisher.close()
            await soon(lambda: len(heard.messages) >= 206, "everything")
        assert heard.sequences("history") == [(run, index) for run in (1, 2) for index in range(100)]
        assert heard.sequences("decision") == [(run, index) for run in (3, 4) for index in range(3)]

    asyncio.run(scenario())


KILLED = """
import asyncio, sys, time
from pathlib import Path
from realtime.session.publisher import Publisher
from realtime.sinks.journal.journal import JournalWriter
from realtime.sinks.mqtt.sink import MqttSink
from tests.realtime.sinks.support import some_decision

async def main(url, path, run):
    sink = MqttSink(url, session="bed-1", last_will="{}", on_trouble=lambda _: None, environ={},
                    queue_size=20)
    made = 0
    def published(decision):
        print(decision.sequence, flush=True)
    publisher = Publisher(journal=JournalWriter(path, on_trouble=sys.exit), broker=sink, sinks=(),
                          published=published, run=run, max_age_s=5.0)
    async with sink:
        while True:
            publisher.pass_on(some_decision(made, run=run), time.monotonic())
            made += 1
            await asyncio.sleep(0.001)

asyncio.run(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9")
def test_a_session_that_is_killed_publishes_the_rest_when_it_is_started_again(
    mosquitto: Any, tmp_path: Path, soon: Soon
) -> None:
    """Killed while the broker was away, and killed while it was there: nothing is missing at the end."""
    path = tmp_path / "j"

    def run_and_kill(run: int, decisions: int) -> None:
        command = [sys.executable, "-c", KILLED, mosquitto.url, str(path), str(run)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as child:
            assert child.stdout is not None
            for _ in range(decisions):
                assert child.stdout.readline()
            child.kill()

    async def scenario() -> None:
        async with listening(mosquitto.port) as heard:
            await asyncio.to_thread(run_and_kill, 1, 200)
        mosquitto.save()
        mosquitto.kill()
        await asyncio.to_thread(run_and_kill, 2, 200)
        mosquitto.start()
        bed = Bed(mosquitto.url, path, 3)
        async with listening(mosquitto.port) as after:
            heard.messages, before = after.messages, heard.messages
            async with bed.sink:
                await soon(lambda: bed.sink.connected)
                await bed.decide(1)
                await soon(lambda: (3, 0) in after.sequences("decision"), "the current one")
                await soon(lambda: bed.sink.waiting == 0, "the backlog to be gone")
                await bed.publisher.close()
        after.messages += before
        texts = {text for kind, text in after.messages if kind in ("decision", "history")}
        assert texts == set(read_decisions(path))
        # What was on its way to the ward when all went, the broker may deliver while it has time left.
        assert next(each for each in after.sequences("decision") if each[0] != 1) == (3, 0)
        second = [identity for identity in after.sequences("history") if identity[0] == 2]
        assert second == sorted(set(second)), "in order, once each"
        assert len(second) >= 200
        # Of the run that had the broker only what it had not noted as acknowledged comes once more.
        repeated = [identity for identity in after.sequences("history") if identity[0] == 1]
        assert len(repeated) < 150

    asyncio.run(scenario())


@pytest.mark.skipif(sys.platform == "win32", reason="processes cannot be stopped there")
def test_of_a_broker_that_freezes_no_more_than_one_decision_comes_late(
    mosquitto: Any, tmp_path: Path, soon: Soon
) -> None:
    """One may have been on its way, and cannot be called back."""

    async def scenario() -> None:
        async with listening(mosquitto.port) as heard:
            bed = Bed(mosquitto.url, tmp_path / "j", 1)
            async with bed.sink:
                await soon(lambda: bed.sink.connected)
                await bed.decide(3)
                await soon(lambda: len(heard.messages) >= 3 and not bed.sink.waiting)
                os.kill(mosquitto.pid, signal.SIGSTOP)
                try:
                    for _ in range(8):
                        await bed.decide(1)
                finally:
                    os.kill(mosquitto.pid, signal.SIGCONT)
                await soon(lambda: len(heard.messages) >= 11, "everything")
                await bed.publisher.close()
        # 3 was on its way; when the broker woke, 7 and what follows it were less than 5 s old.
        assert heard.sequences("decision") == [(1, index) for index in (0, 1, 2, 3, 7, 8, 9, 10)]
        assert heard.sequences("history") == [(1, index) for index in (4, 5, 6)]

    asyncio.run(scenario())
