"""The core: from the ordered log to windows, and from logits to decisions.  A pure function.

Nothing here reads a clock, draws a number or knows a neighbour: all that comes in are log entries
(`realtime.log`) and logits.  So a live session, its journal fed back, and a recording turned into
entries all run through the same code, and the same entries give the same decisions.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from math import isfinite

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from models.errors import BundleError, SignalError, StreamError
from models.probabilities import probabilities
from realtime.channels.match import match_channels, merged
from realtime.clock import Clock
from realtime.decision import ABSTAIN, Decision
from realtime.evidence import RunningEvidence
from realtime.guards.entries import InputGuard, StampedSamples
from realtime.log import (
    ClockMeasured,
    Entry,
    Origin,
    Produced,
    Received,
    SessionStarted,
    StreamOpened,
    StreamReset,
)
from realtime.pipeline import Pipeline
from realtime.plan import Plan
from realtime.quality.policy import Reason
from realtime.signal import Chunk, SignalSpec
from realtime.stages.base import Reset
from realtime.window_quality import WindowQuality
from realtime.windows import Window, Windows

__all__ = ["Core", "Plan"]

SLOWEST = 0.5
"""Least rate of a signal, as a share of the model's: below it most of the grid would be interpolated."""


class Core:
    """From log entries to windows, and from their logits to decisions.

    Parameters
    ----------
    plan : Plan
        What is computed.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.session = ""
        self.run = 0
        self.origin = Origin()
        self.clock: Clock | None = None
        self.pipeline: Pipeline | None = None
        self._windows: Windows | None = None
        self._fitness: WindowQuality | None = None
        self._source: tuple[str, str] | None = None
        self.guard = InputGuard()
        self._spec: SignalSpec = plan.spec
        self._rate_checked = False
        self._last_time = -np.inf  # of the last sample
        self._set_backs = 0  # how often the source's clock had been set back by then
        self.times_set_back = 0
        """How often the source's clock was set without a word from the source; grows only."""
        self._compared: ClockMeasured | None = None  # the last comparison of the clocks
        self._measured = False  # whether every stamp of the stream is a measurement
        self._arrivals = True  # whether it is known when samples came
        self._utc_offset: float | None = None
        self._evidence = RunningEvidence(plan.labels, plan.memory_s)

    # ------------------------------------------------------------------ in

    def feed(self, entry: Entry) -> list[Window]:
        """Take the next entry of the log; give the windows it completes.

        Raises
        ------
        SignalError
            A stream was opened that lacks channels (or has others of the same name), or its samples
            come much slower than the model needs.
        StreamError
            Samples came before a stream was opened.
        """
        match entry:
            case Received():
                return self._receive(entry)
            case ClockMeasured():
                self._compare(entry)
            case StreamOpened():
                self._open(entry)
            case StreamReset():
                self._reset(_reset_for(entry.reason))
                self.guard.restart(entry.local)
            case SessionStarted():
                self.session, self.run = entry.session, entry.run
            case _:
                pass  # events and readings of the clock move no window
        return []

    def _compare(self, entry: ClockMeasured) -> None:
        self._utc_offset = entry.utc_offset
        self._compared = entry
        if self.clock is not None:
            self._tell(self.clock, entry)

    def _tell(self, clock: Clock, compared: ClockMeasured) -> None:
        """Give the clock a comparison, at the time that its stamps had then: a replay's may run faster."""
        here = replace(self.origin, anchor=self.origin.anchor + compared.offset)
        clock.compare(here.stream_time(compared.local), compared.offset, compared.uncertainty)

    def _open(self, entry: StreamOpened) -> None:
        indices = match_channels(self.plan.spec, entry.spec)
        self.guard.open(entry, indices)
        spec = merged(self.plan.spec, entry.spec, indices)
        same_speed = entry.origin.speed == self.origin.speed
        self.origin = entry.origin
        source = (entry.source_id, entry.name)
        if self._source is not None and not _same_source(source, self._source):
            # Another device may hang on another head: what was known of this one is over.
            self._evidence = RunningEvidence(self.plan.labels, self.plan.memory_s)
        self._source = source
        if self.pipeline is not None and spec == self._spec and same_speed:
            self._reset(Reset.STREAM)
            return
        self._spec = spec
        self._rate_checked = False
        self._measured, self._arrivals = entry.measured, entry.arrivals
        self._begin()
        assert self.clock is not None
        self.clock.reset()  # another clock, perhaps: the last offset holds until the next comparison
        assert self.pipeline is not None
        plan, spec_out = self.plan, self.pipeline.spec_out
        if plan.novelty is not None and len(plan.novelty.location) != len(spec_out):
            raise BundleError(
                f"The card's novelty is of {len(plan.novelty.location)} channels, its pipeline gives "
                f"{len(spec_out)}. Train again."
            )
        if self._windows is None:
            self._windows = Windows(spec_out, length_s=plan.length_s, step_s=plan.step_s)
        else:
            self._windows.restart()

    def _begin(self) -> None:
        """A clock, a pipeline and what measures windows, with nothing in them."""
        plan = self.plan
        self.clock = Clock(self._spec.rate, measured=self._measured, speed=self.origin.speed)
        if (last := self._compared) is not None:
            self._tell(self.clock, last)
        self._set_backs = 0
        self._last_time = -np.inf
        self.pipeline = Pipeline(plan.pipeline, self._spec)
        self._fitness = WindowQuality(
            self._spec,
            self.pipeline.spec_out,
            length_s=plan.length_s,
            policy=plan.policy,
            novelty=plan.novelty,
        )

    def _reset(self, reason: Reset) -> None:
        if self.clock is None or self.pipeline is None or self._windows is None:
            return
        if reason is not Reset.GAP:
            self.clock.reset()
            self._set_backs = 0
        self._start_over(reason)

    def _start_over(self, reason: Reset) -> None:
        """Behind here nothing is joined with anything before; the clock goes on as it is."""
        assert self.pipeline is not None
        assert self._windows is not None
        assert self._fitness is not None
        if reason is not Reset.GAP:
            self._windows.restart()
            self._fitness.restart()
            self._last_time = -np.inf
        self.pipeline.reset(reason)

    def _receive(self, entry: Received) -> list[Window]:
        if self.clock is None or self.pipeline is None or self._windows is None or self._fitness is None:
            raise StreamError("Samples came before any stream was opened; the log must begin with one.")
        given: list[Window] = []
        for part in self.guard.take(entry, self.clock.offset, self.origin.speed):
            if part.leapt:
                self.times_set_back += 1
                self._reset(Reset.CLOCK)
            given += self._take(part, self._arrived(entry))
        if not self._rate_checked and (rate := self.pipeline.measured_rate) is not None:
            self.check_rate(rate)
            self._rate_checked = True
        return given

    def _arrived(self, entry: Received) -> float | None:
        """When samples came (s, as fast as the stream's); None where nobody knows."""
        return self.local_origin.stream_time(entry.local) if self._arrivals else None

    def _take(self, part: StampedSamples, arrived: float | None) -> list[Window]:
        """Samples of one clock, through everything."""
        assert self.clock is not None
        assert self.pipeline is not None
        assert self._windows is not None
        assert self._fitness is not None
        times, kept = self.clock.process(part.stamps, part.frames, arrived)
        data = part.data if len(times) == len(kept) else part.data[:, kept]
        chunk = Chunk(self._spec, data, times, ~np.isfinite(data))
        given: list[Window] = []
        taken = 0
        for stretch in self._apart(chunk):
            self._fitness.take(stretch, self.clock.uncertainties[taken : taken + stretch.n_samples])
            taken += stretch.n_samples
            for piece in self.pipeline.process(stretch):
                cut = self._windows.process(piece)
                if cut:
                    # Without a rate nothing is resampled, and no window cut.
                    raw_rate = self.pipeline.measured_rate or self._windows.rate
                    given += [self._fitness.of(window, raw_rate) for window in cut]
                    self._fitness.signals.recent.forget_before(self._windows.next_start)
        return given

    def recover(self, local: float) -> None:
        """After an error inside, at a local time (s): all begins anew but the numbers of windows."""
        if self.pipeline is None or self._windows is None:
            return
        self.guard.restart(local)
        self._begin()
        self._windows.restart()

    def prepare(self) -> None:
        """Do what the next window needs and is known already; saves time later and changes no decision."""
        if self._windows is None or self._fitness is None or self.pipeline is None:
            return
        start, end = self._windows.next_start, self._windows.next_end
        if start is not None and end is not None:
            raw_rate = self.pipeline.measured_rate or self._windows.rate
            self._fitness.signals.prepare(start, end, raw_rate)

    def _apart(self, chunk: Chunk) -> Iterator[Chunk]:
        """Cut samples where the source's clock was set back; everything starts over behind such a place."""
        assert self.clock is not None
        if self.clock.set_backs == self._set_backs:
            yield chunk
        else:
            self._set_backs = self.clock.set_backs
            steps = np.diff(chunk.times, prepend=self._last_time)
            starts = [0, *np.flatnonzero(steps <= 0.0).tolist(), chunk.n_samples]
            for start, stop in pairwise(starts):
                if steps[start : start + 1] <= 0.0:
                    self.times_set_back += 1
                    self._start_over(Reset.CLOCK)
                if stop > start:
                    yield chunk.between(start, stop)
        if chunk.n_samples:
            self._last_time = float(chunk.times[-1])

    def check_rate(self, measured: float) -> None:
        """Refuse a signal of which the model would see mostly what was made up between samples.

        Parameters
        ----------
        measured : float
            Samples a second (Hz) of the stream that is open.

        Raises
        ------
        SignalError
            It is too slow.
        """
        needed = self.pipeline.spec_out.rate if self.pipeline is not None else 0.0
        if measured < SLOWEST * needed:
            raise SignalError(
                f"The signal comes at {measured:.4g} Hz (declared: {self._spec.rate:.4g} Hz), but the model "
                f"needs {needed:g} Hz; expected {SLOWEST * needed:g} Hz or more. Set the device to a higher "
                "rate, correct the recording's times, or use a model for this rate."
            )

    # ----------------------------------------------------------------- out

    @property
    def local_origin(self) -> Origin:
        """The stream's origin with its anchor, which the source stamped, put on the local clock."""
        offset = self.clock.offset if self.clock is not None else 0.0
        return replace(self.origin, anchor=self.origin.anchor + offset)

    def decide(self, window: Window, logits: npt.NDArray[np.float32] | None, produced: Produced) -> Decision:
        """Make the decision of a window.

        Windows must be decided in the order in which they were given.

        Parameters
        ----------
        window : Window
            As given by `feed`.
        logits : (n_labels,) float32, or None
            What the network says; None where it was not asked, or failed.
        produced : Produced
            The reading of the clock that the decision's age follows from.

        Raises
        ------
        StreamError
            That reading, or the stream's own clock, is no time.
        """
        origin = self.local_origin
        age = origin.stream_time(produced.local) - window.end
        if not isfinite(age):
            raise StreamError(f"The log's clock reads {produced.local} s for window {window.sequence}.")
        why = list(window.reasons)
        scores: Floats | None = None
        if logits is not None and not why:
            scores = probabilities(logits, self.plan.temperature)
            if not np.isfinite(scores).all():
                scores = None
        if scores is None and not why:
            why.append(Reason.INFERENCE)
        if age > self.plan.policy.max_age_s and not window.reasons:
            why.append(Reason.STALE)
        if age < -self.plan.policy.max_age_s and not window.reasons:
            why.append(Reason.AHEAD)
        label = ABSTAIN
        if scores is not None and not why:
            label = self.plan.labels[int(np.argmax(scores))]
            self._evidence.add(scores, window.end)
        assert self.pipeline is not None
        return Decision(
            session=self.session,
            run=self.run,
            sequence=window.sequence,
            count=window.count,
            window_start=window.start,
            window_end=window.end,
            window_start_utc=self._utc(origin.local_time(window.start)),
            window_end_utc=self._utc(origin.local_time(window.end)),
            produced_at_utc=self._utc(produced.local),
            age_s=age,
            delay_s=self.pipeline.delay_s,
            label=label,
            reasons=tuple(str(reason) for reason in why),
            probabilities=None
            if scores is None
            else dict(zip(self.plan.labels, scores.tolist(), strict=True)),
            evidence=self._evidence.so_far(),
            coverage=window.fitness.coverage,
            largest_gap_s=window.fitness.largest_gap_s,
            channels=self._channels_of(window),
            left_out={str(why): names for why, names in window.left_out.items()},
            quality=window.quality,
            novelty=window.novelty,
            time_uncertainty_s=window.time_uncertainty_s,
            model=self.plan.model_hash,
            origin=str(origin.kind),
            speed=origin.speed,
        )

    def _channels_of(self, window: Window) -> int:
        assert self.pipeline is not None
        if window.data is None:
            return 0
        return len(self.pipeline.spec_out) - sum(map(len, window.left_out.values()))

    def _utc(self, local: float) -> str | None:
        """UTC of a local time (s); None where nobody knows it, or where it lies in no year of ours."""
        if self._utc_offset is None:
            return None
        try:
            return datetime.fromtimestamp(local + self._utc_offset, UTC).isoformat(timespec="microseconds")
        except (ValueError, OverflowError, OSError):
            return None


def _same_source(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether two (source_id, name) are the same device; by name only where neither says who it is."""
    return one[0] == other[0] and (bool(one[0]) or one[1] == other[1])


def _reset_for(reason: str) -> Reset:
    try:
        return Reset(reason)
    except ValueError as error:
        known = ", ".join(Reset)
        raise StreamError(f"The log has a reset for {reason[:40]!r}; expected one of {known}.") from error
