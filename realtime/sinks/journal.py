"""Writing a session's journal: the complete ordered log and the decisions, safe from a crash.

A thread of its own writes, so that neither a slow disk nor a full one ever delays a sample.
What waits in the queue is committed together.  A commit survives the end of the process; once
a second one is also forced onto the disk (an fsync, milliseconds long), and that is done right
after a decision was acknowledged, so that it stands in no decision's way.

When the disk fails, that is told at once; what came stays in the bounded queue and is tried again
until there is room.  What does not fit into the queue is counted and declared in the journal
itself, at the place where it is missing.
"""

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self

from models.errors import JournalError
from realtime.decision import Decision
from realtime.log import Entry, SessionStarted
from realtime.sinks.journal_format import Loss, encode
from realtime.sinks.journal_reader import (
    Run,
    is_journal,
    journal_runs,
    next_run,
    read_decisions,
    read_journal_entries,
    read_losses,
)
from realtime.sinks.journal_store import Decided, Item, Started, Store

__all__ = [
    "JournalWriter",
    "Loss",
    "Run",
    "is_journal",
    "journal_runs",
    "next_run",
    "read_decisions",
    "read_journal_entries",
    "read_losses",
]

Committed = Callable[[JournalError | None], None]
"""Told when a decision's row is committed (None), or why it is not (yet)."""

MOST_AT_ONCE = 2000
"""Rows in one transaction: few enough that a disk with some room left makes progress."""
LOOKS_BEFORE_SLEEP = 10
"""Looks without an entry after which the thread sleeps until it is called."""
SYNC_GRACE_S = 0.05
"""How much longer than ``sync_every_s`` to wait for a decision behind which the fsync can hide, s."""


class JournalWriter:
    """Writes a journal from a thread of its own.

    Parameters
    ----------
    path : path
        A new file, or the journal of an earlier run of the same session (`next_run`).
    queue_size : int
        Entries and decisions that may wait.
    on_trouble : callable of str
        Told, from the writer's thread, what went wrong and when it went well again.  It must not
        raise.
    linger_s : float
        How often (s) the thread looks for entries.  Looking costs the caller less than being
        called, and keeps the thread out of the way of the computation that an entry sets off.  A
        decision calls it at once, and is committed with all entries before it.
    sync_every_s : float
        Time (s) after which what was committed is forced onto the disk, too.
    retry_s : tuple of 2 floats
        First and longest wait (s) before a failed commit is tried again.

    Raises
    ------
    JournalError
        The file cannot be created or opened, is not a journal, or another session writes it.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        queue_size: int = 10_000,
        on_trouble: Callable[[str], None],
        linger_s: float = 0.1,
        sync_every_s: float = 1.0,
        retry_s: tuple[float, float] = (0.1, 5.0),
    ) -> None:
        self.path = Path(path)
        self._size = queue_size
        self._tell = on_trouble
        self._linger_s = linger_s
        self._sync_every_s = sync_every_s
        self._retry_s = retry_s

        # Shared, under the condition's lock.
        self._changed = threading.Condition()
        self._queue: deque[tuple[Item, Committed | None]] = deque()
        self._loss: Loss | None = None
        self._dropped = 0
        self._last_local = 0.0
        self._asleep = False
        self._urgent = False
        self._closing = False
        self._ended = False

        # The thread's own.
        self._store = Store(self.path)
        self._unsynced = False
        self._synced_at = time.monotonic()
        self._look_at = time.monotonic() + linger_s
        self._idle = 0
        self._failures = 0
        self._retry_at = 0.0
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self._thread.start()

    # ------------------------------------------------------------------ for the session

    @property
    def depth(self) -> int:
        """How many entries and decisions wait to be committed."""
        return len(self._queue)

    @property
    def dropped(self) -> int:
        """How many entries and decisions did not fit into the queue since the start."""
        return self._dropped

    @property
    def failing(self) -> bool:
        """Whether the journal cannot be written at the moment."""
        return self._failures > 0

    def append(self, entry: Entry) -> None:
        """Take an entry of the log; never waits, never fails for reasons of the disk."""
        row = encode(entry)
        item = Started(entry.run, entry.session, row) if isinstance(entry, SessionStarted) else row
        with self._changed:
            self._last_local = row.local
            if self._accept(item, None) and self._asleep:
                self._changed.notify()

    def decide(self, decision: Decision, on_committed: Committed, *, text: str | None = None) -> None:
        """Take a decision; never waits.

        Parameters
        ----------
        decision : Decision
            Committed together with, or after, all entries that were appended before it.
        on_committed : callable
            Called once: with None when the row is committed, from the writer's thread; or with
            a JournalError where it could not be committed at the first try (it stays in the
            queue and is tried again), or did not fit into the queue (then before this returns).
            Whether to publish a decision that the journal does not hold is for the session to
            decide and to declare.  It must not raise.
        text : str or None
            ``decision.to_json()``, where the caller has it already.
        """
        item = Decided(decision.run, decision.sequence, text or decision.to_json())
        with self._changed:
            accepted = self._accept(item, on_committed)
            if accepted:
                self._urgent = True
                self._changed.notify()
        if not accepted:
            on_committed(JournalError(f"The journal {self.path} takes no more: {self.depth} entries wait."))

    def close(self, timeout: float = 30.0) -> None:
        """Write what waits, force it onto the disk, and close; the file then stands alone.

        Parameters
        ----------
        timeout : float
            Longest wait (s).

        Raises
        ------
        JournalError
            Something could not be written; says how much.
        """
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(timeout)
        if self._queue or self._thread.is_alive():
            raise JournalError(
                f"The journal {self.path} was closed before {self.depth} entries could be written."
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _accept(self, item: Item, on_committed: Committed | None) -> bool:
        """Put an item into the queue if there is room; if not, count it.  Called under the lock."""
        if self._closing or self._ended or len(self._queue) >= self._size:
            self._dropped += 1
            first = self._loss.first if self._loss else self._last_local
            missing = self._loss.missing + 1 if self._loss else 1
            self._loss = Loss(missing, first, self._last_local)
            return False
        self._declare_loss()
        self._queue.append((item, on_committed))
        return True

    def _declare_loss(self) -> None:
        if self._loss is not None:
            self._queue.append((self._loss, None))
            self._loss = None

    # ------------------------------------------------------------------ in the thread

    def _work(self) -> None:
        try:
            while self._wait():
                try:
                    self._write()
                except (sqlite3.Error, JournalError) as error:
                    self._failed(error)
                    if self._closing:
                        break
            self._finish()
        finally:
            self._ended = True
            self._store.close()

    def _wait(self) -> bool:
        """Wait until there is something to do; False when all is done and the journal closes."""
        with self._changed:
            while not (self._closing or self._urgent):
                now = time.monotonic()
                if self._failures:
                    until = self._retry_at
                else:
                    until = self._look_at
                    if now >= until and not self._queue and not self._unsynced:
                        self._look_at = until = now + self._linger_s
                        self._idle += 1
                if until <= now:
                    break
                self._asleep = self._idle >= LOOKS_BEFORE_SLEEP
                if not self._asleep:
                    self._changed.wait(until - now)
                    continue
                self._changed.wait()
                self._asleep = False
                self._idle, self._look_at = 0, time.monotonic() + self._linger_s
            self._idle = 0
            if self._closing:
                self._declare_loss()
            return bool(self._queue) or not self._closing

    def _write(self) -> None:
        """Commit what waits, tell those who wait for it, and then, once a second, the fsync."""
        with self._changed:
            self._urgent = False
            batch = list(islice(self._queue, MOST_AT_ONCE))
        if self._failures and not self._closing and time.monotonic() < self._retry_at:
            self._refuse("it cannot be written at the moment")
            return
        if held := self._store.reopen():
            self._committed(held)
            return
        if batch:
            self._store.commit(item for item, _ in batch)
            self._unsynced = True
            self._committed(len(batch))
        decided = any(isinstance(item, Decided) for item, _ in batch)
        # After a decision half the time: looks then fall between decisions, not onto them.
        pause = 0.0 if len(batch) == MOST_AT_ONCE else self._linger_s / 2 if decided else self._linger_s
        self._look_at = time.monotonic() + pause
        due = self._sync_every_s / 2 if decided else self._sync_every_s + SYNC_GRACE_S
        now = time.monotonic()
        if self._unsynced and now - self._synced_at >= due:
            self._store.sync()
            self._unsynced, self._synced_at = False, now
        if self._failures:
            self._failures = 0
            self._tell(f"The journal {self.path} is written again; {self.depth} entries wait.")

    def _committed(self, count: int) -> None:
        """Take what is committed off the queue and tell those who wait for it."""
        with self._changed:
            done = [self._queue.popleft() for _ in range(count)]
        for _, on_committed in done:
            if on_committed is not None:
                on_committed(None)

    def _failed(self, error: Exception) -> None:
        self._store.abandon()
        first, longest = self._retry_s
        self._retry_at = time.monotonic() + min(first * 2 ** min(self._failures, 30), longest)
        self._failures += 1
        if self._failures == 1:
            self._tell(
                f"The journal {self.path} cannot be written ({error}). The session goes on; up to "
                f"{self._size} entries wait until it can be written again. Make room on the disk."
            )
        self._refuse(str(error))

    def _refuse(self, why: str) -> None:
        """Tell every decision that waits that it isn't committed yet; each is told only once."""
        told: list[Committed] = []
        with self._changed:
            for index, (item, on_committed) in enumerate(self._queue):
                if on_committed is not None:
                    told.append(on_committed)
                    self._queue[index] = (item, None)
        for on_committed in told:
            on_committed(JournalError(f"The journal {self.path} does not hold this decision yet: {why}."))

    def _finish(self) -> None:
        """Force the last commits out and leave one file that stands alone."""
        if self._queue or self._failures:
            return
        try:
            self._store.sync()
        except sqlite3.Error as error:
            self._failed(error)
            return
        self._store.finish()
