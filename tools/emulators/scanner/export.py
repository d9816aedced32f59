"""Write what a scanner exports when it is due: `export`."""

import heapq
import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import IO

from tools.emulators.scanner.faults import ExportPiece

PIECES = 8
"""In how many pieces a slow file is written."""
AHEAD_S = 10.0
"""How far ahead of its time a volume is made, s of the scanner: faults may bring one back so far."""


@dataclass
class ExportReport:
    """What was exported.

    Parameters
    ----------
    files, volumes : int
        Written; volumes are those that were written whole.
    late_s : float
        Most by which a file was closed after it was due, local s.
    """

    files: int = 0
    volumes: int = 0
    late_s: float = 0.0


def export(
    pieces: Iterable[ExportPiece],
    folder: Path,
    *,
    speed: float = 1.0,
    renamed: bool = False,
    truth: IO[str] | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    progress: Callable[[int], None] = lambda volumes: None,
) -> ExportReport:
    """Write files until there are none left.

    Parameters
    ----------
    pieces : iterable of ExportPiece
        Of one volume after the other.
    folder : Path
        Where to.
    speed : float
        Seconds of the scanner a local second.
    renamed : bool
        Write each file under another name first, and rename it.
    truth : text file or None
        Gets a line of JSON for each file: when it was closed, and which volume it completes.
    clock, sleep : callable
        Local time (s).
    progress : callable
        Told how many volumes are written.
    """
    report = ExportReport()
    began: float | None = None
    for piece in in_time(pieces):
        began = clock() - piece.due / speed if began is None else began
        due = began + piece.due / speed
        steps = PIECES if piece.takes else 1
        path = folder / (f".{piece.name}.part" if renamed else piece.name)
        _until(due - piece.takes / speed, clock, sleep)
        with path.open("wb", buffering=0) as file:
            for step in range(steps):
                _until(due - piece.takes / speed * (1 - (step + 1) / steps), clock, sleep)
                size = len(piece.content)
                file.write(piece.content[size * step // steps : size * (step + 1) // steps])
        if renamed:
            path.rename(folder / piece.name)
        closed = clock()
        report.files += 1
        report.volumes += piece.volume > 0
        report.late_s = max(report.late_s, closed - due)
        if truth is not None:
            line = {
                "file": piece.name,
                "volume": piece.volume,
                "series": piece.series,
                "due": due,
                "closed": closed,
            }
            truth.write(json.dumps(line) + "\n")
            truth.flush()
        progress(report.volumes)
    return report


def in_time(pieces: Iterable[ExportPiece]) -> Iterator[ExportPiece]:
    """Pieces in the order in which they are due, as long as none goes back by more than `AHEAD_S`."""
    order = count()
    waiting: list[tuple[float, int, ExportPiece]] = []
    for piece in pieces:
        heapq.heappush(waiting, (piece.due, next(order), piece))
        while waiting and waiting[0][0] < piece.due - AHEAD_S:
            yield heapq.heappop(waiting)[2]
    while waiting:
        yield heapq.heappop(waiting)[2]


def _until(due: float, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
    while (left := due - clock()) > 0:
        sleep(left)
