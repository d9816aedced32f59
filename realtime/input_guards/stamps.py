"""Which stamps a clock could have given: the guard in front of the clock, by logged values alone.

A stamp in nanoseconds, an uninitialised one or a single wild one must not reach what counts samples and
windows by time: a grid would have to be walked for years, and a clock that once believed it would
take everything that follows for old.  Two rules, on stamps that are already put on the local clock:

- A stamp further than `LATEST_S` from zero is none.  Clocks count seconds since a computer was started
  (LSL), since 1970 (1.8e9), 1900, 1601 (1.3e10) or the year 1 (6.4e10); a stamp in milliseconds or less
  lies beyond.
- A stamp that lies more than `LEAP_S` behind the one before, or ahead of it by so much more than time went
  by here, is rejected until `BELIEVED` in a row go on from there: then the source's clock stepped, and
  everything starts over.  If the next ones go on from where it was, it was rejected and nothing else.

So a gap stays a gap however long it is: time went by here too, or (in a recording) there.
"""

from collections.abc import Mapping
from math import isfinite
from typing import Any, NamedTuple

import numpy as np

from models.arrays import Bools, Floats

LATEST_S = 1e11
"""Furthest stamp from zero, s: 3,000 years, where float64 still resolves 15 us."""
LEAP_S = 3600.0
"""Longest step between two stamps that needs no other to be believed, s: longer than any buffer."""
BELIEVED = 5
"""So many stamps in a row after a leap are believed."""


def on_a_clock(seconds: float) -> bool:
    """Whether a time or an offset (s) is one that a clock can have."""
    return isfinite(seconds) and abs(seconds) <= LATEST_S


class CheckedStamps(NamedTuple):
    """The guard's result for some stamps.

    Parameters
    ----------
    usable : (n_samples,) bool
        Which samples can be used.
    leaps : tuple of int
        Samples (of the usable ones) from which on the source's clock is another one.
    """

    usable: Bools
    leaps: tuple[int, ...] = ()


class StampGuard:
    """Looks at each stamp once, in order.

    Parameters
    ----------
    local : float
        Local time (s) at which the stream was opened.
    """

    def __init__(self, local: float) -> None:
        self.rejected = 0
        """Samples that were rejected."""
        self.restart(local)

    def restart(self, local: float) -> None:
        """Forget the stamps; another clock begins at this local time (s)."""
        self._last: float | None = None  # the last stamp that could be used
        self._since = local  # local time of the entry before the one that it came with
        self._local = local  # of the entry before
        self._odd: float | None = None  # the last of the stamps elsewhere
        self._in_a_row = 0

    def look(self, stamps: Floats, local: float, speed: float = 1.0) -> CheckedStamps:
        """Which samples can be used.

        Parameters
        ----------
        stamps : (n_samples,) float64, s
            On the local clock.
        local : float
            Local time (s) at which they came.
        speed : float
            Stream seconds a local second.
        """
        usable = np.ones(len(stamps), dtype=bool)
        leaps: list[int] = []
        for i, stamp in enumerate(stamps.tolist()):
            if not on_a_clock(stamp):
                usable[i] = False
            elif self._last is None or self._goes_on(stamp, local, speed):
                self._take(stamp)
            elif self._is_believed(stamp):
                leaps.append(i)
                self._take(stamp)
            else:
                usable[i] = False
        self._local = local
        self.rejected += len(stamps) - int(np.count_nonzero(usable))
        return CheckedStamps(usable, tuple(leaps))

    def _goes_on(self, stamp: float, local: float, speed: float) -> bool:
        assert self._last is not None
        step = stamp - self._last
        if abs(step) <= LEAP_S:
            return True
        # From the entry before: the last stamp may have come with this one.
        return 0.0 < step <= (local - self._since) * speed + LEAP_S

    def _is_believed(self, stamp: float) -> bool:
        """Whether a stamp that leapt is one of enough in a row."""
        near = self._odd is not None and abs(stamp - self._odd) <= LEAP_S
        self._in_a_row = self._in_a_row + 1 if near else 1
        self._odd = stamp
        return self._in_a_row >= BELIEVED

    def _take(self, stamp: float) -> None:
        self._last, self._since = stamp, self._local
        self._odd, self._in_a_row = None, 0

    def state(self) -> dict[str, Any]:
        """Everything the future depends on, as JSON values."""
        return {
            "last": self._last,
            "since": self._since,
            "local": self._local,
            "odd": self._odd,
            "in_a_row": self._in_a_row,
            "rejected": self.rejected,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a `state`."""
        self._last, self._since, self._local = state["last"], state["since"], state["local"]
        self._odd, self._in_a_row, self.rejected = state["odd"], state["in_a_row"], state["rejected"]
