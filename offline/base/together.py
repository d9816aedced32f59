"""People who were measured together: members of a dyad, a family, a pair of twins.

What two people heard, did or breathed at the same time is in both their signals, and twins are alike
whatever is asked; so whoever is predicted by what was fitted to a partner is not unseen.  Such people are one
*unit*: on one side of every division, drawn together for intervals, permuted together.  A person without
partners is a unit alone.
"""

from collections import Counter
from collections.abc import Sequence

from models.errors import RecipeError, near_match
from offline.base.cohort import Cohort, CohortRow
from offline.base.remarks import Remark
from offline.base.spelt_alike import refuse_spelt_twice
from realtime.channels.text_values import is_absent

COLUMN = "together"
"""A column of this name says it without a word in the recipe."""
LIKELY, MOST, FEWEST = "group", 4, 3
"""A column that may say the same, where so many people at most have a value, and there are so many values."""


def units_of(cohort: Cohort, column: str | None = None) -> dict[str, str]:
    """The unit of everybody who was measured together with somebody: its people, joined by ``+``.

    Parameters
    ----------
    cohort : Cohort
        All people: leaving some out must not part the others.
    column : str or None
        The column in which people of a unit have one value; None is `COLUMN`, where the table has it.

    Raises
    ------
    RecipeError
        There is no such column, it spells a value in two ways, or a person has two values.
    """
    own = _values(cohort.rows, column)
    refuse_spelt_twice(cohort.path, column or COLUMN, [(value, row.line) for row, value in own if value])
    value_of: dict[str, str] = {}
    for row, value in own:
        if value and value_of.setdefault(row.person, value) != value:
            raise RecipeError(
                f"{cohort.path}, line {row.line}: {row.person} is measured together with {value!r} and, in "
                f"another row, with {value_of[row.person]!r}; expected one {column or COLUMN!r} a person. "
                "Give all who belong together one value."
            )
    people: dict[str, list[str]] = {}
    for person, value in sorted(value_of.items()):
        people.setdefault(value, []).append(person)
    return {
        person: "+".join(members) for members in people.values() if len(members) > 1 for person in members
    }


def together_hints(cohort: Cohort, column: str | None, label: str | None) -> list[Remark]:
    """On a column `LIKELY` that nobody named and that looks as if it said who was measured together."""
    if LIKELY in (column, label) or any(row.together for row in cohort.rows):
        return []
    members: dict[str, set[str]] = {}
    for row in cohort.rows:
        if value := row.values.get(LIKELY, ""):
            members.setdefault(value, set()).add(row.person)
    sizes = Counter(len(people) for people in members.values())
    if len(members) < FEWEST or not 2 <= min(sizes) <= max(sizes) <= MOST:
        return []
    few = f"{min(sizes)}" if min(sizes) == max(sizes) else f"{min(sizes)} to {max(sizes)}"
    return [
        Remark(
            f"the column {LIKELY!r} has {len(members)} values of {few} people each; if those were measured "
            f'together, set evaluation.together = "{LIKELY}" (or call the column {COLUMN!r}), or partners '
            "stand on both sides of the folds"
        )
    ]


def parted(units: dict[str, str], left_out: Sequence[str]) -> list[Remark]:
    """On people who are trained on although somebody of their unit is left out."""
    found = sorted(
        person
        for person, unit in units.items()
        if person not in left_out and any(other in left_out for other in unit.split("+"))
    )
    text = "people are used although whom they were measured together with is left out; leave them out too"
    return [Remark(text, detail=person) for person in found]


def _values(rows: Sequence[CohortRow], column: str | None) -> list[tuple[CohortRow, str]]:
    if column in (None, COLUMN):
        return [(row, row.together) for row in rows]
    known = {name for row in rows for name in row.values}
    if column not in known:
        raise RecipeError(
            f"evaluation.together names the column {column!r}, which the cohort does not have. "
            f"{near_match(str(column), sorted(known))}"
        )
    own = [(row, row.values.get(str(column), "")) for row in rows]
    return [(row, "" if is_absent(value) else value) for row, value in own]
