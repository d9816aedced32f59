"""The processes of this soak: a broker, a session a bed, one outlet after another; all end with it."""

import signal
import socket
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from shutil import which
from typing import Any

from models.errors import BrokerError
from tools.soak.second.plan import Life

ENDS_WITHIN_S = 30.0
"""Longest that a session may take to end when it is asked to, s."""


def end(process: subprocess.Popen[bytes], number: signal.Signals = signal.SIGKILL) -> int:
    """End a process of ours, by its own id; give its exit status."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGCONT)  # a frozen one hears nothing else
            process.send_signal(number)
        try:
            process.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()


def free_port() -> int:
    """A TCP port on 127.0.0.1 that is free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_mosquitto() -> tuple[subprocess.Popen[bytes], int]:
    """A broker and its port; without a configuration mosquitto listens on the loopback only.

    Raises
    ------
    BrokerError
        It is not installed, or does not start.
    """
    found = which("mosquitto") or which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise BrokerError("mosquitto is not installed (Debian: apt-get install mosquitto).")
    port = free_port()
    process = subprocess.Popen([found, "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 20.0
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1.0):
            return process, port
        time.sleep(0.05)
    end(process)
    raise BrokerError(f"mosquitto did not listen on 127.0.0.1:{port} within 20 s.")


class BedsideSubscriber:
    """Whoever listens at the bedside: keeps each decision as it came.

    Parameters
    ----------
    port : int
        Of the broker on 127.0.0.1.
    """

    def __init__(self, port: int) -> None:
        from paho.mqtt.client import Client, MQTTMessage, MQTTv5
        from paho.mqtt.enums import CallbackAPIVersion

        self.decisions: dict[str, list[str]] = defaultdict(list)
        self.states: dict[str, list[str]] = defaultdict(list)
        self._subscribed = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)

        def connected(client: Client, *_: Any) -> None:
            client.subscribe("hemostream/+/+", qos=1)

        def heard(_client: Client, _data: Any, message: MQTTMessage) -> None:
            _, session, what = message.topic.split("/")
            text = message.payload.decode()
            if what in ("decision", "history"):
                self.decisions[session].append(text)
            elif what == "status":
                self.states[session].append(text)

        self._client.on_connect = connected
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = heard
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        if not self._subscribed.wait(20.0):
            raise BrokerError(f"The broker on 127.0.0.1:{port} takes no subscription.")

    def close(self) -> None:
        """Stop listening."""
        self._client.disconnect()
        self._client.loop_stop()


class SoakBed:
    """A session and the outlets that come and go in front of it.

    Parameters
    ----------
    name : str
        Which device (`tools.soak.second.plan.DEVICES`).
    folder : Path
        Where its files are written.
    lives : sequence of Life
        What its outlets do.
    seed : int
        Of their values.
    """

    def __init__(self, name: str, folder: Path, lives: Sequence[Life], seed: int) -> None:
        self.name = name
        self.lives = lives
        self.journal = folder / f"{name}.hemostream"
        self.published = folder / f"{name}.jsonl"
        self.truth = folder / f"{name}.truth.csv"
        self.log = folder / f"{name}.log"
        self.plan = folder / f"{name}.plan.json"
        self.life = 0
        """The present life's number."""
        self.exit_status: int | None = None
        """Of the session, once it was asked to end."""
        self._seed = seed
        self._source_id = f"second-{seed}-{name}"
        self._session: subprocess.Popen[bytes] | None = None

    def start_session(self, bundle: Path, port: int) -> None:
        """Start the session, as a person would; wait until it says that it is there."""
        command = [*HEMOSTREAM, "live", "--quiet", "--model", str(bundle), "--session", self.name]
        command += ["--stream", f"source_id='{self._source_id}'", "--wait", "120", "--device", "cpu"]
        command += ["--journal", str(self.journal), "--out", str(self.published)]
        command += ["--broker", f"mqtt://127.0.0.1:{port}"]
        with self.log.open("wb") as log:
            self._session = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 120.0
        while self.running and not self.log.stat().st_size and time.monotonic() < deadline:
            time.sleep(0.1)

    @property
    def running(self) -> bool:
        """Whether the session is there."""
        return self._session is not None and self._session.poll() is None

    def end_session(self) -> None:
        """Ask the session to end, as Ctrl-C does."""
        if self._session is not None:
            by_itself = self._session.poll()
            self.exit_status = end(self._session, signal.SIGTERM) if by_itself is None else by_itself

    def live(self, stop: threading.Event, tell: Callable[[str], None]) -> None:
        """Run the outlets one after another, until they are through or `stop` is set."""
        for life in self.lives:
            self.life = life.number
            how = "killed at its end" if life.killed else "closed in order"
            which_one = f"outlet {life.number + 1} of {len(self.lives)}"
            tell(f"{self.name}: {which_one} for {life.seconds:.0f} s, {how}")
            process = self._outlet(life)
            try:
                self._watch(process, life, stop)
            finally:
                end(process)
            if stop.wait(life.away_s):
                return

    def _outlet(self, life: Life) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tools.soak.second.source", str(self.plan), "--bed", self.name]
        command += ["--source-id", self._source_id, "--life", str(life.number)]
        command += ["--seed", str(self._seed), "--truth", str(self.truth)]
        with self.log.with_suffix(".source.log").open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)

    def _watch(self, process: subprocess.Popen[bytes], life: Life, stop: threading.Event) -> None:
        begun = time.monotonic()
        frozen = thawed = life.freeze is None
        while process.poll() is None and not stop.wait(0.2):
            second = time.monotonic() - begun
            if life.freeze and not frozen and second >= life.freeze[0]:
                process.send_signal(signal.SIGSTOP)
                frozen = True
            if life.freeze and not thawed and second >= sum(life.freeze):
                process.send_signal(signal.SIGCONT)
                thawed = True


HEMOSTREAM = (sys.executable, "-c", "from tools.cli import main; main()")
"""The command, whatever is on the path."""
