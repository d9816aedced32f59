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

from models.errors import StreamError
from realtime.log import Origin, OriginKind
from realtime.signal import Floats, SignalSpec
from realtime.sources.recording import Recording
from tools.schedule import schedule

if TYPE_CHECKING:
    import pylsl

LAYOUTS = ("full", "bare")
EVENTS_SUFFIX = "-events"
EVENTS_GRACE_S = 1.0
"""How long a replay waits, once the signal has a consumer, for one of the events (local seconds)."""
POLL_S = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class Replayed:
    """What a replay did.

    Parameters
    ----------
    origin : Origin
        As the stream declared it.
    first_local, first_stamp : float
        Local time (s) at which sample 0 was due, and its stamp.
    lateness : (n_samples,) float64, seconds
        Local time from when a sample was due until its push had returned.
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


def check_how(speed: float, layout: str) -> None:
    """Refuse a speed or a layout that cannot be had.

    Raises
    ------
    StreamError
        Naming what can.
    """
    if not (math.isfinite(speed) and speed > 0):
        raise StreamError(f"Speed is {speed!r}; expected a number above 0 (1 is real time).")
    if layout not in LAYOUTS:
        raise StreamError(
            f"Layout is {layout!r}; replay can send 'full', which describes every channel, and 'bare', "
            "which describes none, as a Cortivision device does. Others do not exist yet."
        )


class Replay:
    """A recording as LSL outlets; they exist from construction until `close`.

    Parameters
    ----------
    recording : Recording
        What to send.  Missing cells are sent as NaN.
    speed : float
        Recording seconds a local second.
    name, source_id : str or None
        Of the stream; by default the recording's name, and an id that nobody else has.
    kind : OriginKind
        What the stream says that it is.
    layout : str
        ``full`` describes every channel; ``bare`` none, as a Cortivision device does.
    start : float
        Skip so many seconds of the recording.
    seconds : float or None
        Send so many seconds of it; None sends the rest.
    wait_s : float or None
        How long (local s) to wait for a consumer before giving up; None waits for ever.
    linger_s : float
        LSL does not tell whether the last samples have been taken.  So the outlets stay open for
        this long (local s) after the last push, or until no consumer is left.
    clock : callable or None
        Local time (s); None is ``pylsl.local_clock``.
    sleep : callable
        Waits for so many local seconds.

    Raises
    ------
    StreamError
        If speed or layout cannot be had.
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

        from realtime.lsl_info import stream_info

        check_how(speed, layout)
        self.recording = recording
        self.items = schedule(recording, start, seconds)
        self.name = name or recording.name
        self.source_id = source_id or f"hemostream-replay-{uuid.uuid4().hex}"
        self._clock = clock or pylsl.local_clock
        self._sleep = sleep
        self._wait_s = wait_s
        self._linger_s = linger_s
        self._stopped = threading.Event()
        self.origin = Origin(kind, speed, self._clock())
        spec = recording.spec
        info = stream_info(spec, name=self.name, source_id=self.source_id, origin=self.origin)
        if layout == "bare":
            info = pylsl.StreamInfo(
                self.name, info.type(), len(spec), spec.rate, pylsl.cf_double64, self.source_id
            )
            _say_origin(info, self.origin)
        self._signal: pylsl.StreamOutlet | None = pylsl.StreamOutlet(info)
        self._events: pylsl.StreamOutlet | None = None
        if any(item.event for item in self.items):
            info = pylsl.StreamInfo(
                self.name + EVENTS_SUFFIX,
                "Markers",
                1,
                pylsl.IRREGULAR_RATE,
                pylsl.cf_string,
                self.source_id + EVENTS_SUFFIX,
            )
            _say_origin(info, self.origin)
            self._events = pylsl.StreamOutlet(info)

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

    def run(self, told: Callable[[int], None] | None = None) -> Replayed:
        """Wait for a consumer, send everything, wait until it should have been taken.

        Parameters
        ----------
        told : callable or None
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
        rows = np.ascontiguousarray(np.where(self.recording.missing, np.nan, self.recording.data).T)
        first_local = self._clock()
        first_stamp = self.origin.stream_time(first_local)
        lateness: list[float] = []
        events = 0
        for item in self.items:
            deadline = first_local + item.due / self.origin.speed
            # Deadlines are absolute, so a late push is followed by an early enough one: no drift.
            while (left := deadline - self._clock()) > 0 and not self._stopped.is_set():
                self._sleep(min(left, POLL_S))
            if self._stopped.is_set():
                break
            stamp = first_stamp + item.after
            if item.event is None:
                self._signal.push_sample(rows[item.sample].tolist(), stamp)
                lateness.append(self._clock() - deadline)
                if told is not None:
                    told(len(lateness))
            elif self._events is not None:
                self._events.push_sample([item.event.label], stamp)
                events += 1
        self._linger(self._signal)
        return Replayed(self.origin, first_local, first_stamp, np.array(lateness), events)

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


def _say_origin(info: "pylsl.StreamInfo", origin: Origin) -> None:
    """Write where a stream comes from, in the form of `realtime.description`, and nothing else."""
    from realtime.description import describe

    said = describe(SignalSpec((), 0.0), origin)
    ours = info.desc().append_child("hemostream")
    for tag in ("version", "origin", "speed", "anchor"):
        ours.append_child_value(tag, said.findtext(f"hemostream/{tag}", ""))
