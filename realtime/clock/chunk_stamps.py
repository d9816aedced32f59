"""Stamps that were made up inside pushed chunks: how they are noticed, and what they leave open.

A program that pushes a chunk with one stamp stamps its last sample only; liblsl makes the others up, one
declared period apart.  Where the declared rate is wrong, or the device lost samples inside the chunk, the
stamps inside are wrong.  So steps of exactly one declared period prove nothing, until they go on for longer
than any chunk, or until samples came one by one: what is pushed together comes together.

Noise model: the end of a chunk is stamped when it was measured, or a little later.  From one end to the next
it takes the period, once for each sample, and a rest: pushes come late, devices lose samples.  The rests to
come are like the latest ones (their range, and some more where they are few).  A sample inside then lies

- no earlier than the end before it, and a period for each sample since,
- no later than the end of its own chunk, and a period back for each sample that is still to come.  Where
  that end will be, its made-up stamp says: so many declared periods on as samples are to come, of which
  the latest chunks tell the least and the most.

Between these two nothing can be known before the end comes, and so much is claimed.
"""

import math
from collections.abc import Mapping
from enum import Enum, auto
from itertools import pairwise
from typing import Any

EXACT_S = 1e-7
"""Steps that differ less from the declared period were made up by a computer, s."""
LONGEST_S = 20.0
"""Nobody pushes longer chunks, s ..."""
LONGEST_FEWEST, LONGEST_MOST = 8, 128
"""... and of no fewer and no more samples than this."""
LEEWAY = 0.25
"""How wrong a declared rate may be, as a share of it; more is a gap."""
KEEP_S = 30.0
"""How long an end of a chunk counts, s ..."""
KEEP = 12
"""... but never fewer ends than this."""
PUSH_S = 3e-3
"""How late a chunk is pushed before any are known, s; counts as one end among those that come."""
MORE = 8.0
"""By so much of their range, divided by their number, rests may lie outside those seen."""
TOLD = 3
"""Ways from end to end, of about the longest there were, from which the ends' line is believed."""
ALIKE = 4
"""Odd steps of whole periods in a row that are a wrong rate and not losses, where they are alike or on a
line."""
MATTERS = 0.1
"""Times inside chunks that are wrong by less than this share of a period are left as they are."""
MEASURED = 2
"""Odd steps, where no run of made-up ones ended before, that show stamps to be measured."""
APART = 8
"""Samples in a row, each of which came at least half a period behind the one before, that were pushed one by
one: what is pushed together comes together."""


class Step(Enum):
    """What the way from one sample to the next is."""

    INSIDE = auto()
    """Made up: both are of one chunk, or of a grid."""
    LOSS = auto()
    """Several made-up steps: samples of one chunk, or of a grid, were lost."""
    BEHIND = auto()
    """Made-up steps back: the sample was overtaken."""
    END = auto()
    """The sample before was the last of a chunk."""
    ODD = auto()
    """Measured, as far as can be seen."""
    PAUSE = auto()
    """Longer than any wrong rate explains."""


class Ends:
    """Looks at the steps of a source, and at where runs of made-up ones end.

    Parameters
    ----------
    nominal : float
        The declared period, s; 0 where none is declared.
    """

    def __init__(self, nominal: float) -> None:
        self.nominal = nominal
        longest = math.ceil(LONGEST_S / nominal) if nominal > 0.0 else 0
        self._longest = min(max(longest, LONGEST_FEWEST), LONGEST_MOST)
        self.restart()

    def restart(self) -> None:
        """Forget everything."""
        self._last: float | None = None  # the last stamp
        self._cleared = self.nominal <= 0.0
        self._largest = 0  # chunk so far, samples
        self._came: float | None = None  # when the last sample came
        self._apart = 0  # samples in a row that came one by one
        self._odd = 0  # odd steps that ended no run of made-up ones
        self.gaps = 0
        self._forget()

    def set_back(self, stamp: float) -> None:
        """The source's clock was set; its next stamps follow this one (s)."""
        self._forget()
        self._last = stamp

    def _forget(self) -> None:
        """Forget the ends and keep what is known of the source."""
        self._index = 0.0  # of the last sample, on the ends' line
        self._run = 0  # made-up steps before it
        self._paused = False  # whether no end came since a pause
        self._since = 0  # samples since the last end, lost ones not counted
        self._ends: list[tuple[float, float, int]] = []  # where chunks ended: index, stamp, samples
        self._odd_steps: list[float] = []  # those that ended a chunk, in declared periods
        self.period, self.scatter = self.nominal, 0.0
        self._rest = (0.0, 0.0)  # the least and the most that the way between two ends may differ, s
        self._lacking = 0.0  # by how much samples lacked since the last end, s
        self._line = (0.0, 0.0)  # middle of the ends: index, stamp

    @property
    def cleared(self) -> bool:
        """Whether stamps are known to be measured."""
        return self._cleared

    @property
    def _sizes(self) -> list[int]:
        """Of the latest chunks, samples."""
        return [size for _, _, size in self._ends[-KEEP:]]

    @property
    def _told(self) -> bool:
        """Whether the ends say enough of what lies between them."""
        return self._long >= TOLD

    @property
    def _long(self) -> int:
        """How many of the ways from end to end are at least half as long as the longest chunk."""
        sizes = [size for *_, size in self._ends] or [0]
        longest = max(sizes)
        return sum(2 * size >= longest for size in sizes[1:])

    @property
    def rate(self) -> float:
        """Of the ends' line, Hz."""
        return 1.0 / self.period

    def away_from(self, time: float) -> float:
        """How wrong a time (s) given to the last sample may be, if stamps are made up, s."""
        if self._cleared:
            return 0.0
        if not self._told:
            size = max(*self._sizes, self._run + 1) if self._ends else self._longest
            return LEEWAY * size * self.nominal + self._lacking
        earliest, latest = self.bounds
        return max(time - earliest, latest - time)

    @property
    def time(self) -> float:
        """When the last sample was measured: by the ends' line, but where that cannot be, s."""
        index, stamp = self._line
        earliest, latest = self.bounds
        return min(max(stamp + (self._index - index) * self.period, earliest), latest)

    @property
    def bounds(self) -> tuple[float, float]:
        """The earliest and the latest that the last sample may have been measured, s."""
        assert self._last is not None
        earliest = self._ends[-1][1] + self._since * self.period + self._rest[0]
        sizes = self._sizes
        most = max(*sizes, self._since)
        fewest = max(min(sizes), self._since)
        later = self.nominal - self.period
        latest = self._last + max((fewest - self._since) * later, (most - self._since) * later)
        return earliest, max(latest, earliest) - self._rest[0]

    @property
    def shows_chunks(self) -> bool:
        """Whether the ends lie on a line that the stamps inside do not follow."""
        wrong = abs(self.period - self.nominal) * max(self._sizes, default=0)
        return (
            not self._cleared
            and self._told
            and sum(size > 1 for size in self._sizes) >= TOLD
            and wrong > MATTERS * self.nominal
            and 3.0 * self.scatter < wrong
            and not self.shows_losses
        )

    @property
    def shows_losses(self) -> bool:
        """Whether odd steps are whole periods, now more, now fewer, as no line explains: samples that
        a device lost, not a wrong rate."""
        steps = self._odd_steps
        if not steps or any(each < 0.5 or abs(each - round(each)) > MATTERS for each in steps):
            return False
        on_a_line = self._long >= ALIKE and self.scatter < MATTERS * self.nominal
        return len(steps) < ALIKE or (max(steps) - min(steps) > 0.5 and not on_a_line)

    def came(self, arrived: float) -> None:
        """The next sample came at this time (s): alone, or with others."""
        if self._cleared:
            return
        alone = self._came is not None and arrived - self._came >= 0.5 * self.nominal
        self._came = arrived
        self._apart = self._apart + 1 if alone else 0
        if self._apart >= APART:
            self._cleared = True
            self._forget()

    def look(self, stamp: float, lost: int = 0) -> Step:
        """Take a stamp (s) before which the device counted so many lost samples."""
        last, self._last = self._last, stamp
        nominal = self.nominal
        if last is None or self._cleared:
            return Step.ODD
        step = stamp - last
        periods = round(step / nominal)
        if abs(step - periods * nominal) < max(abs(periods), 1) * max(EXACT_S, 1e-15 * abs(stamp)):
            if periods < 1 and -periods <= self._longest:
                self._last = last
                return Step.BEHIND
            if periods >= 1:
                return self._inside(periods, lost)
        if self._run == 0 and not self._ends:
            self._odd += 1
            if self._odd > MEASURED:
                self._cleared = True
            self._index += 1 + lost
            return Step.ODD
        likely = max(self._largest, self._run + 1) if self._told else self._longest
        pause = abs(step - nominal) > LEEWAY * likely * nominal + 2.0 * nominal
        if pause and not self._told:
            self._forget()
            self._lacking = abs(step - nominal)
            return Step.PAUSE
        self._odd_steps = [*self._odd_steps, step / nominal][-KEEP:]
        if self._paused:  # the line goes on through the first end
            self._index = self._on_line(last)
        self._end(last, self._run + 1)
        self._paused = pause
        self._lacking = abs(step - nominal)
        self._index += 1 + lost
        self._since = 1 + lost
        self._run = 0
        if not pause:
            return Step.END
        self.gaps += step > nominal
        # Until that end comes the line goes on where the chunk begins, if it is as long as most.
        size = sorted(self._sizes)[len(self._ends[-KEEP:]) // 2]
        self._index = self._on_line(stamp + (size - 1) * (nominal - self.period))
        return Step.PAUSE

    def _on_line(self, stamp: float) -> float:
        """Index at which the ends' line comes to a stamp (s)."""
        return self._line[0] + (stamp - self._line[1]) / self.period

    def _inside(self, periods: int, lost: int) -> Step:
        """So many made-up steps."""
        self._run += 1
        if self._run >= self._longest:  # no end for so long: the declared period is the true one
            self._cleared = True
            self._forget()
            return Step.INSIDE
        self._since += 1 + lost  # what else lacks was lost on the way, or before the chunk was stamped
        self._index += max(periods, 1 + lost)
        self._lacking += (periods - 1) * self.nominal
        return Step.INSIDE if periods == 1 else Step.LOSS

    def _end(self, stamp: float, size: int) -> None:
        """The sample before was the last of its chunk: its stamp is a measurement."""
        self._ends.append((self._index, stamp, size))
        self._largest = max(self._largest, size)
        while len(self._ends) > KEEP and self._ends[0][1] < stamp - KEEP_S:
            del self._ends[0]
        n = len(self._ends)
        middle_index = sum(index for index, *_ in self._ends) / n
        middle = sum(at for _, at, _ in self._ends) / n
        self._line = (middle_index, middle)
        if n < 2:
            return
        across = sum((index - middle_index) ** 2 for index, *_ in self._ends)
        along = sum((index - middle_index) * (at - middle) for index, at, _ in self._ends)
        most = LEEWAY * self.nominal
        self.period = self.nominal + min(max(along / across - self.nominal, -most), most)
        off = [at - middle - (index - middle_index) * self.period for index, at, _ in self._ends]
        self.scatter = math.sqrt((PUSH_S**2 + sum(each * each for each in off)) / (n - 1))
        rests = [after - before for before, after in pairwise(off)]
        least, most = min(rests), max(rests)
        more = MORE / max(self._long, 1) * (PUSH_S + most - least)
        self._rest = (min(least, 0.0) - more, max(most, 0.0) + more)

    def state(self) -> dict[str, Any]:
        """Everything the future depends on, as JSON values."""
        return {
            "last": self._last,
            "cleared": self._cleared,
            "came": self._came,
            "apart": self._apart,
            "odd": self._odd,
            "largest": self._largest,
            "gaps": self.gaps,
            "index": self._index,
            "run": self._run,
            "since": self._since,
            "paused": self._paused,
            "ends": [list(end) for end in self._ends],
            "odd_steps": list(self._odd_steps),
            "period": self.period,
            "scatter": self.scatter,
            "rest": list(self._rest),
            "lacking": self._lacking,
            "line": list(self._line),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a `state`."""
        self._last, self._cleared, self._odd = state["last"], state["cleared"], state["odd"]
        self._came, self._apart = state["came"], state["apart"]
        self._largest, self.gaps = state["largest"], state["gaps"]
        self._index, self._run, self._since = state["index"], state["run"], state["since"]
        self._paused = state["paused"]
        self._ends = [(float(index), float(at), int(size)) for index, at, size in state["ends"]]
        self._odd_steps = list(state["odd_steps"])
        self.period, self.scatter = state["period"], state["scatter"]
        self._rest = (state["rest"][0], state["rest"][1])
        self._lacking = state["lacking"]
        self._line = (state["line"][0], state["line"][1])
