"""The one writer's claim on a journal, held until the process ends, however it ends.

The lock is SQLite's own, on an empty file next to the journal, so it works wherever SQLite does and keeps no
reader away.  It is held on an open file: once that file is removed or replaced under its name, another writer
would be let in.  So it is looked at again and again, and claimed anew where it does not stand any more.
"""

import sqlite3
from contextlib import suppress
from pathlib import Path

from models.errors import JournalError
from models.files.private import claim_private


class JournalClaim:
    """A claim on a journal.

    Parameters
    ----------
    path : pathlib.Path
        Of the journal.

    Raises
    ------
    JournalError
        Another session has it, or no file can be made there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock: sqlite3.Connection | None = None
        self._mark: tuple[int, int] | None = None
        self._take()

    def hold(self) -> bool:
        """See that it still holds.

        Returns
        -------
        bool
            Whether it had to be claimed anew, so that another writer may have been there meanwhile.

        Raises
        ------
        JournalError
            Another session has it now, or no file can be made there.
        """
        if self._mark is not None and self._mark == _mark(self._file):
            return False
        self._let_go()
        self._take()
        return True

    def release(self) -> None:
        """Give it up."""
        ours = self._mark is not None and self._mark == _mark(self._file)
        self._let_go()
        if ours:
            with suppress(OSError):  # Windows: another writer may hold it by now, then it is not ours.
                self._file.unlink(missing_ok=True)

    @property
    def _file(self) -> Path:
        return self._path.with_name(f"{self._path.name}-lock")

    def _let_go(self) -> None:
        if self._lock is not None:
            self._lock.close()
        self._lock = self._mark = None

    def _take(self) -> None:
        path = self._path
        if not path.parent.is_dir():
            raise JournalError(f"The journal {path} cannot be created: there is no folder {path.parent}.")
        try:
            claim_private(self._file)
            lock = sqlite3.connect(self._file, timeout=0, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.OperationalError) as error:
            raise JournalError(f"The journal {path} cannot be created: {error}.") from error
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.DatabaseError as error:
            lock.close()
            raise JournalError(
                f"The journal {path} cannot be written ({error}): another session writes it, or the folder "
                "is read-only. End that session, or name another file."
            ) from error
        self._lock, self._mark = lock, _mark(self._file)


def _mark(path: Path) -> tuple[int, int] | None:
    """Device and inode."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
