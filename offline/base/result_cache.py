"""What long work gave, kept until it is needed: one rule for whatever lies there already.

Something that was damaged (by a full disk, a crash, a copy that was cut off), that is no file, or that holds
something else than is expected, is reported and computed again; it is never an error and never believed.
"""

import io
import logging
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np
import numpy.typing as npt

from models.errors import HemostreamError
from models.files.private import private_folder
from models.files.regular_file import open_regular, read_regular
from models.files.write_atomic import write_atomic

T = TypeVar("T")
Arrays = Mapping[str, npt.NDArray[Any]]

DAMAGED = (
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    EOFError,
    MemoryError,
    NotImplementedError,
    RuntimeError,
    SyntaxError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What comes of reading a file that may hold anything."""

log = logging.getLogger(__name__)


def make_folder(folder: Path) -> None:
    """Make a folder for results; a HemostreamError where it cannot be made."""
    try:
        private_folder(folder)
    except OSError as error:
        raise HemostreamError(f"The folder {folder} cannot be made: {error.strerror}.") from error


@contextmanager
def new_folder(folder: Path) -> Iterator[None]:
    """Make a folder for results; where the work fails before it wrote anything, take the folder away again.

    Those above it that lack are made too, and taken away too; what was there before stays.
    """
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    make_folder(folder)
    try:
        yield
    except BaseException:
        with suppress(OSError):  # something was written
            for each in made:
                each.rmdir()
        raise


def load_result(path: Path, made_of: Callable[[Arrays], T]) -> T | None:
    """What was kept under a name; None where there is nothing, or nothing whole.

    ``made_of`` makes the result of arrays by name, and raises ValueError (or TypeError, KeyError) where they
    are not what it expects; see `expect`.
    """
    return _load(path, lambda: made_of(_arrays_of(path)))


def load_text(path: Path, made_of: Callable[[str], T]) -> T | None:
    """The same of a text."""
    return _load(path, lambda: made_of(read_regular(path).decode("utf-8")))


def put_result(path: Path, **arrays: npt.ArrayLike) -> None:
    """Keep arrays under a name, wholly or not at all; a HemostreamError where they cannot be written."""
    _put(path, lambda file: np.savez(file, allow_pickle=False, **arrays))


def put_array(path: Path, values: npt.NDArray[Any]) -> None:
    """The same of one (...) array, as a ``.npy`` that can be mapped."""
    _put(path, lambda file: np.save(file, values, allow_pickle=False))


def put_text(path: Path, text: str) -> None:
    """The same of a text."""
    put_bytes(path, text.encode())


def put_bytes(path: Path, content: bytes) -> None:
    """The same of bytes."""
    _put(path, lambda file: file.write(content))


def expect(values: npt.NDArray[Any], kind: str, shape: tuple[int | None, ...]) -> npt.NDArray[Any]:
    """An (...) array, if it is of a kind (as in ``dtype.kind``: f, i, U) and a shape; None is any length.

    Raises
    ------
    ValueError
        It is of another.
    """
    fits = len(values.shape) == len(shape) and all(
        wanted in (None, found) for found, wanted in zip(values.shape, shape, strict=True)
    )
    if values.dtype.kind != kind or not fits:
        raise ValueError(f"it holds {values.dtype.kind}{values.shape} where {kind}{shape} is expected")
    return values


def _load(path: Path, read: Callable[[], T]) -> T | None:
    try:
        return read()
    except FileNotFoundError:
        return None
    except (OSError, *DAMAGED) as error:
        log.warning("%s is not whole (%s): computed again", path, error)
        return None


def _arrays_of(path: Path) -> Arrays:
    with open_regular(path) as file, zipfile.ZipFile(file) as kept:
        members = kept.infolist()
        # Nothing of ours is compressed: what claims to hold more than the file does is not ours.
        if sum(each.file_size for each in members) > os.fstat(file.fileno()).st_size:
            raise ValueError("it claims to hold more than it does")
        return {
            each.filename.removesuffix(".npy"): np.load(io.BytesIO(kept.read(each)), allow_pickle=False)
            for each in members
        }


def _put(path: Path, write: Callable[[IO[Any]], object]) -> None:
    try:
        write_atomic(path, write, private=True)
    except OSError as error:
        raise HemostreamError(
            f"What was computed cannot be kept in {path}: {error.strerror or error}. Make room, or give "
            "another folder; the same command goes on from what is kept."
        ) from error
