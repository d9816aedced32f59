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
from realtime.broker import LOOPBACK, MAX_PAYLOAD, EmbeddedBroker

VERSIONS = {"3.1.1": aiomqtt.ProtocolVersion.V311, "5": aiomqtt.ProtocolVersion.V5}
ROOT = Path(__file__).parents[2]


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
        ear = aiomqtt.Client(LOOPBACK, port_for(broker, listener), protocol=VERSIONS[listener])
        async with ear, asyncio.timeout(20):
            await ear.subscribe(f"{name}/#", qos=1)
            received = aiter(ear.messages)
            mouth = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", SPEAKER, str(port_for(broker, speaker)), speaker, name),
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
        late = aiomqtt.Client(LOOPBACK, port_for(broker, listener), protocol=VERSIONS[listener])
        async with late, asyncio.timeout(10):
            await late.subscribe(f"{name}/#", qos=1)
            message = await anext(aiter(late.messages))
            assert (message.payload, message.retain) == (b"lost", True)
            # A goodbye discards the will, and is what later subscribers see.
            async with aiomqtt.Client(
                LOOPBACK, port_for(broker, speaker), protocol=VERSIONS[speaker], will=will
            ) as polite:
                await polite.publish(f"{name}/status", "ended", qos=1, retain=True)
            await late.publish(f"{name}/decision", "mark", qos=1)
            rest = aiter(late.messages)
            assert [(await anext(rest)).payload for _ in range(2)] == [b"ended", b"mark"]

    asyncio.run(scenario())


SPEAKER = f"""
import asyncio, sys, aiomqtt
port, version, name = int(sys.argv[1]), sys.argv[2], sys.argv[3]
async def main():
    will = aiomqtt.Will(f"{{name}}/status", "lost", qos=1, retain=True)
    protocol = aiomqtt.ProtocolVersion.V5 if version == "5" else aiomqtt.ProtocolVersion.V311
    async with aiomqtt.Client("{LOOPBACK}", port, protocol=protocol, will=will) as client:
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
from realtime.broker import EmbeddedBroker

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
        said, _ = process.communicate(timeout=20)
    assert said.strip() == "still there"
    assert process.returncode == 0
    wait_until(lambda: not listens(port), "the broker outlived its owner")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process and asks nobody")
def test_a_signal_to_the_broker_itself_does_not_end_it() -> None:
    """A service manager signals every process of a service, whatever its group."""
    with EmbeddedBroker() as broker:
        assert broker._process is not None
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            broker._process.send_signal(number)
        assert listens(port_of(broker.url_v5))
        assert broker._process.poll() is None


def test_a_broker_that_cannot_start_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime.broker._CONFIG", "this is no TOML")
    with pytest.raises(BrokerError, match="--broker mqtt://HOST:PORT"), EmbeddedBroker():
        pass
