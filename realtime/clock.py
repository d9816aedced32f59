"""Stamps made true: from the raw stamps of a source to times that can be trusted.

Sources stamp samples when they get round to it, so stamps jitter; they lose samples, so stamps
jump; they send some twice, or out of order; they declare rates they do not keep, and push chunks of which
only the last stamp was ever measured.  This clock follows the samples with a line (`realtime.clock_line`,
or `realtime.clock_chunks` where stamps are made up) and gives each sample the line's value, using nothing
that comes later.  liblsl's own dejitter smears a gap over the minute that follows; this one is right again at
once on exact stamps, and on jittered ones as soon as the jitter averages out.

Exact stamps leave as they came (within rounding).  No sample is ever held back, so one that comes out
of order cannot be put back: it is dropped, counted and its place is a gap.  Only a source whose clock
was set back makes times run backwards, once; then `set_backs` has grown, and nothing behind may be joined
with anything before.
"""

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from realtime.clock_chunks import LONGEST_CHUNK, ChunkLine, Suspicion
from realtime.clock_frames import Counted, understand
from realtime.clock_line import Line
from realtime.signal import Bools, Floats

SET_BACK = 5
"""So many samples in a row, rising, behind what was given: the source's clock was set back ..."""
SET_BACK_S = 1.0
"""... and no fewer than come in this time, s."""
REMEMBERED = 128
"""Stamps among which a duplicate is looked for: a chunk that is sent twice."""


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
        Samples that came out of order.
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
        self._nominal = 1.0 / nominal_rate if nominal_rate > 0 else 0.0
        self._line = Line(self._nominal)
        self._suspicion = Suspicion(self._nominal)
        self.reset()

    def reset(self) -> None:
        """Forget everything: another clock, or another stream."""
        self._line.restart()
        self._suspicion.restart()
        self._chunks: ChunkLine | None = None
        self._raw: float | None = None  # the last stamp that was followed
        self._given = -math.inf  # the last time given out
        self._frame: float | None = None
        self._behind = 0  # samples in a row behind what was given
        self._last_behind = 0.0  # the stamp of the last of them
        self._stamps: deque[float] = deque(maxlen=REMEMBERED)
        self._known: set[float] = set()
        self._chunk_gaps = 0  # of earlier chunk lines
        self.doubts: Floats = np.empty(0)  # `uncertainty_s` at each of the times given last
        self.set_backs = 0
        self.duplicates = 0
        self.disordered = 0
        self.unusable = 0
        self.lost = 0

    @property
    def rate(self) -> float:
        """Measured rate, Hz; 0 before two samples."""
        return self._chunks.rate if self._chunks else self._line.rate

    @property
    def jitter_s(self) -> float:
        """Mean absolute distance of stamps from the line, s."""
        return self._chunks.jitter_s if self._chunks else self._line.jitter_s

    @property
    def uncertainty_s(self) -> float:
        """How wrong the last time may be, as far as the stamps themselves tell, s."""
        return self._chunks.uncertainty_s if self._chunks else self._line.uncertainty_s

    @property
    def gaps(self) -> int:
        """Places where samples lacked."""
        return self._line.gaps + self._chunk_gaps + (self._chunks.gaps if self._chunks else 0)

    @property
    def dropped(self) -> int:
        """Samples that could not be used."""
        return self.duplicates + self.disordered + self.unusable

    @property
    def report(self) -> ClockReport:
        """What was found so far."""
        return ClockReport(
            rate=self.rate,
            jitter_s=self.jitter_s,
            uncertainty_s=self.uncertainty_s,
            gaps=self.gaps,
            dropped=self.dropped,
            duplicates=self.duplicates,
            disordered=self.disordered,
            lost=self.lost,
            invented=self._chunks is not None,
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
            Increasing, but where `set_backs` grew.
        kept : (n_samples,) bool
            False where a sample had to be dropped (a duplicate, or time running backwards).
        """
        times, doubts = np.empty(len(stamps)), np.empty(len(stamps))
        kept = np.zeros(len(stamps), dtype=bool)
        n = 0
        counts = [None] * len(stamps) if frames is None else frames.tolist()
        for i, (stamp, frame) in enumerate(zip(stamps.tolist(), counts, strict=True)):
            time = self._next(stamp, frame)
            if time is not None:
                times[n] = time
                doubts[n] = self.uncertainty_s
                kept[i] = True
                n += 1
        self.doubts = doubts[:n]
        return times[:n], kept

    def _next(self, stamp: float, frame: float | None) -> float | None:
        """One sample: its time, or None where it must be dropped."""
        if not math.isfinite(stamp):
            self.unusable += 1
            return None
        lost: int | None = None
        if frame is not None:
            counted = understand(frame, self._frame)
            if counted.what is Counted.AGAIN:
                self.duplicates += 1
                return None
            if counted.what is Counted.LATE:
                return self._drop_behind(stamp)
            lost = counted.lost
            self._frame = frame if math.isfinite(frame) else None
        elif stamp in self._known:
            self.duplicates += 1
            return None
        time = self._time_of(stamp, lost)
        if time is None:
            return self._drop_behind(stamp)
        self.lost += lost or 0
        self._behind = 0
        self._remember(stamp)
        return time

    def _time_of(self, stamp: float, lost: int | None) -> float | None:
        """By the line that is in force; None where it lies behind what was given."""
        if self._raw is not None and self._chunks is None:
            run = self._suspicion.run
            if self._suspicion.look(stamp - self._raw, stamp):
                # The odd step that gave it away ended a chunk: the sample before it was stamped truly.
                self._chunks = ChunkLine(self._nominal, self._raw, run + 1)
        if self._chunks is not None:
            if self._chunks.run < LONGEST_CHUNK:
                return self._give(self._chunks.follow(stamp), self._chunks.period)
            # No end for so long: the declared period is the true one after all.
            self._chunk_gaps += self._chunks.gaps
            self._chunks = None
            return self._give(self._line.start_at(stamp), self._line.period)
        time = self._line.follow(stamp, self._given, lost)
        if time is None:
            return None
        # A gap's first sample keeps its stamp; any other time increases, whatever the line does.
        keeps = self._line.fresh and time > self._given
        return self._give(time, 0.0 if keeps else self._line.reference)

    def _give(self, time: float, reference: float) -> float:
        if time < self._given - SET_BACK_S - 10.0 * reference and self._chunks is not None:
            self.set_backs += 1
            self._given = time
        else:
            self._given = max(time, self._given + 0.1 * reference)
        return self._given

    def _drop_behind(self, stamp: float) -> float | None:
        """Count a sample that came too late; where all do, follow the clock that was set back."""
        if self._raw is None or stamp > self._raw:
            self.disordered += 1  # behind the line only: it will be caught up with
            return None
        self._behind = self._behind + 1 if self._behind == 0 or stamp > self._last_behind else 1
        self._last_behind = stamp
        enough = max(SET_BACK, math.ceil(SET_BACK_S / self._line.period) if self._line.period > 0 else 0)
        if self._behind < enough:
            self.disordered += 1
            return None
        self.set_backs += 1
        self._behind = 0
        self._frame = None
        self._suspicion.restart()
        self._remember(stamp)
        self._given = self._line.start_at(stamp)
        return self._given

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
            "suspicion": self._suspicion.state(),
            "chunks": self._chunks.state() if self._chunks else None,
            "raw": self._raw,
            "given": self._given if math.isfinite(self._given) else None,
            "frame": self._frame,
            "behind": self._behind,
            "last_behind": self._last_behind,
            "stamps": list(self._stamps),
            "chunk_gaps": self._chunk_gaps,
            "set_backs": self.set_backs,
            "duplicates": self.duplicates,
            "disordered": self.disordered,
            "unusable": self.unusable,
            "lost": self.lost,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a `state`."""
        self._line.restore(state["line"])
        self._suspicion.restore(state["suspicion"])
        self._chunks = ChunkLine.restored(state["chunks"]) if state["chunks"] else None
        self._raw = state["raw"]
        self._given = -math.inf if state["given"] is None else state["given"]
        self._frame = state["frame"]
        self._behind = state["behind"]
        self._last_behind = state["last_behind"]
        self._stamps = deque(state["stamps"], maxlen=REMEMBERED)
        self._known = set(self._stamps)
        self._chunk_gaps = state["chunk_gaps"]
        self.set_backs = state["set_backs"]
        self.duplicates = state["duplicates"]
        self.disordered = state["disordered"]
        self.unusable = state["unusable"]
        self.lost = state["lost"]
