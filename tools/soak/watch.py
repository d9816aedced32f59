"""What a process holds while it runs: memory, file descriptors, threads.  Linux only (``/proc``)."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

SETTLING = 0.2
"""Share of the looks that is left out at the start: caches fill, the first reconnection allocates."""
SLICE = 0.2
"""Share of the looks that is compared: the first of what is left with the last."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a process.

    Parameters
    ----------
    at : float
        When, s.
    memory : int
        Resident, bytes.
    descriptors, threads : int
        Open files and sockets; threads.
    """

    at: float
    memory: int
    descriptors: int
    threads: int


def look(pid: int, at: float) -> Look | None:
    """Look at a process; None where it has ended."""
    folder = Path("/proc") / str(pid)
    try:
        pages = int((folder / "statm").read_text().split()[1])
        return Look(
            at,
            pages * os.sysconf("SC_PAGE_SIZE"),
            len(list((folder / "fd").iterdir())),
            len(list((folder / "task").iterdir())),
        )
    except OSError:
        return None


@dataclass(frozen=True, slots=True)
class Trend:
    """How what a process holds changed, from early to late.

    Parameters
    ----------
    memory : tuple of 2 float
        Median resident bytes early and late.
    descriptors, threads : tuple of 2 int
        Medians, likewise.
    """

    memory: tuple[float, float]
    descriptors: tuple[int, int]
    threads: tuple[int, int]

    @property
    def growth(self) -> float:
        """Late memory over early memory, less 1."""
        return self.memory[1] / self.memory[0] - 1.0


def trend(looks: Sequence[Look]) -> Trend:
    """Compare the medians of an early and the last slice of the looks.

    Raises
    ------
    ValueError
        There are too few of them.
    """
    kept = looks[int(SETTLING * len(looks)) :]
    size = int(SLICE * len(kept))
    if size < 1:
        raise ValueError(f"{len(looks)} looks say nothing of a trend; expected at least 10.")
    early, late = kept[:size], kept[-size:]

    def both(name: str) -> tuple[float, float]:
        return median(getattr(one, name) for one in early), median(getattr(one, name) for one in late)

    memory = both("memory")
    descriptors, threads = both("descriptors"), both("threads")
    return Trend(
        memory,
        (round(descriptors[0]), round(descriptors[1])),
        (round(threads[0]), round(threads[1])),
    )
