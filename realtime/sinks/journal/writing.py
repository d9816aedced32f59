"""The thread that writes a journal: commits, fsyncs, retries, and the entry that alone cannot be written."""

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from models.errors import JournalError
from realtime.sinks.journal.queue import Committed, JournalQueue
from realtime.sinks.journal.store import Decided, Item, JournalStore
from realtime.sinks.journal.sync import SyncDue
from realtime.sinks.mqtt.outbox import Identity

MOST_AT_ONCE = 2000
"""Rows in one transaction: few enough that a disk with some room left makes progress."""
LOOKS_BEFORE_SLEEP = 10
"""Looks without an entry after which the thread sleeps until it is called."""
TRIED_BEFORE_LOST = 3
"""Failures in a row after which it is looked whether one entry alone is what cannot be written."""


class WriterThread:
    """Writes what a queue holds into a journal, until it is closed.

    Parameters
    ----------
    path : pathlib.Path
        The journal; opened here, written and closed by the thread.
    queue : JournalQueue
        What waits.
    on_trouble : callable of str
        As of `realtime.sinks.journal.journal.JournalWriter`, and so are the times.
    linger_s, sync_every_s : float
        Seconds.
    retry_s : tuple of float
        Seconds.
    size : int
        Of the queue, for messages.

    Raises
    ------
    JournalError
        The file cannot be created or opened, is not a journal, or another session writes it.
    """

    def __init__(
        self,
        path: Path,
        queue: JournalQueue,
        *,
        on_trouble: Callable[[str], None],
        linger_s: float,
        sync_every_s: float,
        retry_s: tuple[float, float],
        size: int,
    ) -> None:
        self.path = path
        self.why = ""
        """What went wrong last; empty where it works."""
        self._queue = queue
        self._size = size
        self._report = on_trouble
        self._linger_s = linger_s
        self._retry_s = retry_s
        self._closing = False
        self._store = JournalStore(path)
        self._sync = SyncDue(sync_every_s, time.monotonic())
        self._look_at = time.monotonic() + linger_s
        self._idle = 0
        self._postponed = False
        self._failures = 0
        self._taken = 0  # Of what the store has written: no more in the queue.
        self._retry_at = 0.0
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self._thread.start()

    @property
    def failing(self) -> bool:
        """Whether the journal cannot be written at the moment."""
        return self._failures > 0 or not (self._thread.is_alive() or self._closing)

    def close(self, timeout: float) -> bool:
        """Write what waits and end, within so many seconds; whether it ended."""
        with self._queue.changed:
            self._closing = self._queue.closed = True
            self._queue.changed.notify()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _work(self) -> None:
        try:
            while True:
                at_work = False
                try:
                    if not self._wait():
                        break
                    at_work = True
                    self._write()
                except Exception as error:  # noqa: BLE001 - the thread's outermost edge: reported, and tried again
                    self._failed(error)
                    if self._closing:
                        break
                    if not at_work:  # Nothing else would hold it up.
                        time.sleep(self._retry_s[0])
            self._finish()
        finally:
            self._queue.closed = True
            self._store.close()

    def _wait(self) -> bool:
        """Wait until there is something to do; False when all is done and the journal closes."""
        queue = self._queue
        with queue.changed:
            while not (self._closing or queue.urgent):
                now = time.monotonic()
                if self._failures:
                    until = self._retry_at
                else:
                    until = self._look_at
                    if now >= until and not len(queue) and not self._sync.unsynced:
                        self._look_at = until = now + self._linger_s
                        self._idle += 1
                if until <= now:
                    break
                queue.asleep = self._idle >= LOOKS_BEFORE_SLEEP
                if not queue.asleep:
                    queue.changed.wait(until - now)
                    continue
                queue.changed.wait()
                queue.asleep = False
                self._idle, self._look_at = 0, time.monotonic() + self._linger_s
            self._idle = 0
            if self._closing:
                queue.declare_loss()
            return len(queue) > 0 or not self._closing

    def _write(self) -> None:
        """Commit what waits, call its callbacks, and then, once a second, the fsync."""
        batch = self._queue.first(MOST_AT_ONCE)
        if self._failures and not self._closing and time.monotonic() < self._retry_at:
            self._refuse("it cannot be written at the moment")
            return
        if anew := self._store.ready():
            self._say(anew)
        if held := self._store.written - self._taken:  # Committed by what then seemed to fail.
            self._committed(held, None)
            return
        if self._failures >= TRIED_BEFORE_LOST and self._declare_first_lost(batch):
            return
        decided = any(isinstance(item, Decided) for item in batch)
        if batch:
            # A decision is waited for: what the broker has is noted the next time.
            self._postponed = decided and not self._postponed
            acknowledged = None if self._postponed else self._queue.acknowledged()
            self._store.commit(batch, acknowledged or ())
            self._sync.committed(time.monotonic())
            self._committed(len(batch), acknowledged)
        # After a decision half the time: looks then fall between decisions, not onto them.
        pause = 0.0 if len(batch) == MOST_AT_ONCE else self._linger_s / 2 if decided else self._linger_s
        now = time.monotonic()
        self._look_at = now + pause
        if self._sync.due(now, decided=decided):
            self._store.sync()
            self._sync.synced(now)
        if self._failures:
            self._failures, self.why = 0, ""
            self._say(f"The journal {self.path} is written again; {len(self._queue)} entries wait.")

    def _declare_first_lost(self, batch: list[Item]) -> bool:
        """Whether the first of what waits cannot be written though all else can: then its loss is declared.

        Nothing that can be kept is dropped for a trouble of the disk: the file must take something else
        before and after.
        """
        self._store.commit(())
        acknowledged = () if batch else self._queue.acknowledged()
        try:
            self._store.commit(batch[:1], acknowledged)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must be this item's
            self._store.abandon()
            self._store.ready()
            self._store.commit(())
            on_committed = self._queue.set_aside() if batch else None
            self._queue.forget(acknowledged)
            self._say(
                f"The journal {self.path} cannot hold one entry ({_named(error)}): it is left out and "
                "declared as lost. All others are kept. Please report this."
            )
            if on_committed is not None:
                self._call(
                    on_committed, JournalError(f"The journal cannot hold this decision: {_named(error)}.")
                )
        else:
            self._committed(len(batch[:1]), None)
            return bool(batch)
        self._failures = 1  # What is left is tried as a whole again.
        return True

    def _committed(self, count: int, acknowledged: list[Identity] | None) -> None:
        """Take what is committed off the queue and call its callbacks."""
        waiting = self._queue.taken(count, acknowledged)
        self._taken += count
        for on_committed in waiting:
            self._call(on_committed, None)

    def _call(self, on_committed: Committed, trouble: JournalError | None) -> None:
        """Call one callback; its failure affects no other."""
        try:
            on_committed(trouble)
        except Exception as error:  # noqa: BLE001 - the caller's code
            self._say(f"A decision is kept, but its callback failed: {_named(error)}.")

    def _say(self, message: str) -> None:
        with suppress(Exception):  # A terminal that is gone must not end the record.
            self._report(message)

    def _failed(self, error: Exception) -> None:
        first, longest = self._retry_s
        self._retry_at = time.monotonic() + min(first * 2 ** min(self._failures, 30), longest)
        self._failures += 1
        self.why = _named(error)
        if self._failures == 1:
            self._say(
                f"The journal {self.path} cannot be written ({self.why}). The session goes on; up to "
                f"{self._size} entries wait until it can be written again. {_advice(error)}"
            )
        with suppress(Exception):  # It is already known to be in trouble.
            self._store.abandon()
        self._refuse(self.why)

    def _refuse(self, why: str) -> None:
        """Call every waiting decision's callback with what is wrong; each only once."""
        for on_committed in self._queue.refused():
            self._call(
                on_committed,
                JournalError(f"The journal {self.path} does not hold this decision yet: {why}."),
            )

    def _finish(self) -> None:
        """Note the last acknowledgements, force everything out and leave one file that stands alone."""
        if len(self._queue) or self._failures:
            return
        try:
            if anew := self._store.ready():
                self._say(anew)
            if acknowledged := self._queue.acknowledged():
                try:
                    self._store.commit((), acknowledged)
                except OverflowError:  # Of a run that is none; the entry itself was declared as lost.
                    self._store.abandon()
                    self._store.ready()
            self._store.sync()
            self._store.finish()
        except Exception as error:  # noqa: BLE001 - the thread's outermost edge, too
            self._failed(error)


def _named(error: Exception) -> str:
    """An error in words: SQLite's and ours say it all, of others the kind is part of it."""
    if isinstance(error, sqlite3.Error | JournalError):
        return str(error)
    return f"{type(error).__name__}: {error}"


def _advice(error: Exception) -> str:
    if isinstance(error, sqlite3.Error | OSError):
        return "Make room on the disk, if it is full; leave the file where it is."
    return "Please report this."
