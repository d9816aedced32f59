"""What is said of a table in which one thing may be spelt in two ways."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from models.errors import RecipeError
from offline.remarks import Remark
from offline.spelling import nearly, shown, spelt_twice

LISTED = 3
"""So many cells are named one by one."""


def refuse_spelt_twice(path: Path, column: str, cells: Iterable[tuple[str, int]]) -> None:
    """Refuse a column in which one thing is spelt in two ways.

    Parameters
    ----------
    path : Path
        Of the table, for messages.
    column : str
        Its name.
    cells : iterable of (str, int)
        What it holds, and in which line.

    Raises
    ------
    RecipeError
        Names both spellings, and a line of each.
    """
    lines: dict[str, int] = {}
    for text, line in cells:
        lines.setdefault(text, line)
    for one, other in spelt_twice(lines):
        raise RecipeError(
            f"{path}: {column} {shown(one)} (line {lines[one]}) and {shown(other)} (line {lines[other]}) are "
            "one but for case, blanks, dashes or look-alike letters, and would be taken for two. Spell them "
            "alike; or tell them apart by more than that."
        )


def changed_cells(cells: Sequence[str]) -> list[Remark]:
    """That cells were not taken as they stand in the table.

    Parameters
    ----------
    cells : sequence of str
        Line, column and text of each.
    """
    if not cells:
        return []
    text = (
        f"in {len(cells)} cells of the cohort's table letters were composed (NFC), or invisible characters "
        "and unusual blanks left out"
    )
    return [Remark(text, detail=", ".join(cells[:LISTED]) + (", ..." if len(cells) > LISTED else ""))]


def nearly_alike(people: Iterable[tuple[str, int]]) -> list[Remark]:
    """On codes that may be one person's or two people's: who made the table knows.

    Parameters
    ----------
    people : iterable of (str, int)
        Codes, and the line of each.
    """
    groups: dict[str, dict[str, int]] = {}
    for person, line in people:
        groups.setdefault(nearly(person), {}).setdefault(person, line)
    return [
        Remark(
            "people's codes differ only in zeros or in what stands between letters; if they are one "
            "person's, spell them alike",
            detail=" and ".join(f"{person!r} (line {line})" for person, line in group.items()),
        )
        for group in groups.values()
        if len(group) > 1
    ]
