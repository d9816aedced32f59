"""A recording as LSL outlets: `Replay`.

The stream says in its metadata that it is replayed, at which speed, and when its clock agreed with
this machine's (`realtime.log.Origin`).  Sample ``i``, recorded at ``r_i``, is pushed when the local
clock reads ``w_i = w_0 + (r_i - r_0) / speed`` and stamped with the stream's time at that moment,
``origin.stream_time(w_0) + (r_i - r_0)``: whoever is late, the stamps are not.  Events go out on a
second stream of type Markers, stamped by the same rule.  A marker stream carries labels only, so
durations are lost on the way.
"""

import math
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from models.arrays import Floats
from models.errors import StreamError
from realtime.log import Origin, OriginKind
from realtime.sources.recording import Recording
from tools.emulators import emulator
from tools.emulators.base import Emulator
from tools.replay.schedule import schedule

if TYPE_CHECKING:
    import pylsl

EVENTS_SUFFIX = "-events"
EVENTS_GRACE_S = 1.0
"""How long a replay waits, once the signal has a consumer, for one of the events (local seconds)."""
POLL_S = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class ReplayReport:
    """What a replay did.

    Parameters
    ----------
    origin : Origin
        As the stream declared it.
    first_local, first_stamp : float
        Local time (s) at which sample 0 was due, and its stamp.
    lateness : (n_samples,) float64, seconds
        Local time from when a sample (or the last one of its chunk) was due until its push had returned.
    events : int
        Events sent.
    """

    origin: Origin
    first_local: float
    first_stamp: float
    lateness: Floats
    events: int

    @property
    def samples(self) -> int:
        """Samples sent."""
        return len(self.lateness)


def check_how(speed: float, layout: str) -> Emulator:
    """Refuse a speed or a layout that cannot be had; give how the layout is sent.

    Raises
    ------
    StreamError
        Naming what can.
    """
    if not (math.isfinite(speed) and speed > 0):
        raise StreamError(f"Speed is {speed!r}; expected a number above 0 (1 is real time).")
    return emulator(layout)


class Replay:
    """A recording as LSL outlets; they exist from construction until `close`.

    Parameters
    ----------
    recording : Recording
        What to send.  Missing cells are sent as NaN.
    speed : float
        Recording seconds a local second.
    name, source_id : str or None
        Of the stream; by default what the layout calls it (the recording's name, or the vendor's), and an
        id of its own.
    kind : OriginKind
        What the stream declares itself to be.
    layout : str
        How it is sent (`tools.emulators`): ``full`` describes every channel, ``bare`` none, others do as a
        vendor's program does.
    start : float
        Skip so many seconds of the recording.
    seconds : float or None
        Send so many seconds of it; None sends the rest.
    wait_s : float or None
        How long (local s) to wait for a consumer before giving up; None waits for ever.
    linger_s : float
        LSL does not report whether the last samples have been taken.  So the outlets stay open for
        this long (local s) after the last push, or until no consumer is left.
    clock : callable or None
        Local time (s); None is ``pylsl.local_clock``.
    sleep : callable
        Waits for so many local seconds.

    Raises
    ------
    StreamError
        If speed or layout cannot be had, or the recording does not fit that layout.
    RecordingError
        If nothing is left to send.
    """

    def __init__(
        self,
        recording: Recording,
        *,
        speed: float = 1.0,
        name: str | None = None,
        source_id: str | None = None,
        kind: OriginKind = OriginKind.REPLAYED,
        layout: str = "full",
        start: float = 0.0,
        seconds: float | None = None,
        wait_s: float | None = None,
        linger_s: float = 2.0,
        clock: Callable[[], float] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        import pylsl

        from realtime.sources.lsl.stream_info import marker_info, with_description

        emulate = check_how(speed, layout)
        self.recording = recording
        self.items = schedule(recording, start, seconds)
        self._clock = clock or pylsl.local_clock
        self._sleep = sleep
        self._wait_s = wait_s
        self._linger_s = linger_s
        self._stopped = threading.Event()
        self.origin = Origin(kind, speed, self._clock())
        self.emulated = emulate(recording, self.origin)
        self.name = name or self.emulated.name
        self.source_id = source_id or f"hemostream-replay-{uuid.uuid4().hex}"
        how = self.emulated
        info = pylsl.StreamInfo(self.name, how.content, len(how.rows), how.rate, how.dtype, self.source_id)
        self._signal: pylsl.StreamOutlet | None = pylsl.StreamOutlet(with_description(info, how.desc))
        self._events: pylsl.StreamOutlet | None = None
        if any(item.event for item in self.items):
            self._events = pylsl.StreamOutlet(
                marker_info(
                    name=self.name + EVENTS_SUFFIX,
                    source_id=self.source_id + EVENTS_SUFFIX,
                    origin=self.origin,
                    content=how.events,
                )
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Take the outlets down."""
        # Outlets have no close of their own: they end when nothing refers to them.
        self._signal = self._events = None

    def stop(self) -> None:
        """Ask a `run` in another thread to end soon."""
        self._stopped.set()

    def run(self, progress: Callable[[int], None] | None = None) -> ReplayReport:
        """Wait for a consumer, send everything, wait until it should have been taken.

        Parameters
        ----------
        progress : callable or None
            Called after each sample with the number of samples sent.

        Raises
        ------
        StreamError
            If no consumer came in time, or the outlets are closed.
        """
        if self._signal is None:
            raise StreamError(
                f"The replay of {self.recording.name!r} is over; make a new one to send it again."
            )
        self._await_consumers(self._signal)
        rows = np.ascontiguousarray(self.emulated.rows.T)
        first_local = self._clock()
        first_stamp = self.origin.stream_time(first_local)
        lateness: list[float] = []
        events = 0
        waiting: list[list[float]] = []
        left_over = sum(item.event is None for item in self.items)
        for item in self.items:
            if item.event is None:
                waiting.append(rows[item.sample].tolist())
                left_over -= 1
                if len(waiting) < self.emulated.chunk and left_over:
                    continue
            deadline = first_local + item.due / self.origin.speed
            # Deadlines are absolute, so a late push is followed by an early enough one: no drift.
            while (left := deadline - self._clock()) > 0 and not self._stopped.is_set():
                self._sleep(min(left, POLL_S))
            if self._stopped.is_set():
                break
            stamp = first_stamp + item.after
            if item.event is None:
                _push(self._signal, waiting, stamp)
                lateness += [self._clock() - deadline] * len(waiting)
                waiting = []
                if progress is not None:
                    progress(len(lateness))
            elif self._events is not None:
                self._events.push_sample([item.event.label], stamp)
                events += 1
        self._linger(self._signal)
        return ReplayReport(self.origin, first_local, first_stamp, np.array(lateness), events)

    def _await_consumers(self, signal: "pylsl.StreamOutlet") -> None:
        """Block until the signal has a consumer, then give one of the events a moment to come."""
        begun = self._clock()
        while not (signal.wait_for_consumers(POLL_S) or self._stopped.is_set()):
            if self._wait_s is not None and self._clock() - begun > self._wait_s:
                raise StreamError(
                    f"Nobody connected to stream {self.name!r} (source id {self.source_id!r}) within "
                    f"{self._wait_s:g} s. Start a session that picks this stream, or wait longer."
                )
        if self._events is not None and not self._stopped.is_set():
            self._events.wait_for_consumers(EVENTS_GRACE_S)

    def _linger(self, signal: "pylsl.StreamOutlet") -> None:
        """Keep the outlets up while somebody may still be reading."""
        until = self._clock() + self._linger_s
        while signal.have_consumers() and not self._stopped.is_set():
            if (left := until - self._clock()) <= 0:
                break
            self._sleep(min(left, POLL_S))


def _push(outlet: "pylsl.StreamOutlet", samples: list[list[float]], stamp: float) -> None:
    """Send samples; of a chunk only the last one has a stamp, as with vendors that push chunks."""
    if len(samples) == 1:
        outlet.push_sample(samples[0], stamp)
    else:
        outlet.push_chunk(samples, stamp)
