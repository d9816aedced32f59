"""Files that come from outside, opened only where they are files.

A pipe, a socket or a device may stand under any name that is given: opening a pipe waits for whoever
writes into it, and a device never ends.  All that is wrong is an OSError, as of any file that cannot be read.
"""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

MEASURES = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
MOST_TEXT = 64 * 2**20
"""Bytes of a text that a person or a program of ours has written (a recipe, a card, a side file)."""


def check_regular(path: str | Path) -> None:
    """Refuse what is no file, for libraries that open a file by its name.

    Raises
    ------
    OSError
        There is nothing of that name, or it is no file; ``strerror`` says what it is.
    """
    _refuse_others(Path(path).stat().st_mode, path)


def open_regular(path: str | Path) -> BinaryIO:
    """Open a file to be read, without ever waiting for it.

    Raises
    ------
    OSError
        It cannot be opened, or is no file; ``strerror`` says what it is.
    """
    check_regular(path)  # to open some devices does something already
    # Non-blocking, and looked at once more: something else may have taken its place.
    own = ("O_NONBLOCK", "O_NOCTTY", "O_BINARY")
    descriptor = os.open(path, sum((getattr(os, name, 0) for name in own), os.O_RDONLY))
    try:
        _refuse_others(os.fstat(descriptor).st_mode, path)
        return os.fdopen(descriptor, "rb")
    except OSError:
        os.close(descriptor)
        raise


def read_regular(path: str | Path, *, most: int = MOST_TEXT) -> bytes:
    """All bytes of a file.

    Parameters
    ----------
    path : path
        Of the file.
    most : int
        Bytes that it may hold.

    Raises
    ------
    OSError
        It cannot be read, is no file, or is larger.
    """
    with open_regular(path) as file:
        # By its size: what is asked for is reserved, whether or not it comes.
        size = os.fstat(file.fileno()).st_size
        content = file.read() if size <= most else b""
    if max(size, len(content)) > most:
        raise OSError(errno.EFBIG, f"it holds more than {most} bytes, the most that is read", str(path))
    return content


def _refuse_others(mode: int, path: str | Path) -> None:
    if not stat.S_ISREG(mode):
        found = MEASURES.get(stat.S_IFMT(mode), "something else")
        number = errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL
        raise OSError(number, f"it is {found}; expected a file", str(path))
