"""MQTT through a real mosquitto: every decision once and in order, whatever happens to the broker."""

import asyncio
import gc
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from shutil import which
from typing import Any

import aiomqtt
import pytest

from realtime.sinks.mqtt.outbox import Letter
from realtime.sinks.mqtt.sink import MqttSink
from realtime.status import State, Status

VERSIONS = {"5": aiomqtt.ProtocolVersion.V5, "3.1.1": aiomqtt.ProtocolVersion.V311}
WILL = Status.lost("bed-1", 1).to_json()
LIVE = Status(session="bed-1", run=1, state=State.LIVE).to_json()
GOODBYE = Status(session="bed-1", run=1, state=State.OFFLINE, reason="ended").to_json()
Soon = Callable[..., Awaitable[None]]

pytestmark = pytest.mark.parametrize("protocol", ["5", "3.1.1"])


def unexpected(message: str) -> None:
    raise AssertionError(message)


def sink_for(url: str, protocol: Any, **options: Any) -> MqttSink:
    options = {"session": "bed-1", "last_will": WILL, "on_trouble": unexpected, "environ": {}, **options}
    return MqttSink(url, protocol=protocol, **options)


def letters(start: int, stop: int, **fields: Any) -> list[Letter]:
    return [
        Letter(1, index, json.dumps({"session": "bed-1", "run": 1, "sequence": index}), **fields)
        for index in range(start, stop)
    ]


def decision_texts(start: int, stop: int) -> list[str]:
    return [letter.text for letter in letters(start, stop)]


@asynccontextmanager
async def subscriber(port: int, protocol: str, what: str = "#", **options: Any) -> Any:
    """An independent subscriber; gives the list into which messages come.

    With an ``identifier`` the broker keeps for it what comes while it is away.
    """
    if "identifier" in options:
        protocol, options = "3.1.1", {**options, "clean_session": False}
    received: list[aiomqtt.Message] = []
    ready = asyncio.Event()

    async def listen() -> None:
        async with aiomqtt.Client("127.0.0.1", port, protocol=VERSIONS[protocol], **options) as client:
            await client.subscribe(f"hemostream/{what}", qos=1)
            ready.set()
            async for message in client.messages:
                received.append(message)

    task = asyncio.create_task(listen())
    async with asyncio.timeout(10):
        await ready.wait()
    yield received
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def on(received: list[aiomqtt.Message], what: str) -> list[str]:
    return [
        message.payload.decode()
        for message in received
        if isinstance(message.payload, bytes) and message.topic.value == f"hemostream/bed-1/{what}"
    ]


def test_decisions_arrive_once_in_order_and_are_not_retained(
    mosquitto: Any, protocol: str, soon: Soon
) -> None:
    async def scenario() -> None:
        texts = decision_texts(0, 500)
        async with subscriber(mosquitto.port, protocol) as received:
            async with sink_for(mosquitto.url, protocol) as sink:
                sink.publish_status(LIVE)
                for letter in letters(0, 500):  # More at once than may be in flight.
                    sink.publish(letter)
                await soon(lambda: len(on(received, "decision")) >= 500, "all decisions")
                assert await sink.drain(10)
                assert sink.waiting == 0
                sink.publish_status(GOODBYE)
            await soon(lambda: on(received, "status") == [LIVE, GOODBYE], "the goodbye")
            assert on(received, "decision") == texts
            assert {message.qos for message in received} == {1}
        async with subscriber(mosquitto.port, protocol) as later:
            await soon(lambda: bool(later), "the retained status")
        assert on(later, "status") == [GOODBYE]
        assert on(later, "decision") == []
        assert later[0].retain

    asyncio.run(scenario())


def test_a_decision_does_not_wait_for_the_acknowledgement_of_the_one_before(protocol: str) -> None:
    """A broker that never acknowledges still gets them all, at once."""

    async def scenario() -> None:
        arrived = bytearray()
        everything = asyncio.Event()

        async def mute_broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(4096)
            # CONNACK: accepted; MQTT 5 adds the length of its (no) properties.
            writer.write(b"\x20\x03\x00\x00\x00" if protocol == "5" else b"\x20\x02\x00\x00")
            while not arrived.endswith(b"last"):
                arrived.extend(await reader.read(4096))
            everything.set()
            writer.close()

        server = await asyncio.start_server(mute_broker, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        reported: list[str] = []
        async with (
            server,
            sink_for(f"mqtt://127.0.0.1:{port}", protocol, on_trouble=reported.append, drain_s=0) as sink,
        ):
            for index, text in enumerate(("first", "second", "third", "last")):
                sink.publish(Letter(1, index, text))
            await asyncio.wait_for(everything.wait(), 10)
        order = [arrived.index(word) for word in (b"first", b"second", b"third", b"last")]
        assert order == sorted(order)
        assert "has not acknowledged 4 decisions" in reported[-1]

    asyncio.run(scenario())


def test_the_broker_may_be_absent_and_come_later(mosquitto: Any, protocol: str, soon: Soon) -> None:
    async def scenario() -> None:
        async with subscriber(mosquitto.port, protocol, identifier="watcher"):
            mosquitto.save()
        mosquitto.kill()
        reported: list[str] = []
        texts = decision_texts(0, 40)
        async with sink_for(mosquitto.url, protocol, on_trouble=reported.append) as sink:
            sink.publish_status(LIVE)
            for letter in letters(0, 40):
                begin = time.monotonic()
                sink.publish(letter)
                assert time.monotonic() - begin < 1.0
            await soon(lambda: bool(reported), "a report")
            assert f"127.0.0.1:{mosquitto.port} is not connected" in reported[0]
            assert "The session goes on" in reported[0]
            assert not sink.connected
            assert sink.waiting == 40
            mosquitto.start()
            async with subscriber(mosquitto.port, protocol, identifier="watcher") as received:
                await soon(lambda: len(on(received, "decision")) >= 40, "what waited", 15.0)
                await soon(lambda: LIVE in on(received, "status"), "the status")
        assert on(received, "decision") == texts
        assert "is connected" in reported[1]

    asyncio.run(scenario())


def test_a_broker_that_is_killed_and_started_again_misses_nothing(
    mosquitto: Any, protocol: str, soon: Soon
) -> None:
    async def scenario() -> None:
        reported: list[str] = []
        async with sink_for(mosquitto.url, protocol, on_trouble=reported.append) as sink:
            sink.publish_status(LIVE)
            async with subscriber(mosquitto.port, protocol) as before:
                for letter in letters(0, 20):
                    sink.publish(letter)
                await soon(lambda: len(on(before, "decision")) == 20)
                assert await sink.drain(10)
            async with subscriber(mosquitto.port, protocol, identifier="watcher"):
                mosquitto.save()
            mosquitto.kill()
            await soon(lambda: not sink.connected, "the loss to be seen")
            for letter in letters(20, 60):
                sink.publish(letter)
            mosquitto.start()
            async with subscriber(mosquitto.port, protocol, identifier="watcher") as after:
                await soon(lambda: len(on(after, "decision")) >= 40, "what waited", 15.0)
                for letter in letters(60, 80):
                    sink.publish(letter)
                await soon(lambda: len(on(after, "decision")) >= 60)
            # The broker had published the will when the connection broke, or forgot what it
            # retained: either way the latest status is published again.
            async with subscriber(mosquitto.port, protocol, "+/status") as later:
                await soon(lambda: on(later, "status") == [LIVE], "the status")
        assert on(before, "decision") == decision_texts(0, 20)
        assert on(after, "decision") == decision_texts(20, 80)
        assert "not connected" in reported[0]
        assert "is connected" in reported[1]

    asyncio.run(scenario())


def test_the_last_will_is_published_when_the_session_vanishes(
    mosquitto: Any, protocol: str, soon: Soon
) -> None:
    script = (
        "import asyncio, sys\n"
        "from realtime.sinks.mqtt.sink import MqttSink\n"
        "async def main():\n"
        "    async with MqttSink(sys.argv[1], session='bed-1', last_will=sys.argv[3], on_trouble=print,\n"
        "                        protocol=sys.argv[2]) as sink:\n"
        "        sink.publish_status(sys.argv[4])\n"
        "        await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )

    async def scenario() -> None:
        async with subscriber(mosquitto.port, protocol, "+/status") as received:
            child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", script, mosquitto.url, protocol, WILL, LIVE),
                cwd=Path(__file__).parents[3],
            )
            await soon(lambda: on(received, "status") == [LIVE], "the live status", 30.0)
            child.kill()
            await child.wait()
            await soon(lambda: len(received) == 2, "the last will")
        assert on(received, "status") == [LIVE, WILL]
        status = Status.from_json(on(received, "status")[-1])
        assert (status.state, status.reason) == (State.OFFLINE, "the session's connection was lost")

    asyncio.run(scenario())


def test_what_does_not_fit_is_counted_and_reported(mosquitto: Any, protocol: str, soon: Soon) -> None:
    async def scenario() -> None:
        mosquitto.kill()
        reported: list[str] = []
        async with sink_for(mosquitto.url, protocol, on_trouble=reported.append, queue_size=10) as sink:
            for letter in letters(0, 25):
                sink.publish(letter)
            assert (sink.waiting, sink.dropped) == (10, 15)
            assert "has not taken 10 decisions" in reported[0]
            assert "the oldest are not published" in reported[0]
            await soon(lambda: len(reported) > 1)
        assert "has not acknowledged 10 decisions" in reported[-1]

    asyncio.run(scenario())


@pytest.fixture
def guarded(mosquitto_path: str, tmp_path: Path, mosquitto: Any) -> Any:
    """A mosquitto that wants a password."""
    passwords = tmp_path / "passwords"
    passwords.touch(mode=0o600)
    tool = which("mosquitto_passwd") or str(Path(mosquitto_path).with_name("mosquitto_passwd"))
    subprocess.run([tool, "-b", str(passwords), "nurse", "right"], check=True, capture_output=True)
    folder = tmp_path / "guarded"
    folder.mkdir()
    passwords.chmod(0o644)
    broker = type(mosquitto)(mosquitto_path, folder, f"allow_anonymous false\npassword_file {passwords}")
    broker.start()
    yield broker
    broker.kill()


def test_credentials_come_from_the_environment_and_wrong_ones_are_reported(
    guarded: Any, protocol: str, soon: Soon
) -> None:
    environ = {"HEMOSTREAM_MQTT_USER": "nurse", "HEMOSTREAM_MQTT_PASSWORD": "wrong"}

    async def scenario() -> None:
        reported: list[str] = []
        async with sink_for(guarded.url, protocol, on_trouble=reported.append, environ=environ):
            await soon(lambda: bool(reported), "the refusal")
        assert "HEMOSTREAM_MQTT_PASSWORD" in reported[0]
        assert "wrong" not in reported[0]
        right = {**environ, "HEMOSTREAM_MQTT_PASSWORD": "right"}
        async with sink_for(guarded.url, protocol, environ=right) as sink:
            await soon(lambda: sink.connected, "the connection")
            sink.publish(Letter(1, 0, "{}"))
            assert await sink.drain(10)

    asyncio.run(scenario())


@pytest.fixture
def encrypted(mosquitto_path: str, tmp_path: Path, mosquitto: Any) -> Any:
    """A mosquitto that speaks TLS with a certificate of its own."""
    openssl = which("openssl")
    if openssl is None:
        pytest.skip("openssl is absent: no certificate can be made")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    names = "subjectAltName=IP:127.0.0.1,DNS:localhost"
    command = f"{openssl} req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext {names}"
    subprocess.run(
        [*command.split(), "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True
    )
    key.chmod(0o644)
    folder = tmp_path / "encrypted"
    folder.mkdir()
    broker = type(mosquitto)(
        mosquitto_path, folder, f"allow_anonymous true\ncertfile {certificate}\nkeyfile {key}"
    )
    broker.start()
    broker.certificate = certificate
    yield broker
    broker.kill()


# paho leaves the socket of a failed handshake to the garbage collector.
@pytest.mark.filterwarnings("ignore:Exception ignored in. <ssl.SSLSocket")
def test_an_encrypted_broker_is_spoken_to_only_if_its_certificate_is_trusted(
    encrypted: Any, protocol: str, soon: Soon
) -> None:
    url = encrypted.url.replace("mqtt://", "mqtts://")

    async def scenario() -> None:
        async with sink_for(url, protocol, ca_file=encrypted.certificate) as sink:
            sink.publish(Letter(1, 0, "{}"))
            assert await sink.drain(10)
        reported: list[str] = []
        async with sink_for(url, protocol, on_trouble=reported.append) as sink:
            await soon(lambda: bool(reported), "the refusal")
            assert not sink.connected
        assert "certificate" in reported[0]

    asyncio.run(scenario())
    gc.collect()


def test_a_second_session_of_the_same_name_gets_an_error(mosquitto: Any, protocol: str, soon: Soon) -> None:
    async def scenario() -> None:
        reported: list[str] = []
        async with sink_for(mosquitto.url, protocol, on_trouble=reported.append) as first:
            await soon(lambda: first.connected)
            async with sink_for(mosquitto.url, protocol, on_trouble=reported.append):
                await soon(lambda: bool(reported), "the first to hear of it")
        assert "not connected" in reported[0]
        assert "if another program publishes as session 'bed-1'" in reported[0]

    asyncio.run(scenario())
