"""What a command prints for a person: lines that fit the terminal."""

import logging
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


def columns(stream: TextIO) -> int | None:
    """Width that text should fit: the terminal's, or what ``COLUMNS`` says; None for a file.

    Parameters
    ----------
    stream : text stream
        That is written to.
    """
    if stream.isatty() or os.environ.get("COLUMNS", "").isdigit():
        return shutil.get_terminal_size().columns
    return None


def wrapped(text: str, width: int | None, indent: int = 0) -> str:
    """A text with its lines broken at blanks; paths and other long words stay whole.

    Parameters
    ----------
    text : str
        One or more lines.
    width : int or None
        Columns; None leaves lines as they are.
    indent : int
        Columns by which what is broken off is indented.
    """
    if width is None:
        return text
    return "\n".join(
        textwrap.fill(
            line,
            max(width, 20),
            subsequent_indent=" " * indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
        if len(line) > width
        else line
        for line in text.split("\n")
    )


def say(text: str, *, error: bool = False, indent: int = 2) -> None:
    """Print a text on standard output or, where it is none of the result, on the error stream.

    Parameters
    ----------
    text : str
        Of which names from outside are printable.
    error : bool
        Whether it goes to the error stream.
    indent : int
        Columns by which what is broken off is indented.
    """
    stream = sys.stderr if error else sys.stdout
    print(wrapped(text, columns(stream), indent), file=stream, flush=True)


class Remarks(logging.Handler):
    """Shows warnings (what readers remarked, say) on the error stream as every other message."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one."""
        try:
            say(self.format(record), error=True)
        except Exception:  # noqa: BLE001 - as every handler does: a message must not end the work
            self.handleError(record)


def show_warnings() -> None:
    """Let warnings that are logged be shown by `Remarks`; a program that set up its own logging keeps it."""
    root = logging.getLogger()
    if not root.handlers:
        handler = Remarks(logging.WARNING)
        root.addHandler(handler)


def markdown_for_terminal(text: str) -> str:
    """Markdown as it is in a file; on a terminal on which its tables have no room, a line a figure.

    Parameters
    ----------
    text : str
        Texts and tables.
    """
    width = columns(sys.stdout)
    lines = text.splitlines()
    if width is None:
        return text
    fits = all(len(line) <= width for line in lines if line.startswith("| "))
    out: list[str] = []
    head: list[str] = []
    for line in lines:
        if not line.startswith("| "):
            head = []
            out += textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False) or [""]
            continue
        if fits:
            out.append(line)
            continue
        cells = [cell.replace("\\|", "|") for cell in re.split(r" (?<!\\)\| ", line[2:-2])]
        if not head:
            head = cells
        elif set(cells) != {"---"}:
            out += textwrap.wrap(cells[0], width)
            for name, cell in zip(head[1:], cells[1:], strict=True):
                out += textwrap.wrap(
                    f"{name}: {cell or '–'}", width, initial_indent="  ", subsequent_indent=" " * 6
                )
    return "\n".join(out) + "\n"


@contextmanager
def remarking_once() -> Iterator[None]:
    """Show no remark on recordings twice meanwhile: where a command reads them more than once."""
    log, seen = logging.getLogger("offline.base.remarks"), set[str]()

    def is_new(record: logging.LogRecord) -> bool:
        line = record.getMessage()
        known = line in seen
        seen.add(line)
        return not known

    log.addFilter(is_new)
    try:
        yield
    finally:
        log.removeFilter(is_new)
