"""Whether the files that a journal's writer has open still stand under their names.

A file that is removed or replaced stays open: everything written to it afterwards succeeds, and is gone with
the process.  So device and inode are compared, of the write-ahead log and its index as well, and the size,
which never shrinks while a journal is written.
"""

from pathlib import Path
from typing import NamedTuple

from models.errors import JournalError

COMPANIONS = ("-wal", "-shm")
"""What SQLite keeps next to a database that is open."""
MOST_FOUND = 1000
"""Most files of others that are renamed under one name."""


class Mark(NamedTuple):
    """What distinguishes a file from another one under its name: device, inode, and the least size, bytes."""

    device: int
    inode: int
    size: int


class Place:
    """The files of one journal.

    Parameters
    ----------
    path : pathlib.Path
        Of the journal.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._marks: dict[str, Mark] = {}

    def named(self, end: str) -> Path:
        """The journal (``end`` empty) or one of its companions."""
        return self._path.with_name(f"{self._path.name}{end}")

    def note(self) -> None:
        """Remember what is there; called when the files have just been opened."""
        found = {end: _mark(self.named(end)) for end in ("", *COMPANIONS)}
        self._marks = {end: mark for end, mark in found.items() if mark is not None}

    def trouble(self, ends: tuple[str, ...] = ("", *COMPANIONS)) -> str:
        """What is wrong, as the end of a sentence; empty where every file is there."""
        for end in ends:
            noted = self._marks.get(end)
            if noted is None:
                continue
            name = self.named(end).name
            found = _mark(self.named(end))
            if found is None:
                return f"the file {name} has been removed"
            if found[:2] != noted[:2]:
                return f"the file {name} has been replaced by another one"
            if found.size < noted.size:
                return f"the file {name} has been cut from {noted.size} to {found.size} bytes"
            self._marks[end] = found
        return ""

    def is_ours(self, end: str) -> bool:
        """Whether the file under this name is the one that was noted, and whole."""
        return end in self._marks and not self.trouble((end,))

    def set_aside(self, end: str) -> Path:
        """Give a file that is not ours, or that was cut, another name next to its own, and return it.

        Raises
        ------
        OSError, JournalError
            It cannot be renamed.
        """
        for number in range(1, MOST_FOUND):
            other = self.named(f".found-{number}{end}")
            if not other.exists():
                self.named(end).rename(other)
                return other
        raise JournalError(f"There are {MOST_FOUND} files named {self._path.name}.found-N. Remove some.")


def _mark(path: Path) -> Mark | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return Mark(found.st_dev, found.st_ino, found.st_size)
