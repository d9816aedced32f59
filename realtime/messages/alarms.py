"""`Alarms`: what is technically wrong with a session, until somebody acknowledges it; published retained.

Its JSON form is published as ``alarms.schema.json`` beside ``decision.schema.json``.  An alarm is about the
measurement, never about the person: no decision raises one.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Self

from models.decode import decode_message
from models.errors import MessageError


class AlarmKind(StrEnum):
    """What is wrong."""

    STREAM_LOST = "stream lost"
    """The connection to the stream ended, or what came in its place cannot be used."""
    STREAM_STALLED = "stream stalled"
    """A stream is connected and no samples come, or none that complete a window."""
    INFERENCE_FAILING = "inference failing"
    """The network raises."""
    MODEL_STALE = "model stale"
    """Windows are completed, and every decision comes too late (or its stamps lie ahead of the clock)."""
    SIGNAL_UNFIT = "signal unfit"
    """No window could be used for longer than the set time."""
    JOURNAL_TROUBLE = "journal in trouble"
    """It cannot be written, or lost entries."""
    BROKER_TROUBLE = "broker in trouble"
    """Not connected, or decisions were lost on the way to it."""
    SESSION_FAULT = "part of the session failing"
    """Another part of the session does not work."""


class Priority(StrEnum):
    """How soon somebody should look."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One alarm.

    Parameters
    ----------
    id : str
        Unique within its session, over all runs.
    kind : AlarmKind
        What is wrong.
    priority : Priority
        How soon somebody should look.
    text : str
        In plain words; the latest.
    since_utc : str
        When it began, ISO 8601.
    until_utc : str or None
        When its cause was last seen to end; None while it lasts.
    count : int
        How often its cause began since then.
    acknowledged_by : str or None
        Who acknowledged it; None while nobody has.
    acknowledged_utc : str or None
        When.
    """

    id: str
    kind: AlarmKind
    priority: Priority
    text: str
    since_utc: str
    until_utc: str | None = None
    count: int = 1
    acknowledged_by: str | None = None
    acknowledged_utc: str | None = None

    @property
    def active(self) -> bool:
        """Whether its cause lasts."""
        return self.until_utc is None

    @property
    def acknowledged(self) -> bool:
        """Whether somebody has acknowledged it."""
        return self.acknowledged_by is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarms:
    """All alarms of a session that last, or were not acknowledged; at most one of each kind.

    Parameters
    ----------
    session, run : str, int
        Whose.
    alarms : sequence of Alarm
        What nobody has acknowledged first, then by priority, then the older first.
    """

    session: str
    run: int
    alarms: Sequence[Alarm] = ()

    def to_json(self) -> str:
        """One line of JSON, keys in the order of the fields."""
        return json.dumps({"schema": 1, **asdict(self)}, separators=(",", ":"), allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Undo `to_json`.

        Raises
        ------
        MessageError
            These are no alarms of this schema.
        """
        return decode_message(cls, text, error=MessageError, what="These are no alarms")
