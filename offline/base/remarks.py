"""What readers find out about recordings, and the one way in which it reaches a person.

`Recording.remarks` are collected recording by recording, equal ones are put together, and the same lines
go to the error stream, to ``results.json`` and the report, and without names onto a bundle's card.
"""

import logging
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.outside import printable
from realtime.sources.recording import Recording

NAMED = 3
"""So many recordings are named in a line."""
LONGEST = 1000
"""Characters of a remark that are shown; part of its text comes from files."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Remark:
    """One remark, on a recording or (where that is empty) on all.

    Parameters
    ----------
    detail : str
        What of it may say who somebody is, and stands on no card.
    """

    text: str
    recording: str = ""
    detail: str = ""


def remarks_of(recording: Recording, name: str, path: Path) -> list[Remark]:
    """What the reader remarked, without the path, which says where a machine keeps its files."""
    paths = sorted({str(path), str(path.absolute()), str(path.resolve())}, key=len, reverse=True)
    found = []
    for text in recording.remarks:
        for each in paths:
            text = text.replace(each, path.name)
        found.append(Remark(one_line(text), name))
    return found


def lines_of(remarks: Iterable[Remark], *, named: bool = True) -> tuple[str, ...]:
    """Remarks as lines in order of first appearance, equal ones of several recordings in one.

    A card (not ``named``) only counts recordings, for names may say who somebody is.
    """
    grouped: dict[str, list[str]] = {}
    details: dict[str, list[str]] = {}
    for remark in remarks:
        details.setdefault(remark.text, []).extend([remark.detail] if remark.detail else [])
        where = grouped.setdefault(remark.text, [])
        if remark.recording and remark.recording not in where:
            where.append(remark.recording)
    lines = []
    for text, where in grouped.items():
        text = text if named else _without(text, where)
        if named and details[text]:
            text = f"{text}: {'; '.join(details[text])}"
        lines.append(f"{_subject(where, named)}: {text}" if where else text)
    return tuple(dict.fromkeys(lines))


def show(lines: Sequence[str]) -> None:
    """Show lines on the error stream (as warnings, so that a program can take them up)."""
    for line in lines:
        log.warning("%s", printable(line, None))  # names of files and people stand in it


def show_remarks(recording: Recording, path: Path) -> None:
    """Show what the reader of a single recording remarked."""
    show(lines_of(remarks_of(recording, path.name, path)))


def one_line(text: str) -> str:
    """A text of a file's without what moves a cursor, hides or turns round what stands beside it."""
    plain = "".join(
        character
        if unicodedata.category(character) not in ("Cc", "Cf", "Zl", "Zp", "Cs", "Co")
        else character.encode("unicode_escape", "surrogatepass").decode("ascii")
        for character in text
    )
    return plain if len(plain) <= LONGEST else f"{plain[: LONGEST - 3]}..."


def _subject(where: Sequence[str], named: bool) -> str:
    count = f"{len(where)} recordings" if len(where) > 1 else "recording" if named else "1 recording"
    if not named:
        return count
    rest = len(where) - NAMED
    names = ", ".join(where[:NAMED]) + (f" and {rest} more" if rest > 0 else "")
    return f"{count} ({names})" if len(where) > 1 else f"{count} {names}"


def _without(text: str, where: Sequence[str]) -> str:
    for name in where:
        if not name.isdigit():  # a folder called 1 is no reason to take every 1 out
            text = text.replace(name, "the file")
    return text
