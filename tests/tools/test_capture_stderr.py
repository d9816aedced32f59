"""Native libraries' lines next to a live view."""

import io
import os
import sys
from pathlib import Path

import pytest
from rich.console import Console

from tools.capture_stderr import CaptureStderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_lines_past_python_go_through_the_console_and_the_terminal_comes_back() -> None:
    master, slave = os.openpty()
    written = io.StringIO()
    try:
        with CaptureStderr(Console(file=written, width=100), fd=slave):
            os.write(slave, b"INFO| [no markup] one\n\x1b[0m\x1b[31mERR| \x1b[0mtwo\x1b[2J\n\x1b[0m\n")
        assert written.getvalue().splitlines() == ["INFO| [no markup] one", "ERR| two\\x1b[2J"]
        os.write(slave, b"after\n")
        assert os.read(master, 100).split() == [b"after"]  # and nothing before it
    finally:
        os.close(master)
        os.close(slave)


def test_a_log_file_is_left_alone(tmp_path: Path) -> None:
    written = io.StringIO()
    with (tmp_path / "log").open("wb") as file, CaptureStderr(Console(file=written), fd=file.fileno()):
        os.write(file.fileno(), b"kept\n")
    assert (tmp_path / "log").read_bytes() == b"kept\n"
    assert written.getvalue() == ""
