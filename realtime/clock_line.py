"""The line that stamps are followed with: phase and period, by least squares that grows to a memory.

A stamp further from the line than the jitter explains is a gap: the phase starts anew *at that stamp*,
the period stays.  How much jitter there is, is told by the scatter of the intervals (their median
absolute deviation, which lost samples cannot spoil).  Where stamps jitter by more than half a period a
loss of one or two samples hides in the jitter; it shows when a few residuals in a row lie a whole
number of periods off the line, and the line is then moved by just that number.  A device that
counts its frames says so at once.
"""

import math
from collections.abc import Mapping
from typing import Any

MEMORY_S = 15.0
"""Memory of the line, seconds: long against jitter, short against a drifting oscillator."""
MIN_MEMORY = 10
"""... but never fewer samples than this."""
STARTUP = 10
"""Samples before jitter is known well enough to tell a lost sample from a late stamp."""
JITTER_FACTOR = 6.0
"""A gap lies further out than this many mean absolute residuals."""
INTERVALS = 32
"""Intervals whose scatter is looked at."""
RECENT = 15
"""Raw intervals whose median stands for the period where the fitted one cannot be trusted yet."""
ENOUGH = 4
"""Raw intervals from which their scatter can be told."""
LOOKED_AT = 8
"""Residuals in a row among which a hidden loss is looked for."""
COUNTED_GAP_S = 1.0
"""A stamp that far out (s) is a gap even where the device counted no lost frame: it paused."""


class Line:
    """Phase and period of a source, learnt from its stamps.

    Parameters
    ----------
    nominal_period : float
        What the source declares, s; 0 where it declares none.
    """

    def __init__(self, nominal_period: float) -> None:
        self._nominal = nominal_period
        self.restart()

    def restart(self) -> None:
        """Forget everything."""
        self.period = self._nominal
        self.time = 0.0  # the line at the last sample
        self.gaps = 0
        self._raw = 0.0  # its raw stamp
        self._in_segment = 0  # samples since the last gap
        self._seen = 0  # samples that the period was learnt from
        self._jitter = 0.0  # mean absolute residual, s
        self._settled = False  # whether the start is over
        self._recent: list[float] = []  # intervals of the start
        self._intervals: list[float] = []  # the latest
        self._scatter = 0.0  # standard deviation of a stamp, as the intervals tell it, s
        self._residuals: list[float] = []  # the latest, since the line last moved

    @property
    def rate(self) -> float:
        """Measured rate, Hz; 0 before two samples."""
        return 1.0 / self.period if self.period > 0 and self._seen > 1 else 0.0

    @property
    def jitter_s(self) -> float:
        """Mean absolute distance of stamps from the line, s."""
        return self._jitter

    @property
    def uncertainty_s(self) -> float:
        """Two standard errors of the line at the last sample, s."""
        if self._in_segment == 0:
            return 0.0
        spread = max(self._scatter, 1.25 * self._jitter)
        return 2.0 * spread * math.sqrt(min(1.0, self._gain_phase()))

    @property
    def reference(self) -> float:
        """A period that one odd interval cannot spoil, s."""
        return self._reference_period(0.0)

    @property
    def fresh(self) -> bool:
        """Whether the last sample began a segment, and so kept its stamp."""
        return self._in_segment == 1

    def start_at(self, stamp: float) -> float:
        """Begin a segment at a stamp; what is known of the period stays."""
        self.time = self._raw = stamp
        self._in_segment = 1
        self._seen = max(self._seen, 1)
        self._residuals = []
        return stamp

    def follow(self, stamp: float, given: float, lost: int | None = None) -> float | None:
        """The time of the next sample; None where it lies behind what was given already.

        Parameters
        ----------
        stamp : float
            Its raw stamp, s.
        given : float
            The last time that was given out, s.
        lost : int or None
            Samples that the device counted since the one before and that never came; None where it
            does not count.
        """
        if self._in_segment == 0:
            return self.start_at(stamp)
        interval = stamp - self._raw
        if lost:
            interval /= lost + 1
        if not self._recent and self._seen < STARTUP and interval > 0:
            # The first step there is says more than the declared rate: a line through two samples.
            self.period, self.time = interval, self._raw
        reference = self._reference_period(interval)
        expected = self.time + self.period * (1 + (lost or 0))
        residual = stamp - expected
        bound = self._bound(reference, counted=lost is not None)
        early = self._seen < STARTUP
        hidden = early and lost is None and residual > 0.5 * reference and self._is_loss(residual)
        if abs(residual) > bound or hidden:
            # In order all the same, and near: it was the one before that came late.
            if stamp <= given and not (interval > 0.0 and given - stamp < 3.0 * reference):
                return None
            self.gaps += 1
            if early:  # some of these were steps, and the shorter ones rather
                self._remember(interval)
            if early and self._recent:
                self.period = sorted(self._recent)[(len(self._recent) - 1) // 2]
            return self.start_at(stamp)
        if lost:
            self.gaps += 1
            self.time += self.period * lost
        self._remember(interval)
        self._learn(residual, reference)
        self._raw = stamp
        if self._seen == STARTUP and not self._settled:
            self._settle(stamp)
        elif lost is None:
            self._find_hidden_loss(residual)
        return self.time

    def _bound(self, reference: float, *, counted: bool) -> float:
        """How far (s) from the line a stamp may lie that jitter explains."""
        jitter = JITTER_FACTOR * self._jitter
        bound = max((1.5 if self._seen < STARTUP else 0.5) * reference, jitter)
        # Where frames are counted nothing hides in the jitter, and nothing but a pause is a gap.
        return max(bound, COUNTED_GAP_S, 2.5 * reference) if counted else bound

    def _find_hidden_loss(self, residual: float) -> None:
        """Move the line where the last residuals lie a whole number of periods off it."""
        if self._scatter < 0.1 * self.period or self._seen <= STARTUP:
            return  # a loss is a gap by itself
        self._residuals = [*self._residuals, residual][-LOOKED_AT:]
        spread = max(self._scatter, 1.2 * self._jitter)
        total = 0.0
        for n, each in enumerate(reversed(self._residuals), start=1):
            total += each
            periods = round(total / n / self.period)
            explained = 0.25 * self.period + 3.0 * spread / math.sqrt(n)
            if n > 1 and periods and abs(total / n) > explained:
                self.time += periods * self.period
                self.gaps += periods > 0
                self._residuals = []
                return

    def _is_loss(self, residual: float) -> bool:
        """Whether, in the start, a late stamp lies further out than the intervals' own scatter explains.

        Residuals cannot tell that: a loss that was once taken for jitter makes all of them large.
        """
        if len(self._recent) < ENOUGH:
            return False
        known = sorted(self._recent)
        middle = known[len(known) // 2]
        scatter = sorted(abs(interval - middle) for interval in known)
        return residual > 3.0 * scatter[7 * len(scatter) // 10]

    def _settle(self, stamp: float) -> None:
        """At the end of the start: undo what lost samples did to the line before jitter was known.

        Otherwise they pass for jitter, so do all losses that follow, and the line never recovers.
        """
        self._settled = True
        known = sorted(self._recent)
        middle = known[len(known) // 2]
        steps = [interval for interval in known if interval <= 1.5 * middle]
        if steps[0] < 0.5 * middle:
            return  # so much jitter that losses cannot be told from it
        period = sum(steps) / len(steps)
        self._jitter = min(self._jitter, sum(abs(step - period) for step in steps) / len(steps))
        if len(steps) < len(known):
            self.period = period
            self.time = stamp
            self._in_segment = 1

    def _gain_phase(self) -> float:
        n = max(self._seen, 1)
        gain = 2.0 * (2 * n - 1) / (n * (n + 1))
        # After a gap the period is known and only the phase is new.
        return max(1.0 / self._in_segment, gain) if self._in_segment < n else gain

    def _learn(self, residual: float, reference: float) -> None:
        """Move the line: gains of a growing least-squares line, frozen at the memory's length."""
        memory = max(MIN_MEMORY, int(MEMORY_S / reference)) if reference > 0 else MIN_MEMORY
        self._in_segment += 1
        self._seen = min(self._seen + 1, memory)
        n = self._seen
        self.time += self.period + self._gain_phase() * residual
        self.period = max(self.period + 6.0 / (n * (n + 1)) * residual, 0.25 * reference)
        self._jitter += (abs(residual) - self._jitter) / min(self._seen, 50)

    def _reference_period(self, interval: float) -> float:
        if self._seen >= STARTUP:
            return self.period
        known = sorted([*self._recent, interval] if interval > 0 else self._recent)
        # The lower of two middle ones: of a step and a gap, the step.
        return known[(len(known) - 1) // 2] if known else self.period

    def _remember(self, interval: float) -> None:
        if self._seen < STARTUP and interval > 0:  # in disorder, the next one makes up for it
            self._recent = [*self._recent, interval][-RECENT:]
        self._intervals.append(interval)
        if len(self._intervals) > INTERVALS:
            del self._intervals[0]
        known = sorted(self._intervals)
        middle = known[len(known) // 2]
        off = sorted(abs(each - middle) for each in known)
        # An interval has the scatter of two stamps.
        self._scatter = 1.4826 / math.sqrt(2.0) * off[len(off) // 2]

    def state(self) -> dict[str, Any]:
        """Everything the future depends on, as JSON values."""
        return {
            "period": self.period,
            "time": self.time,
            "gaps": self.gaps,
            "raw": self._raw,
            "in_segment": self._in_segment,
            "seen": self._seen,
            "jitter": self._jitter,
            "settled": self._settled,
            "recent": list(self._recent),
            "intervals": list(self._intervals),
            "scatter": self._scatter,
            "residuals": list(self._residuals),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a `state`."""
        self.period = state["period"]
        self.time = state["time"]
        self.gaps = state["gaps"]
        self._raw = state["raw"]
        self._in_segment = state["in_segment"]
        self._seen = state["seen"]
        self._jitter = state["jitter"]
        self._settled = state["settled"]
        self._recent = list(state["recent"])
        self._intervals = list(state["intervals"])
        self._scatter = state["scatter"]
        self._residuals = list(state["residuals"])
