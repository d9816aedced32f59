"""Progress of long work: told by whoever works, shown in a terminal where there is one, else in lines."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

Tell = Callable[[str, int, int, str], None]
"""Called with: what is being done, how many steps are done, how many there are, a remark."""
EVERY_S = 60.0
"""Between lines in a log: short work leaves none."""


def silent(what: str, done: int, total: int, remark: str = "") -> None:
    """Tell nobody."""


@contextmanager
def shown(tell: Tell | None = None) -> Iterator[Tell]:
    """Use the given teller, or else show bars on standard error, or a line a minute where it is no terminal.

    Parameters
    ----------
    tell : callable or None
        `silent`, or whatever wants to know; None for standard error.
    """
    console = Console(file=sys.stderr)
    if tell is not None or not console.is_terminal:
        yield tell or _lines()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.fields[remark]}"), console=console) as bars:
        tasks: dict[str, TaskID] = {}

        def draw(what: str, done: int, total: int, remark: str = "") -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total, remark=remark)
            bars.update(tasks[what], completed=done, total=total, remark=remark)

        yield draw


def _lines() -> Tell:
    last = time.monotonic()

    def write(what: str, done: int, total: int, remark: str = "") -> None:
        nonlocal last
        if (now := time.monotonic()) - last >= EVERY_S:
            last = now
            print(f"{what}: {done} of {total}{f', {remark}' if remark else ''}", file=sys.stderr, flush=True)

    return write
