"""Whether something can be written where it is to be, found out before hours of work and by trying."""

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.errors import HemostreamError

LEAST_FREE = 2**20
"""Bytes that must be free on the disk, where it is not known how many will be needed."""
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS})
"""Errors of a disk that could be written when it was tried."""
TRIED = b"\0" * 4096
"""What is written to see whether anything can be."""


def check_folder(folder: str | Path, what: str, *, needed: int = LEAST_FREE, beside: bool = False) -> None:
    """Refuse a folder that could not be made, or not be written into; nothing is left behind.

    Parameters
    ----------
    folder : path
        Of the output; it, and folders above it, need not be there yet.
    what : str
        What will stand there, for the message.
    needed : int
        Bytes that it will hold, as far as that is known.
    beside : bool
        Whether it is made beside the name that it takes in the end.

    Raises
    ------
    HemostreamError
        Says what is in the way.
    """
    try:
        there = _nearest(Path(folder).absolute().parent if beside else Path(folder).absolute())
        if not there.is_dir():
            raise HemostreamError(
                f"{what} cannot be written to {folder}: {there} is a file; expected a folder, or nothing. "
                "Give another place."
            )
        _try(there)
        free = shutil.disk_usage(there).free
    except OSError as error:
        raise HemostreamError(
            f"{what} cannot be written to {folder}: {error.strerror or error}. Give another place, or make "
            "this one writable; nothing was computed."
        ) from error
    if free < needed:
        raise HemostreamError(
            f"{what} cannot be written to {folder}: its disk has {_amount(free)} free, and {_amount(needed)} "
            "or more are needed. Make room, or give another place; nothing was computed."
        )


def check_file(path: str | Path, what: str, *, beside: bool = False, pipes: bool = False) -> None:
    """Refuse a file that could not be written; what stands there stays as it is.

    Parameters
    ----------
    path : path
        Of the output.  Its folder must be there.
    what : str
        What will stand there, for the message.
    beside : bool
        Whether other files will stand beside it, so that its folder must be writable too.
    pipes : bool
        Whether it may be a pipe that somebody reads, or a device.

    Raises
    ------
    HemostreamError
        Says what is in the way.
    """
    path = Path(path)
    try:
        there = path.exists()
        if there:
            _check_kind(path, what, pipes=pipes)
            # Never waits: a pipe without a reader is an error.
            os.close(os.open(path, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0)))
        elif not path.parent.is_dir():
            raise HemostreamError(
                f"{what} cannot be written to {path}: there is no folder {path.parent}. Make it, or correct "
                "the name; nothing was computed."
            )
        if beside or not there:
            _try(path.parent)
        free = shutil.disk_usage(path.parent).free
    except OSError as error:
        why = "nobody reads this pipe" if error.errno == errno.ENXIO else error.strerror or error
        raise HemostreamError(
            f"{what} cannot be written to {path}: {why}. Give another name, or make it writable; nothing was "
            "computed."
        ) from error
    if free < LEAST_FREE and (not there or path.is_file()):
        raise HemostreamError(
            f"{what} cannot be written to {path}: its disk has {_amount(free)} free. Make room, or give "
            "another place; nothing was computed."
        )


@contextmanager
def report_if_full(what: str, place: str | Path, advice: str = "Make room") -> Iterator[None]:
    """Around writing: a disk that fills up meanwhile is an error that names the place.

    Parameters
    ----------
    what : str
        What is written, for the message.
    place : path
        Where to.
    advice : str
        What a person can do.

    Raises
    ------
    HemostreamError
        The disk is full, its quota is used up, or it cannot be written any more.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise HemostreamError(f"{what} cannot be written to {place}: {error.strerror}. {advice}.") from error


def _check_kind(path: Path, what: str, *, pipes: bool) -> None:
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise HemostreamError(
            f"{what} cannot be written to {path}: it is a folder; expected the name of a file."
        )
    if not stat.S_ISREG(mode) and not (pipes and (stat.S_ISFIFO(mode) or stat.S_ISCHR(mode))):
        raise HemostreamError(f"{what} cannot be written to {path}: it is no file. Give another name.")


def _nearest(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    while not folder.exists():
        if folder.is_symlink():
            raise FileNotFoundError(0, f"{folder} is a link that leads nowhere")
        folder = folder.parent
    return folder


def _try(folder: Path) -> None:
    """Make a folder and a file in it, and take both away."""
    with (
        tempfile.TemporaryDirectory(prefix=".hemostream-", dir=folder) as scratch,
        (Path(scratch) / "tried").open("wb") as file,
    ):
        file.write(TRIED)
        file.flush()
        os.fsync(file.fileno())


def _amount(size: int) -> str:
    return f"{size / 2**20:.1f} MiB" if size < 2**30 else f"{size / 2**30:.1f} GiB"
