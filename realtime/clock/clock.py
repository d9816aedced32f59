"""Stamps made true: from the raw stamps of a source to times that can be trusted.

Sources stamp samples when they get round to it, so stamps jitter; they lose samples, so stamps jump; they
send some twice, or out of order; they declare rates they do not keep, and push chunks of which only the last
stamp was ever measured.  This clock follows the samples, on the source's own clock, with a line
(`realtime.clock.line`, or `realtime.clock.chunk_stamps` where stamps are deduced), puts the line's value on
our clock by the comparisons of the two (`realtime.clock.comparisons`), and states the uncertainty of each
time.  It uses nothing that comes later.  liblsl's own dejitter smears a gap over the minute that
follows; this one is right again at once on exact stamps, and on jittered ones as soon as the jitter averages
out.

No sample is ever held back, so one that comes out of order cannot be put back: it is dropped and counted,
and leaves a gap.  Only a backward step of the source's clock makes times run backwards, once; then
`backward_steps` has grown, and nothing after it may be joined with anything before.
"""

import math
from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np

from models.arrays import Bools, Floats
from realtime.clock.chunk_stamps import Ends, Step
from realtime.clock.comparisons import DRIFT, Comparisons
from realtime.clock.frame_counter import Counted, understand
from realtime.clock.line import Line
from realtime.clock.report import ClockReport

BACKWARD_STEP = 5
"""So many samples in a row, rising, behind what was given: the source's clock stepped back ..."""
BACKWARD_STEP_S = 1.0
"""... and no fewer than come in this time, s."""
REMEMBERED = 128
"""Stamps among which a duplicate is looked for: a chunk that is sent twice."""
JUMPED_S = 0.05
"""A time that is further than this from where it was expected may be a clock that was set, s."""


class Clock:
    """Causal dejitter with gap and rate.

    Parameters
    ----------
    nominal_rate : float
        The rate (Hz) that the source declares, 0 where it declares none.  A claim that stands until
        the first step is seen.
    measured : bool
        Whether every stamp is known to be a measurement (a file's own times): none is then suspected of
        having been deduced when its chunk was pushed.
    speed : float
        How many times as fast as real time the stamps run (a replay): clocks drift apart in real time.
    """

    def __init__(self, nominal_rate: float, *, measured: bool = False, speed: float = 1.0) -> None:
        nominal = 1.0 / nominal_rate if nominal_rate > 0 else 0.0
        self._line = Line(nominal)
        self._ends = Ends(0.0 if measured else nominal)
        self._comparisons = Comparisons(DRIFT / speed)
        self.reset()

    def reset(self) -> None:
        """Forget the stamps and the comparisons; the last offset holds until the next one."""
        self._line.restart()
        self._ends.restart()
        self._comparisons.restart()
        self._deduced = False  # whether stamps inside chunks are deduced from the ends
        self._raw: float | None = None  # the last stamp that was followed
        self._given = -math.inf  # the last time given out, on the source's clock
        self._shown = -math.inf  # ... and on ours
        self._squeezed = 0.0  # how far it lies behind what the line says, s
        self._jump = 0.0  # how far times jumped since the clocks were compared, s
        self._arrived = math.inf  # when the last samples came, where that is known
        self._frame: float | None = None
        self._frames_lie = False
        self._behind = 0  # samples in a row behind what was given
        self._last_behind = 0.0  # the stamp of the last of them
        self._stamps: deque[float] = deque(maxlen=REMEMBERED)
        self._known: set[float] = set()
        self.uncertainties: Floats = np.empty(0)
        """Uncertainty of each of the times given last, s."""
        self.backward_steps = 0
        self.duplicates = 0
        self.disordered = 0
        self.unusable = 0
        self.lost = 0

    @property
    def rate(self) -> float:
        """Measured rate, Hz; 0 before two samples."""
        return self._ends.rate if self._deduced else self._line.rate

    @property
    def offset(self) -> float:
        """What is added to the source's clock to get ours, s."""
        return self._comparisons.offset if self._raw is None else self._offset_at(self._raw)

    @property
    def uncertainty_s(self) -> float:
        """Uncertainty of the last time, as far as stamps and comparisons show, s."""
        if self._raw is None:
            return self._line.uncertainty_s
        line = 0.0 if self._deduced else self._line.uncertainty_s
        line = max(line, self._ends.claim(self._given - self._squeezed))
        # A stamp ahead of its arrival was still made before that: how far ahead it is, its age shows.
        made = min(self._raw + self._comparisons.offset, self._arrived)
        return line + self._squeezed + self._comparisons.uncertainty_at(made)

    @property
    def dropped(self) -> int:
        """Samples that could not be used."""
        return self.duplicates + self.disordered + self.unusable

    @property
    def report(self) -> ClockReport:
        """What was found so far."""
        return ClockReport(
            rate=self.rate,
            jitter_s=self._ends.scatter if self._deduced else self._line.jitter_s,
            uncertainty_s=self.uncertainty_s,
            gaps=self.gaps,
            dropped=self.dropped,
            duplicates=self.duplicates,
            disordered=self.disordered,
            lost=self.lost,
            invented=self._deduced,
        )

    @property
    def gaps(self) -> int:
        """Places where samples lacked."""
        return self._line.gaps + (self._ends.gaps if self._deduced else 0)

    def compare(self, local: float, offset: float, uncertainty: float | None = None) -> None:
        """Take a comparison of the source's clock with ours; it holds for what follows.

        Parameters
        ----------
        local : float
            When it was made, local s.
        offset : float
            What is to be added to a stamp to get local time, s.
        uncertainty : float or None
            Uncertainty of that, s; None where it follows from the scatter.
        """
        before = self.offset
        if self._comparisons.add(local, offset, uncertainty=uncertainty, jump=self._jump):
            moved = self.offset - before
            if self._raw is not None and self._shown + moved < self._shown:
                self._shown = -math.inf  # times go on earlier: a backward step, counted with the next sample
                self.backward_steps += 1
        self._jump = 0.0

    def process(
        self, stamps: Floats, frames: Floats | None = None, arrived: float | None = None
    ) -> tuple[Floats, Bools]:
        """Give the next samples their times.

        Parameters
        ----------
        stamps : (n_samples,) float64, s
            Raw stamps, on the source's clock.
        frames : (n_samples,) float64, or None
            The device's own count of each sample, where it has one.
        arrived : float or None
            When they came, all together, s on any clock as fast as ours; None where that is not known.

        Returns
        -------
        times : (n_kept,) float64, s
            On our clock, as far as it was compared.  Increasing, but where `backward_steps` grew.
        kept : (n_samples,) bool
            False where a sample had to be dropped (a duplicate, or time running backwards).
        """
        times, uncertainties = np.empty(len(stamps)), np.empty(len(stamps))
        kept = np.zeros(len(stamps), dtype=bool)
        n = 0
        counts = [None] * len(stamps) if frames is None else frames.tolist()
        for i, (stamp, frame) in enumerate(zip(stamps.tolist(), counts, strict=True)):
            if arrived is not None:
                self._arrived = arrived
                self._ends.came(arrived)
            time = self._next(stamp, frame)
            if time is not None:
                times[n] = time
                uncertainties[n] = self.uncertainty_s
                kept[i] = True
                n += 1
        self.uncertainties = uncertainties[:n]
        return times[:n], kept

    def _next(self, stamp: float, frame: float | None) -> float | None:
        """One sample: its time, or None where it must be dropped."""
        if not math.isfinite(stamp):
            self.unusable += 1
            return None
        lost: int | None = None
        if frame is not None and not self._frames_lie:
            counted = understand(frame, self._frame)
            if counted.what is Counted.AGAIN:
                if not self._advances(stamp):
                    self.duplicates += 1
                    return None
                self._frames_lie = True  # samples go on and the count does not
            elif counted.what is Counted.LATE:
                return self._drop_behind(stamp)
            else:
                lost = counted.lost
                self._frame = frame if math.isfinite(frame) else None
        if (frame is None or self._frames_lie) and (stamp in self._known or self._repeats(stamp)):
            self.duplicates += 1
            return None
        time = self._time_of(stamp, lost)
        if time is None:
            return self._drop_behind(stamp)
        self.lost += lost or 0
        self._behind = 0
        self._remember(stamp)
        return self._on_our_clock(time)

    def _repeats(self, stamp: float) -> bool:
        """Whether a stamp is the last one again, moved by less than a sample can be."""
        return self._ends.cleared and not self._deduced and self._line.repeats(stamp)

    def _advances(self, stamp: float) -> bool:
        """Whether a stamp lies about a period behind the last one, or more."""
        return self._raw is not None and stamp - self._raw > 0.5 * self._line.reference

    def _time_of(self, stamp: float, lost: int | None) -> float | None:
        """By the line that is in force, on the source's clock; None where it lies behind what was given."""
        step = self._ends.look(stamp, lost or 0)
        if self._deduced:
            if step is Step.BEHIND:
                return None
            expected = self._given + self._ends.period
            if self._ends.cleared or self._ends.shows_losses:
                # No end for so long, or none that a wrong rate explains: the declared period is the true one.
                self._deduced = False
                return self._give(self._line.start_at(stamp), expected, 0.0)
            return self._give(self._ends.time, expected, self._ends.period)
        known = self._line.period > 0.0
        expected = self._line.time + self._line.period * (1 + (lost or 0)) if known else stamp
        time_or_none = self._line.follow(stamp, self._given, lost)
        if time_or_none is None:
            return None
        if self._ends.shows_chunks:
            self._deduced = True
            return self._give(self._ends.time, expected, self._ends.period)
        # A sample that keeps its stamp keeps it; any other time increases, whatever the line does.
        keeps = self._line.fresh and time_or_none > self._given
        return self._give(time_or_none, expected, 0.0 if keeps else self._line.reference)

    def _give(self, time: float, expected: float, reference: float) -> float:
        # While the period is not known, nor within half of it, nothing jumps.
        if math.isfinite(self._given) and abs(time - expected) > max(JUMPED_S, 0.5 * self._line.period):
            self._jump += time - expected
        if time < self._given - BACKWARD_STEP_S - 10.0 * reference and self._deduced:
            self.backward_steps += 1
            self._given, self._shown, self._squeezed = time, -math.inf, 0.0
            return time
        given = max(time, self._given + 0.1 * reference)
        self._squeezed = given - time
        self._given = given
        return given

    def _drop_behind(self, stamp: float) -> float | None:
        """Count a sample that came too late; where all do, follow the clock that stepped back."""
        if self._raw is None or stamp > self._raw:
            self.disordered += 1  # behind the line only: it will be caught up with
            return None
        self._behind = self._behind + 1 if stamp > self._last_behind else 1
        self._last_behind = stamp
        period = self._line.period
        enough = max(BACKWARD_STEP, math.ceil(BACKWARD_STEP_S / period)) if period > 0.0 else BACKWARD_STEP
        if self._behind < enough or self._given - stamp < self._ends.away_from(stamp):
            self.disordered += 1  # also where a chunk of stamps that run too slow can have begun so far back
            return None
        self.backward_steps += 1
        self._jump += stamp - self._given
        self._frame = None
        self._ends.step_back(stamp)
        self._remember(stamp)
        self._given = self._line.start_at(stamp)
        self._shown, self._squeezed = -math.inf, 0.0
        return self._on_our_clock(self._given)

    def _offset_at(self, stamp: float) -> float:
        return self._comparisons.at(stamp + self._comparisons.offset)

    def _on_our_clock(self, time: float) -> float:
        shown = time + self._offset_at(time)
        # The offset may step back by less than samples are apart: times still increase.
        self._shown = shown if shown > self._shown else math.nextafter(self._shown, math.inf)
        return self._shown

    def _remember(self, stamp: float) -> None:
        self._raw = stamp
        if len(self._stamps) == REMEMBERED:
            self._known.discard(self._stamps[0])
        self._stamps.append(stamp)
        self._known.add(stamp)

    def state(self) -> dict[str, Any]:
        """Everything the future depends on, as JSON values."""
        return {
            "line": self._line.state(),
            "ends": self._ends.state(),
            "comparisons": self._comparisons.state(),
            "deduced": self._deduced,
            "raw": self._raw,
            "given": self._given if math.isfinite(self._given) else None,
            "shown": self._shown if math.isfinite(self._shown) else None,
            "squeezed": self._squeezed,
            "jump": self._jump,
            "arrived": self._arrived if math.isfinite(self._arrived) else None,
            "frame": self._frame,
            "frames_lie": self._frames_lie,
            "behind": self._behind,
            "last_behind": self._last_behind,
            "stamps": list(self._stamps),
            "backward_steps": self.backward_steps,
            "duplicates": self.duplicates,
            "disordered": self.disordered,
            "unusable": self.unusable,
            "lost": self.lost,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a `state`."""
        self._line.restore(state["line"])
        self._ends.restore(state["ends"])
        self._comparisons.restore(state["comparisons"])
        self._deduced = state["deduced"]
        self._raw = state["raw"]
        self._given = -math.inf if state["given"] is None else state["given"]
        self._shown = -math.inf if state["shown"] is None else state["shown"]
        self._squeezed, self._jump = state["squeezed"], state["jump"]
        self._arrived = math.inf if state["arrived"] is None else state["arrived"]
        self._frame, self._frames_lie = state["frame"], state["frames_lie"]
        self._behind = state["behind"]
        self._last_behind = state["last_behind"]
        self._stamps = deque(state["stamps"], maxlen=REMEMBERED)
        self._known = set(self._stamps)
        self.backward_steps = state["backward_steps"]
        self.duplicates = state["duplicates"]
        self.disordered = state["disordered"]
        self.unusable = state["unusable"]
        self.lost = state["lost"]
