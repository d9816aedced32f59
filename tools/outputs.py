"""One rule for what commands write: what is there already is refused, unless ``--overwrite`` is given."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from models.errors import HemostreamError
from models.files.output_place import check_file, check_folder

Out = Annotated[Path, Parameter(name=["--out", "-o"])]
"""The option that names what a command writes."""
DECISIONS_BEGIN = b'{"schema":'
"""First bytes of a file of decisions."""


def refuse_existing(there: Path, *, overwrite: bool, option: str = "--out") -> None:
    """Refuse to replace an earlier output unless asked to.

    Parameters
    ----------
    there : Path
        A file, or a folder: an empty one of either is nothing yet, and so is a pipe.
    overwrite : bool
        Whether it may be replaced.
    option : str
        That names it, for the message.

    Raises
    ------
    HemostreamError
        Something is there.
    """
    if overwrite or not holds_something(there):
        return
    raise HemostreamError(
        f"{there} is there already; expected nothing of that name. Give another place with {option}, or "
        "--overwrite to replace it."
    )


def holds_something(there: Path) -> bool:
    """Whether a file or a folder is there and not empty."""
    try:
        if there.is_dir():
            return any(there.iterdir())
        return there.is_file() and there.stat().st_size > 0
    except OSError:
        return True  # whatever it is, it is there


def check_report(out: Path, *, overwrite: bool, page: str, unfinished: str = "") -> None:
    """Refuse a folder of a report that cannot be written, or that holds a whole one.

    Parameters
    ----------
    out : Path
        Of the report.
    overwrite : bool
        Whether an earlier report may be replaced.
    page : str
        The file that a whole report has.
    unfinished : str
        A folder that is there while a report is made: such a run may go on.

    Raises
    ------
    HemostreamError
        Something is in the way.
    """
    check_folder(out, "The report")
    if (out / page).is_file() and not (unfinished and (out / unfinished).is_dir()):
        refuse_existing(out, overwrite=overwrite)


def check_decisions(out: Path, *, overwrite: bool) -> None:
    """Refuse a place where no decisions can be written, or where something is already.

    Parameters
    ----------
    out : Path
        A file that holds decisions or nothing, or a pipe; a recording or a journal may be given by mistake.
    overwrite : bool
        Whether earlier decisions may be replaced.

    Raises
    ------
    HemostreamError
        Something else is there, or nothing can be written.
    """
    check_file(out, "Decisions", pipes=True)
    if not out.is_file():
        return
    with out.open("rb") as file:
        begin = file.read(len(DECISIONS_BEGIN))
    if begin and begin != DECISIONS_BEGIN:
        raise HemostreamError(
            f"{out} exists and does not hold decisions; it would be replaced. Name another file with --out, "
            "or move this one away."
        )
    refuse_existing(out, overwrite=overwrite)


def check_new_file(out: Path, what: str, *, overwrite: bool, option: str = "--out") -> None:
    """Refuse a file that cannot be written, or that is there already.

    Parameters
    ----------
    out : Path
        Of the file.
    what : str
        What will be there, for the message.
    overwrite : bool
        Whether it may be replaced.
    option : str
        That names it, for the message.

    Raises
    ------
    HemostreamError
        It exists, or could not be written.
    """
    check_file(out, what, beside=True)
    refuse_existing(out, overwrite=overwrite, option=option)


@contextmanager
def whole_file(out: Path) -> Iterator[Path]:
    """Give a temporary name to write to; the file takes its own name once it is whole, and only then.

    Parameters
    ----------
    out : Path
        Of the file.  A pipe or a device is written to directly.
    """
    if out.exists() and not out.is_file():
        yield out
        return
    part = out.with_name(f".{out.name[:100]}.{os.getpid()}.part")
    try:
        yield part
        part.replace(out)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
