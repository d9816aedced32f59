"""What native libraries write to the terminal while a live view is on it.

liblsl logs to the error stream by itself, past Python.  Each such line would move the cursor under
the view, which then leaves torn copies of itself behind.
"""

import os
import re
import threading
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.text import Text

from models.outside import printable

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
"""What a library colours its lines with where it sees a terminal."""
GRACE_S = 1.0
"""How long the last lines are waited for at the end (local seconds)."""


class CaptureStderr:
    """Prints what comes in on a terminal's file descriptor through a console, above its live view.

    A descriptor that is no terminal (a log file, say) is left alone.

    Parameters
    ----------
    console : Console
        Of the view.
    fd : int
        The descriptor; 2 is the error stream.
    """

    def __init__(self, console: Console, fd: int = 2) -> None:
        self._console = console
        self._fd = fd
        self._kept: int | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        if os.isatty(self._fd):
            self._kept = os.dup(self._fd)
            out, into = os.pipe()
            os.dup2(into, self._fd)
            os.close(into)
            self._thread = threading.Thread(
                target=self._print, args=(out,), name="capture-stderr", daemon=True
            )
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._kept is not None and self._thread is not None:
            # The pipe's only writer goes, so the thread comes to an end after the last line.
            os.dup2(self._kept, self._fd)
            os.close(self._kept)
            self._thread.join(GRACE_S)
            self._kept = self._thread = None

    def _print(self, out: int) -> None:
        with open(out, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                plain = COLOUR.sub("", line.rstrip("\n"))
                if plain:  # liblsl ends its colours on a line of their own
                    self._console.print(Text(printable(plain, None), style="dim"))
