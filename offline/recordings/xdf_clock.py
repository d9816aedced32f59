"""A sender's stamps on the recorder's clock, and how wrong they may be there.

A sender that is started again has another clock: the offset jumps and stays, and often the stamps jump too,
perhaps back over earlier ones.  So comparisons are first divided into clocks, in the order of the file; then
the samples are, at the step of the stamps that makes their time go on, near where the file has it; then each
clock's offset is learnt from its own comparisons (`offline.recordings.clock_offsets`).  A comparison that no
other agrees with, and that no step of the stamps explains, moves nothing.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from models.arrays import Floats
from offline.recordings.clock_offsets import fit_offsets
from offline.recordings.pushed_stamps import as_pushed
from realtime.clock.comparisons import DRIFT
from realtime.input_guards.stamps import LATEST_S, on_a_clock

OTHER_CLOCK_S = 1.0
"""Offsets that differ more are of different clocks, however noisy they are ..."""
LEAST_S = 5e-3
"""... and such that differ less are of one ..."""
ODDS = 10.0
"""... between those it is so many times the usual difference of neighbours, where so many are known ..."""
KNOWN = 5
FEW_S = 0.1
"""... and this, s, where fewer are."""
DRIFTS = 10.0
"""Standard deviations of a drift that may lie between two comparisons."""
LATE_S = 2.0
"""Samples and comparisons are written by different threads: one may have overtaken the other by this, s."""
NEAR_S = 10.0
"""Samples further from the comparisons of a clock are hardly that clock's, s."""
BLOCK_S = 10.0
"""What is claimed stays the same for so long, s ..."""
STEP = 2.0**0.25
"""... and moves by such factors, upwards: each change is an entry in the log."""
UNIT_S = 1e-6
"""The smallest claim, s."""

UNCOMPARED_S = 60.0
"""Where not one stamp is nearer than this (s) to when a clock was compared, it is not the stamps' clock."""
LONGEST_FILE_S = 1e6
"""Stamps and comparisons further from a clock's others are none of its, s."""


class OnRecorderClock(NamedTuple):
    """Stamps on the recorder's clock.

    They are ``uncompared`` where they lie so far from all comparisons of their clock that it is not the clock
    that was compared: the device stamps by one of its own.  Nothing can be claimed then of the recorder's;
    the uncertainty is that of the offset.
    """

    times: Floats  # (n_samples,): s on the recorder's clock, in the order of arrival
    uncertainty: Floats  # (n_samples,): how wrong comparisons may leave each, s; constant over stretches
    not_believed: int = 0  # comparisons that were ignored
    clocks: int = 0  # how many the sender had, one after the other; 0 where none was compared
    uncompared: bool = False

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a person should know of this."""
        remarks = []
        if self.not_believed:
            remarks.append(f"{self.not_believed} clock offsets contradict the others and were ignored")
        if self.clocks > 1:
            remarks.append(f"clock offsets say that the sender's clock was set anew {self.clocks - 1} times")
        if self.uncompared:
            remarks.append("stamps lie far from all clock offsets: they are of a clock that was not compared")
        return tuple(remarks)


def on_recorder_clock(
    stamps: Floats,
    measured_at: Floats,
    offsets: Floats,
    positions: Sequence[int] | None = None,
    rate: float = 0.0,
) -> OnRecorderClock:
    """Bring a sender's stamps, (n_samples,) float64 s in the order of arrival, to the recorder's clock.

    Clocks were compared at ``measured_at``, (n_comparisons,) float64 s on the sender's, where ``offsets`` are
    to be added to get the recorder's, in the order of the file; ``positions`` say how many samples came
    before each, None where that is not known.  The stream declares a ``rate``, Hz, or 0.
    """
    usable = np.array([on_a_clock(a) and on_a_clock(b) for a, b in zip(measured_at, offsets, strict=True)])
    if not len(stamps) or not usable.any():
        return OnRecorderClock(stamps, np.zeros(len(stamps)), len(offsets))
    at, found = measured_at[usable], offsets[usable]
    where = None if positions is None else np.asarray(positions)[usable]
    if where is not None and len(at) > 1 and np.all(where == where[0]):
        where = None  # written separately from the samples: it says nothing
    known = np.where(np.abs(stamps) <= LATEST_S, stamps, np.nan)
    steps = _Steps(known, at, where)
    clocks, spread = _clocks(at, found, steps)
    cuts, unsure = _cuts(clocks, found, steps)
    times, uncertainty = stamps.copy(), unsure + spread
    elsewhere = 0
    for clock, (begin, end) in zip(clocks, pairwise([0, *cuts, len(stamps)]), strict=True):
        part = slice(begin, end)
        middle = np.sort(at[clock])[(len(clock) - 1) // 2]
        compared = [i for i in clock if abs(at[i] - middle) < LONGEST_FILE_S]
        mine = known[part][np.abs(known[part] - middle) < LONGEST_FILE_S]
        near = (mine > at[compared].min() - UNCOMPARED_S) & (mine < at[compared].max() + UNCOMPARED_S)
        elsewhere += not near.any() and begin < end
        first, last = (float(mine.min()), float(mine.max())) if near.any() else (middle, middle)
        offset, wrong = fit_offsets(at[compared], found[compared], first, last).at(known[part])
        offset, wrong = np.nan_to_num(offset), np.nan_to_num(wrong)
        kept = as_pushed(known[part], offset, rate)
        times[part] = stamps[part] + kept
        uncertainty[part] += wrong + np.abs(kept - offset)
    used = sum(len(clock) for clock in clocks)
    uncertainty = _in_stretches(uncertainty, steps.period)
    return OnRecorderClock(times, uncertainty, len(offsets) - used, len(clocks), bool(elsewhere))


def _samples_in(seconds: float, period: float, n: int) -> int:
    """How many samples come in a time (s), at least 1 and at most n."""
    return max(1, math.ceil(seconds / period)) if period * n > seconds else n


class _Steps:
    """The steps between stamps in the order of arrival, and where the clocks were compared between them."""

    def __init__(self, stamps: Floats, at: Floats, where: Floats | None) -> None:
        self.stamps, self.at, self.where = stamps, at, where
        with np.errstate(invalid="ignore"):
            self.steps = np.diff(stamps)
        forward = self.steps[self.steps > 0]
        self.period = float(np.median(forward)) if len(forward) else 0.0

    def bounds(self, before: int, after: int) -> tuple[int, int]:
        """Samples between which, by the file's order, the clock changed between two comparisons."""
        assert self.where is not None
        late = _samples_in(LATE_S, self.period, len(self.stamps))
        return int(self.where[before]) - late, int(self.where[after]) + late

    def explain(self, jump: float, before: int, after: int) -> bool:
        """Whether an offset that jumps (s) between two comparisons makes time go on where stamps jump."""
        with np.errstate(invalid="ignore"):
            cost = np.abs(self.steps + jump - self.period) - np.abs(self.steps - self.period)
            found = (self.steps + jump > -LEAST_S) & (cost < -0.9 * abs(jump))
            if self.where is not None:
                low, high = self.bounds(before, after)
                index = np.arange(1, len(self.stamps))
                found &= (index >= low) & (index <= high)
            else:
                found &= self.stamps[:-1] >= self.at[before] - NEAR_S
                found &= self.stamps[1:] <= self.at[after] + NEAR_S
        return bool(np.any(found))


def _clocks(at: Floats, found: Floats, steps: _Steps) -> tuple[list[list[int]], float]:
    """Which comparisons are of which clock, and an uncertainty (s) of all of them.

    Comparisons are of one clock where they agree; one that no other agrees with is another clock only
    where the stamps jump with it.  If none agrees with any, the middle one of those made near the stamps
    is taken, and how far they differ is claimed.
    """
    usual = np.median(np.abs(np.diff(found))) if len(found) > KNOWN else FEW_S / ODDS / 1.4826
    bound = min(max(LEAST_S, ODDS * 1.4826 * float(usual)), OTHER_CLOCK_S)

    def agree(i: int, j: int) -> bool:
        return abs(found[i] - found[j]) <= bound + DRIFTS * DRIFT * abs(at[i] - at[j])

    clocks: list[list[int]] = []
    odd: list[int] = []
    for i in range(len(found)):
        like = [j for j in odd if agree(i, j)]
        if clocks and agree(i, clocks[-1][-1]):
            clocks[-1].append(i)
        elif like:
            clocks.append([like[-1], i])
        else:
            odd.append(i)
            continue
        odd = []  # what lies between two that agree was wrong
    if not clocks:
        return _alone(at, found, steps)
    for j in range(clocks[0][0] - 1, -1, -1):
        if steps.explain(float(found[clocks[0][0]] - found[j]), j, clocks[0][0]):
            clocks.insert(0, [j])
    for j in range(clocks[-1][-1] + 1, len(found)):
        if steps.explain(float(found[j] - found[clocks[-1][-1]]), clocks[-1][-1], j):
            clocks.append([j])
    return clocks, 0.0


def _alone(at: Floats, found: Floats, steps: _Steps) -> tuple[list[list[int]], float]:
    """`_clocks` where no comparison agrees with any."""
    clocks = [[0]]
    for j in range(1, len(found)):
        if steps.explain(float(found[j] - found[clocks[-1][-1]]), clocks[-1][-1], j):
            clocks.append([j])
    if len(clocks) > 1 or len(found) == 1:
        return clocks, 0.0
    away = np.array([_away(steps.stamps, at[[j]]).sum() for j in range(len(at))])
    near = np.flatnonzero(away == away.min())  # a wrong one is often not of the sender's time either
    return [[int(near[np.argsort(found[near])[(len(near) - 1) // 2]])]], float(np.ptp(found))


def _cuts(clocks: list[list[int]], found: Floats, steps: _Steps) -> tuple[list[int], Floats]:
    """Samples with which the second clock begins, the third ..., and uncertainties (s) where that is open."""
    n, period = len(steps.stamps), steps.period
    unsure = np.zeros(n)
    cuts: list[int] = []
    away = [_away(steps.stamps, steps.at[clock]) for clock in clocks]
    for j in range(len(clocks) - 1):
        start = cuts[-1] if cuts else 0
        jump = float(found[clocks[j + 1][0]] - found[clocks[j][-1]])
        # What each place costs, s: time that does not go on there ...
        raw = np.concatenate([[0.0], steps.steps - period])
        with np.errstate(invalid="ignore"):
            cost = np.abs(raw + jump) - np.abs(raw) - 0.01 * np.minimum(np.abs(raw), abs(jump))
        explained = np.append(cost, abs(jump))
        explained[0] = abs(jump)  # all samples are of the later clock, or of the earlier
        explained[~np.isfinite(explained)] = abs(jump)
        # ... and samples that are far from where their clock was compared.
        before, behind = _summed(away[j]), _summed(np.min(away[j + 1 :], axis=0))
        total = explained + period * (before + behind[-1] - behind)
        if steps.where is not None:
            low, high = steps.bounds(clocks[j][-1], clocks[j + 1][0])
            index = np.arange(n + 1)
            total += period * (np.maximum(0, low - index) + np.maximum(0, index - high))
        total[:start] = np.inf
        cut = int(np.argmin(total))
        if explained[cut] > -0.5 * abs(jump):
            if steps.where is None:
                last, first = float(steps.at[clocks[j][-1]]), float(steps.at[clocks[j + 1][0]])
                low, high = _between(steps.stamps, cut, last, first)
            unsure[max(min(low, cut), 0) : max(high, cut)] += abs(jump)
        cuts.append(cut)
    return cuts, unsure


def _away(stamps: Floats, at: Floats) -> Floats:
    """1 where a stamp lies far from the comparisons of a clock, else 0."""
    with np.errstate(invalid="ignore"):
        return ~((stamps >= at.min() - NEAR_S) & (stamps <= at.max() + NEAR_S)) * 1.0


def _summed(each: Floats) -> Floats:
    return np.concatenate([[0.0], np.cumsum(each)])


def _between(stamps: Floats, cut: int, last: float, first: float) -> tuple[int, int]:
    """Samples around a cut after the last comparison (s) of one clock and before the first of the next."""
    not_after = np.flatnonzero(~(stamps[:cut] > last))
    not_before = np.flatnonzero(~(stamps[cut:] < first))
    low = int(not_after[-1]) + 1 if len(not_after) else 0
    return low, cut + int(not_before[0]) if len(not_before) else len(stamps)


def _in_stretches(uncertainty: Floats, period: float) -> Floats:
    """Claims (s) that change seldom, and are nowhere less."""
    size = _samples_in(BLOCK_S, period, len(uncertainty))
    starts = np.arange(0, len(uncertainty), size)
    most = np.maximum(np.maximum.reduceat(uncertainty, starts), UNIT_S)
    levels = UNIT_S * STEP ** np.ceil(np.log(most / UNIT_S) / np.log(STEP) - 1e-9)
    return np.repeat(levels, size)[: len(uncertainty)]
