"""The ordered log: everything from which decisions follow.

From clock to decision, hemostream computes a pure function of one sequence of these entries.
A live session writes the sequence down (the journal *is* the log) and a file is turned into
one; whoever feeds the same entries to `realtime.core.Core` gets the same decisions.

Two clocks occur.  The *local* clock is this machine's monotonic LSL clock (``pylsl.local_clock``),
seconds.  The *stream* clock is the one that windows and decisions are stamped on: for a live
stream it is the local clock, for a replayed one it runs ``speed`` times as fast (`Origin`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy.typing as npt

from models.arrays import Floats
from realtime.messages.alarms import Alarm
from realtime.signal import SignalSpec

MOST_RUNS = 2**31
"""No session has so many runs: a number beyond is invalid (databases and other languages break at some)."""


class OriginKind(StrEnum):
    """Where a stream comes from."""

    LIVE = "live"
    REPLAYED = "replayed"
    SIMULATED = "simulated"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a stream comes from and how its clock runs.

    ``stream time = anchor + (local time - anchor) * speed``: at speed 1 the two clocks are one.

    Parameters
    ----------
    kind : OriginKind
        Live unless the stream's own metadata says otherwise.
    speed : float
        Stream seconds a local second.
    anchor : float
        Local time (s) at which both clocks agreed.
    """

    kind: OriginKind = OriginKind.LIVE
    speed: float = 1.0
    anchor: float = 0.0

    def stream_time(self, local: float) -> float:
        """The stream's clock (s) at a local time (s)."""
        return self.anchor + (local - self.anchor) * self.speed if self.speed != 1.0 else local

    def local_time(self, stream: float) -> float:
        """The local clock (s) at a stream time (s)."""
        return self.anchor + (stream - self.anchor) / self.speed if self.speed != 1.0 else stream


@dataclass(frozen=True, slots=True)
class StreamOpened:
    """A stream was connected; its description as understood and as declared.

    Parameters
    ----------
    local : float
        Local time (s).
    spec : SignalSpec
        The stream's channels as we understood them, before any is chosen.
    origin : Origin
        Live, replayed or simulated.
    name, source_id : str
        The stream's own names.
    declared : str
        The description as it came (XML for LSL), for whoever wants to look again.
    rows : tuple of int
        Which row of `Received.data` each channel of ``spec`` is, in the order of the spec; empty
        where the spec names every row in order.
    scales : tuple of float
        What each channel's values are to be multiplied by to be in the spec's unit; empty where
        all are 1.
    device : str
        Name of the vendor's layout that was recognised; empty where none was.
    frame_row : int or None
        Row that counts the device's frames, which shows lost ones.
    measured : bool
        Whether every stamp is known to be a measurement (a file's own times), so that none is suspected of
        having been deduced when its chunk was pushed.
    arrivals : bool
        Whether the entries' local times are when samples came; those of a file are not.
    """

    local: float
    spec: SignalSpec
    origin: Origin
    name: str
    source_id: str = ""
    declared: str = ""
    rows: tuple[int, ...] = ()
    scales: tuple[float, ...] = ()
    device: str = ""
    frame_row: int | None = None
    measured: bool = False
    arrivals: bool = True


@dataclass(frozen=True, slots=True)
class StreamLost:
    """The connection to the stream ended, or what came in its place could not be used.

    Moves no window: it shows in the log why no samples came.  What follows, if anything,
    begins with `StreamOpened`.

    Parameters
    ----------
    local : float
        Local time (s).
    reason : str
        In plain words.
    """

    local: float
    reason: str


@dataclass(frozen=True, slots=True)
class SourceTrouble:
    """Something that came could not be taken as it was, or a part of the source failed and is tried again.

    Moves no window: it shows in the log what was met.

    Parameters
    ----------
    local : float
        Local time (s).
    part : str
        What it is about: ``markers``, ``clock comparisons``, ``samples``.
    reason : str
        In plain words; empty where the part works again.
    count : int
        How many times since the last such entry; 0 where nothing that came is concerned.
    failing : bool
        Whether the part does not work at the moment.
    """

    local: float
    part: str
    reason: str
    count: int = 1
    failing: bool = False


@dataclass(frozen=True, slots=True)
class ClockMeasured:
    """The clocks were compared; holds for the entries that follow.

    Parameters
    ----------
    local : float
        Local time (s) of the measurement.
    offset : float
        Add to a stamp of the source to get local time (s); LSL's ``time_correction``.
    utc_offset : float or None
        Add to local time to get UTC seconds since 1970; None where it is not known (a recording
        without a date).
    uncertainty : float or None
        Of the offset (s), where whoever compared knows it; None where it follows from the scatter of the
        comparisons.
    """

    local: float
    offset: float
    utc_offset: float | None
    uncertainty: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Received:
    """Samples exactly as they came.

    Parameters
    ----------
    local : float
        Local time (s) of arrival.
    stamps : (n_samples,) float64
        The source's raw stamps (s).
    data : (n_channels, n_samples) float32 or float64
        All channels of the stream, raw.
    """

    local: float
    stamps: Floats
    data: npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class StreamReset:
    """The source's clock or the source itself changed (`realtime.stages.base.Reset`)."""

    local: float
    reason: str


@dataclass(frozen=True, slots=True)
class EventReceived:
    """A marker arrived: what happened, and when (s) on the local clock; a replay's on the stream's.

    Markers come by a stream of their own, perhaps from another machine, so their stamps are put on
    the local clock by that stream's offset and not by `ClockMeasured`, which is the signal's.

    Parameters
    ----------
    local : float
        Local time (s) of its arrival.
    stamp : float
        When it happened, s.
    label : str
        What happened.
    who, command, sent_utc : str
        Of an event that came as a command (`realtime.messages.commands`), stamped with its arrival: who sent
        it, its id, and when by the sender's clock (ISO 8601); empty where that is not known, and of markers.
    """

    local: float
    stamp: float
    label: str
    who: str = ""
    command: str = ""
    sent_utc: str = ""


@dataclass(frozen=True, slots=True)
class AlarmChanged:
    """A technical alarm began, began again, was acknowledged, or its cause is over.

    Moves no window.

    Parameters
    ----------
    local : float
        Local time (s).
    alarm : Alarm
        As it is from then on: also who acknowledged it, and when.
    """

    local: float
    alarm: Alarm


@dataclass(frozen=True, slots=True)
class Produced:
    """The clock was read when a window had been computed: what a decision's age follows from.

    Parameters
    ----------
    local : float
        Local time (s).
    sequence : int
        Grid index of the window.
    batch : int
        Padded size of the batch in which it was computed; 0 where nothing was computed.
    """

    local: float
    sequence: int
    batch: int


@dataclass(frozen=True, slots=True)
class SessionStarted:
    """A run began: who, with which bundle, under which settings.

    Parameters
    ----------
    local : float
        Local time (s).
    session : str
        Pseudonymous name of the session.
    run : int
        Grows by one at each start of the same session.
    model_hash : str
        Hash of the bundle.
    settings : mapping
        Everything else that decisions depend on, JSON types.
    """

    local: float
    session: str
    run: int
    model_hash: str
    settings: Mapping[str, Any] = field(default_factory=dict)


Entry = (
    SessionStarted
    | StreamOpened
    | StreamLost
    | SourceTrouble
    | ClockMeasured
    | Received
    | StreamReset
    | EventReceived
    | AlarmChanged
    | Produced
)
"""Anything that the log may hold."""
