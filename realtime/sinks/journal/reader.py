"""Reading a journal, also while it is being written or after its writer was killed.

Readers open read-only and take no lock that a writer waits for.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from models.decode import decode as decode_record
from models.errors import JournalError
from realtime.log import AlarmChanged, Entry
from realtime.messages.alarms import Alarm
from realtime.sinks.journal.format import APPLICATION_ID, EntryRow, Loss, check_identity, decode, uri


class Run(NamedTuple):
    """One run in a journal: its number, its session, and the id of its first entry."""

    run: int
    session: str
    first: int


def is_journal(path: Path | str) -> bool:
    """Whether a file is a journal, by what stands at its beginning (SQLite's application id)."""
    path = Path(path)
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(72)
    return head.startswith(b"SQLite format 3") and int.from_bytes(head[68:72], "big") == APPLICATION_ID


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A journal, open to be read.

    Raises
    ------
    JournalError
        There is no such file, it is not a journal, or (also within) it is damaged.
    """
    if not path.is_file():
        raise JournalError(f"There is no journal {path}.")
    wal = path.with_name(f"{path.name}-wal")
    try:
        connection = sqlite3.connect(uri(path, mode="ro"), uri=True)
        try:
            connection.execute("PRAGMA schema_version").fetchone()
        except sqlite3.OperationalError:
            # On a read-only disk SQLite cannot put its index next to the file; no writer can be
            # writing there either, so the file alone may be trusted if nothing waits in the WAL.
            connection.close()
            if wal.exists() and wal.stat().st_size:
                raise
            connection = sqlite3.connect(uri(path, mode="ro", immutable="1"), uri=True)
    except sqlite3.DatabaseError as error:
        raise JournalError(f"{path} cannot be read as a journal: {error}.") from error
    try:
        check_identity(connection, path)
        yield connection
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # what SQLite quotes may be no text
        raise JournalError(f"The journal {path} is damaged: {error}.") from error
    finally:
        connection.close()


def _runs(connection: sqlite3.Connection) -> list[Run]:
    found = connection.execute("SELECT run, session, first FROM runs ORDER BY first")
    return [_fitting(Run, row) for row in found]


T = TypeVar("T")


def _fitting(kind: type[T], row: Sequence[Any]) -> T:
    """A row, if SQLite gave each column what the table says; it lets any column hold any value."""
    return decode_record(kind, tuple(row), error=JournalError, what="The journal is damaged")


def _span(connection: sqlite3.Connection, path: Path, run: int | None) -> tuple[int, int]:
    """Ids from which and up to which (exclusive) a run's rows stand."""
    end = 2**63 - 1
    if run is None:
        return 0, end
    runs = _runs(connection)
    for mine, following in zip(runs, [*runs[1:], None], strict=True):
        if mine.run == run:
            return mine.first, following.first if following else end
    known = ", ".join(str(one.run) for one in runs) or "none"
    raise JournalError(f"The journal {path} has no run {run}; it has: {known}.")


def journal_runs(path: Path | str) -> tuple[Run, ...]:
    """The runs that a journal holds, in order.

    Raises
    ------
    JournalError
        There is no such file, or it is not a journal.
    """
    with reading(Path(path)) as connection:
        return tuple(_runs(connection))


def next_run(path: Path | str, session: str) -> int:
    """The number that the next run of a session has: 1 where there is no journal yet.

    Raises
    ------
    JournalError
        The file is not a journal, or belongs to another session.
    """
    path = Path(path)
    if not path.exists() or not path.stat().st_size:
        return 1
    runs = journal_runs(path)
    for one in runs:
        if one.session != session:
            raise JournalError(
                f"The journal {path} belongs to session {one.session!r}, not {session!r}. A journal "
                "holds one session: name another file, or continue that session."
            )
    return max((one.run for one in runs), default=0) + 1


def read_journal_entries(path: Path | str, run: int | None = None) -> Iterator[Entry]:
    """The ordered log that a journal holds.

    Parameters
    ----------
    path : path
        The journal.  It may be in use, or cut short by a crash: all that was committed is given.
    run : int or None
        Only this run; None gives every run, one after the other.

    Returns
    -------
    iterator of Entry
        In the order in which they were appended, equal bit for bit.

    Raises
    ------
    JournalError
        There is no such file or run, or it is not a journal (at once); it is damaged (on the way).
    """
    path = Path(path)
    with reading(path) as connection:
        _span(connection, path, run)
    return _entries(path, run)


def _entries(path: Path, run: int | None) -> Iterator[Entry]:
    with reading(path) as connection:
        found = connection.execute(
            "SELECT kind, local, body, stamps, data FROM entries WHERE id >= ? AND id < ? ORDER BY id",
            _span(connection, path, run),
        )
        for row in found:
            yield decode(EntryRow(*row))


def read_decisions(path: Path | str, run: int | None = None) -> Iterator[str]:
    """The decisions that a journal holds, in order, each exactly as it was published.

    Parameters
    ----------
    path : path
        The journal.
    run : int or None
        Only this run; None gives every run.

    Returns
    -------
    iterator of str
        One line of JSON each; `realtime.decision.Decision.from_json` reads it.

    Raises
    ------
    JournalError
        As `read_journal_entries`.
    """
    path = Path(path)
    with reading(path) as connection:
        _span(connection, path, run)
    return _decisions(path, run)


def _decisions(path: Path, run: int | None) -> Iterator[str]:
    with reading(path) as connection:
        found = connection.execute(
            "SELECT body FROM decisions WHERE id >= ? AND id < ? ORDER BY id", _span(connection, path, run)
        )
        for (body,) in found:
            if not isinstance(body, str):
                raise JournalError(f"The journal {path} is damaged: a decision is no text.")
            yield body


def read_losses(path: Path | str, run: int | None = None) -> tuple[Loss, ...]:
    """What the journal declares not to hold; decisions after a loss cannot be computed again.

    Raises
    ------
    JournalError
        As `read_journal_entries`.
    """
    path = Path(path)
    with reading(path) as connection:
        found = connection.execute(
            "SELECT missing, first, last FROM lost WHERE id >= ? AND id < ? ORDER BY id",
            _span(connection, path, run),
        )
        return tuple(_fitting(Loss, row) for row in found)


def read_open_alarms(path: Path | str) -> tuple[Alarm, ...]:
    """The alarms that the last run left: those that lasted, or that nobody had acknowledged.

    Parameters
    ----------
    path : path
        A journal; one that is not there left none.

    Raises
    ------
    JournalError
        As `read_journal_entries`.
    """
    path = Path(path)
    if not path.is_file():
        return ()
    left: dict[str, Alarm] = {}
    with reading(path) as connection:
        runs = _runs(connection)
        found = connection.execute(
            "SELECT kind, local, body, stamps, data FROM entries WHERE kind = 'alarm' AND id >= ? "
            "ORDER BY id",
            (runs[-1].first if runs else 0,),
        )
        for row in found:
            entry = decode(EntryRow(*row))
            assert isinstance(entry, AlarmChanged)
            left[entry.alarm.id] = entry.alarm
    return tuple(alarm for alarm in left.values() if alarm.active or not alarm.acknowledged)
