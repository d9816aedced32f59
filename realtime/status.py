"""`Status`: how a session is doing, published whenever that changes and on a timer.

Published retained, so whoever subscribes later sees the latest; the broker itself publishes
`Status.lost` when a session's connection ends without a goodbye.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from models.decode import decode_message
from models.errors import MessageError
from realtime.clock import ClockReport


class State(StrEnum):
    """What a session is doing."""

    WAITING = "waiting"
    """No stream yet."""
    BASELINE = "baseline"
    """Samples come; the first usable window isn't complete yet."""
    LIVE = "live"
    """Windows are predicted."""
    STALLED = "stalled"
    """A stream is connected and no samples come."""
    LOST = "lost"
    """The connection to the stream ended, or what came in its place cannot be used; it is looked for."""
    RECOVERING = "recovering"
    """Samples come again after a stall, a loss or a reset; no usable window is complete yet."""
    OFFLINE = "offline"
    """The session has ended, or its connection was lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalStatus:
    """How the journal is doing: entries waiting, entries lost, and whether it cannot be written."""

    depth: int = 0
    dropped: int = 0
    failing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerStatus:
    """How publishing is doing: connected or not, decisions waiting, decisions lost."""

    connected: bool = False
    waiting: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowStatus:
    """What is decided: windows of this length, so often, current until this age (stream seconds)."""

    length_s: float
    step_s: float
    max_age_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalsStatus:
    """How publishing signals is going: messages that could not be sent."""

    dropped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandsStatus:
    """What came of commands: taken, refused, and whether nobody listens since a flood of them came."""

    taken: int = 0
    refused: int = 0
    paused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How a session is doing.

    Parameters
    ----------
    session : str
        Pseudonymous name of the session.
    run : int
        Grows by one at each start of the same session.
    state : State
        What it is doing.
    reason : str
        Why, in plain words; empty where the state says it all.
    since_utc : str
        Since when it has been in this state, ISO 8601; empty where that is not known.
    stream : str
        Name of the LSL stream; empty before there is one.
    origin : str
        ``live``, ``replayed`` or ``simulated``; empty before there is a stream.
    speed : float
        Stream seconds a local second.
    model : str
        Hash of the bundle.
    evaluation : str
        What the bundle was worth on unseen people, in one line.
    labels : str
        From which confidence on it shows a label, in one line.
    window : WindowStatus or None
        What is decided, and how long a decision is current: until ``window_end`` + ``max_age_s`` on the
        stream's clock; None where the session is not there to say.
    channels : int
        Channels that the model needs.
    clock : ClockReport or None
        What the clock found in the stream's stamps since it was opened; None before there is a stream.
    journal : JournalStatus or None
        None where the session keeps no journal.
    broker : BrokerStatus or None
        None where the session has no broker.
    signals : SignalsStatus or None
        None where the session publishes none.
    commands : CommandsStatus or None
        None where it takes none.
    wall_clock_steps : int
        How often this machine's wall clock was seen to be set; stamps are on a clock that is not.
    rejected : mapping of str to int
        What came from outside and could not be taken, by kind, counted since the start: ``stamps`` that no
        clock gives, ``values`` that nothing measures, ``frame counters``, ``markers``.
    failing : mapping of str to str
        Parts of the session that do not work at the moment, and why; what else there is goes on.
    versions : mapping of str
        Versions of what computes: hemostream, torch, liblsl and so on.
    """

    session: str
    run: int
    state: State
    reason: str = ""
    since_utc: str = ""
    stream: str = ""
    origin: str = ""
    speed: float = 1.0
    model: str = ""
    evaluation: str = ""
    labels: str = ""
    window: WindowStatus | None = None
    channels: int = 0
    clock: ClockReport | None = None
    journal: JournalStatus | None = None
    broker: BrokerStatus | None = None
    signals: SignalsStatus | None = None
    commands: CommandsStatus | None = None
    wall_clock_steps: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)
    failing: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """One line of JSON, keys in the order of the fields."""
        return json.dumps({"schema": 1, **asdict(self)}, separators=(",", ":"), allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> "Status":
        """Undo `to_json`.

        Raises
        ------
        MessageError
            It is no status of this schema.
        """
        return decode_message(cls, text, error=MessageError, what="This is no status")

    @classmethod
    def lost(cls, session: str, run: int) -> "Status":
        """What the broker publishes for the session when the connection ends without a goodbye."""
        return cls(session=session, run=run, state=State.OFFLINE, reason="the session's connection was lost")
