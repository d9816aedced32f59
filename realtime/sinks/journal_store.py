"""A journal's SQLite file as its one writer sees it: claim, commit, force onto the disk, close.

Synchronous and for one thread at a time; `realtime.sinks.journal` decides when what is called.
"""

import sqlite3
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from models.errors import JournalError
from realtime.sinks.journal_format import (
    APPLICATION_ID,
    TABLES,
    UPGRADES,
    VERSION,
    Loss,
    Row,
    check_identity,
    uri,
)
from realtime.sinks.outbox import Identity

CHECKPOINT_PAGES = 1000
"""WAL pages (4 KiB) after which they are moved into the main file, after an fsync."""


@dataclass(frozen=True, slots=True)
class Started:
    """The entry with which a run begins."""

    run: int
    session: str
    row: Row


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision as it is published; spooled until the broker has acknowledged it, or not at all."""

    run: int
    sequence: int
    text: str
    spooled: bool = False


Item = Row | Started | Decided | Loss
"""Anything that is written down."""


class Store:
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
        self._wal = path.with_name(f"{path.name}-wal")
        self._lock = _claim(path)
        self._last = 0
        self._connection: sqlite3.Connection | None = None
        try:
            self._connection = self._open("rwc")
        except (sqlite3.Error, JournalError) as error:
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
            Nothing was written, as far as we know (`reopen` finds out).
        """
        connection = self._connected
        number = self._last
        connection.execute("BEGIN IMMEDIATE")
        for item in items:
            number += 1
            match item:
                case Row():
                    connection.execute("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?)", (number, *item))
                case Decided(run, sequence, text, spooled):
                    connection.execute(
                        "INSERT INTO decisions VALUES (?, ?, ?, ?)", (number, run, sequence, text)
                    )
                    if spooled:
                        connection.execute(
                            "INSERT OR REPLACE INTO spool VALUES (?, ?, ?)", (run, sequence, number)
                        )
                case Started(run, session, row):
                    connection.execute("INSERT INTO runs VALUES (?, ?, ?)", (number, run, session))
                    connection.execute("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?)", (number, *row))
                case Loss():
                    connection.execute("INSERT INTO lost VALUES (?, ?, ?, ?)", (number, *item))
        if acknowledged:
            connection.executemany("DELETE FROM spool WHERE run = ? AND sequence = ?", acknowledged)
        connection.execute("COMMIT")
        self._last = number

    def sync(self) -> None:
        """Force all that is committed onto the disk, which then survives the end of the power.

        Raises
        ------
        sqlite3.Error
            It could not be done.
        """
        connection = self._connected
        if not self.path.exists():
            raise sqlite3.OperationalError("the file has been removed")
        # One small commit at FULL fsyncs the write-ahead log, and with it every commit before.
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("INSERT OR REPLACE INTO synced VALUES (1, ?)", (self._last,))
        connection.execute("PRAGMA synchronous=NORMAL")
        if self._wal.exists() and self._wal.stat().st_size > CHECKPOINT_PAGES * 4096:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def abandon(self) -> None:
        """Let go of the file after an error; what was not committed is rolled back."""
        if self._connection is not None:
            with suppress(sqlite3.Error):  # It is already known to be in trouble.
                self._connection.close()
            self._connection = None

    def reopen(self) -> int:
        """Take the file up again after `abandon`.

        Returns
        -------
        int
            How many of the items last given to `commit` are in the file after all: a commit that
            failed while it was forced out may yet have been completed.

        Raises
        ------
        sqlite3.Error, JournalError
            It still cannot be opened.
        """
        if self._connection is not None:
            return 0
        before = self._last
        self._connection = self._open("rw")
        return self._last - before

    def finish(self) -> None:
        """Make the file stand alone, without a write-ahead log beside it.

        A reader that is still there keeps us from that; then the log stays and nothing is lost.
        """
        with suppress(sqlite3.OperationalError):
            self._connected.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            self._connected.execute("PRAGMA journal_mode=DELETE").fetchall()

    def close(self) -> None:
        """Close the file and give up the claim on it."""
        self.abandon()
        _release(self._lock, self.path)

    @property
    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            raise sqlite3.OperationalError("the file is not open")
        return self._connection

    def _open(self, mode: str) -> sqlite3.Connection:
        """Open the file (``rwc``: or create it) and find out what it already holds."""
        connection = sqlite3.connect(
            uri(self.path, mode=mode), uri=True, timeout=0, isolation_level=None, check_same_thread=False
        )
        try:
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            if pages:
                check_identity(connection, self.path)
            elif mode == "rw":
                raise sqlite3.OperationalError("the file has been emptied")
            if not pages:  # Before there is a write-ahead log: the file itself says what it is.
                connection.executescript(
                    f"BEGIN IMMEDIATE;{TABLES}PRAGMA application_id={APPLICATION_ID};"
                    f"PRAGMA user_version={VERSION};COMMIT;"
                )
            _upgrade(connection)
            connection.execute("PRAGMA journal_mode=WAL").fetchone()
            connection.execute("PRAGMA synchronous=NORMAL")
            # Checkpoints are ours to time: SQLite's own come in the middle of a commit.
            connection.execute("PRAGMA wal_autocheckpoint=0").fetchone()
            (last,) = connection.execute(
                "SELECT max((SELECT coalesce(max(id), 0) FROM entries),"
                " (SELECT coalesce(max(id), 0) FROM decisions), (SELECT coalesce(max(id), 0) FROM lost))"
            ).fetchone()
        except (sqlite3.Error, JournalError):
            connection.close()
            raise
        self._last = int(last)
        return connection


def _upgrade(connection: sqlite3.Connection) -> None:
    """Make an older version's journal one of this version; all of it or nothing."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for step in range(max(version, 1), VERSION):
        connection.executescript(f"BEGIN IMMEDIATE;{UPGRADES[step]}PRAGMA user_version={step + 1};COMMIT;")


def _claim(path: Path) -> sqlite3.Connection:
    """Hold the one writer's place for a journal until the process ends, however it ends.

    The lock is SQLite's own, on an empty file beside the journal, so it works wherever SQLite does
    and keeps no reader away.
    """
    if not path.parent.is_dir():
        raise JournalError(f"The journal {path} cannot be created: there is no folder {path.parent}.")
    if path.is_dir():
        raise JournalError(f"The journal {path} is a folder; name a file in it.")
    try:
        lock = sqlite3.connect(_lock_path(path), timeout=0, isolation_level=None, check_same_thread=False)
    except sqlite3.OperationalError as error:
        raise JournalError(f"The journal {path} cannot be created: {error}.") from error
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.DatabaseError as error:
        lock.close()
        raise JournalError(
            f"The journal {path} cannot be written ({error}): another session writes it, or the folder "
            "is read-only. End that session, or name another file."
        ) from error
    return lock


def _release(lock: sqlite3.Connection, path: Path) -> None:
    lock.close()
    with suppress(OSError):  # Windows: another writer may hold it by now, then it is not ours.
        _lock_path(path).unlink(missing_ok=True)


def _lock_path(path: Path) -> Path:
    return path.with_name(f"{path.name}-lock")
