"""Files that a command writes must not cost a person another one."""

from pathlib import Path

from models.errors import HemostreamError

DECISIONS_BEGIN = b'{"schema":'
"""First bytes of a file of decisions."""


def may_hold_decisions(out: Path) -> None:
    """Refuse to replace what is not a file of decisions: a recording or a journal given by mistake.

    Raises
    ------
    HemostreamError
        Something else stands there.
    """
    if not out.exists():
        return
    if not out.is_file():
        if out.is_dir():
            raise HemostreamError(f"{out} is a folder; expected the name of a file for the decisions.")
        return  # a pipe or a device
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
        It exists.
    """
    if out.exists() and not overwrite:
        raise HemostreamError(f"{out} exists. Name another file, or say --overwrite to replace it.")
