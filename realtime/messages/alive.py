"""`Alive`: a session's heartbeat, once a second: what shows that its silence is not the network's.

Its JSON form is published as ``alive.schema.json`` beside ``decision.schema.json``.
"""

import json
from dataclasses import asdict, dataclass
from typing import Self

from models.decode import decode_message
from models.errors import MessageError
from realtime.status import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Alive:
    """A heartbeat.

    Parameters
    ----------
    session, run : str, int
        Whose.
    beat : int
        Grows by one each time.
    state : State
        What the session is doing.
    utc : str
        By the session's wall clock, ISO 8601; whoever compares it with another clock sees how they differ.
    """

    session: str
    run: int
    beat: int
    state: State
    utc: str

    def to_json(self) -> str:
        """One line of JSON, keys in the order of the fields."""
        return json.dumps({"schema": 1, **asdict(self)}, separators=(",", ":"), allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Undo `to_json`.

        Raises
        ------
        MessageError
            It is no heartbeat of this schema.
        """
        return decode_message(cls, text, error=MessageError, what="This is no heartbeat")
