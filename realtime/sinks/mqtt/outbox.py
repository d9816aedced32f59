"""What goes to the broker next, and to which topic: the current first, nothing old as current.

Pure bookkeeping, on a clock that is handed in; `realtime.sinks.mqtt.sink` does the sending.

A decision is *current* while its age is within the policy, and as long as nothing newer has been
published as current.  Everything else is *history*.  Memory holds a bounded number of decisions; with a
journal the rest waits there (its spool), and is read page by page, before anything in memory that
is younger.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

Identity = tuple[int, int]
"""Run and sequence: who a decision is within its session.  They rise."""

NEVER = float("inf")
IN_FLIGHT = 16
"""Most current decisions sent and not yet acknowledged; paho holds back what goes beyond 20."""
HISTORY_IN_FLIGHT = 4
"""Most decisions of the history likewise: a long backlog delays no current decision."""
HOLD_S = 0.5
"""While something has been unacknowledged for so long (local s), nothing more is sent: what a broker
that froze finds when it wakes can't be called back any more."""
PAGE = 64
"""Decisions that are read from the journal's spool at a time."""
REMEMBERED = 4096
"""Acknowledged decisions that are remembered, until the journal surely knows them."""


class Letter(NamedTuple):
    """A decision on its way to the broker.

    Parameters
    ----------
    run, sequence : int
        Its identity.
    text : str
        As the journal holds it.
    fresh_until : float
        Local time (s) from which on it is history; -inf for what never was current.
    kept : bool
        Whether the journal holds it.
    """

    run: int
    sequence: int
    text: str
    fresh_until: float = NEVER
    kept: bool = False

    @property
    def identity(self) -> Identity:
        """(run, sequence)."""
        return self.run, self.sequence


class InFlight(NamedTuple):
    """A decision that is being sent: as current or as history, and since when (local s)."""

    letter: Letter
    current: bool
    since: float


class Page(NamedTuple):
    """Some of what waits in the journal's spool, in order, and how many more wait behind them."""

    letters: list[Letter]
    left: int


class Outbox:
    """The decisions that the broker has not acknowledged.

    Parameters
    ----------
    size : int
        Most decisions that are kept in memory.
    clock : callable
        Local clock, s.
    spooled_before : (int, int) or None
        Decisions of a lower identity may wait in the journal's spool; None where there is no spool.
    """

    def __init__(
        self,
        *,
        size: int = 1000,
        clock: Callable[[], float] = time.monotonic,
        spooled_before: Identity | None = None,
    ) -> None:
        self.dropped = 0
        """Decisions that had no room, neither here nor in the journal."""
        self._size = size
        self._clock = clock
        self._fresh: deque[Letter] = deque()
        self._late: deque[Letter] = deque()
        self._page: deque[Letter] = deque()
        self._flying: dict[Identity, InFlight] = {}  # In the order in which they were sent.
        self._histories = 0  # Of those.
        self._reported: Identity | None = None  # Newest that was sent as current.
        self._recent: dict[Identity, None] = {}
        # Between the two, what is not in memory and not acknowledged is in the spool.
        self._has_spool = spooled_before is not None
        self._read_to: Identity = (0, 0)
        self._spooled_before: Identity = spooled_before or (0, 0)
        self._in_spool = 0
        self._reading: Identity | None = None  # From where, while it is being read.
        self._left_meanwhile = 0  # How many decisions were left to it while it was being read.

    @property
    def waiting(self) -> int:
        """How many decisions are not acknowledged, as far as is known."""
        return len(self._flying) + len(self._fresh) + self.backlog

    @property
    def backlog(self) -> int:
        """How many of them wait to be published as history."""
        return len(self._late) + len(self._page) + self._in_spool

    def put(self, letter: Letter) -> None:
        """Take a decision; they come in order.  The oldest makes room where there is none."""
        self._lay_by()
        if self._sendable(letter):
            self._fresh.append(letter)
        else:
            self._to_history([letter])
        while len(self._fresh) + len(self._late) > self._size:
            self._drop((self._late or self._fresh).popleft())

    def next(self) -> InFlight | None:
        """What to send now; None where nothing may be sent before something is acknowledged or comes."""
        now = self._clock()
        if self._flying and now - next(iter(self._flying.values())).since > HOLD_S:
            return None
        self._lay_by()
        if self._fresh and len(self._flying) - self._histories < IN_FLIGHT:
            letter = self._fresh.popleft()
            self._reported = letter.identity
            return self._fly(InFlight(letter, True, now))
        if self._histories < HISTORY_IN_FLIGHT and (older := self._oldest()) is not None:
            self._histories += 1
            return self._fly(InFlight(older.popleft(), False, now))
        return None

    def acknowledged(self, sending: InFlight) -> None:
        """The broker has it."""
        if self._flying.pop(sending.letter.identity, None) is not None:
            self._histories -= not sending.current
        self._recent[sending.letter.identity] = None
        if len(self._recent) > REMEMBERED:
            del self._recent[next(iter(self._recent))]

    def broken(self) -> None:
        """The connection is lost: what was on its way is to be sent again."""
        back = [sending.letter for sending in self._flying.values()]
        self._flying.clear()
        self._histories = 0
        # Only the newest may be published as current again: one that is older than it never.
        again = [letter for letter in back if self._sendable(letter)]
        self._to_history(letter for letter in back if letter not in again)
        self._fresh.extendleft(reversed(again))

    def page_wanted(self) -> tuple[Identity, Identity] | None:
        """Which part of the spool to read now, from (inclusive) and to (exclusive); then `take_page`."""
        unread = self._has_spool and self._read_to < self._spooled_before
        if not unread or self._page or self._reading is not None:
            return None
        self._reading, self._left_meanwhile = self._read_to, 0
        return self._read_to, self._spooled_before

    def take_page(self, page: Page | None, upto: Identity) -> None:
        """Take what was read from the spool up to an identity (exclusive).

        None says that it cannot be read: it is passed over, and left to the session's next run.
        """
        since, self._reading = self._reading, None
        page = page or Page([], 0)
        self._in_spool = page.left + self._left_meanwhile
        if since is not None and self._read_to < since:  # Older ones were left to it: they come first.
            self._in_spool += len(page.letters)
            return
        known = {letter.identity for letter in (*self._fresh, *self._late)}
        known |= self._flying.keys() | self._recent.keys()
        self._page.extend(letter for letter in page.letters if letter.identity not in known)
        self._read_to = _after(page.letters[-1].identity) if page.left else upto
        if self._read_to >= self._spooled_before:
            self._in_spool = 0

    # ------------------------------------------------------------------

    def _sendable(self, letter: Letter) -> bool:
        """Whether it is current."""
        in_order = self._reported is None or letter.identity >= self._reported
        return in_order and letter.fresh_until > self._clock()

    def _lay_by(self) -> None:
        """What has grown old is history."""
        while self._fresh and not self._sendable(self._fresh[0]):
            self._to_history([self._fresh.popleft()])

    def _to_history(self, letters: Iterable[Letter]) -> None:
        for letter in letters:
            in_order = not self._late or self._late[-1].identity < letter.identity
            self._late.append(letter)
            if not in_order:  # After a lost connection only.
                self._late = deque(sorted(self._late))

    def _oldest(self) -> deque[Letter] | None:
        """Where the oldest decision of the history is; None where it has to be read first."""
        if self._page and (not self._late or self._page[0].identity < self._late[0].identity):
            return self._page
        if not self._late:
            return None
        unread = self._has_spool and self._read_to < self._spooled_before
        return None if unread and self._late[0].identity >= self._read_to else self._late

    def _fly(self, sending: InFlight) -> InFlight:
        self._flying[sending.letter.identity] = sending
        return sending

    def _drop(self, letter: Letter) -> None:
        """No room: left to the journal, where that has it."""
        if not (self._has_spool and letter.kept):
            self.dropped += 1
            return
        if letter.identity < self._read_to:  # It came back from a lost connection: read once more.
            self._in_spool += len(self._page)
            self._read_to = min([letter.identity, *(each.identity for each in self._page)])
            self._page.clear()
        self._spooled_before = max(self._spooled_before, _after(letter.identity))
        self._in_spool += 1
        self._left_meanwhile += 1


def _after(identity: Identity) -> Identity:
    run, sequence = identity
    return run, sequence + 1
