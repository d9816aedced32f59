"""Writing a session's journal: the complete ordered log and the decisions, safe from a crash.

A thread of its own writes, so that neither a slow disk nor a full one ever delays a sample.
What waits in the queue is committed together.  A commit survives the end of the process; once
a second one is also forced onto the disk (an fsync, milliseconds long), and that is done right
after a decision was acknowledged, so that it delays no decision.

Whatever goes wrong in that thread is reported at once, and the status shows the journal as failing; what
came stays in the bounded queue and is tried again until it goes well.  What does not fit into the queue,
and an entry that alone cannot be written, is counted and declared in the journal itself, at the point
where it is missing.  A file that is removed or replaced under its name is made anew
(`realtime.sinks.journal.place`).

A decision that is meant for a broker is kept in the journal's spool until the broker has
acknowledged it; that is noted with whatever is committed next, never by a commit of its own.
"""

from collections.abc import Callable
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
    read_open_alarms,
)
from realtime.sinks.journal.spool import read_spool
from realtime.sinks.journal.store import Decided, Started
from realtime.sinks.journal.writing import WriterThread
from realtime.sinks.mqtt.outbox import Identity, Page

__all__ = [
    "JournalWriter",
    "is_journal",
    "journal_runs",
    "next_run",
    "read_decisions",
    "read_journal_entries",
    "read_losses",
    "read_open_alarms",
]


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
        self._queue = JournalQueue(queue_size)
        self._writer = WriterThread(
            self.path,
            self._queue,
            on_trouble=on_trouble,
            linger_s=linger_s,
            sync_every_s=sync_every_s,
            retry_s=retry_s,
            size=queue_size,
        )

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
        return self._writer.failing

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
            Whether it is meant for a broker: it is then kept in the spool until `acknowledge`.
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
        if not self._writer.close(timeout) or len(self._queue):
            raise JournalError(
                f"The journal {self.path} was closed before {self.depth} entries could be written"
                + (f": {self._writer.why}." if self._writer.why else ".")
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
