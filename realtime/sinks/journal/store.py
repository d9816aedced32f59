"""A journal's SQLite file as its one writer sees it: claim, commit, force onto the disk, make anew, close.

Synchronous and for one thread at a time; `realtime.sinks.journal.journal` decides when what is called.
"""

import sqlite3
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from models.errors import JournalError
from models.files.private import claim_private
from realtime.sinks.journal.claim import JournalClaim
from realtime.sinks.journal.format import (
    APPLICATION_ID,
    TABLES,
    UPGRADES,
    VERSION,
    EntryRow,
    Loss,
    check_identity,
    uri,
)
from realtime.sinks.journal.place import COMPANIONS, Place
from realtime.sinks.mqtt.outbox import Identity

CHECKPOINT_PAGES = 1000
"""WAL pages (4 KiB) after which they are moved into the main file, after an fsync."""
DAMAGED = {"SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_IOERR_READ", "SQLITE_IOERR_SHORT_READ"}
"""SQLite's names of errors that say that what is read is damaged, rather than that nothing can be written."""
HEADS = ("stream", "clock")
"""Kinds of entries without which those that follow mean nothing; a journal made anew begins with the last."""


@dataclass(frozen=True, slots=True)
class Started:
    """The entry with which a run begins."""

    run: int
    session: str
    row: EntryRow


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision as it is published; spooled until the broker has acknowledged it, or not at all."""

    run: int
    sequence: int
    text: str
    spooled: bool = False


Item = EntryRow | Started | Decided | Loss
"""Anything that is written down."""


class JournalStore:
    """The file, claimed for this process until `close`.

    Parameters
    ----------
    path : pathlib.Path
        A new file or a journal.

    Raises
    ------
    JournalError
        The file cannot be created or opened, is not a journal, or another session writes it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.written = 0
        """How many items were committed, as far as we know."""
        self._place = Place(path)
        self._wal = self._place.named("-wal")
        self._anew = self._place.named("-anew")
        if path.is_dir():
            raise JournalError(f"The journal {path} is a folder; name a file in it.")
        self._claim = JournalClaim(path)
        self._last = 0
        self._heads: dict[str, Started | EntryRow] = {}
        self._of_run = 0  # Rows of this run.
        self._rescued = False  # Whether `_anew` is whole.
        self._connection: sqlite3.Connection | None = None
        try:
            claim_private(path)
            self._connection = self._open(new=True)
        except (sqlite3.Error, OSError, JournalError) as error:
            self.close()
            if isinstance(error, JournalError):
                raise
            raise JournalError(f"The journal {path} cannot be opened: {error}.") from error

    def commit(self, items: Iterable[Item], acknowledged: Collection[Identity] = ()) -> None:
        """Write these in one transaction, which then survives the end of the process.

        Parameters
        ----------
        items : iterable of Item
            In order.
        acknowledged : collection of (run, sequence)
            Decisions, of this transaction or earlier ones, that leave the spool.

        Raises
        ------
        sqlite3.Error
            Nothing was written, as far as we know (`ready` finds out).
        """
        connection = self._connected
        number = self._last
        connection.execute("BEGIN IMMEDIATE")
        heads: dict[str, Started | EntryRow] = {}
        for item in items:
            number += 1
            if isinstance(item, Started):
                heads = {"session": item}
            elif isinstance(item, EntryRow) and item.kind in HEADS:
                heads[item.kind] = item
            _insert(connection, number, item)
        if acknowledged:
            connection.executemany("DELETE FROM spool WHERE run = ? AND sequence = ?", acknowledged)
        connection.execute("COMMIT")
        self.written += number - self._last
        self._of_run += number - self._last
        self._last = number
        if "session" in heads:
            self._heads = {}
        self._heads |= heads

    def sync(self) -> None:
        """Force all that is committed onto the disk, which then survives the end of the power.

        Raises
        ------
        sqlite3.Error
            It could not be done.
        """
        connection = self._connected
        # One small commit at FULL fsyncs the write-ahead log, and with it every commit before.
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("INSERT OR REPLACE INTO synced VALUES (1, ?)", (self._last,))
        connection.execute("PRAGMA synchronous=NORMAL")
        if self._wal.exists() and self._wal.stat().st_size > CHECKPOINT_PAGES * 4096:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def abandon(self) -> None:
        """Let go of the file after an error; what was not committed is rolled back.

        A file that does not stand under its name any more stays open: only we can still read it.
        """
        if self._connection is None:
            return
        with suppress(sqlite3.Error):  # It is already known to be in trouble.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        if not self._place.trouble():
            self._let_go()

    def ready(self) -> str:
        """Take the file up again after `abandon`, or make it anew where it is gone.

        Returns
        -------
        str
            What was done, where it was made anew or claimed again; else empty.

        Raises
        ------
        sqlite3.Error, OSError, JournalError
            It still cannot be written.
        """
        taken_anew = self._claim.hold()
        trouble = self._place.trouble(("",) if self._connection is None else ("", *COMPANIONS))
        if trouble:
            return self._make_anew(trouble)
        if taken_anew:
            # Rows that another writer put behind ours meanwhile are not the queue's.
            self._let_go()
            self._connection = self._open()
            return f"The lock file of the journal {self.path} was removed; it is claimed again."
        if self._connection is None:
            self._reopen()
        return ""

    def _reopen(self) -> None:
        before = self._last
        self._connection = self._open()
        # A commit that failed while it was forced out may yet have been completed.
        self.written += self._last - before

    def _make_anew(self, trouble: str) -> str:
        """A journal under the name again: with all that the old one held, or with a loss that it declares."""
        if not (self._rescued and self._anew.is_file()):
            self._anew.unlink(missing_ok=True)
            claim_private(self._anew)
            self._rescued = self._rescue()
        whole = self._rescued
        if not whole:
            self._begin_again()
        self._let_go()
        renamed = []
        for end in ("", *COMPANIONS):
            if self._place.is_ours(end) and (end or whole):
                self._place.named(end).unlink()
            elif self._place.named(end).exists():
                renamed.append(self._place.set_aside(end).name)
        self._anew.replace(self.path)
        self._rescued = False
        if whole:
            self._reopen()
        else:  # Its rows are not the queue's.
            self._connection = self._open()
        kept = (
            "it holds all that was written" if whole else "what was written before is lost, as it says itself"
        )
        found = f" What was there is now {renamed[0]}." if renamed else ""
        return f"The journal {self.path} was made anew, since {trouble}; {kept}.{found}"

    def _rescue(self) -> bool:
        """Copy what the open file holds; False where that cannot be read."""
        if self._connection is None:
            return False
        copy = sqlite3.connect(self._anew, isolation_level=None)
        try:
            self._connection.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE").fetchall()
            check_identity(copy, self._anew)
            (answer,) = copy.execute("PRAGMA quick_check(1)").fetchone()
            return bool(answer == "ok" and _newest(copy) >= self._last)
        except JournalError:
            return False
        except sqlite3.Error as error:
            if error.sqlite_errorname not in DAMAGED:
                raise  # The disk is full, say: the old file is still open.
            return False
        finally:
            copy.close()

    def _begin_again(self) -> None:
        """A new journal with the heads of this run, and the loss of everything else."""
        self._anew.unlink(missing_ok=True)
        claim_private(self._anew)
        heads = [self._heads[kind] for kind in ("session", *HEADS) if kind in self._heads]
        rows = [head.row if isinstance(head, Started) else head for head in heads]
        at = max((row.local for row in rows), default=0.0)
        connection = sqlite3.connect(self._anew, isolation_level=None)
        try:
            connection.executescript(_SCRIPT)
            number = self._last
            for head in [*heads, Loss(max(self._of_run - len(heads), 1), at, at)]:
                number += 1
                _insert(connection, number, head)
        finally:
            connection.close()

    def _let_go(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):  # It is already known to be in trouble.
                self._connection.close()
            self._connection = None

    def finish(self) -> None:
        """Make the file complete by itself, without a write-ahead log.

        A reader that is still there keeps us from that; then the log stays and nothing is lost.
        """
        connection = self._connected
        with suppress(sqlite3.OperationalError):
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            connection.execute("PRAGMA journal_mode=DELETE").fetchall()

    def close(self) -> None:
        """Close the file and give up the claim on it."""
        self._let_go()
        self._claim.release()

    @property
    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            raise sqlite3.OperationalError("the file is not open")
        if trouble := self._place.trouble():
            raise sqlite3.OperationalError(trouble)
        return self._connection

    def _open(self, *, new: bool = False) -> sqlite3.Connection:
        """Open the file, which may be empty where it is new, and find out what it already holds."""
        connection = sqlite3.connect(
            uri(self.path, mode="rw"), uri=True, timeout=0, isolation_level=None, check_same_thread=False
        )
        try:
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            if pages:
                check_identity(connection, self.path)
            elif not new:
                raise sqlite3.OperationalError("the file has been emptied")
            if not pages:  # Before there is a write-ahead log: the file itself says what it is.
                connection.executescript(_SCRIPT)
            _upgrade(connection)
            connection.execute("PRAGMA journal_mode=WAL").fetchone()
            connection.execute("PRAGMA synchronous=NORMAL")
            # Checkpoints are ours to time: SQLite's own come in the middle of a commit.
            connection.execute("PRAGMA wal_autocheckpoint=0").fetchone()
            self._last = _newest(connection)
        except (sqlite3.Error, JournalError):
            connection.close()
            raise
        self._place.note()
        return connection


_SCRIPT = (
    f"BEGIN IMMEDIATE;{TABLES}PRAGMA application_id={APPLICATION_ID};PRAGMA user_version={VERSION};COMMIT;"
)


def _newest(connection: sqlite3.Connection) -> int:
    """The highest number that anything in the file has."""
    (last,) = connection.execute(
        "SELECT max((SELECT coalesce(max(id), 0) FROM entries),"
        " (SELECT coalesce(max(id), 0) FROM decisions), (SELECT coalesce(max(id), 0) FROM lost))"
    ).fetchone()
    return int(last)


def _insert(connection: sqlite3.Connection, number: int, item: Item) -> None:
    match item:
        case EntryRow():
            connection.execute("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?)", (number, *item))
        case Decided(run, sequence, text, spooled):
            connection.execute("INSERT INTO decisions VALUES (?, ?, ?, ?)", (number, run, sequence, text))
            if spooled:
                connection.execute("INSERT OR REPLACE INTO spool VALUES (?, ?, ?)", (run, sequence, number))
        case Started(run, session, row):
            connection.execute("INSERT INTO runs VALUES (?, ?, ?)", (number, run, session))
            connection.execute("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?)", (number, *row))
        case Loss():
            connection.execute("INSERT INTO lost VALUES (?, ?, ?, ?)", (number, *item))


def _upgrade(connection: sqlite3.Connection) -> None:
    """Make an older version's journal one of this version; all of it or nothing."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for step in range(max(version, 1), VERSION):
        connection.executescript(f"BEGIN IMMEDIATE;{UPGRADES[step]}PRAGMA user_version={step + 1};COMMIT;")
