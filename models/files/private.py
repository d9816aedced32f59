"""Files that hold something about people: made so that only the user who runs hemostream may read them.

Journals, decisions, predictions and reports are made with mode 0600 and their folders with 0700, whatever the
umask is.  A file that is continued, and a folder that is already there, keep the mode that somebody gave
them.  Where a system keeps permissions elsewhere (Windows) nothing is done.
"""

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

FILE = 0o600
FOLDER = 0o700


def private_folder(path: Path) -> None:
    """Make a folder, and those above it that lack, for this user only.

    Raises
    ------
    OSError
        It cannot be made, or a file stands there.
    """
    if path.is_dir():
        return
    if path.parent != path:
        private_folder(path.parent)
    path.mkdir(mode=FOLDER, exist_ok=True)


def open_private(path: Path | str, mode: str = "w", **options: Any) -> IO[Any]:
    """Open a file to write it anew, as `open` does; only this user may read it.

    Parameters
    ----------
    path : path
        Made or replaced.  A pipe or a device stays as it is.
    mode : str
        "w", "x" or "wb".
    **options
        Those of `open`; text is UTF-8 unless given otherwise.

    Raises
    ------
    OSError
        It cannot be opened.
    """
    if "b" not in mode:
        options.setdefault("encoding", "utf-8")
    return open(path, mode, opener=_opener, **options)


def write_private(path: Path, text: str) -> None:
    """Write a text file for this user only."""
    with open_private(path) as file:
        file.write(text)


def claim_private(path: Path) -> None:
    """Make an empty file for a library that writes by itself; one that is there stays as it is.

    Raises
    ------
    OSError
        It cannot be made.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE)
    except FileExistsError:
        return
    os.close(descriptor)


def replace_private(path: Path) -> None:
    """The same for a file that the library replaces: what is there becomes this user's only."""
    open_private(path, "wb").close()


def _opener(path: str, flags: int) -> int:
    descriptor = os.open(path, flags, FILE)
    if hasattr(os, "fchmod") and stat.S_ISREG(os.fstat(descriptor).st_mode):
        # One that was there keeps its mode otherwise; that it is another user's file is his decision.
        with suppress(PermissionError):
            os.fchmod(descriptor, FILE)
    return descriptor
