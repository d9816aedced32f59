"""A session's own status, published whenever it changes.

Also whether this machine's wall clock was set.  Everything runs on a clock that cannot be set;
only the UTC times follow it, from the next comparison on.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from math import isfinite

from realtime.clock import Clock, ClockReport
from realtime.core import Plan
from realtime.input_guards.entries import InputGuard
from realtime.log import ClockMeasured, SourceTrouble
from realtime.pipeline import Pipeline
from realtime.session.interfaces import Observer
from realtime.session.publisher import Publisher
from realtime.session.state import SessionState
from realtime.status import CommandsStatus, SignalsStatus, Status

WALL_STEP_S = 0.5
"""A wall clock that moved by more than this between two comparisons was set, s; else it was disciplined."""
SPARE_S = 5.0
"""What a window may come later than the plan says before it is missed, stream seconds: the rate is
measured first, and a backward clock step is followed only after some samples."""


def session_state_of(plan: Plan, local: float) -> SessionState:
    """A session state that knows when windows are due, from this local time (s) on."""
    next_s = plan.length_s + 2 * plan.step_s + SPARE_S
    warmup_s = Pipeline(plan.pipeline, plan.spec).warmup_s
    return SessionState(local, first_after_s=warmup_s + next_s, next_after_s=next_s)


class Reporter:
    """Publishes the status of one session, on its loop.

    Parameters
    ----------
    first : Status
        What does not change: session, run, model, versions.
    state : SessionState
        Its state.
    out : Publisher
        Where to, and how publishing goes.
    observer : Observer or None
        Watches.
    clock : callable
        Gives the core's clock, None before there is a stream.
    guard : InputGuard
        Counts what the core cannot take.
    utc_offset : float
        Add to local time to get UTC seconds; a first reading.
    """

    def __init__(
        self,
        first: Status,
        *,
        state: SessionState,
        out: Publisher,
        observer: Observer | None,
        clock: Callable[[], Clock | None],
        guard: InputGuard,
        utc_offset: float,
    ) -> None:
        self.inference_error = ""
        """What the network raised last; empty where it works."""
        self.signals: Callable[[], SignalsStatus | None] = lambda: None
        """How publishing signals is going."""
        self.commands: Callable[[], CommandsStatus | None] = lambda: None
        """What came of commands."""
        self._first = first
        self._state = state
        self._out = out
        self._observer = observer
        self._clock = clock
        self._guard = guard
        self._troubles: Counter[str] = Counter()
        self._failing: dict[str, str] = {}
        self._noted: set[str] = set()
        self._utc_offset = utc_offset
        self._measured = False
        self._steps = 0
        self._published_last: Status | None = None
        self._changes = state.changes

    @property
    def utc_offset(self) -> float:
        """Add to local time to get UTC seconds."""
        return self._utc_offset

    @property
    def latest(self) -> Status:
        """What was published last."""
        return self._published_last or self._first

    def measured(self, entry: ClockMeasured) -> None:
        """The clocks were compared: was the wall clock set since the last time?"""
        if entry.utc_offset is None:
            return
        moved = entry.utc_offset - self._utc_offset
        # The first comparison is held against nothing: a log may come from another time.
        if self._measured and abs(moved) > WALL_STEP_S:
            self._steps += 1
            self._state.note(f"this machine's wall clock was set by {moved:+.1f} s")
        self._measured = True
        self._utc_offset = entry.utc_offset

    def trouble(self, entry: SourceTrouble) -> None:
        """The source met something, or a part of it fails, or works again."""
        if entry.failing:
            self.failed(entry.part, entry.reason)
        elif not entry.reason:
            self.works(entry.part)
        else:
            self._troubles[entry.part] += entry.count
            self._note(entry.part, f"{entry.part} could not be taken: {entry.reason}")

    def failed(self, part: str, why: str) -> None:
        """A part of the session does not work; the rest goes on."""
        if self._failing.get(part) != why:
            self._failing[part] = why
            self._state.changes += 1

    def works(self, part: str) -> None:
        """A part of the session works (again)."""
        if self._failing.pop(part, None) is not None:
            self._state.changes += 1

    def _note(self, kind: str, what: str) -> None:
        """Report something once; from then on it is counted."""
        if kind not in self._noted:
            self._noted.add(kind)
            self._state.note(what)

    def _look_at_guard(self) -> None:
        if self._guard.rejected_stamps:
            self._note("stamps", "samples are rejected: no clock gives the stamps that they have")
        if self._guard.rejected_values:
            self._note("values", "values are taken for missing: nothing can be so large")
        if why := self._guard.ignored_counter:
            self._note(f"frame counter {why}", f"the device's frame counter is not believed: {why}")

    def _rejected(self) -> dict[str, int]:
        guard = self._guard
        counts = {
            "stamps": guard.rejected_stamps,
            "values": guard.rejected_values,
            "frame counters": guard.ignored_counters,
            **self._troubles,
        }
        return {kind: count for kind, count in counts.items() if count}

    def publish_changes(self) -> None:
        """Publish the status where the state changed; costs nothing where it did not."""
        if self._state.changes != self._changes:
            self.publish()

    def publish(self) -> None:
        """Publish the status where anything of it changed."""
        self._look_at_guard()
        self._changes = self._state.changes
        status = self._status()
        if status == self._published_last:
            return
        self._published_last = status
        self._out.publish_status(status.to_json())
        if self._observer is not None:
            self._observer.status(status)

    def _status(self) -> Status:
        state = self._state
        since = datetime.fromtimestamp(state.since + self._utc_offset, UTC)
        stream = state.stream
        return replace(
            self._first,
            state=state.state,
            reason=self.inference_error or state.reason,
            since_utc=since.isoformat(timespec="seconds"),
            stream=stream.name if stream else "",
            origin=str(stream.origin.kind) if stream else "",
            speed=stream.origin.speed if stream else 1.0,
            clock=self._report(),
            journal=self._out.journal_status,
            broker=self._out.broker_status,
            signals=self.signals(),
            commands=self.commands(),
            wall_clock_steps=self._steps,
            rejected=self._rejected(),
            failing=dict(self._failing),
        )

    def _report(self) -> ClockReport | None:
        """What the clock found, rounded: a rate's last digits are no news."""
        clock = self._clock()
        if clock is None:
            return None
        report = clock.report
        return replace(
            report,
            rate=_rounded(report.rate, 2),
            jitter_s=_rounded(report.jitter_s, 3),
            uncertainty_s=_rounded(report.uncertainty_s, 3),
            dropped=report.dropped + self._guard.rejected_stamps,
        )


def _rounded(value: float, digits: int) -> float:
    """For JSON, which has no number for what is not finite."""
    return round(value, digits) if isfinite(value) else 0.0
