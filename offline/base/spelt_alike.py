"""Remarks and errors on a table in which one thing may be spelt in two ways."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from models.errors import RecipeError
from offline.base.remarks import Remark
from offline.base.spelling import identity, nearly, shown

LISTED = 3
"""So many cells are named one by one."""


def refuse_spelt_twice(path: Path, column: str, cells: Iterable[tuple[str, int]]) -> None:
    """Refuse a column in which one thing is spelt in two ways: texts, and in which line each stands.

    Raises
    ------
    RecipeError
        Names both spellings, and a line of each.
    """
    first: dict[str, tuple[str, int]] = {}
    for text, line in cells:
        one, at = first.setdefault(identity(text), (text, line))
        if one != text:
            raise RecipeError(
                f"{path}: {column} {shown(one)} (line {at}) and {shown(text)} (line {line}) are one but for "
                "case, blanks, dashes or look-alike letters, and would be taken for two. Spell them alike; "
                "or distinguish them by more than that."
            )


def changed_cells(cells: Sequence[str]) -> list[Remark]:
    """That cells (line, column and text of each) were not taken as they stand in the table."""
    if not cells:
        return []
    text = (
        f"in {len(cells)} cells of the cohort's table letters were composed (NFC), or invisible characters "
        "and unusual blanks left out"
    )
    return [Remark(text, detail=", ".join(cells[:LISTED]) + (", ..." if len(cells) > LISTED else ""))]


def nearly_alike(cells: Iterable[tuple[str, int]], what: str = "people's codes") -> list[Remark]:
    """On codes that may mean one thing or two: who made the table knows.

    Of each its text and line; empty ones say nothing. ``what`` they are, in words.
    """
    groups: dict[str, dict[str, int]] = {}
    for text, line in cells:
        groups.setdefault(nearly(text), {}).setdefault(text, line)
    return [
        Remark(
            f"{what} differ only in zeros or in what stands between letters; if they mean one, "
            "spell them alike",
            detail=" and ".join(f"{text!r} (line {line})" for text, line in group.items()),
        )
        for group in groups.values()
        if len(group) > 1
    ]
