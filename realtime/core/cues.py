"""Which event came last before a window began, as far as it was heard of when the window was complete."""

from bisect import bisect_right, insort
from collections.abc import Sequence

from models.outside import canonical

SLACK_S = 1e-6
"""Onsets and windows are sums of floats: one that begins with an event lies behind it."""
MOST_HELD = 1000
"""Events that are remembered; of more, those are forgotten that lie furthest back."""


class Cues:
    """Times of the events that begin blocks.

    Parameters
    ----------
    events : sequence of str
        Their names, compared as the events of labels are (`models.outside.canonical`).
    """

    def __init__(self, events: Sequence[str]) -> None:
        self._events = frozenset(map(canonical, events))
        self._times: list[float] = []

    def event(self, time: float, label: str) -> None:
        """Hear of an event: when it was, stream time (s), and what it was."""
        if canonical(label) in self._events:
            insort(self._times, time)
            del self._times[:-MOST_HELD]

    def before(self, time: float) -> float | None:
        """The last event at or before this time (s); those before it are forgotten."""
        n = bisect_right(self._times, time + SLACK_S)
        if n == 0:
            return None
        del self._times[: n - 1]
        return self._times[0]

    def forget(self) -> None:
        """Another clock: no time of before means anything."""
        self._times = []
