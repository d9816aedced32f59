"""Stamps that were deduced inside pushed chunks: how they are noticed, and what they leave uncertain.

A program that pushes a chunk with one stamp stamps its last sample only; liblsl deduces the others, one
declared period after another.  Where the declared rate is wrong, or the device lost samples inside the
chunk, the stamps inside are wrong.  So steps of exactly one declared period prove nothing, until they go on
for longer than any chunk, or until samples came one by one: what is pushed together comes together.

Noise model: the end of a chunk is stamped when it was measured, or a little later.  From one end to the next
it takes the period, once for each sample, and a rest: pushes come late, devices lose samples.  The rests to
come are like the latest ones (their range, and some more where they are few).  A sample inside then lies

- no earlier than the end before it, and a period for each sample since,
- no later than the end of its own chunk, and a period back for each sample that is still to come.  Where
  that end will be follows from its deduced stamp: so many declared periods on as samples are to come, by
  the least and the most of the latest chunks.

Between these two nothing can be known before the end comes, and so much is claimed.
"""

import math
from collections.abc import Mapping
from enum import Enum, auto
from typing import Any

from realtime.clock.arrivals import Arrivals
from realtime.clock.chunk_ends import BELIEVED, KEEP, PUSH_S, RATE_TOLERANCE, EndsLine

EXACT_S = 1e-9
"""Steps that differ less from the declared period were deduced by a computer, s."""
LONGEST_S = 20.0
"""No longer chunks are pushed, s ..."""
LONGEST_FEWEST, LONGEST_MOST = 8, 128
"""... and of no fewer and no more samples than this."""
ALIKE = 4
"""Odd steps of whole periods in a row that are a wrong rate and not losses, where they are alike or on a
line."""
CHANCE = 8
"""Odd steps of whole periods from which it is no chance that each chunk lost as many samples."""
MATTERS = 0.1
"""Times inside chunks that are wrong by less than this share of a period are left as they are."""
MEASURED = 2
"""Odd steps, where no run of deduced ones ended before, that show stamps to be measured."""
PAIR = 2
"""Where no more came together for `ONE_BY_ONE` groups, and stamps went on exactly from one to the next, which
ends that were measured do not, little can be deduced: what that leaves uncertain is claimed."""
ANYWHERE = 1.5
"""Between two bounds a time lies anywhere, at a bound as often as elsewhere, while measured ones hardly ever
reach what is claimed of them: so much more is claimed, and one limit serves both."""


class Step(Enum):
    """What the way from one sample to the next is."""

    INSIDE = auto()
    """Deduced: both are of one chunk, or of a grid."""
    LOSS = auto()
    """Several deduced steps: samples of one chunk, or of a grid, were lost."""
    BEHIND = auto()
    """Deduced steps back: the sample was overtaken."""
    END = auto()
    """The sample before was the last of a chunk."""
    ODD = auto()
    """Measured, as far as is known."""
    PAUSE = auto()
    """Longer than any wrong rate explains."""


class Ends:
    """Looks at the steps of a source, and at where runs of deduced ones end.

    Parameters
    ----------
    nominal : float
        The declared period, s; 0 where none is declared.
    """

    def __init__(self, nominal: float) -> None:
        self.nominal = nominal
        longest = math.ceil(LONGEST_S / nominal) if nominal > 0.0 else 0
        self._longest = min(max(longest, LONGEST_FEWEST), LONGEST_MOST)
        self._line = EndsLine(nominal)
        self._arrivals = Arrivals(nominal)
        self.restart()

    def restart(self) -> None:
        """Forget everything."""
        self._last: float | None = None  # the last stamp
        self._cleared = self.nominal <= 0.0
        self._left = 0.0  # the uncertainty that is left where stamps were cleared by pairs, s
        self._largest = 0  # chunk so far, samples
        self._arrivals.restart()
        self._odd = 0  # odd steps that ended no run of deduced ones
        self.gaps = 0
        self._forget()

    def step_back(self, stamp: float) -> None:
        """The source's clock stepped back; its next stamps follow this one (s)."""
        self._forget()
        self._last = stamp

    def _forget(self) -> None:
        """Forget the ends and keep what is known of the source."""
        self._index = 0.0  # of the last sample, on the ends' line
        self._run = 0  # deduced steps before it
        self._paused = False  # whether no end came since a pause
        self._since = 0  # samples since the last end, lost ones not counted
        self._line.restart()
        self._odd_steps: list[float] = []  # those that ended a chunk, in declared periods
        self._lacking = 0.0  # by how much samples lacked since the last end, s

    @property
    def cleared(self) -> bool:
        """Whether stamps are known to be measured."""
        return self._cleared

    @property
    def period(self) -> float:
        """Of the ends' line, s."""
        return self._line.period

    @property
    def scatter(self) -> float:
        """Standard deviation of the ends about their line, s."""
        return self._line.scatter

    @property
    def rate(self) -> float:
        """Of the ends' line, Hz."""
        return 1.0 / self._line.period

    def away_from(self, time: float) -> float:
        """Uncertainty of a time (s) given to the last sample, if stamps are deduced, s."""
        if self._cleared:
            return self._left
        if not self._line.believed:
            size = max(*self._line.sizes, self._run + 1) if self._line else self._most_together
            return RATE_TOLERANCE * size * self.nominal + self._lacking
        earliest, latest = self.bounds
        if latest < earliest:  # the source's clock was set inside the chunk: either may be right
            earliest, latest = latest - 2.0 * self._line.shortest, earliest
        return max(time - earliest, latest - time)

    def claim(self, time: float) -> float:
        """What is claimed of a time (s) given to the last sample: its uncertainty, s."""
        away = self.away_from(time)
        return ANYWHERE * away if self._line.believed and not self._cleared else away

    @property
    def _most_together(self) -> int:
        """How many samples may have been pushed together, no end being known: as many as came together."""
        return self._arrivals.most or self._longest

    @property
    def time(self) -> float:
        """When the last sample was measured: by the ends' line, but where that cannot be, s."""
        earliest, latest = self.bounds
        return min(max(self._line.at(self._index), earliest), max(earliest + self._line.shortest, latest))

    @property
    def bounds(self) -> tuple[float, float]:
        """The earliest and the latest that the last sample may have been measured, s."""
        assert self._last is not None
        line = self._line
        period = line.period
        if len(self._odd_steps) < CHANCE and self._whole(max(MATTERS, 4.0 * PUSH_S / self.nominal)):
            period = min(period, self.nominal)  # the declared one may be true, and samples lost
        earliest = line.last + self._since * period - line.shortest
        sizes = line.sizes
        most = max(*sizes, self._since)
        fewest = max(min(sizes), self._since)
        later = self.nominal - line.period
        latest = self._last + max((fewest - self._since) * later, (most - self._since) * later)
        return earliest, latest + line.shortest

    @property
    def shows_chunks(self) -> bool:
        """Whether the ends lie on a line that the stamps inside do not follow."""
        line = self._line
        if self._cleared or not line.believed:
            return False
        wrong = abs(line.period - self.nominal) * max(line.sizes)
        return (
            sum(size > 1 for size in line.sizes) >= BELIEVED
            and wrong > MATTERS * self.nominal
            and 3.0 * line.scatter < wrong
            and not self.shows_losses
        )

    @property
    def shows_losses(self) -> bool:
        """Whether odd steps are whole periods, now more, now fewer, as no line explains: samples that
        a device lost, not a wrong rate."""
        steps = self._odd_steps
        if not self._whole(MATTERS):
            return False
        on_a_line = self._line.long >= ALIKE and self._line.scatter < MATTERS * self.nominal
        return len(steps) < ALIKE or (max(steps) - min(steps) > 0.5 and not on_a_line)

    def _whole(self, within: float) -> bool:
        """Whether all odd steps are whole periods, but for this share of one."""
        steps = self._odd_steps
        return bool(steps) and all(each >= 0.5 and abs(each - round(each)) <= within for each in steps)

    def came(self, arrived: float) -> None:
        """The next sample came at this time (s): alone, or with others."""
        if self._cleared:
            return
        self._arrivals.add(arrived)
        one_by_one = self._arrivals.one_by_one
        exact = self._run >= self._arrivals.grouped - 1
        if one_by_one or (self._most_together <= PAIR and exact):
            self._cleared = True
            self._left = 0.0 if one_by_one else RATE_TOLERANCE * PAIR * self.nominal
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
            if periods >= 1:
                return self._inside(periods, lost)
            if -periods <= self._longest:
                self._last = last
                return Step.BEHIND
        if self._run == 0 and not self._line:
            self._odd += 1
            if self._odd > MEASURED:
                self._cleared = True
            return Step.ODD
        likely = max(self._largest, self._run + 1) if self._line.believed else self._longest
        pause = abs(step - nominal) > RATE_TOLERANCE * likely * nominal + 2.0 * nominal
        if pause and not self._line.believed:
            self._forget()
            self._lacking = abs(step - nominal)
            return Step.PAUSE
        self._odd_steps = [*self._odd_steps, step / nominal][-KEEP:]
        if self._paused:  # the line goes on through the first end
            self._index = self._line.index_at(last)
        self._largest = max(self._largest, self._run + 1)
        self._line.add(self._index, last, self._run + 1)
        self._paused = pause
        self._lacking = abs(step - nominal)
        self._index += 1 + lost
        self._since = 1 + lost
        self._run = 0
        if not pause:
            return Step.END
        self.gaps += step > nominal
        # Until that end comes the line goes on where the chunk begins, if it is as long as most.
        sizes = sorted(self._line.sizes)
        start = stamp + (sizes[len(sizes) // 2] - 1) * (nominal - self._line.period)
        self._index = self._line.index_at(start)
        return Step.PAUSE

    def _inside(self, periods: int, lost: int) -> Step:
        """So many deduced steps."""
        self._run += 1
        if self._run >= self._longest:  # no end for so long: the declared period is the true one
            self._cleared = True
            self._forget()
            return Step.INSIDE
        self._since += 1 + lost  # what else lacks was lost on the way, or before the chunk was stamped
        self._index += max(periods, 1 + lost)
        self._lacking += (periods - 1) * self.nominal
        return Step.INSIDE if periods == 1 else Step.LOSS

    def state(self) -> dict[str, Any]:
        """Everything the future depends on, as JSON values."""
        return {
            "last": self._last,
            "cleared": self._cleared,
            "left": self._left,
            "arrivals": self._arrivals.state(),
            "odd": self._odd,
            "largest": self._largest,
            "gaps": self.gaps,
            "index": self._index,
            "run": self._run,
            "since": self._since,
            "paused": self._paused,
            "odd_steps": list(self._odd_steps),
            "lacking": self._lacking,
            "line": self._line.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a `state`."""
        self._last, self._cleared, self._odd = state["last"], state["cleared"], state["odd"]
        self._left = state["left"]
        self._arrivals.restore(state["arrivals"])
        self._largest, self.gaps = state["largest"], state["gaps"]
        self._index, self._run, self._since = state["index"], state["run"], state["since"]
        self._paused = state["paused"]
        self._odd_steps = list(state["odd_steps"])
        self._lacking = state["lacking"]
        self._line.restore(state["line"])
