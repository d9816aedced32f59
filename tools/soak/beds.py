"""The processes of a soak: a broker that is stopped now and then, four sessions, their outlets."""

import asyncio
import contextlib
import random
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from models.errors import HemostreamError
from tools.soak.plan import Segment

STOP_WITHIN_S = 30.0


def free_port() -> int:
    """A port of 127.0.0.1 that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Broker:
    """mosquitto, with what it owes its subscribers kept on disk.

    Parameters
    ----------
    folder : path
        For its configuration and its store.

    Raises
    ------
    HemostreamError
        It is not installed.
    """

    def __init__(self, folder: Path) -> None:
        found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
        if found is None:
            raise HemostreamError("mosquitto is absent. Install it (Debian: apt-get install mosquitto).")
        self._executable = found
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence true\n"
            f"persistence_location {folder}/\nautosave_interval 1\nmax_queued_messages 0\n"
            "set_tcp_nodelay true\n",
            encoding="utf-8",
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin to listen."""
        # As root it would drop to a user who may not write here.
        command = [self._executable, "-c", str(self._config)]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)

    def stop(self) -> None:
        """End; what subscribers have not fetched stays on disk."""
        if self._process is not None:
            end(self._process)


def end(process: subprocess.Popen[bytes], with_: signal.Signals = signal.SIGTERM) -> None:
    """End a process, and wait until it has."""
    if process.poll() is None:
        process.send_signal(with_)
        try:
            process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def live(bed: str, bundle: Path, folder: Path, port: int) -> subprocess.Popen[bytes]:
    """Start the session of a bed."""
    command = [
        sys.executable,
        "-c",
        "from tools.cli import main; main()",
        "live",
        "--quiet",
        "--allow-replay",
    ]
    command += ["--model", str(bundle), "--stream", f"source_id='{bed}'", "--session", bed, "--wait", "60"]
    command += ["--journal", str(journal_of(bed, folder)), "--broker", f"mqtt://127.0.0.1:{port}"]
    with (folder / f"{bed}.log").open("wb") as log:
        return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)


def journal_of(bed: str, folder: Path) -> Path:
    """Where a bed's journal is."""
    return folder / f"{bed}.hemostream"


def outlet(bed: str, segment: Segment, *, speed: float, pairs: int, rate: float) -> subprocess.Popen[bytes]:
    """Start the outlet of a bed for a segment of its day."""
    command = [sys.executable, "-m", "tools.faults", "--source-id", bed, "--name", bed]
    command += ["--rate", str(rate), "--seconds", str(segment.seconds), "--speed", str(speed)]
    command += ["--pairs", str(pairs)]
    for fault in segment.faults:
        command += ["--fault", fault]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


async def a_day(
    bed: str,
    day: Sequence[Segment],
    *,
    speed: float,
    pairs: int,
    rate: float,
    told: Callable[[str], None],
) -> None:
    """Run a bed's outlets one after the other; all but the last are killed at the end of their time."""
    process: subprocess.Popen[bytes] | None = None
    try:
        for number, segment in enumerate(day, start=1):
            process = outlet(bed, segment, speed=speed, pairs=pairs, rate=rate)
            told(f"{bed}: outlet {number} of {len(day)}, {len(segment.faults)} faults")
            deadline = asyncio.get_running_loop().time() + segment.seconds / speed
            last = number == len(day)
            # A killed outlet takes with it what it has not delivered: that is the fault.
            while process.poll() is None and (last or asyncio.get_running_loop().time() < deadline):
                await asyncio.sleep(0.2)
            end(process, signal.SIGTERM if last else signal.SIGKILL)
            await asyncio.sleep(segment.pause)
    finally:
        if process is not None:
            end(process)


async def a_broker_that_stops(
    broker: Broker, seconds: float, times: int, seed: int, told: Callable[[str], None]
) -> None:
    """Stop the broker now and then, for some seconds (local)."""
    chance = random.Random(f"{seed}/broker")
    for _ in range(times):
        await asyncio.sleep(seconds / (times + 1))
        away = chance.uniform(2.0, 20.0)
        told(f"broker stopped for {away:.0f} s")
        broker.stop()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(away)
        broker.start()
