"""What the system tests share: commands with an LSL session of their own, a broker, small cohorts."""

import os
import socket
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.system.support import Commands, Report, wait_until

_figures: list[str] = []


@pytest.fixture
def report() -> Report:
    """Takes a line to be shown when all tests are over."""
    return _figures.append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show the figures that tests measured on the way."""
    if _figures:
        terminalreporter.section("figures, shown and not asserted")
        for line in _figures:
            terminalreporter.write_line(line)


@pytest.fixture
def lsl_config(tmp_path: Path) -> Path:
    """An LSL configuration of its own: machine scope, a session id for this test alone."""
    path = tmp_path / "lsl_api.cfg"
    path.write_text(
        "[multicast]\nResolveScope = machine\n"
        f"[lab]\nSessionID = hemostream-system-{uuid.uuid4().hex}\n"
        "[ports]\nPortRange = 400\n[log]\nlevel = -2\n"
    )
    return path


@pytest.fixture
def commands(tmp_path: Path, lsl_config: Path) -> Iterator[Commands]:
    """Starts commands; whatever still runs at the end of the test is ended."""
    folder = tmp_path / "children"
    folder.mkdir()
    started = Commands(folder, lsl_config)
    yield started
    started.close()


@pytest.fixture
def mosquitto_port(mosquitto_path: str, tmp_path: Path) -> Iterator[int]:
    """The port of a real mosquitto on loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    config = tmp_path / "mosquitto.conf"
    user = "user root\n" if hasattr(os, "geteuid") and os.geteuid() == 0 else ""
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n{user}")
    process = subprocess.Popen(
        [mosquitto_path, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )

    def listens() -> bool:
        assert process.poll() is None, "mosquitto ended at once"
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
        return False

    try:
        wait_until(listens, "mosquitto", 10.0)
        yield port
    finally:
        process.terminate()
        process.wait(10)
