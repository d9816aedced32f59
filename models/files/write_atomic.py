"""Files that appear whole or not at all: written beside their name, which they take at the end."""

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from models.files.private import open_private


@contextmanager
def atomic_path(path: Path, *, sync: bool = False) -> Iterator[Path]:
    """A name beside a file's own, for a library that writes by itself; it takes the file's name at the end.

    Parameters
    ----------
    path : Path
        Of the file; what stands there is replaced.
    sync : bool
        Whether it is forced onto the disk first: where a power cut must not lose it.

    Raises
    ------
    OSError
        It cannot be written; nothing is left beside it then.
    """
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")  # another process may write the same
    try:
        yield part
        if sync:
            with part.open("rb+") as file:
                os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_atomic(
    path: Path, content: bytes | Callable[[IO[Any]], object], *, private: bool = False, sync: bool = False
) -> None:
    """Write a file wholly or not at all.

    Parameters
    ----------
    path : Path
        Of the file; what stands there is replaced.
    content : bytes or callable of binary file
        What it holds, or what writes it.
    private : bool
        Whether only this user may read it (`models.files.private`).
    sync : bool
        See `atomic_path`.

    Raises
    ------
    OSError
        It cannot be written.
    """
    with (
        atomic_path(path, sync=sync) as part,
        open_private(part, "wb") if private else part.open("wb") as file,
    ):
        if isinstance(content, bytes):
            file.write(content)
        else:
            content(file)
