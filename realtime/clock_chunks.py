"""Stamps that were invented inside pushed chunks: how they are noticed, and what is done.

A program that pushes a chunk with one stamp stamps its last sample only; liblsl makes the others up,
one declared period apart.  Where the declared rate is wrong, the stamps inside a chunk then run too fast
or too slow and jump at its end, perhaps backwards.  Steps of exactly one declared period that end in
steps which are no multiple of it give it away.  From then on only the last stamp of each chunk is a
measurement, and the times inside follow from the period between those.

As long as two chunks have not ended, that period is not known: the times of the first two or three chunks
are off by what the declared rate is wrong, and the clock says so.
"""

import math
from collections.abc import Mapping
from typing import Any

EXACT_S = 1e-7
"""Steps that differ less from the declared period were made up by a computer, s."""
LONGEST_CHUNK = 128
"""Steps in a row without an end after which there are no chunks: the declared period is the true one."""
SURE = 4
"""Made-up steps in a row before an odd one, after which one odd step (or two) is enough to tell."""
REPEATED = 3
"""... and how many odd steps tell where chunks are shorter."""
LEEWAY = 0.25
"""How wrong a declared rate may be, as a share of it; more is a gap."""
KEEP_S = 30.0
"""How long an end of a chunk counts, s ..."""
KEEP = 8
"""... but never fewer ends than this."""


def made_up(step: float, stamp: float, nominal: float) -> bool:
    """Whether a step is the declared period to the last digits that a stamp can hold."""
    return abs(step - nominal) < max(EXACT_S, 1e-15 * abs(stamp))


class Suspicion:
    """Looks at the steps of a source and says when its stamps are made up.

    Parameters
    ----------
    nominal : float
        The declared period, s; 0 where none is declared.
    """

    def __init__(self, nominal: float) -> None:
        self._nominal = nominal
        self.restart()

    def restart(self) -> None:
        """Forget everything."""
        self.run = 0  # made-up steps since the last odd one
        self._odd = 0  # odd steps behind short runs of made-up ones, less those that speak against it

    def look(self, step: float, stamp: float) -> bool:
        """Take a step (s); whether an odd one now shows that stamps are made up."""
        nominal = self._nominal
        if nominal <= 0.0:
            return False
        if made_up(step, stamp, nominal):
            self.run += 1
            return False
        run, self.run = self.run, 0
        multiple = round(step / nominal)
        if multiple >= 1 and abs(step - multiple * nominal) < 1e-3 * nominal:
            return False  # lost samples of a source that keeps its grid
        if run == 0:
            self._odd = max(self._odd - 1, 0)
            return False
        if run >= LONGEST_CHUNK or abs(step - nominal) > LEEWAY * (run + 1) * nominal + 2.0 * nominal:
            return False  # a pause, rather
        self._odd += 1
        if run < SURE:
            return self._odd >= REPEATED
        # A step that falls short says it at once; a long one may have been a pause, but not twice.
        return step < 0.9 * nominal or self._odd > 1

    def state(self) -> dict[str, Any]:
        """As JSON values."""
        return {"run": self.run, "odd": self._odd}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a `state`."""
        self.run, self._odd = state["run"], state["odd"]


class ChunkLine:
    """Follows a source of which only the last stamp of each chunk is a measurement.

    Parameters
    ----------
    nominal : float
        The declared period, s.
    end : float
        Stamp of the last sample of the first chunk, s.
    size : int
        Samples of that chunk that were seen.
    """

    def __init__(self, nominal: float, end: float, size: int) -> None:
        self._nominal = nominal
        self.period = nominal
        self.time = end  # the line at the last sample
        self.gaps = 0
        self._index = 0  # of the last sample, in this segment
        self._raw = end
        self._run = size  # samples of the current chunk
        self._ends: list[tuple[int, float]] = []
        self._sizes: list[int] = []
        self._scatter = 0.0  # standard deviation of the ends about the line, s

    @property
    def run(self) -> int:
        """Samples of the current chunk so far."""
        return self._run

    @property
    def known(self) -> bool:
        """Whether the period was measured between two ends at least."""
        return len(self._ends) > 1

    @property
    def rate(self) -> float:
        """Measured rate, Hz; 0 before it is."""
        return 1.0 / self.period if self.known else 0.0

    @property
    def jitter_s(self) -> float:
        """Standard deviation of the chunks' ends about the line, s."""
        return self._scatter

    @property
    def uncertainty_s(self) -> float:
        """How wrong a time may be: by the ends' scatter, or while the period is unknown by its leeway, s."""
        if not self.known:
            return LEEWAY * self._typical() * self._nominal
        few = len(self._ends) < 3
        return 2.0 * self._scatter / math.sqrt(len(self._ends)) + few * self.period

    def follow(self, stamp: float) -> float:
        """The time of the next sample; earlier than the last where the source's clock was set back."""
        step, self._raw, end = stamp - self._raw, stamp, self._raw
        if made_up(step, stamp, self._nominal):
            self._run += 1
        else:
            self._end_chunk(end)
            self._begin_chunk(stamp)
            self._run = 1
        self._index += 1
        self.time += self.period
        return self.time

    def _end_chunk(self, end: float) -> None:
        """The sample before was the last of its chunk: its stamp is a measurement."""
        self._ends.append((self._index, end))
        self._sizes = [*self._sizes, self._run][-KEEP:]
        while len(self._ends) > KEEP and self._ends[0][1] < end - KEEP_S:
            del self._ends[0]
        if len(self._ends) == 1:
            self.time = end
            return
        n = len(self._ends)
        middle_index = sum(index for index, _ in self._ends) / n
        middle = sum(at for _, at in self._ends) / n
        across = sum((index - middle_index) ** 2 for index, _ in self._ends)
        along = sum((index - middle_index) * (at - middle) for index, at in self._ends)
        least, most = (1.0 - LEEWAY) * self._nominal, (1.0 + LEEWAY) * self._nominal
        self.period = min(max(along / across, least), most)
        self.time = middle + (self._index - middle_index) * self.period
        residuals = [at - middle - (index - middle_index) * self.period for index, at in self._ends]
        self._scatter = math.sqrt(sum(each * each for each in residuals) / n)

    def _begin_chunk(self, stamp: float) -> None:
        """Hold the first made-up stamp of a chunk against what it must be: is there a gap before it?"""
        size = self._typical()
        if not self.known:
            # Were this chunk as long as the last, its end would lie here: a first idea of the period.
            period = (stamp + (size - 1) * self._nominal - self.time) / size
            if abs(period - self._nominal) <= LEEWAY * self._nominal:
                self.period = period
        excess = stamp + (size - 1) * self._nominal - (self.time + size * self.period)
        unlike = (max(self._sizes) - min(self._sizes)) * abs(self.period - self._nominal)
        bound = 0.5 * self.period + unlike + 4.0 * self._scatter
        if not self.known:
            bound += LEEWAY * size * self._nominal
        if abs(excess) > bound:
            self.gaps += excess > 0
            self.time += excess
            self._index = 0
            self._ends = []

    def _typical(self) -> int:
        known = sorted(self._sizes) or [self._run]
        return known[len(known) // 2]

    def state(self) -> dict[str, Any]:
        """Everything the future depends on, as JSON values."""
        return {
            "nominal": self._nominal,
            "period": self.period,
            "time": self.time,
            "gaps": self.gaps,
            "index": self._index,
            "raw": self._raw,
            "run": self._run,
            "ends": [list(end) for end in self._ends],
            "sizes": list(self._sizes),
            "scatter": self._scatter,
        }

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> "ChunkLine":
        """The same line again, from a `state`."""
        line = cls(state["nominal"], state["raw"], state["run"])
        line.period = state["period"]
        line.time = state["time"]
        line.gaps = state["gaps"]
        line._index = state["index"]
        line._ends = [(int(index), float(at)) for index, at in state["ends"]]
        line._sizes = list(state["sizes"])
        line._scatter = state["scatter"]
        return line
