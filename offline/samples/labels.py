"""Which label a window has, and which windows count at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from models.errors import RecipeError, near_match
from offline.base.cohort import Cohort, CohortRow
from offline.base.spelling import canonical
from offline.base.spelt_alike import refuse_spelt_twice
from offline.samples.recipe_labels import Labels
from offline.samples.replay import ReplayedWindows
from realtime.channels.text_values import code_in, is_absent
from realtime.sources.recording import Recording
from realtime.windows import Window


@dataclass(frozen=True)
class Span:
    """A part of each recording.

    Parameters
    ----------
    start, stop : float
        From its first sample: s, or fractions of its length.
    fraction : bool
        Whether they are fractions.
    """

    start: float
    stop: float
    fraction: bool = False

    def __post_init__(self) -> None:
        most = 1.0 if self.fraction else np.inf
        if not 0.0 <= self.start < self.stop <= most:
            unit = "fractions from 0 to 1" if self.fraction else "seconds from 0 up"
            raise RecipeError(
                f"A span from {self.start} to {self.stop} cannot be; expected {unit}, ascending."
            )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``"0:120"`` (seconds) or ``"0%:50%"``.

        Raises
        ------
        RecipeError
            It is neither.
        """
        fraction = text.count("%") == 2
        scale = 0.01 if fraction else 1.0
        try:
            start, stop = (
                float(part.strip().removesuffix("%" if fraction else "")) for part in text.split(":")
            )
        except ValueError:
            raise RecipeError(f"Span {text!r}: expected START:STOP in seconds, or like 0%:50%.") from None
        return cls(start * scale, stop * scale, fraction)

    def of(self, recording: Recording) -> tuple[float, float]:
        """First and last second of it, on the recording's clock."""
        first = float(recording.times[0])
        scale = recording.duration if self.fraction else 1.0
        return first + self.start * scale, first + self.stop * scale


def labels_of(
    rows: Sequence[CohortRow], cohort: Cohort, wanted: Labels
) -> tuple[tuple[str, ...], list[str | None]]:
    """All labels, and each row's own.

    Parameters
    ----------
    rows : sequence of Row
        The recordings that are used.
    cohort : Cohort
        All recordings: leaving people out must not change what a label's number is.
    wanted : Labels
        Section of the recipe.

    Returns
    -------
    tuple of str, list of (str or None)
        Labels in the order of the network's outputs; for each row its own where labels stand in a
        column, None where it has none of them or labels come from events.

    Raises
    ------
    RecipeError
        The column is not there, does not hold what the recipe expects, or spells a label in two ways.
    """
    if wanted.source == "events":
        return tuple(wanted.intervals), [None] * len(rows)
    assert wanted.column is not None
    own = [_value(row, wanted.column) for row in rows]
    if wanted.amount:
        return (wanted.column,), [
            None if amount_of(text, wanted.column) is None else wanted.column for text in own
        ]
    named = tuple(map(canonical, wanted.values))
    # A word for "not known" is a label only where the recipe names it.
    cells = [
        (value, row.line)
        for row in cohort.rows
        if (value := _value(row, wanted.column)) and (value in named or not is_absent(value))
    ]
    refuse_spelt_twice(cohort.path, f"label {wanted.column!r}", cells)
    known = {value for value, _ in cells}
    labels = named or tuple(sorted(known))
    if len(labels) < 2 or not set(labels) <= known:
        raise RecipeError(
            f"The cohort's column {wanted.column!r} holds {', '.join(sorted(known)) or 'nothing'}; expected "
            f"{', '.join(wanted.values) or 'two labels or more'}. Correct the table, or labels in the recipe."
        )
    return tuple(labels), [value if value in labels else None for value in own]


def amount_of(text: str, column: str) -> float | None:
    """A column's number; None where it is empty.

    Raises
    ------
    RecipeError
        It is no finite number.
    """
    try:
        return code_in(text)
    except ValueError as error:
        raise RecipeError(f"The column {column!r} holds {str(error).removeprefix('is ')}.") from error


def amounts_of(cohort: Cohort, column: str) -> dict[str, float]:
    """Each person's amount, of those who have one.

    Parameters
    ----------
    cohort : Cohort
        Whose.
    column : str
        Where it stands.

    Raises
    ------
    RecipeError
        A person has two.
    """
    out: dict[str, float] = {}
    for row in cohort.rows:
        value = amount_of(_value(row, column), column)
        if value is not None and out.setdefault(row.person, value) != value:
            raise RecipeError(
                f"Person {row.person} has {out[row.person]:g} and {value:g} in the column {column!r}; an "
                "amount is the person's, the same in every row. Correct the table."
            )
    return out


def _value(row: CohortRow, column: str) -> str:
    if column in ("site", "sex", "session"):
        return str(getattr(row, column))
    if column == "age":
        return "" if row.age is None else str(row.age)
    if column not in row.values:
        raise RecipeError(f"The cohort has no column {column!r} for labels. {near_match(column, row.values)}")
    return row.values[column]


def usable_within(replayed: ReplayedWindows, span: Span | None) -> list[Window]:
    """The usable windows wholly inside a span; all where it is None."""
    first, last = (-np.inf, np.inf) if span is None else span.of(replayed.recording)
    return [w for w in replayed.usable if first - 1e-6 <= w.start and w.end <= last + 1e-6]
