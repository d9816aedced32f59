"""Stamps made true: from the raw stamps of a source to times that can be trusted.

Sources stamp samples when they get round to it, so stamps jitter; they lose samples, so stamps
jump; and they declare rates they do not keep.  This clock follows the samples with a line
(phase and period) fitted by least squares that grows to a fixed memory, and gives each sample
the line's value at that sample, using nothing that comes later.  A stamp further from the line
than the jitter seen so far explains is a gap: the phase starts anew *at that stamp*, the period
stays.  Samples lost before jitter is known bend the line at first; it is drawn anew when the start
is over.  liblsl's own dejitter smears a gap over the minute that follows; this one is right again
at once on exact stamps, and on jittered ones as soon as the jitter averages out.

Exact stamps leave as they came (within rounding).  The samples that are dropped, because their
time would run backwards, are counted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from realtime.signal import Bools, Floats

MEMORY_S = 15.0
"""Memory of the line, seconds: long against jitter, short against a drifting oscillator."""
MIN_MEMORY = 10
"""... but never fewer samples than this."""
STARTUP = 10
"""Samples before jitter is known well enough to tell a lost sample from a late stamp."""
JITTER_FACTOR = 6.0
"""A gap lies further out than this many mean absolute residuals."""
RECENT = 15
"""Raw intervals whose median stands for the period where the fitted one cannot be trusted yet."""
ENOUGH = 4
"""Raw intervals from which their scatter can be told."""


@dataclass(frozen=True, slots=True)
class ClockReport:
    """What the clock found in the stamps since it was reset.

    Parameters
    ----------
    rate : float
        Measured, samples a stream second (Hz); 0 before it is known.
    jitter_s : float
        Mean absolute distance of the stamps from the line, s.
    uncertainty_s : float
        How wrong the times given now may be, as far as the stamps themselves tell, s.
    gaps : int
        Places where samples lacked.
    dropped : int
        Samples that could not be used: duplicates, and those behind what was given already.
    duplicates : int
        Samples that came again.
    disordered : int
        Samples that came out of order, whether or not they could be put right.
    lost : int
        Samples that the device counted and that never came, where it counts its frames.
    invented : bool
        Whether stamps inside chunks are made up from the declared rate, so that only the last of each
        chunk is a measurement.
    """

    rate: float = 0.0
    jitter_s: float = 0.0
    uncertainty_s: float = 0.0
    gaps: int = 0
    dropped: int = 0
    duplicates: int = 0
    disordered: int = 0
    lost: int = 0
    invented: bool = False


class Clock:
    """Causal dejitter with gap and rate.

    Parameters
    ----------
    nominal_rate : float
        The rate (Hz) that the source declares, 0 where it declares none.  A claim that stands until
        the first step is seen.
    """

    def __init__(self, nominal_rate: float) -> None:
        self._nominal_period = 1.0 / nominal_rate if nominal_rate > 0 else 0.0
        self.reset()

    def reset(self) -> None:
        """Forget everything: another clock, or another stream."""
        self._period = self._nominal_period
        self._time = 0.0  # the line at the last sample
        self._raw = 0.0  # its raw stamp
        self._given = -np.inf  # the last time given out
        self._in_segment = 0  # samples since the last gap
        self._seen = 0  # samples that the period was learnt from
        self._jitter = 0.0  # mean absolute residual, s
        self._settled = False  # whether the start is over
        self._recent: list[float] = []
        self.gaps = 0
        self.dropped = 0

    @property
    def rate(self) -> float:
        """Measured rate, Hz; 0 before two samples."""
        return 1.0 / self._period if self._period > 0 and self._seen > 1 else 0.0

    @property
    def jitter_s(self) -> float:
        """Mean absolute distance of stamps from the line, s."""
        return self._jitter

    @property
    def report(self) -> ClockReport:
        """What was found so far."""
        return ClockReport(
            rate=self.rate,
            jitter_s=self._jitter,
            uncertainty_s=self._jitter,
            gaps=self.gaps,
            dropped=self.dropped,
        )

    def process(self, stamps: Floats, frames: Floats | None = None) -> tuple[Floats, Bools]:
        """Give the next samples their times.

        Parameters
        ----------
        stamps : (n_samples,) float64, s
            Raw stamps, already put on the local clock by the measured offset.
        frames : (n_samples,) float64, or None
            The device's own count of each sample, where it has one.

        Returns
        -------
        times : (n_kept,) float64, s
            Increasing.
        kept : (n_samples,) bool
            False where a sample had to be dropped (a duplicate, or time running backwards).
        """
        times = np.empty(len(stamps))
        kept = np.zeros(len(stamps), dtype=bool)
        n = 0
        for i, stamp in enumerate(stamps.tolist()):
            time = self._follow(stamp)
            if time is None:
                self.dropped += 1
            else:
                times[n] = time
                kept[i] = True
                n += 1
        return times[:n], kept

    def _follow(self, stamp: float) -> float | None:
        """One sample: its time, or None where it must be dropped."""
        if not np.isfinite(stamp):
            return None
        if self._in_segment == 0:
            return self._start_segment(stamp)
        interval = stamp - self._raw
        if interval == 0.0:
            return None  # the same sample again
        if not self._recent and self._seen < STARTUP and interval > 0:
            # The first step there is says more than the declared rate: a line through two samples.
            self._period, self._time = interval, self._raw
        residual = stamp - (self._time + self._period)
        reference = self._reference_period(interval)
        if self._seen < STARTUP:
            bound = max(1.5 * reference, JITTER_FACTOR * self._jitter)
        else:
            bound = max(0.5 * reference, JITTER_FACTOR * self._jitter)
        lost = self._seen < STARTUP and residual > 0.5 * reference and self._is_loss(residual)
        if abs(residual) > bound or lost:
            if stamp <= self._given:
                return None
            self.gaps += 1
            if self._seen < STARTUP:  # some of these were steps, and the shorter ones rather
                self._remember(interval)
            if self._seen < STARTUP and self._recent:
                self._period = sorted(self._recent)[(len(self._recent) - 1) // 2]
            return self._start_segment(stamp)
        self._remember(interval)
        self._learn(residual, reference)
        self._raw = stamp
        if self._seen == STARTUP and not self._settled:
            self._settle(stamp)
        return self._give(self._time, reference)

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
            self._period = period
            self._time = stamp
            self._in_segment = 1

    def _start_segment(self, stamp: float) -> float:
        self._time = self._raw = self._given = stamp
        self._in_segment = 1
        self._seen = max(self._seen, 1)
        return stamp

    def _learn(self, residual: float, reference: float) -> None:
        """Move the line: gains of a growing least-squares line, frozen at the memory's length."""
        memory = max(MIN_MEMORY, int(MEMORY_S / reference)) if reference > 0 else MIN_MEMORY
        self._in_segment += 1
        self._seen = min(self._seen + 1, memory)
        n = self._seen
        gain_period = 6.0 / (n * (n + 1))
        if self._in_segment < n:
            # After a gap the period is known and only the phase is new.
            gain_phase = max(1.0 / self._in_segment, 2.0 * (2 * n - 1) / (n * (n + 1)))
        else:
            gain_phase = 2.0 * (2 * n - 1) / (n * (n + 1))
        self._time += self._period + gain_phase * residual
        self._period = max(self._period + gain_period * residual, 0.25 * reference)
        self._jitter += (abs(residual) - self._jitter) / min(self._seen, 50)

    def _reference_period(self, interval: float) -> float:
        """A period that one odd interval cannot spoil, s."""
        if self._seen >= STARTUP:
            return self._period
        known = sorted([*self._recent, interval] if interval > 0 else self._recent)
        # The lower of two middle ones: of a step and a gap, the step.
        return known[(len(known) - 1) // 2] if known else self._period

    def _remember(self, interval: float) -> None:
        if self._seen < STARTUP and interval > 0:  # in disorder, the next one makes up for it
            self._recent = [*self._recent, interval][-RECENT:]

    def _give(self, time: float, reference: float) -> float:
        """Times increase, whatever the line does while it settles."""
        self._given = max(time, self._given + 0.1 * reference)
        return self._given

    def state(self) -> dict[str, Any]:
        """Everything the future depends on, as JSON values."""
        return {
            "period": self._period,
            "time": self._time,
            "raw": self._raw,
            "given": self._given if np.isfinite(self._given) else None,
            "in_segment": self._in_segment,
            "seen": self._seen,
            "jitter": self._jitter,
            "settled": self._settled,
            "recent": list(self._recent),
            "gaps": self.gaps,
            "dropped": self.dropped,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a `state`."""
        self._period = state["period"]
        self._time = state["time"]
        self._raw = state["raw"]
        self._given = -np.inf if state["given"] is None else state["given"]
        self._in_segment = state["in_segment"]
        self._seen = state["seen"]
        self._jitter = state["jitter"]
        self._settled = state["settled"]
        self._recent = list(state["recent"])
        self.gaps = state["gaps"]
        self.dropped = state["dropped"]
