"""The line that stamps are followed with: phase and period.

Noise model: sample ``n`` is taken at ``phase + n period`` and stamped with an independent error.  The period
changes slowly and is learnt by least squares that grow to a memory; the phase is learnt likewise, but starts
anew wherever stamps and line part: at once where a stamp lies further out than the errors explain, after a
few samples where several in a row lie on one side.  How large the errors are follows from the scatter of the
intervals (their median absolute deviation, which lost samples cannot spoil) and from the residuals.

What is claimed follows from the stamps: the distance between line and stamp (either may be right), the
standard error of the line, as much again as stamps scatter (errors may all be late: no stamp shows that), and
the largest shift of the grid that nothing explains, for good.
"""

import math
from collections.abc import Mapping
from typing import Any

MEMORY_S = 15.0
"""Memory of the line, s: long against jitter, short against a drifting oscillator."""
MIN_MEMORY = 10
"""... but never fewer samples than this."""
STARTUP = 10
"""Samples whose stamps are taken as they are, before jitter is known."""
UNKNOWN = 4
"""Samples before which nothing can be claimed of the jitter."""
UNKNOWN_S = 0.05
"""What is claimed of them at least, s: more than a period where samples come faster."""
OUTSIDE = 5.0
"""Standard deviations of the stamps beyond which the line starts anew ..."""
ALLOWED = 0.25
"""... and no less than this share of a period."""
FEW = 6.0
"""From so few samples as that the scatter is not known: it is claimed twice as large."""
COUNTED = 2.5
"""Periods by which a stamp must be off where the device counts its frames: it paused."""
INTERVALS = 32
"""Intervals whose scatter is looked at."""
LOOKED_AT = (4, 8)
"""Residuals in a row that are held against the line together ..."""
SYSTEMATIC = 4.5
"""... and beyond so many of their standard errors the line is moved to them."""
ON_GRID = 0.02
"""A step that ends this near (share of a period) to the grid, or within the errors, is a loss and no
shift."""
PAUSE_S = 2.0
"""Behind a gap this long a source need not come back on its grid, s ..."""
PAUSE_PERIODS = 50.0
"""... nor behind one of so many periods."""


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
        self._phase_from = 0  # samples that the phase was learnt from
        self._period_from = 0  # samples that the period was learnt from
        self._seen = 0  # samples, up to the end of the start
        self._start: list[float] = []  # intervals of the start
        self._intervals: list[float] = []  # the latest
        self._scatter = 0.0  # standard deviation of a stamp by the intervals, s
        self._residual = 0.0  # mean absolute residual, s
        self._residuals: list[float] = []  # the latest, since the line last moved
        self._shift = 0.0  # the largest shift that nothing explains, s
        self._before: float | None = None  # the line as it was before the last sample started another
        self._away = (
            0.0  # distance of the last stamp from the line, or all that the last step may be wrong by, s
        )

    @property
    def rate(self) -> float:
        """Measured rate, Hz; 0 before two samples."""
        return 1.0 / self.period if self._seen > 1 else 0.0

    @property
    def jitter_s(self) -> float:
        """Mean absolute distance of stamps from the line, s."""
        return self._residual

    @property
    def spread(self) -> float:
        """Standard deviation of a stamp, s."""
        return max(self._scatter, 1.25 * self._residual)

    @property
    def _errors(self) -> float:
        """Standard deviation of a stamp for finding losses and shifts, s.

        Of both measures each may be wrong: one is noisy, in the other is what is looked for.
        """
        return math.sqrt(self._scatter * 1.25 * self._residual)

    @property
    def uncertainty_s(self) -> float:
        """Uncertainty of the line at the last sample, s."""
        if self._seen < UNKNOWN:
            return max(UNKNOWN_S, self.reference)
        few = 1.0 + FEW / self._seen if self._period_from == 0 else 1.0 + FEW / self._period_from
        line = few * self.spread * (1.0 + 2.0 * math.sqrt(self._phase_gain()))
        return max(self._away, line) + self._shift

    @property
    def reference(self) -> float:
        """A period that one odd interval cannot spoil, s."""
        if self._seen >= STARTUP or not self._start:
            return self.period
        known = sorted(self._start)
        # The lower of two middle ones: of a step and a gap, the step.
        return known[(len(known) - 1) // 2]

    @property
    def fresh(self) -> bool:
        """Whether the last sample kept its stamp."""
        return self._phase_from <= 1

    def start_at(self, stamp: float) -> float:
        """Begin at a stamp; what is known of the period stays."""
        self.time = self._raw = stamp
        self._phase_from = 1
        self._seen = max(self._seen, 1)
        self._residuals = []
        self._before = None
        self._away = 0.0
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
        if self._seen == 0:
            return self.start_at(stamp)
        if self._seen < STARTUP:
            return self._begin(stamp, given, lost)
        steps = 1 + (lost or 0)
        expected = self.time + steps * self.period
        residual = stamp - expected
        allowed = max(ALLOWED * self.period, OUTSIDE * self._errors)
        if lost is not None:  # where frames are counted nothing hides in the errors
            allowed = max(allowed, COUNTED * self.period)
        if abs(residual) > allowed:
            return self._jump(stamp, given, expected, allowed, counted=lost is not None)
        self._before = None
        self._remember((stamp - self._raw) / steps)
        self._learn(stamp, expected, residual)
        self.gaps += bool(lost)
        return self.time

    def repeats(self, stamp: float) -> bool:
        """Whether a stamp is the last one again, but for a rounding: exact sources send none so near."""
        near = 0.1 * self.period
        return self._seen >= STARTUP and self.spread < 0.5 * near and abs(stamp - self._raw) < near

    def _begin(self, stamp: float, given: float, lost: int | None) -> float | None:
        """The first samples keep their stamps: nothing is known of them that would make better times."""
        interval = stamp - self._raw
        reference = self.reference
        if stamp <= given:
            if reference <= 0.0 or given - stamp > max(3.0 * reference, UNKNOWN_S):
                return None
        elif interval > 0.0:
            self._start.append(interval / (1 + (lost or 0)))
        if not self._start:
            self._start.append(reference)
        self._remember(interval / (1 + (lost or 0)))
        self.gaps += bool(lost) or interval > 1.5 * self.reference
        self.time = self._raw = stamp
        self._seen += 1
        self._away = max(self._off(interval, lost), given - stamp)
        if self._seen == STARTUP:
            self._settle()
        else:
            self.period = self.reference
        return stamp

    def _off(self, interval: float, lost: int | None) -> float:
        """All that a step (s) of the start may be wrong by; a long one is a loss, or a late stamp."""
        period = self.reference
        steps = 1 + lost if lost is not None else max(round(interval / period), 1)
        off = abs(interval - steps * period)
        on_grid = lost is not None or off <= ON_GRID * period
        return off if on_grid else abs(interval - period)

    def _settle(self) -> None:
        """Period and jitter from the first samples; losses among them do not count."""
        known = sorted(self._start)
        middle = known[(len(known) - 1) // 2]
        singles = [each for each in known if each <= 1.5 * middle]
        if singles[0] < 0.5 * middle:
            singles = known  # so much jitter that losses are hidden in it
        self.period = sum(singles) / len(singles)
        self._residual = sum(abs(each - self.period) for each in singles) / len(singles) / math.sqrt(2.0)
        self._period_from = STARTUP

    def _jump(
        self, stamp: float, given: float, expected: float, allowed: float, *, counted: bool
    ) -> float | None:
        """A stamp further out than errors explain: samples were lost, or the grid moved, or the stamp is
        wrong."""
        before, self._before = self._before, None
        if before is not None:
            # The sample before started another line.  Where this one lies on the old one again, that was
            # wrong.
            old = before + self.period
            if abs(stamp - old) <= allowed and old > given - 3.0 * self.period:
                self._remember(self.period)
                self._learn(stamp, old, stamp - old)
                return self.time
        period = self.period
        away = stamp - expected
        interval = stamp - self._raw
        if stamp <= given and not (interval > 0.0 and given - stamp < 3.0 * period):
            return None
        whole = 0 if counted else max(round(away / period), 0)
        off = away - whole * period
        pause = away > max(PAUSE_S, 5.0 * period) or away > PAUSE_PERIODS * period
        on_grid = whole > 0 and abs(off) <= max(3.0 * self.spread, ON_GRID * period)
        self.gaps += away > 0.5 * period
        self._remember(interval)
        if on_grid and not pause:
            self._learn(stamp, expected + whole * period, off)
            if self.spread > ON_GRID * period:
                self._before = expected  # or it only came late
                self._away = abs(away)
            return self.time
        self.start_at(stamp)
        self._before = expected
        self._away = abs(away)
        if not pause:
            self._shift = max(self._shift, min(abs(off) - OUTSIDE * self.spread, 0.5 * period))
        return self.time

    def _phase_gain(self) -> float:
        n = max(self._period_from, 1)
        gain = 2.0 * (2 * n - 1) / (n * (n + 1))
        # Where the line started anew the period is known and only the phase is new.
        return max(1.0 / self._phase_from, gain)

    def _learn(self, stamp: float, expected: float, residual: float) -> None:
        """Move the line: gains of a growing least-squares line, frozen at the memory's length."""
        self._raw = stamp
        memory = max(MIN_MEMORY, int(MEMORY_S / self.period))
        self._phase_from = min(self._phase_from + 1, memory)
        self._period_from = n = min(self._period_from + 1, memory)
        self.time = expected + self._phase_gain() * residual
        likely = min(max(residual, -2.5 * self.spread), 2.5 * self.spread)  # a hidden loss bends no period
        self.period = max(self.period + 6.0 / (n * (n + 1)) * likely, 0.25 * self.period)
        self._residual += (abs(residual) - self._residual) / min(n, 50)
        self._residuals = [*self._residuals, stamp - self.time][-LOOKED_AT[-1] :]
        self._move_to_the_latest()
        self._away = abs(stamp - self.time)

    def _move_to_the_latest(self) -> None:
        """Where the last residuals lie on one side, the grid moved, or wanders: start the phase from them."""
        for n in LOOKED_AT:
            if len(self._residuals) < n:
                return
            mean = sum(self._residuals[-n:]) / n
            if abs(mean) > SYSTEMATIC * self._errors / math.sqrt(n) + 1e-3 * self.period:
                self.time += mean
                self.gaps += mean > 0.5 * self.period
                self._phase_from = n
                self._period_from = max(self._period_from // 2, MIN_MEMORY)
                self._residuals = []
                by_chance = OUTSIDE * self._errors / math.sqrt(n)
                self._shift = max(self._shift, min(abs(mean) - by_chance, 0.5 * self.period))
                return

    def _remember(self, interval: float) -> None:
        self._intervals.append(interval)
        if len(self._intervals) > INTERVALS:
            del self._intervals[0]
        known = sorted(self._intervals)
        middle = known[len(known) // 2]
        off = sorted(abs(each - middle) for each in known)
        # An interval has the errors of two stamps.
        self._scatter = 1.4826 / math.sqrt(2.0) * off[len(off) // 2]

    def state(self) -> dict[str, Any]:
        """Everything the future depends on, as JSON values."""
        return {
            "period": self.period,
            "time": self.time,
            "gaps": self.gaps,
            "raw": self._raw,
            "phase_from": self._phase_from,
            "period_from": self._period_from,
            "seen": self._seen,
            "start": list(self._start),
            "intervals": list(self._intervals),
            "scatter": self._scatter,
            "residual": self._residual,
            "residuals": list(self._residuals),
            "shift": self._shift,
            "before": self._before,
            "away": self._away,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a `state`."""
        for name, value in state.items():
            attribute = name if name in ("period", "time", "gaps") else f"_{name}"
            setattr(self, attribute, list(value) if isinstance(value, list) else value)
