"""Decisions, and a real broker, for whoever tests what leaves a session."""

import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from realtime.decision import Decision, Evidence


def some_decision(sequence: int = 0, **changes: object) -> Decision:
    """A decision with a given sequence, and anything else by keyword."""
    start = 100.0 + sequence
    values: dict[str, object] = {
        "session": "bed-1",
        "run": 1,
        "sequence": sequence,
        "count": 1,
        "window_start": start,
        "window_end": start + 7.0,
        "window_start_utc": "2026-11-22T10:00:00.000000Z",
        "window_end_utc": "2026-11-22T10:00:07.000000Z",
        "produced_at_utc": "2026-11-22T10:00:07.010000Z",
        "age_s": 0.01,
        "delay_s": 4.0,
        "label": "task",
        "reasons": (),
        "probabilities": {"rest": 0.25, "task": 0.75},
        "evidence": Evidence(probabilities={"rest": 0.5, "task": 0.5}, windows=3, memory_s=None),
        "coverage": 1.0,
        "largest_gap_s": 0.0,
        "channels": 52,
        "left_out": {},
        "quality": {"scalp_coupling": 0.9, "peak_power": 0.2, "moving": 0.0},
        "novelty": 0.4,
        "time_uncertainty_s": 0.0,
        "model": "ab" * 32,
        "origin": "live",
        "speed": 1.0,
    }
    return Decision(**{**values, **changes})  # type: ignore[arg-type]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Mosquitto:
    """A real broker on a free loopback port, which can be killed and started again."""

    def __init__(self, executable: str, folder: Path, extra: str = "allow_anonymous true") -> None:
        self.port = free_port()
        self._stored = folder / "mosquitto.db"
        self._command = [executable, "-c", str(folder / "mosquitto.conf")]
        (folder / "mosquitto.conf").write_text(
            f"listener {self.port} 127.0.0.1\n{extra}\npersistence true\npersistence_location {folder}/\n"
            "user root\n"
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while True:
            assert self._process.poll() is None, "mosquitto ended at once"
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            assert time.monotonic() < deadline, "mosquitto does not listen"
            time.sleep(0.01)

    def save(self) -> None:
        """Have it write down who subscribed to what, so that it knows after it was killed."""
        assert self._process is not None
        self._stored.unlink(missing_ok=True)
        self._process.send_signal(signal.SIGUSR1)
        deadline = time.monotonic() + 10
        while not self._stored.exists():
            assert time.monotonic() < deadline, "mosquitto does not save"
            time.sleep(0.01)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None
