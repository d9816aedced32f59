"""Stamps that were made up inside pushed chunks: how they are noticed, and what is done.

A program that pushes a chunk with one stamp stamps its last sample only; liblsl makes the others up,
one declared period apart.  Where the declared rate is wrong, the stamps inside a chunk then run too fast
or too slow and jump at its end, perhaps backwards.  So steps of exactly one declared period prove nothing:
until
they end, or go on for longer than any chunk, it is not known whether they were measured.  Where they end
again and again
in odd steps, and the ends lie on a line of another period than the declared one, only the ends are
measurements, and
the times inside follow from the period between those.
"""

import math
from collections.abc import Mapping
from enum import Enum, auto
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
KEEP = 8
"""... but never fewer ends than this."""
PUSH_S = 3e-3
"""How late a chunk is pushed before any are known, s; counts as one end among those that come."""
SURE = 4.0
"""Standard deviations of the ends within which their line is claimed: they are all late, none is early."""
ENDS = 3
"""Ends of chunks from which their line is believed."""
ALIKE = 4
"""Odd steps of the same whole number of periods in a row that are a wrong rate and not losses."""
MATTERS = 0.1
"""Times inside chunks that are wrong by less than this share of a period are left as they are."""
MEASURED = 2
"""Odd steps, where no run of made-up ones ended before, that show stamps to be measured."""


def made_up(step: float, stamp: float, nominal: float) -> bool:
    """Whether a step is the declared period to the last digits that a stamp can hold."""
    return abs(step - nominal) < max(EXACT_S, 1e-15 * abs(stamp))


class Step(Enum):
    """What the way from one sample to the next is."""

    INSIDE = auto()
    """Made up: both are of one chunk, or of a grid."""
    LOSS = auto()
    """Several made-up steps: samples of one chunk, or of a grid, were lost."""
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
        self._odd = 0  # odd steps that ended no run of made-up ones
        self.forget()

    def forget(self) -> None:
        """Forget the ends and keep what is known of the source: behind a gap."""
        self.index = 0  # of the last sample
        self.run = 0  # made-up steps before it
        self.ends: list[tuple[int, float]] = []
        self.sizes: list[int] = []
        self._odd_steps: list[float] = []  # those that ended a chunk, in declared periods
        self.period, self.scatter = self.nominal, 0.0
        self._lacking = 0.0  # by how much samples lacked since the last end, s
        self._across = 0.0  # how far the ends' indices lie from their middle, squared and summed
        self._line = (0.0, 0.0)  # middle of the ends: index, stamp

    @property
    def cleared(self) -> bool:
        """Whether stamps are known to be measured."""
        return self._cleared

    @property
    def uncertainty_s(self) -> float:
        """How wrong stamps may be because they were made up, s."""
        if self._cleared:
            return 0.0
        if len(self.ends) < ENDS:
            size = self._longest if not self.sizes else max(*self.sizes, self.run + 1)
            return LEEWAY * size * self.nominal + self._lacking
        return self.wrong_inside + SURE * self.scatter + self._lacking

    @property
    def wrong_inside(self) -> float:
        """How wrong the first stamp of the longest chunk is by the ends' line, s."""
        return abs(self.period - self.nominal) * max(self.sizes, default=0)

    @property
    def shows_chunks(self) -> bool:
        """Whether the ends lie on a line that the stamps inside do not follow."""
        wrong = self.wrong_inside
        return (
            len(self.ends) >= ENDS
            and sum(size > 1 for size in self.sizes) >= ENDS
            and wrong > MATTERS * self.nominal
            and 3.0 * self.scatter < wrong
            and abs(self.period - self.nominal) < LEEWAY * self.nominal
            and not self.shows_losses
        )

    @property
    def shows_losses(self) -> bool:
        """Whether odd steps are whole periods, now more, now fewer: samples that a device lost, not a wrong
        rate."""
        steps = self._odd_steps
        if not steps or any(each < 0.5 or abs(each - round(each)) > MATTERS for each in steps):
            return False
        return max(steps) - min(steps) > 0.5 or len(steps) < ALIKE

    def look(self, stamp: float, lost: int = 0) -> Step:
        """Take a stamp (s) before which the device counted so many lost samples."""
        last, self._last = self._last, stamp
        nominal = self.nominal
        if last is None or nominal <= 0.0:
            return Step.ODD
        step = stamp - last
        if made_up(step, stamp, nominal):
            self.index += 1 + lost
            self.run += 1
            if self.run >= self._longest:  # no end for so long: the declared period is the true one
                self._cleared = True
                self.forget()
            return Step.INSIDE
        multiple = round(step / nominal)
        if multiple > 1 and made_up(step / multiple, stamp, nominal):
            self.index += multiple
            self.run += 1
            self._lacking += (
                step - nominal
            )  # before this sample, or in the middle of the chunk that it begins
            return Step.LOSS
        if self.run == 0 and not self.ends:
            self._odd += 1
            if self._odd > MEASURED:
                self._cleared = True
            self.index += 1 + lost
            return Step.ODD
        if abs(step - nominal) > LEEWAY * max(self._largest, self.run + 1) * nominal + 2.0 * nominal:
            self.forget()
            self._lacking = abs(step - nominal)
            return Step.PAUSE
        self._odd_steps = [*self._odd_steps, step / nominal][-KEEP:]
        self._end(last, self.run + 1)
        self._lacking = abs(step - nominal)
        self.index += 1 + lost
        self.run = 0
        return Step.END

    def _end(self, stamp: float, size: int) -> None:
        """The sample before was the last of its chunk: its stamp is a measurement."""
        self.ends.append((self.index, stamp))
        self._largest = max(self._largest, size)
        self.sizes = [*self.sizes, size][-KEEP:]
        while len(self.ends) > KEEP and self.ends[0][1] < stamp - KEEP_S:
            del self.ends[0]
        n = len(self.ends)
        if n < 2:
            return
        middle_index = sum(index for index, _ in self.ends) / n
        middle = sum(at for _, at in self.ends) / n
        self._across = sum((index - middle_index) ** 2 for index, _ in self.ends)
        along = sum((index - middle_index) * (at - middle) for index, at in self.ends)
        self.period = along / self._across
        self._line = (middle_index, middle)
        residuals = [at - middle - (index - middle_index) * self.period for index, at in self.ends]
        self.scatter = math.sqrt((PUSH_S**2 + sum(each * each for each in residuals)) / (n - 1))

    @property
    def line_error(self) -> float:
        """Standard error of the ends' line at the last sample, s."""
        n = len(self.ends)
        if n < ENDS:
            return self.scatter
        return self.scatter * math.sqrt(1.0 / n + (self.index - self._line[0]) ** 2 / self._across)

    def on_line(self) -> float:
        """The ends' line at the last sample, s."""
        middle_index, middle = self._line
        return middle + (self.index - middle_index) * self.period

    def state(self) -> dict[str, Any]:
        """Everything the future depends on, as JSON values."""
        return {
            "last": self._last,
            "cleared": self._cleared,
            "odd": self._odd,
            "largest": self._largest,
            "index": self.index,
            "run": self.run,
            "ends": [list(end) for end in self.ends],
            "sizes": list(self.sizes),
            "odd_steps": list(self._odd_steps),
            "period": self.period,
            "scatter": self.scatter,
            "across": self._across,
            "lacking": self._lacking,
            "line": list(self._line),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a `state`."""
        self._last, self._cleared, self._odd = state["last"], state["cleared"], state["odd"]
        self._largest = state["largest"]
        self.index, self.run = state["index"], state["run"]
        self.ends = [(int(index), float(at)) for index, at in state["ends"]]
        self.sizes, self._odd_steps = list(state["sizes"]), list(state["odd_steps"])
        self._across = state["across"]
        self.period, self.scatter = state["period"], state["scatter"]
        self._lacking = state["lacking"]
        self._line = (state["line"][0], state["line"][1])


class ChunkLine:
    """Follows a source of which only the last stamp of each chunk is a measurement.

    Parameters
    ----------
    ends : Ends
        What showed it; this line goes on with it.
    """

    def __init__(self, ends: Ends) -> None:
        self._ends = ends
        self.period, self.scatter = ends.period, ends.scatter
        self.time = ends.on_line()  # the line at the last sample
        self.gaps = 0
        self._sizes = list(ends.sizes)  # of the latest chunks, those before a gap too
        self._unlike = 0.0  # how wrong the line may be since a gap, s

    @property
    def rate(self) -> float:
        """Measured rate, Hz."""
        return 1.0 / self.period

    @property
    def uncertainty_s(self) -> float:
        """How wrong the last time may be, s."""
        return SURE * max(self.scatter, self._ends.line_error) + self._unlike

    def follow(self, stamp: float, lost: int = 0) -> float:
        """The time of the next sample; earlier than the last where the source's clock was set back."""
        before = self._ends.index
        step = self._ends.look(stamp, lost)
        if step is Step.PAUSE:
            self._anchor(self._start_of(stamp))
            return self.time
        if step in (Step.INSIDE, Step.LOSS):
            # A long run made the ends forget the index as well: then it counts from there.
            passed = self._ends.index - before if self._ends.index > before else 1
            self.time += passed * self.period
            return self.time
        self._sizes = [*self._sizes, self._ends.sizes[-1]][-KEEP:] if self._ends.sizes else self._sizes
        if (
            len(self._ends.ends) >= ENDS
            and abs(self._ends.period - self._ends.nominal) < LEEWAY * self._ends.nominal
        ):
            self.period, self.scatter = self._ends.period, self._ends.scatter
            self.time, self._unlike = self._ends.on_line(), 0.0
        elif self._ends.ends:  # behind a gap: the last end is where the sample before truly was
            index, at = self._ends.ends[-1]
            self.time = at + (self._ends.index - index) * self.period
            self._unlike = SURE * self.scatter
        # Is there a gap between the end and the first made-up stamp of the chunk that begins?
        excess = self._start_of(stamp) - self.time
        if abs(excess) > 0.5 * self.period + self._spread_of_sizes + 4.0 * self.scatter:
            self._ends.forget()
            self._anchor(self.time + excess)
        else:
            self._unlike += abs(excess) + self._spread_of_sizes
        return self.time

    def _start_of(self, stamp: float) -> float:
        """When the first sample of a chunk was taken that is as long as most, s."""
        size = sorted(self._sizes)[len(self._sizes) // 2]
        return stamp + (size - 1) * (self._ends.nominal - self.period)

    @property
    def _spread_of_sizes(self) -> float:
        """How far the made-up start of a chunk moves with its size, s."""
        return (max(self._sizes) - min(self._sizes)) * abs(self.period - self._ends.nominal)

    def _anchor(self, time: float) -> None:
        """Start anew behind a gap: where in a chunk that is, its end will show."""
        inside = max(self._sizes) * abs(self.period - self._ends.nominal)
        self.gaps += time > self.time
        self._unlike = inside + SURE * self.scatter + abs(time - self.time)
        self.time = time

    def state(self) -> dict[str, Any]:
        """Everything the future depends on but the ends, as JSON values."""
        return {
            "period": self.period,
            "scatter": self.scatter,
            "time": self.time,
            "gaps": self.gaps,
            "sizes": list(self._sizes),
            "unlike": self._unlike,
        }

    @classmethod
    def restored(cls, ends: Ends, state: Mapping[str, Any]) -> "ChunkLine":
        """The same line again, from a `state` and the ends as they were."""
        line = cls(ends)
        line.period, line.scatter, line.time = state["period"], state["scatter"], state["time"]
        line.gaps, line._sizes, line._unlike = state["gaps"], list(state["sizes"]), state["unlike"]
        return line
