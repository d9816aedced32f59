"""What waits to be written into a journal: bounded, in order, with what did not fit counted.

The session puts in and never waits; the writer's thread takes out once it is committed.  What finds
no room is counted, and declared in the queue itself where it is missing.
"""

import threading
from collections import deque
from collections.abc import Callable, Collection
from itertools import islice

from models.errors import JournalError
from realtime.sinks.journal.format import Loss
from realtime.sinks.journal.store import Decided, Item
from realtime.sinks.mqtt.outbox import Identity

Committed = Callable[[JournalError | None], None]
"""Called when a decision's row is committed (None), or with why it is not (yet)."""


class JournalQueue:
    """A queue between two threads.

    Parameters
    ----------
    size : int
        Most items that wait.
    """

    def __init__(self, size: int) -> None:
        self.changed = threading.Condition()
        """Held by whoever looks at what follows together; notified when there is work."""
        self.dropped = 0
        """Items that found no room."""
        self.urgent = False
        """Whether a decision waits that was not looked at yet."""
        self.asleep = False
        """Whether the writer must be notified of an item that is not urgent."""
        self.closed = False
        """Whether nothing is taken any more."""
        self._size = size
        self._items: deque[tuple[Item, Committed | None]] = deque()
        self._loss: Loss | None = None
        self._last_local = 0.0
        self._acknowledged: deque[Identity] = deque()
        # Decisions that were published although they are not committed: their acknowledgement may
        # come before their row.
        self._refused: set[Identity] = set()
        self._early: set[Identity] = set()

    def __len__(self) -> int:
        return len(self._items)

    # ------------------------------------------------------------------ the session's side

    def put(self, item: Item, local: float | None = None, on_committed: Committed | None = None) -> bool:
        """Take an item of the log (with its local time, s) or a decision; whether there was room."""
        with self.changed:
            if local is not None:
                self._last_local = local
            if self.closed or len(self._items) >= self._size:
                self.dropped += 1
                first = self._loss.first if self._loss else self._last_local
                missing = self._loss.missing + 1 if self._loss else 1
                self._loss = Loss(missing, first, self._last_local)
                return False
            self.declare_loss()
            self._items.append((item, on_committed))
            if on_committed is not None:
                self.urgent = True
            if self.urgent or self.asleep:
                self.changed.notify()
        return True

    def acknowledge(self, identity: Identity) -> None:
        """Note that the broker has a decision; written with the next commit, wakes no thread."""
        with self.changed:
            self._acknowledged.append(identity)

    # ------------------------------------------------------------------ the writer's side

    def declare_loss(self) -> None:
        """Insert what is missing where it is missing; under the lock."""
        if self._loss is not None:
            self._items.append((self._loss, None))
            self._loss = None

    def first(self, most: int) -> list[Item]:
        """The items that wait longest; they stay until `taken`."""
        with self.changed:
            self.urgent = False
            return [item for item, _ in islice(self._items, most)]

    def acknowledged(self) -> list[Identity]:
        """What the broker has acknowledged and the file does not say yet; it stays until `taken`."""
        with self.changed:
            return [*self._early, *self._acknowledged]

    def taken(self, count: int, acknowledged: list[Identity] | None = None) -> list[Committed]:
        """Take the first items out, which are committed, and these acknowledgements with them.

        Returns
        -------
        list of callables
            The callbacks that wait.
        """
        with self.changed:
            done = [self._items.popleft() for _ in range(count)]
            if self._refused:
                self._refused -= {(item.run, item.sequence) for item, _ in done if isinstance(item, Decided)}
            if acknowledged is not None:
                for _ in range(len(acknowledged) - len(self._early)):
                    self._acknowledged.popleft()
                # A notice of a decision whose row is still to come is needed again.
                self._early = self._refused.intersection(acknowledged)
        return [on_committed for _, on_committed in done if on_committed is not None]

    def set_aside(self) -> Committed | None:
        """Replace the first item, which cannot be written, with a loss; its callback."""
        with self.changed:
            self.dropped += 1
            _, on_committed = self._items[0]
            self._items[0] = (Loss(1, self._last_local, self._last_local), None)
        return on_committed

    def forget(self, acknowledged: Collection[Identity]) -> None:
        """Give up acknowledgements that cannot be written: the broker is sent those decisions again."""
        with self.changed:
            self._acknowledged = deque(each for each in self._acknowledged if each not in acknowledged)
            self._early = self._early.difference(acknowledged)

    def refused(self) -> list[Committed]:
        """Those who wait for a decision that cannot be committed now; each is given only once."""
        waiting: list[Committed] = []
        with self.changed:
            for index, (item, on_committed) in enumerate(self._items):
                if on_committed is not None and isinstance(item, Decided):
                    waiting.append(on_committed)
                    self._items[index] = (item, None)
                    self._refused.add((item.run, item.sequence))
        return waiting
