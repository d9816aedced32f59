"""The bench's processes: children that end with their context, and a broker."""

import json
import queue
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from models.errors import HemostreamError

HOUSE = Path(__file__).resolve().parents[2]
PATIENCE_S = 60.0
"""Longest wait for a child's next word, s."""


class BenchError(HemostreamError):
    """A measurement could not be made."""


class Child:
    """One process of the bench (`tools.bench.child`).

    Parameters
    ----------
    module : str
        Of ``tools.bench``.
    values : JSON types
        Its settings.
    """

    def __init__(self, module: str, **values: Any) -> None:
        self.name = module
        self.events: dict[str, dict[str, Any]] = {}
        """Events that were waited for, by name, the latest of each."""
        self._events: queue.Queue[dict[str, Any] | None] = queue.Queue()
        command = [sys.executable, "-m", f"tools.bench.{module}", json.dumps(values)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=HOUSE
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):  # whatever else is written there is for people
                self._events.put(json.loads(line))
        self._events.put(None)

    def say(self, word: str) -> None:
        """Give it a word."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # it has ended; `wait_for` says so
            self._process.stdin.write(word + "\n")
            self._process.stdin.flush()

    def wait_for(self, event: str, within_s: float = PATIENCE_S) -> dict[str, Any]:
        """Wait for an event of this name; others are passed over.

        Raises
        ------
        BenchError
            It does not come in time, or the process ended.
        """
        deadline = time.monotonic() + within_s
        while True:
            try:
                found = self._events.get(timeout=max(deadline - time.monotonic(), 0.0))
            except queue.Empty:
                raise BenchError(
                    f"Process {self.name} did not tell {event!r} within {within_s:g} s. "
                    "Is the machine overloaded?"
                ) from None
            if found is None:
                raise BenchError(
                    f"Process {self.name} ended (exit code {self._process.wait()}) before it sent {event!r}; "
                    "what it wrote above says why."
                )
            if found["event"] == event:
                self.events[event] = found
                return found

    def cpu(self) -> tuple[float, float]:
        """CPU seconds so far, and when that was (monotonic s)."""
        self.say("cpu")
        event = self.wait_for("cpu")
        return float(event["seconds"]), float(event["at"])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end()

    def end(self) -> None:
        """Ask it to stop; end it where it does not."""
        if self._process.poll() is None:
            self.say("stop")
            try:
                self._process.wait(15.0)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._reader.join(5.0)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()


@contextmanager
def a_broker(folder: Path) -> Iterator[tuple[str, str]]:
    """Run mosquitto on a free loopback port.

    Yields
    ------
    url, name : str
        Where it speaks MQTT 5, and what it is.
    """
    executable = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if executable is None:
        raise RuntimeError(
            "mosquitto is not installed; the bench needs it, for the embedded broker lets in only who knows "
            "its password, which the clients that are compared do not ask for."
        )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    config = folder / "mosquitto.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nset_tcp_nodelay true\n",
        encoding="utf-8",
    )
    process = subprocess.Popen([executable, "-c", str(config)], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 10.0
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1.0):
                break
            if process.poll() is not None or time.monotonic() > deadline:
                raise BenchError(f"mosquitto does not listen on port {port}. Is it whole? Try: mosquitto -v")
            time.sleep(0.02)
        yield f"mqtt://127.0.0.1:{port}", "mosquitto"
    finally:
        process.terminate()
        try:
            process.wait(10.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
