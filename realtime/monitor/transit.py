"""How long a message was under way, by a clock that may be wrong by any amount but goes on.

A session's heartbeat says the time of its wall clock.  The smallest difference between our clock and that one
over the last beats is the offset of the two (and the shortest way a message takes); what a message took
longer than that, it was held up: by a broker that froze, by a network that was away, by us.
"""

from collections import deque
from datetime import datetime

REMEMBERED = 60
"""Beats, by count: a time without any makes none of them forgotten."""
STEP_S = 1.5
"""A wall clock that went on by so much less than the beats say was set back."""


def seconds(utc: str | None) -> float | None:
    """ISO 8601 as seconds since 1970; None where it is none, or names no time zone."""
    if utc is None:
        return None
    try:
        found = datetime.fromisoformat(utc)
    except ValueError:
        return None
    return None if found.tzinfo is None else found.timestamp()


class Transit:
    """Offset of one session's wall clock to ours, from its heartbeats."""

    def __init__(self) -> None:
        self._offsets: deque[float] = deque(maxlen=REMEMBERED)
        self._last: tuple[int, float] | None = None
        self.offset: float | None = None
        """Our clock minus the session's wall clock, s; None before the first beat."""

    def beat(self, number: int, utc: float, now: float) -> bool:
        """Take a heartbeat.

        Parameters
        ----------
        number : int
            Which one; grows by one a second.
        utc : float
            The session's wall clock when it was sent, s since 1970.
        now : float
            Our clock when it came, s.

        Returns
        -------
        bool
            Whether the offset became smaller: what came before was held up longer than was thought.
        """
        if self._last is not None:
            beats, went_on = number - self._last[0], utc - self._last[1]
            if beats < 0 or went_on < beats - STEP_S:
                self._offsets.clear()
        self._last = number, utc
        self._offsets.append(now - utc)
        before, self.offset = self.offset, min(self._offsets)
        return before is not None and self.offset < before

    def when(self, utc: float) -> float:
        """The time of our clock at a time of the session's; before the first beat long ago.

        Parameters
        ----------
        utc : float
            The session's wall clock, s since 1970.
        """
        return float("-inf") if self.offset is None else utc + self.offset
