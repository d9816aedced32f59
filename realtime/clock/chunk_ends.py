"""The line through the ends of pushed chunks, and how far what lies between two ends may leave it."""

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

RATE_TOLERANCE = 0.25
"""Tolerance of a declared rate, as a share of it; more is a gap."""
KEEP_S = 30.0
"""How long an end of a chunk counts, s ..."""
KEEP = 12
"""... but never fewer ends than this."""
PUSH_S = 3e-3
"""How late a chunk is pushed before any are known, s; counts as one end among those that come."""
MORE = 8.0
"""By so much of their range, divided by their number, rests may lie outside those of before."""
BELIEVED = 4
"""Ways from end to end, of about the longest there were, from which the ends' line is believed."""


class EndsLine:
    """Least squares through the latest ends.

    Parameters
    ----------
    nominal : float
        The declared period, s.
    """

    def __init__(self, nominal: float) -> None:
        self._nominal = nominal
        self.restart()

    def restart(self) -> None:
        """Forget the ends."""
        self._ends: list[tuple[float, float, int]] = []  # where chunks ended: index, stamp, samples
        self._middle = (0.0, 0.0)  # of the ends: index, stamp
        self.period, self.scatter = self._nominal, 0.0
        self.shortest = 0.0
        """By how much the way between two ends may be shorter than the line's, s."""

    def __len__(self) -> int:
        return len(self._ends)

    @property
    def last(self) -> float:
        """Stamp of the last end, s."""
        return self._ends[-1][1]

    @property
    def sizes(self) -> list[int]:
        """Of the latest chunks, samples."""
        return [size for _, _, size in self._ends[-KEEP:]]

    @property
    def long(self) -> int:
        """How many of the ways from end to end are at least half as long as the longest chunk."""
        sizes = [size for *_, size in self._ends] or [0]
        longest = max(sizes)
        return sum(2 * size >= longest for size in sizes[1:])

    @property
    def believed(self) -> bool:
        """Whether enough ends are known for the samples between them."""
        return self.long >= BELIEVED

    def at(self, index: float) -> float:
        """The line at an index, s."""
        middle_index, middle = self._middle
        return middle + (index - middle_index) * self.period

    def index_at(self, stamp: float) -> float:
        """Index at which the line comes to a stamp (s)."""
        middle_index, middle = self._middle
        return middle_index + (stamp - middle) / self.period

    def add(self, index: float, stamp: float, size: int) -> None:
        """A chunk of so many samples ended with this stamp (s)."""
        self._ends.append((index, stamp, size))
        while len(self._ends) > KEEP and self._ends[0][1] < stamp - KEEP_S:
            del self._ends[0]
        n = len(self._ends)
        middle_index = sum(index for index, *_ in self._ends) / n
        middle = sum(at for _, at, _ in self._ends) / n
        self._middle = (middle_index, middle)
        if n < 2:
            return
        across = sum((index - middle_index) ** 2 for index, *_ in self._ends)
        along = sum((index - middle_index) * (at - middle) for index, at, _ in self._ends)
        most = RATE_TOLERANCE * self._nominal
        self.period = self._nominal + min(max(along / across - self._nominal, -most), most)
        off = [at - middle - (index - middle_index) * self.period for index, at, _ in self._ends]
        self.scatter = math.sqrt((PUSH_S**2 + sum(each * each for each in off)) / (n - 1))
        rests = [after - before for before, after in pairwise(off)]
        least, most = min(rests), max(rests)
        more = MORE / max(self.long, 1) * (PUSH_S + most - least)
        self.shortest = more - min(least, 0.0)

    def state(self) -> dict[str, Any]:
        """Everything the future depends on, as JSON values."""
        return {
            "ends": [list(end) for end in self._ends],
            "middle": list(self._middle),
            "period": self.period,
            "scatter": self.scatter,
            "shortest": self.shortest,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a `state`."""
        self._ends = [(float(index), float(at), int(size)) for index, at, size in state["ends"]]
        self._middle = (state["middle"][0], state["middle"][1])
        self.period, self.scatter = state["period"], state["scatter"]
        self.shortest = state["shortest"]
