"""Files that a command writes must not cost a person another one."""

from pathlib import Path

from models.errors import HemostreamError
from models.output_place import check_file

DECISIONS_BEGIN = b'{"schema":'
"""First bytes of a file of decisions."""


def may_hold_decisions(out: Path) -> None:
    """Refuse what no decisions can be written to, or what is not a file of decisions.

    A recording or a journal may be given by mistake.

    Raises
    ------
    HemostreamError
        Something else stands there, or nothing can be written.
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


def must_be_new(out: Path, *, overwrite: bool) -> None:
    """Refuse to replace a file unless told to.

    Raises
    ------
    HemostreamError
        It exists, or could not be written.
    """
    check_file(out, "A recording", beside=True)
    if out.exists() and not overwrite:
        raise HemostreamError(f"{out} exists. Name another file, or say --overwrite to replace it.")
