"""Writing a session's journal: the complete ordered log and the decisions, safe from a crash.

A thread of its own writes, so that neither a slow disk nor a full one ever delays a sample.
What waits in the queue is committed together.  A commit survives the end of the process; once
a second one is also forced onto the disk (an fsync, milliseconds long), and that is done right
after a decision was acknowledged, so that it stands in no decision's way.

Whatever goes wrong in that thread is reported at once, and the status shows the journal as failing; what
came stays in the bounded queue and is tried again until it goes well.  What does not fit into the queue,
and an entry that alone cannot be written, is counted and declared in the journal itself, at the point
where it is missing.  A file that is removed or replaced under its name is made anew
(`realtime.sinks.journal.place`).

A decision that is meant for a broker stands in the journal's spool until the broker has
acknowledged it; that is noted with whatever is committed next, never by a commit of its own.
"""

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

from models.errors import JournalError
from realtime.decision import Decision
from realtime.log import Entry, SessionStarted
from realtime.sinks.journal.format import encode
from realtime.sinks.journal.queue import Committed, JournalQueue
from realtime.sinks.journal.reader import (
    is_journal,
    journal_runs,
    next_run,
    read_decisions,
    read_journal_entries,
    read_losses,
)
from realtime.sinks.journal.spool import read_spool
from realtime.sinks.journal.store import Decided, Item, JournalStore, Started
from realtime.sinks.journal.sync import SyncDue
from realtime.sinks.mqtt.outbox import Identity, Page

__all__ = [
    "JournalWriter",
    "is_journal",
    "journal_runs",
    "next_run",
    "read_decisions",
    "read_journal_entries",
    "read_losses",
]

MOST_AT_ONCE = 2000
"""Rows in one transaction: few enough that a disk with some room left makes progress."""
LOOKS_BEFORE_SLEEP = 10
"""Looks without an entry after which the thread sleeps until it is called."""
TRIED_BEFORE_ASIDE = 3
"""Failures in a row after which it is looked whether one entry alone is what cannot be written."""


class JournalWriter:
    """Writes a journal from a thread of its own.

    Parameters
    ----------
    path : path
        A new file, or the journal of an earlier run of the same session (`next_run`).
    queue_size : int
        Entries and decisions that may wait.
    on_trouble : callable of str
        Called from the writer's thread with what went wrong, and when it went well again.  It must not
        raise.
    linger_s : float
        How often (s) the thread looks for entries.  Looking costs the caller less than being
        called, and keeps the thread out of the way of the computation that an entry sets off.  A
        decision calls it at once, and is committed with all entries before it.
    sync_every_s : float
        Time (s) within which what was committed is forced onto the disk, too.
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
        self._retry_s = retry_s
        self._queue = JournalQueue(queue_size)
        self._closing = False

        # The thread's own.
        self._store = JournalStore(self.path)
        self._sync = SyncDue(sync_every_s, time.monotonic())
        self._look_at = time.monotonic() + linger_s
        self._idle = 0
        self._postponed = False
        self._failures = 0
        self._why = ""
        self._taken = 0  # Of what the store has written: no more in the queue.
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
        return self._queue.dropped

    @property
    def failing(self) -> bool:
        """Whether the journal cannot be written at the moment."""
        return self._failures > 0 or not (self._thread.is_alive() or self._closing)

    def append(self, entry: Entry) -> None:
        """Take an entry of the log; never waits, never fails for reasons of the disk."""
        row = encode(entry)
        item = Started(entry.run, entry.session, row) if isinstance(entry, SessionStarted) else row
        self._queue.put(item, row.local)

    def decide(
        self, decision: Decision, on_committed: Committed, *, text: str | None = None, spooled: bool = False
    ) -> None:
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
        spooled : bool
            Whether it is meant for a broker: it then stands in the spool until `acknowledge`.
        """
        item = Decided(decision.run, decision.sequence, text or decision.to_json(), spooled)
        if not self._queue.put(item, on_committed=on_committed):
            on_committed(JournalError(f"The journal {self.path} takes no more: {self.depth} entries wait."))

    def acknowledge(self, run: int, sequence: int) -> None:
        """Note that the broker has a decision; written down with the next commit.  Never waits."""
        self._queue.acknowledge((run, sequence))

    def spool(self, since: Identity, before: Identity) -> Page:
        """Some of what the broker has not acknowledged (`realtime.sinks.journal.spool`); from any thread.

        Raises
        ------
        JournalError
            It cannot be read.
        """
        return read_spool(self.path, since, before)

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
        with self._queue.changed:
            self._closing = self._queue.closed = True
            self._queue.changed.notify()
        self._thread.join(timeout)
        if len(self._queue) or self._thread.is_alive():
            raise JournalError(
                f"The journal {self.path} was closed before {self.depth} entries could be written"
                + (f": {self._why}." if self._why else ".")
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # ------------------------------------------------------------------ in the thread

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
        if self._failures >= TRIED_BEFORE_ASIDE and self._set_aside(batch):
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
            self._failures, self._why = 0, ""
            self._say(f"The journal {self.path} is written again; {self.depth} entries wait.")

    def _set_aside(self, batch: list[Item]) -> bool:
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
            self._tell(message)

    def _failed(self, error: Exception) -> None:
        first, longest = self._retry_s
        self._retry_at = time.monotonic() + min(first * 2 ** min(self._failures, 30), longest)
        self._failures += 1
        self._why = _named(error)
        if self._failures == 1:
            self._say(
                f"The journal {self.path} cannot be written ({self._why}). The session goes on; up to "
                f"{self._size} entries wait until it can be written again. {_advice(error)}"
            )
        with suppress(Exception):  # It is already known to be in trouble.
            self._store.abandon()
        self._refuse(self._why)

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
