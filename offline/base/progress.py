"""Progress of long work: reported by whoever works, shown in a terminal where there is one, else in lines."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from models.outside import printable

Tell = Callable[[str, int, int, str], None]
"""Called with: what is being done, how many steps are done, how many there are, a remark."""
EVERY_S = 60.0
"""Between lines in a log: short work leaves none."""


def silent(what: str, done: int, total: int, remark: str = "") -> None:
    """Report to no one."""


@contextmanager
def shown(tell: Tell | None = None) -> Iterator[Tell]:
    """Use the given teller, or else bars on standard error, or a line a minute where it is no terminal."""
    console = Console(file=sys.stderr)
    if tell is not None or not console.is_terminal:
        yield tell or _lines()
        return
    columns = (_text("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, _text("{task.fields[remark]}"), console=console) as bars:
        tasks: dict[str, TaskID] = {}

        def draw(what: str, done: int, total: int, remark: str = "") -> None:
            what, remark = printable(what), printable(remark)
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total, remark=remark)
            bars.update(tasks[what], completed=done, total=total, remark=remark)

        yield draw


def _text(format: str) -> TextColumn:
    """A column of text in which names of people and files are no markup."""
    return TextColumn(format, markup=False)


def _lines() -> Tell:
    last = time.monotonic()

    def write(what: str, done: int, total: int, remark: str = "") -> None:
        nonlocal last
        if (now := time.monotonic()) - last >= EVERY_S:
            last = now
            line = printable(f"{what}: {done} of {total}{f', {remark}' if remark else ''}", None)
            print(line, file=sys.stderr, flush=True)

    return write
