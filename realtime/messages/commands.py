"""What a session may be asked over MQTT, and what it answers: an event, an acknowledgement.

Their JSON forms are published as ``command_event.schema.json``, ``command_acknowledge.schema.json`` and
``command_answer.schema.json``, beside ``decision.schema.json``.  Whatever came is bounded and made printable
here.
"""

import json
from dataclasses import asdict, dataclass
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints

from models.decode import Record, decode, decode_message
from models.errors import MessageError
from models.outside import printable

MOST_BYTES = 4096
"""A longer command is not looked at."""
LONGEST_ID, LONGEST_WHO, LONGEST_LABEL = 64, 64, 200
LONGEST_SENT = 40


def _shown(text: str) -> str:
    shown = printable(text.strip(), LONGEST_LABEL)
    if not shown:
        raise ValueError("expected something that can be read")
    return shown


Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]+$", max_length=LONGEST_ID)]
Who = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_WHO), AfterValidator(_shown)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_LABEL), AfterValidator(_shown)]
Sent = Annotated[
    str,
    StringConstraints(
        max_length=LONGEST_SENT, pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$"
    ),
]


class EventCommand(Record):
    """Write an event into the session's log, at the time at which this arrives.

    Parameters
    ----------
    id : str
        Made by the sender, unique; the same again writes nothing more.
    label : str
        What happened.
    who : str
        Who says so: a pseudonym.
    sent : str or None
        When it was sent, by the sender's clock, ISO 8601 with an offset.
    """

    version: Literal[1] = Field(default=1, alias="schema")
    id: Id
    label: Label
    who: Who
    sent: Sent | None = None


class AcknowledgeCommand(Record):
    """Acknowledge an alarm.

    Parameters
    ----------
    id : str
        Of this command; as of an event.
    alarm : str
        The alarm's id.
    who : str
        Who acknowledges it: a pseudonym.
    sent : str or None
        As of an event.
    """

    version: Literal[1] = Field(default=1, alias="schema")
    id: Id
    alarm: Id
    who: Who
    sent: Sent | None = None


Command = EventCommand | AcknowledgeCommand
COMMANDS: dict[str, type[EventCommand] | type[AcknowledgeCommand]] = {
    "event": EventCommand,
    "acknowledge": AcknowledgeCommand,
}
"""By the last level of their topic."""


def read_command(name: str, payload: bytes) -> Command:
    """A command as it came.

    Parameters
    ----------
    name : str
        Last level of its topic.
    payload : bytes
        What came.

    Raises
    ------
    MessageError
        It is none, or too long.
    """
    if name not in COMMANDS:
        raise MessageError(f"There is no command {name[:40]!r}; expected {' or '.join(COMMANDS)}.")
    if len(payload) > MOST_BYTES:
        raise MessageError(f"A command has {len(payload)} bytes; expected {MOST_BYTES} or fewer.")
    try:
        values = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise MessageError(f"A command is no JSON ({type(error).__name__}).") from error
    return decode(COMMANDS[name], values, error=MessageError, what=f"The command {name!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of a command.

    Parameters
    ----------
    session, run : str, int
        Who answers.
    id : str
        The command's.
    command : str
        ``event`` or ``acknowledge``.
    ok : bool
        Whether it was taken.
    reason : str
        Why not; empty where it was.
    time : float or None
        Of an event: the time that it was given, stream seconds; None of anything else.
    time_utc : str or None
        The same, ISO 8601.
    uncertainty_s : float or None
        How much earlier than that it may have been sent, s, by the two machines' wall clocks; None where the
        command did not say when, or the clocks contradict each other.
    """

    session: str
    run: int
    id: str
    command: str
    ok: bool
    reason: str = ""
    time: float | None = None
    time_utc: str | None = None
    uncertainty_s: float | None = None

    def to_json(self) -> str:
        """One line of JSON, keys in the order of the fields."""
        return json.dumps({"schema": 1, **asdict(self)}, separators=(",", ":"), allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Undo `to_json`.

        Raises
        ------
        MessageError
            It is no answer of this schema.
        """
        return decode_message(cls, text, error=MessageError, what="This is no answer")
