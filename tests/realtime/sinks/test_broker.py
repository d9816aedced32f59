"""The embedded broker: on this machine only, both versions of MQTT, and gone when we are."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import aiomqtt
import pytest

from models.errors import BrokerError
from realtime.sinks.mqtt.broker import LOOPBACK, MAX_PAYLOAD, EmbeddedBroker
from realtime.sinks.mqtt.sink import MqttSink
from realtime.sinks.mqtt.tls import PASSWORD, USER

VERSIONS = {"3.1.1": aiomqtt.ProtocolVersion.V311, "5": aiomqtt.ProtocolVersion.V5}
ROOT = Path(__file__).parents[3]


def known(broker: EmbeddedBroker) -> dict[str, str]:
    """Who may come in."""
    return {"username": broker.environ[USER], "password": broker.environ[PASSWORD]}


def port_of(url: str) -> int:
    port = urlsplit(url).port
    assert port
    return port


def listens(port: int, host: str = LOOPBACK) -> bool:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


def wait_until(holds: Callable[[], bool], why: str) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline, why
        time.sleep(0.01)


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as running:
        yield running


def port_for(broker: EmbeddedBroker, version: str) -> int:
    return port_of(broker.url_v5 if version == "5" else broker.url)


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="needs Linux's list of sockets")
def test_it_listens_on_loopback_only(broker: EmbeddedBroker) -> None:
    listening: dict[int, set[str]] = {}
    for table in ("tcp", "tcp6"):
        if not (path := Path("/proc/net", table)).exists():
            continue
        for line in path.read_text().splitlines()[1:]:
            _, local, _, state = line.split()[:4]
            if state == "0A":
                address, _, port = local.rpartition(":")
                listening.setdefault(int(port, 16), set()).add(address)
    loopback = socket.inet_aton(LOOPBACK)[::-1].hex().upper()
    for version in VERSIONS:
        assert listening[port_for(broker, version)] == {loopback}
    # Nor has its process opened anything else.
    assert broker._process is not None
    process = broker._process.pid
    inodes = {str(entry.readlink()) for entry in Path(f"/proc/{process}/fd").iterdir() if entry.is_symlink()}
    own = 0
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        own += fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes
    assert own == 2


@pytest.mark.parametrize("listener", VERSIONS)
@pytest.mark.parametrize("speaker", VERSIONS)
def test_qos_1_retained_and_last_will_work_across_versions(
    broker: EmbeddedBroker, speaker: str, listener: str
) -> None:
    name = f"hemostream/{speaker}-{listener}"

    async def scenario() -> None:
        will = aiomqtt.Will(f"{name}/status", "lost", qos=1, retain=True)
        ear = aiomqtt.Client(
            LOOPBACK, port_for(broker, listener), protocol=VERSIONS[listener], **known(broker)
        )
        async with ear, asyncio.timeout(20):
            await ear.subscribe(f"{name}/#", qos=1)
            received = aiter(ear.messages)
            mouth = await asyncio.create_subprocess_exec(
                *(
                    sys.executable,
                    "-c",
                    SPEAKER,
                    str(port_for(broker, speaker)),
                    speaker,
                    name,
                    broker.environ[PASSWORD],
                ),
                stdout=asyncio.subprocess.PIPE,
                cwd=ROOT,
            )
            sizes = []
            for _ in range(102):
                message = await anext(received)
                assert message.qos == 1
                assert isinstance(message.payload, bytes)
                sizes.append((message.topic.value.rpartition("/")[2], len(message.payload)))
            assert sizes[0] == ("status", 4)
            assert sizes[1:101] == [("decision", index) for index in range(1, 101)]
            assert sizes[101] == ("decision", MAX_PAYLOAD - 200)
            mouth.kill()
            await mouth.wait()
            message = await anext(received)
            assert (message.topic.value, message.payload) == (f"{name}/status", b"lost")
        late = aiomqtt.Client(
            LOOPBACK, port_for(broker, listener), protocol=VERSIONS[listener], **known(broker)
        )
        async with late, asyncio.timeout(10):
            await late.subscribe(f"{name}/#", qos=1)
            message = await anext(aiter(late.messages))
            assert (message.payload, message.retain) == (b"lost", True)
            # A goodbye discards the will, and is what later subscribers see.
            async with aiomqtt.Client(
                LOOPBACK, port_for(broker, speaker), protocol=VERSIONS[speaker], will=will, **known(broker)
            ) as polite:
                await polite.publish(f"{name}/status", "ended", qos=1, retain=True)
            await late.publish(f"{name}/decision", "mark", qos=1)
            rest = aiter(late.messages)
            assert [(await anext(rest)).payload for _ in range(2)] == [b"ended", b"mark"]

    asyncio.run(scenario())


SPEAKER = f"""
import asyncio, sys, aiomqtt
port, version, name, password = int(sys.argv[1]), *sys.argv[2:]
async def main():
    will = aiomqtt.Will(f"{{name}}/status", "lost", qos=1, retain=True)
    protocol = aiomqtt.ProtocolVersion.V5 if version == "5" else aiomqtt.ProtocolVersion.V311
    async with aiomqtt.Client("{LOOPBACK}", port, protocol=protocol, will=will,
                              username="hemostream", password=password) as client:
        await client.publish(f"{{name}}/status", "live", qos=1, retain=True)
        for size in [*range(1, 101), {MAX_PAYLOAD} - 200]:
            await client.publish(f"{{name}}/decision", "x" * size, qos=1)
        await asyncio.sleep(60)
asyncio.run(main())
"""


def test_ports_may_be_chosen_and_are_free_afterwards() -> None:
    with EmbeddedBroker() as broker:
        ports = port_of(broker.url), port_of(broker.url_v5)
        assert all(listens(port) for port in ports)
    assert not any(listens(port) for port in ports)
    with EmbeddedBroker(port=ports[0], port_v5=ports[1]) as again:
        assert (port_of(again.url), port_of(again.url_v5)) == ports


@pytest.mark.parametrize("which", ["port", "port_v5"])
def test_a_port_in_use_is_named(which: str) -> None:
    with socket.socket() as other:
        other.bind((LOOPBACK, 0))
        other.listen()
        taken = other.getsockname()[1]
        with (
            pytest.raises(BrokerError, match=f"Port {taken} on 127.0.0.1 is in use"),
            EmbeddedBroker(**{which: taken}),
        ):
            pass


def test_two_brokers_live_side_by_side(broker: EmbeddedBroker) -> None:
    with EmbeddedBroker() as other:
        assert not {other.url, other.url_v5} & {broker.url, broker.url_v5}


HOLDER = """
import signal, socket, sys, time
from realtime.sinks.mqtt.broker import EmbeddedBroker

class Ended(BaseException):
    pass

def end(number, frame):
    raise Ended

# A shell that runs this in the background hands interrupts down ignored.
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, end)
with EmbeddedBroker() as broker:
    try:
        print(broker.url, flush=True)
        time.sleep(60)
    except Ended:
        time.sleep(0.2)
        socket.create_connection(("127.0.0.1", int(broker.url.rpartition(":")[2]))).close()
        print("still there", flush=True)
"""


def holder() -> tuple[subprocess.Popen[str], int]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, text=True, cwd=ROOT, start_new_session=True
    )
    assert process.stdout is not None
    return process, port_of(process.stdout.readline().strip())


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9")
@pytest.mark.parametrize("kill", [os.kill, os.killpg])
def test_it_ends_when_its_owner_is_killed(kill: Callable[[int, int], None]) -> None:
    process, port = holder()
    with process:
        assert listens(port)
        kill(process.pid, signal.SIGKILL)
    wait_until(lambda: not listens(port), "the broker outlived its owner")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no process groups to signal")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_whole_group_leaves_time_for_a_goodbye(number: signal.Signals) -> None:
    process, port = holder()
    with process:
        os.killpg(process.pid, number)  # What a terminal does, and a supervisor: all of the group at once.
        text_found, _ = process.communicate(timeout=20)
    assert text_found.strip() == "still there"
    assert process.returncode == 0
    wait_until(lambda: not listens(port), "the broker outlived its owner")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process at once")
def test_a_signal_to_the_broker_itself_does_not_end_it() -> None:
    """A service manager signals every process of a service, whatever its group."""
    with EmbeddedBroker() as broker:
        assert broker._process is not None
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            broker._process.send_signal(number)
        assert listens(port_of(broker.url_v5))
        assert broker._process.poll() is None


def test_a_broker_that_cannot_start_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime.sinks.mqtt.broker._CONFIG", "this is no TOML")
    with pytest.raises(BrokerError, match="--broker mqtt://HOST:PORT"), EmbeddedBroker():
        pass


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "who",
    [{}, {"username": "hemostream"}, {"username": "hemostream", "password": "guessed"}, {"username": "a"}],
)
def test_who_does_not_know_the_password_neither_hears_nor_says_anything(
    broker: EmbeddedBroker, version: str, who: dict[str, str]
) -> None:
    """Any account of the machine can reach loopback; one forged a decision."""

    async def scenario() -> None:
        port = port_for(broker, version)
        ear = aiomqtt.Client(LOOPBACK, port, protocol=VERSIONS[version], **known(broker))
        async with ear, asyncio.timeout(20):
            await ear.subscribe("hemostream/#", qos=1)
            with pytest.raises(aiomqtt.MqttError):
                async with aiomqtt.Client(LOOPBACK, port, protocol=VERSIONS[version], timeout=1, **who):
                    pass
            # Nor does it help not to wait for an answer: packets of 3.1.1, written by hand.
            with socket.create_connection((LOOPBACK, port_for(broker, "3.1.1"))) as raw:
                raw.sendall(bytes.fromhex("100d00044d515454040200 3c000161".replace(" ", "")))
                raw.sendall(b"\x30\x15" + b"\x00\x0ehemostream/b/x" + b"fake!")
            await ear.publish("hemostream/mark", "mark", qos=1)
            async for message in ear.messages:
                if message.retain:
                    continue
                assert message.payload == b"mark"
                break

    asyncio.run(scenario())


@pytest.mark.skipif(os.name != "posix", reason="permissions are kept elsewhere")
def test_the_password_is_for_this_user_only_and_in_no_command() -> None:
    before = os.umask(0)
    try:
        with EmbeddedBroker() as broker:
            folder = broker.password_file.parent
            assert folder.stat().st_mode & 0o777 == 0o700
            assert {found.stat().st_mode & 0o777 for found in folder.iterdir()} == {0o600}
            password = broker.password_file.read_text().strip()
            assert password == broker.environ[PASSWORD]
            command = broker.subscribe_command("hemostream/bed-1/#")
            assert password not in command
            options = (folder / "mosquitto_sub").read_text().splitlines()
            assert f"-p {port_of(broker.url)}" in options
            assert f"-P {password}" in options
            assert broker._process is not None
            arguments = broker._process.args
            assert isinstance(arguments, list)
            assert not any(password in str(word) for word in arguments)
    finally:
        os.umask(before)
    assert not folder.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9")
def test_a_broker_that_dies_is_started_again_and_a_session_goes_on() -> None:
    reported: list[str] = []
    trouble: list[str] = []

    async def scenario(broker: EmbeddedBroker) -> None:
        sink = MqttSink(
            broker.url_v5, session="bed-1", last_will="{}", on_trouble=trouble.append, environ=broker.environ
        )
        async with sink:
            sink.publish_status('{"state":"live"}')
            assert await sink.drain(10)
            assert broker._process is not None
            os.kill(broker._process.pid, signal.SIGKILL)
            deadline = time.monotonic() + 30
            while len(reported) < 2 or not sink.connected:
                assert time.monotonic() < deadline, (reported, trouble)
                await asyncio.sleep(0.01)
            sink.publish_status('{"state":"stalled"}')
            assert await sink.drain(10)
            late = aiomqtt.Client(LOOPBACK, port_of(broker.url), protocol=VERSIONS["3.1.1"], **known(broker))
            async with late, asyncio.timeout(10):
                await late.subscribe("hemostream/bed-1/status", qos=1)
                message = await anext(aiter(late.messages))
                assert message.payload == b'{"state":"stalled"}'

    with EmbeddedBroker(on_trouble=reported.append) as broker:
        asyncio.run(scenario(broker))
    assert "ended by signal SIGKILL" in reported[0]
    assert broker.url in reported[0]
    assert "there again" in reported[1]
