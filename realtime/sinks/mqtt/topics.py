"""Under which names a session publishes.

Topics are read by every subscriber, appear in brokers' logs and access lists, and are made of the session's
name alone: so that must be a pseudonym.  What can be checked is checked here: that a name is one level
of a topic, and that it doesn't look like a person's.  That a pseudonym is one, no program can
know: ``anna`` may be a bed's name, and a record number is as telling as a name to whoever has the records.
"""

import re
from datetime import UTC, datetime
from typing import Literal

from models.errors import BrokerError

LONGEST = 200
"""Most characters of a session's name; it is part of topics, file names and client identifiers."""

Topic = Literal[
    "status",
    "decision",
    "history",
    "alive",
    "alarms",
    "channels",
    "signals",
    "command/event",
    "command/acknowledge",
    "command/answer",
]
"""What a session publishes, and what it takes."""

_DATE = re.compile(
    r"(?<!\d)(?:(?P<y1>(?:19|20)\d\d)[-./_]?(?:0[1-9]|1[0-2])[-./_]?(?:0[1-9]|[12]\d|3[01])"
    r"|(?:0?[1-9]|[12]\d|3[01])[-./_](?:0?[1-9]|1[0-2])[-./_](?P<y2>(?:19|20)\d\d))(?!\d)"
)
_TWO_NAMES = re.compile(r"(?<![^\W\d_])[^\W\d_a-z][^\W\d_]+[ ,._]+[^\W\d_a-z][^\W\d_]+")


def topic(session: str, what: Topic) -> str:
    """A topic of a session.

    Raises
    ------
    BrokerError
        The session's name cannot be part of a topic.
    """
    if not session or len(session) > LONGEST or not session.isprintable() or re.search(r"[/+#$]", session):
        raise BrokerError(
            f"Session name is {session[: LONGEST + 1]!r}; as part of a topic it must have 1 to {LONGEST} "
            "characters, all printable, and none of '/', '+', '#' and '$'."
        )
    return f"hemostream/{session}/{what}"


def personal(session: str) -> tuple[str, ...]:
    """Warnings where a session's name looks like a person's; they do not repeat it.

    Parameters
    ----------
    session : str
        The name.

    Returns
    -------
    tuple of str
        Empty where nothing was found, which proves nothing.
    """
    found = []
    if _TWO_NAMES.search(session):
        found.append("a person's name")
    if "@" in session:
        found.append("an address")
    dates = _DATE.finditer(session)
    # A date of today is when the session began; an older one may be a date of birth.
    if any(int(one["y1"] or one["y2"]) < datetime.now(UTC).year - 1 for one in dates):
        found.append("a date of birth")
    if not found:
        return ()
    return (
        f"The session's name looks as if it held {' and '.join(found)}. It is part of topics, file names and "
        "logs in the clear: choose a pseudonym such as bed-1.",
    )
