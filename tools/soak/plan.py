"""What goes wrong on a bed in a day, drawn by chance from a seed."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

EVERY_S = 480.0
"""Mean time between two faults of a bed, stream s."""
SEGMENTS = 6
"""How often an outlet is started in a day; in between it is killed."""
QUIET_S = 90.0
"""No fault so soon after an outlet's start or so close to its end: the baseline must be possible."""

KINDS: Sequence[tuple[str, tuple[float, float] | None]] = (
    ("gap", (0.3, 60.0)),
    ("freeze", (2.0, 30.0)),
    ("duplicates", (5.0, 20.0)),
    ("disorder", (5.0, 20.0)),
    ("nan", (0.5, 20.0)),
    ("saturation", (1.0, 20.0)),
    ("flat", (3.0, 30.0)),
    ("jitter", (10.0, 60.0)),
)
"""Faults of the outlet, each with the range of its duration (stream s)."""


@dataclass(frozen=True, slots=True)
class Segment:
    """The life of one outlet.

    Parameters
    ----------
    seconds : float
        How long it sends, stream s.
    faults : tuple of str
        As ``tools.faults.device`` takes them.
    pause : float
        How long (local s) until the next is started.
    """

    seconds: float
    faults: tuple[str, ...]
    pause: float


def draw(bed: int, hours: float, seed: int) -> list[Segment]:
    """The day of one bed.

    Parameters
    ----------
    bed : int
        From 1.
    hours : float
        Stream time.
    seed : int
        The same seed gives the same day.
    """
    random_ = random.Random(f"{seed}/{bed}")
    seconds = hours * 3600.0 / SEGMENTS
    day = []
    for _ in range(SEGMENTS):
        faults = []
        at = QUIET_S + random_.expovariate(1.0 / EVERY_S)
        while True:
            kind, span = random_.choice(KINDS)
            lasting = random_.uniform(*span) if span else 0.0
            if at + lasting > seconds - QUIET_S:
                break
            faults.append(f"{kind}:at={at:.1f},seconds={lasting:.1f}")
            at += lasting + random_.expovariate(1.0 / EVERY_S)
        day.append(Segment(seconds, tuple(faults), random_.uniform(0.2, 4.0)))
    return day
