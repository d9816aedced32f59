"""The processes of a soak: a broker that is stopped now and then, four sessions, their outlets."""

import asyncio
import contextlib
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tools.faults.broker import Broker, end
from tools.soak.plan import Segment


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
    command = [sys.executable, "-m", "tools.faults.device", "--source-id", bed, "--name", bed]
    command += ["--rate", str(rate), "--seconds", str(segment.seconds), "--speed", str(speed)]
    command += ["--no-wait"]  # where its session has ended, a day must end all the same
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
    report: Callable[[str], None],
) -> None:
    """Run a bed's outlets one after the other; all but the last are killed at the end of their time."""
    process: subprocess.Popen[bytes] | None = None
    try:
        for number, segment in enumerate(day, start=1):
            process = outlet(bed, segment, speed=speed, pairs=pairs, rate=rate)
            report(f"{bed}: outlet {number} of {len(day)}, {len(segment.faults)} faults")
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
    broker: Broker, seconds: float, times: int, seed: int, report: Callable[[str], None]
) -> None:
    """Stop the broker now and then, for some seconds (local)."""
    chance = random.Random(f"{seed}/broker")
    for _ in range(times):
        await asyncio.sleep(seconds / (times + 1))
        away = chance.uniform(2.0, 20.0)
        report(f"broker stopped for {away:.0f} s")
        broker.stop()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(away)
        broker.start()
