"""A real broker that can be stopped and started again, and how a process is ended."""

import shutil
import signal
import socket
import subprocess
from pathlib import Path

from models.errors import HemostreamError

STOP_WITHIN_S = 30.0
"""Longest wait for a process that was asked to end, s."""


_GIVEN: set[int] = set()


def free_port() -> int:
    """A port of 127.0.0.1 that is free now, and that was not given to anyone here before.

    A broker that is stopped for a while must find its port again: were it given to another bed meanwhile, two
    beds would talk to one broker.
    """
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port not in _GIVEN:
            _GIVEN.add(port)
            return port


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

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"mqtt://127.0.0.1:{self.port}"

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
