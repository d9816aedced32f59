"""The core: from the ordered log to windows, and from logits to decisions.  A pure function.

Nothing here reads a clock, draws a number or knows a neighbour: all that comes in are log entries
(`realtime.log`) and logits.  So a live session, its journal fed back, and a recording turned into
entries all run through the same code, and the same entries give the same decisions.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from models.errors import BundleError, SignalError, StreamError
from models.networks.parts.montage import Montage
from realtime.clock import Clock
from realtime.core.cues import Cues
from realtime.core.decisions import DecisionMaker
from realtime.core.watcher import SignalWatcher
from realtime.decision import Decision
from realtime.input_guards.entries import InputGuard, StampedSamples
from realtime.log import (
    ClockMeasured,
    Entry,
    EventReceived,
    Origin,
    Produced,
    Received,
    SessionStarted,
    StreamOpened,
    StreamReset,
)
from realtime.pipeline import Pipeline
from realtime.plan import Plan
from realtime.quality.displacement import displacement_rows
from realtime.signal import Chunk, SignalSpec
from realtime.stages.base import Reset
from realtime.stages.montages import check_served, montage_of, take_channels
from realtime.window_quality import WindowQuality
from realtime.windows import Window, Windows

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
        self.origin = Origin()
        self.clock: Clock | None = None
        self.pipeline: Pipeline | None = None
        self._windows: Windows | None = None
        self._quality: WindowQuality | None = None
        self._source: tuple[str, str] | None = None
        self.guard = InputGuard()
        self.watcher: SignalWatcher | None = None
        """Is shown what passes, and changes nothing."""
        self._spec: SignalSpec = plan.spec
        self._montage: Montage | None = None  # of what the network sees, where it must be told
        self._own_montage: Montage | None = None  # the same, where the model was not trained on it
        self._n_displacements = 0  # rows behind the model's
        self._rate_checked = False
        self._last_time = -np.inf  # of the last sample
        self._steps_before = 0  # the clock's backward steps by then
        self.clock_steps = 0
        """How often the source's clock stepped without notice from the source; grows only."""
        self._compared: ClockMeasured | None = None  # the last comparison of the clocks
        self._measured = False  # whether every stamp of the stream is a measurement
        self._arrivals = True  # whether it is known when samples came
        self._decisions = DecisionMaker(plan)
        block = plan.evidence.block
        self._cues = Cues(() if block is None else block.events)

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
                if self.watcher is not None and self.pipeline is not None:
                    self.watcher.opened(
                        entry, self._spec, self.pipeline.spec_out, standardised=self.pipeline.standardised
                    )
            case StreamReset():
                self._reset(_reset_for(entry.reason))
                self.guard.restart(entry.local)
            case SessionStarted():
                self._decisions.start(entry)
            case EventReceived():
                self._cues.event(entry.stamp, entry.label)
                if self.pipeline is not None:
                    self.pipeline.event(
                        entry.stamp, entry.label
                    )  # a replay's is on the stream's clock already
            case _:
                pass  # readings of the clock move no window
        return []

    def _compare(self, entry: ClockMeasured) -> None:
        self._decisions.utc_offset = entry.utc_offset
        self._compared = entry
        if self.clock is not None:
            self._tell(self.clock, entry)

    def _tell(self, clock: Clock, compared: ClockMeasured) -> None:
        """Give the clock a comparison, at the time that its stamps had then: a replay's may run faster."""
        here = replace(self.origin, anchor=self.origin.anchor + compared.offset)
        clock.compare(here.stream_time(compared.local), compared.offset, compared.uncertainty)

    def _open(self, entry: StreamOpened) -> None:
        indices, spec, own = take_channels(self.plan.spec, self.plan.montages, entry.spec)
        montage = self._montage_behind(spec)  # what cannot be used is refused before anything changes
        displacements = displacement_rows(entry.spec)
        self.guard.open(entry, (*indices, *displacements))
        same_rows = len(displacements) == self._n_displacements
        same_speed = entry.origin.speed == self.origin.speed
        self.origin = entry.origin
        source = (entry.source_id, entry.name)
        if self._source is not None and not _same_source(source, self._source):
            self._decisions.forget()
        self._source = source
        if self.pipeline is not None and spec == self._spec and same_speed and same_rows:
            self._reset(Reset.STREAM)
            return
        self._spec, self._n_displacements = spec, len(displacements)
        self._montage, self._own_montage = montage, montage if own else None
        self._rate_checked = False
        self._measured, self._arrivals = entry.measured, entry.arrivals
        self._begin()
        assert self.clock is not None
        self.clock.reset()  # another clock, perhaps: the last offset holds until the next comparison
        assert self.pipeline is not None
        plan, spec_out = self.plan, self.pipeline.spec_out
        if self._windows is None:
            self._windows = Windows(spec_out, length_s=plan.length_s, step_s=plan.step_s)
        elif self._windows.spec != spec_out:
            self._windows.begin(spec_out)
        else:
            self._windows.restart()

    def _montage_behind(self, spec: SignalSpec) -> Montage | None:
        """Where the channels are that the pipeline makes of these; None for a model that is not told."""
        plan, spec_out = self.plan, Pipeline(self.plan.pipeline, spec).spec_out
        montage, rows = None, len(spec_out)
        if plan.montages is not None:
            check_served(plan.montages, spec_out)
            montage = montage_of(spec_out)
            rows = len(montage.sides)
        if plan.novelty is not None and len(plan.novelty.location) != rows:
            raise BundleError(
                f"The card's novelty has {len(plan.novelty.location)} rows, its pipeline gives {rows}. Train "
                "again."
            )
        return montage

    def _begin(self) -> None:
        """A clock, a pipeline and what measures windows, with nothing in them."""
        plan = self.plan
        self.clock = Clock(self._spec.rate, measured=self._measured, speed=self.origin.speed)
        if (last := self._compared) is not None:
            self._tell(self.clock, last)
        self._steps_before = 0
        self._last_time = -np.inf
        self._cues.forget()
        self.pipeline = Pipeline(plan.pipeline, self._spec)
        self._quality = WindowQuality(
            self._spec,
            self.pipeline.spec_out,
            length_s=plan.length_s,
            policy=plan.policy,
            novelty=plan.novelty,
            sides=None if self._montage is None else self._montage.sides,
            n_displacements=self._n_displacements,
        )

    def _reset(self, reason: Reset) -> None:
        if self.clock is None or self.pipeline is None or self._windows is None:
            return
        if reason is not Reset.GAP:
            self.clock.reset()
            self._steps_before = 0
        self._start_over(reason)

    def _start_over(self, reason: Reset) -> None:
        """Behind here nothing is joined with anything before; the clock goes on as it is."""
        assert self.pipeline is not None
        assert self._windows is not None
        assert self._quality is not None
        if reason is not Reset.GAP:
            self._windows.restart()
            self._quality.restart()
            self._last_time = -np.inf
            self._cues.forget()
            if self.watcher is not None:
                self.watcher.restarted()
        self.pipeline.reset(reason)

    def _receive(self, entry: Received) -> list[Window]:
        if self.clock is None or self.pipeline is None or self._windows is None or self._quality is None:
            raise StreamError("Samples came before any stream was opened; the log must begin with one.")
        given: list[Window] = []
        for part in self.guard.take(entry, self.clock.offset, self.origin.speed):
            if part.leapt:
                self.clock_steps += 1
                self._reset(Reset.CLOCK)
            given += self._take(part, self._arrived(entry))
        if not self._rate_checked and (rate := self.pipeline.measured_rate) is not None:
            self.check_rate(rate)
            self._rate_checked = True
        return given

    def _arrived(self, entry: Received) -> float | None:
        """When samples came (s, as fast as the stream's); None where that is not known."""
        return self.local_origin.stream_time(entry.local) if self._arrivals else None

    def _take(self, part: StampedSamples, arrived: float | None) -> list[Window]:
        """Samples of one clock, through everything."""
        assert self.clock is not None
        assert self.pipeline is not None
        assert self._windows is not None
        assert self._quality is not None
        times, kept = self.clock.process(part.stamps, part.frames, arrived)
        data = part.data if len(times) == len(kept) else part.data[:, kept]
        data, displacement = data[: len(self._spec)], data[len(self._spec) :]
        chunk = Chunk(self._spec, data, times, ~np.isfinite(data))
        given: list[Window] = []
        taken = 0
        for stretch in self._between_backward_steps(chunk):
            these = slice(taken, taken + stretch.n_samples)
            self._quality.take(stretch, self.clock.uncertainties[these], displacement[:, these])
            taken += stretch.n_samples
            if self.watcher is not None:
                self.watcher.raw(stretch)
            for piece in self.pipeline.process(stretch):
                if self.watcher is not None:
                    self.watcher.processed(piece.chunk)
                cut = self._windows.process(piece)
                if cut:
                    # Without a rate nothing is resampled, and no window cut.
                    raw_rate = self.pipeline.measured_rate or self._windows.rate
                    given += [self._quality.of(self._told(window), raw_rate) for window in cut]
                    if self.watcher is not None:
                        self.watcher.window(given[-1])
                    self._quality.forget_before(self._windows.next_start, raw_rate)
        return given

    def _told(self, window: Window) -> Window:
        """The window with the event before it, where evidence is of what follows events, and its montage.

        Before its start: an event as late as its end may be heard of before or after the window is complete.
        """
        cue, montage = self._cues.before(window.start), self._own_montage
        return window if cue is None and montage is None else replace(window, cue=cue, montage=montage)

    def recover(self, local: float) -> None:
        """After an error inside, at a local time (s): all begins anew but the numbers of windows."""
        if self.pipeline is None or self._windows is None:
            return
        self.guard.restart(local)
        self._begin()
        self._windows.restart()

    def prepare(self) -> None:
        """Do what the next window needs and is known already; saves time later and changes no decision."""
        if self._windows is None or self._quality is None or self.pipeline is None:
            return
        start, end = self._windows.next_start, self._windows.next_end
        if start is not None and end is not None:
            raw_rate = self.pipeline.measured_rate or self._windows.rate
            self._quality.signals.prepare(start, end, raw_rate)

    def _between_backward_steps(self, chunk: Chunk) -> Iterator[Chunk]:
        """Cut samples at backward steps of the source's clock; everything starts over after each."""
        assert self.clock is not None
        if self.clock.backward_steps == self._steps_before:
            yield chunk
        else:
            self._steps_before = self.clock.backward_steps
            steps = np.diff(chunk.times, prepend=self._last_time)
            starts = [0, *np.flatnonzero(steps <= 0.0).tolist(), chunk.n_samples]
            for start, stop in pairwise(starts):
                if steps[start : start + 1] <= 0.0:
                    self.clock_steps += 1
                    self._start_over(Reset.CLOCK)
                if stop > start:
                    yield chunk.between(start, stop)
        if chunk.n_samples:
            self._last_time = float(chunk.times[-1])

    def check_rate(self, measured: float) -> None:
        """Refuse a signal of which the model would get mostly interpolated samples.

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
    def own_montage(self) -> int | None:
        """How many channels the network sees of a montage that it was not trained on; None on its own."""
        return None if self._own_montage is None else len(self._own_montage)

    @property
    def run(self) -> int:
        """The run that the log is of; 0 before it began."""
        return self._decisions.run

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
            The network's output; None where it did not run, or failed.
        produced : Produced
            The reading of the clock that the decision's age follows from.

        Raises
        ------
        StreamError
            That reading, or the stream's own clock, is no time.
        """
        assert self.pipeline is not None
        return self._decisions.decide(
            window,
            logits,
            produced,
            origin=self.local_origin,
            delay_s=self.pipeline.delay_s,
            n_channels=len(self.pipeline.spec_out),
        )


def _same_source(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether two (source_id, name) are the same device; by name only where neither says who it is."""
    return one[0] == other[0] and (bool(one[0]) or one[1] == other[1])


def _reset_for(reason: str) -> Reset:
    try:
        return Reset(reason)
    except ValueError as error:
        known = ", ".join(Reset)
        raise StreamError(f"The log has a reset for {reason[:40]!r}; expected one of {known}.") from error
