"""Which label a window of a cohort has, and what is reported where a label has none."""

from collections.abc import Collection, Sequence

import numpy as np

from models.errors import RecipeError, near_match
from offline.base.cohort import Cohort, CohortRow
from offline.base.remarks import Remark
from offline.base.sample_table import SampleTable
from offline.base.spelling import canonical, identity, shown
from offline.base.spelt_alike import refuse_spelt_twice
from offline.recordings.dates import outside
from offline.samples.blocks import LabelBlock, LabelledWindows, holding, overlapping, why_lost
from offline.samples.recipe_labels import Labels
from offline.samples.replay import ReplayedWindows
from offline.samples.sample_account import SampleAccount, lost_words
from offline.samples.span import Span, usable_within
from realtime.channels.text_values import code_in, is_absent
from realtime.sources.recording import Recording

SHOWN = 3
"""So many recordings are named one by one in a message."""


OVERLAP = "overlap one of another label: windows that reach into both have no label"


class WindowLabels:
    """Labels the windows of one recording after the other.

    Parameters
    ----------
    wanted : Labels
        Section of the recipe.
    cohort : Cohort
        All recordings: leaving people out must not change what a label's number is.
    rows : sequence of CohortRow
        Those that are used.

    Attributes
    ----------
    names : tuple of str
        Labels in the order of the network's outputs.
    overlaps : list of Remark
        On recordings so far in which blocks of two labels overlap.

    Raises
    ------
    RecipeError
        The column is not there, does not hold what the recipe expects, or spells a label in two ways.
    """

    def __init__(self, wanted: Labels, cohort: Cohort, rows: Sequence[CohortRow]) -> None:
        self.names, self._own = labels_of(rows, cohort, wanted)
        self._wanted = wanted
        self.overlaps: list[Remark] = []
        self._events: set[str] = set()
        self._outside: dict[str, str] = {}

    def of(self, number: int, name: str, replayed: ReplayedWindows, span: Span | None) -> LabelledWindows:
        """The usable windows of a row of the table that have a label (wholly inside a span), and which."""
        recording = replayed.recording
        self._events |= {event.label for event in recording.events}
        if words := self._outside_words(recording):
            self._outside[name] = words
        usable, label = usable_within(replayed, span), self._own[number]
        if self._wanted.target == "person":
            if label is None:
                return LabelledWindows([], [])
            return LabelledWindows(usable, [self.names.index(label)] * len(usable))
        if self._wanted.source == "events":
            blocks = self._wanted.blocks(recording.events)
        else:  # a whole recording has one label
            begin, end = float(recording.times[0]), float(recording.times[-1]) + 1.0
            blocks = [] if label is None else [LabelBlock(label, "", begin, end)]
        if n := overlapping(blocks):
            self.overlaps.append(Remark(f"{n} of {len(blocks)} blocks {OVERLAP}", name))
        held = [(window, holding(blocks, window.start, window.end)) for window in usable]
        found = [(window, block) for window, block in held if block is not None]
        lost = _lost(blocks, {block for _, block in found}, replayed, span)
        return LabelledWindows(
            [window for window, _ in found],
            [self.names.index(blocks[block].label) for _, block in found],
            [block for _, block in found],
            blocks,
            lost,
        )

    def without_window(self, account: SampleAccount) -> Remark:
        """What is reported of a recording that has no labelled window."""
        lost = lost_words(account)
        if account.recording in self._outside:
            lost += f"; events outside the recording: {self._outside[account.recording]}"
        return Remark(f"no labelled window ({lost})", account.recording)

    def spelt_otherwise(self) -> list[Remark]:
        """On events of the recordings so far (`events_spelt_otherwise`)."""
        return events_spelt_otherwise(self._wanted, self._events)

    def refuse_empty(self, accounts: Sequence[SampleAccount]) -> None:
        """Refuse a cohort in which a label has no window, by the accounts of every recording.

        Raises
        ------
        RecipeError
            With what was lost, and where to look.
        """
        empty = [label for label in self.names if not any(each.labelled[label] for each in accounts)]
        if not empty:
            return
        where, found = f"the column {self._wanted.column!r}", ""
        if self._wanted.source == "events":
            where = "labels.intervals (events, delay_s, duration_s)"
            names = sorted({name for label in empty for name in self._wanted.intervals[label].events})
            found = (
                f"The recipe wants events {', '.join(map(repr, names))}; "
                f"the recordings have {', '.join(map(repr, sorted(self._events))) or 'none'}. "
            )
            if far := [f"{words} in {name}" for name, words in self._outside.items()]:
                found += (
                    f"But events lie outside the recordings' time ({_first(far)}): those markers are on a "
                    "clock that the signal does not share, or of another recording. "
                )
        lost = _first([f"{each.recording}: {lost_words(each)}" for each in accounts])
        raise RecipeError(
            f"No usable window has label {' or '.join(map(repr, empty))}. {found}Check {where}, "
            f"window.length_s and what was lost: {lost}."
        )

    def _outside_words(self, recording: Recording) -> str:
        """How many of the events that begin a label lie outside a recording; empty where none does."""
        events = tuple(event for event in recording.events if event.label in self._wanted.events)
        far = int(np.count_nonzero(outside(events, recording.times)))
        return f"{far} of {len(events)}" if far else ""


def _lost(
    blocks: Sequence[LabelBlock], kept: Collection[int], replayed: ReplayedWindows, span: Span | None
) -> dict[int, str]:
    """Blocks without a labelled window, and why; those that a span leaves out are not meant."""
    times = replayed.recording.times
    first, last = (-np.inf, np.inf) if span is None else span.of(replayed.recording)
    return {
        number: why_lost(block, replayed.windows, float(times[0]), float(times[-1]))
        for number, block in enumerate(blocks)
        if number not in kept and first <= block.start and block.stop <= last
    }


def events_spelt_otherwise(wanted: Labels, found: Collection[str]) -> list[Remark]:
    """On recordings' events that are nearly called as the recipe wants them, and so are not taken."""
    taken = set(map(canonical, wanted.events))
    by_identity = {identity(name): name for name in sorted(wanted.events)}
    return [
        Remark(
            f"events {shown(name)} are not taken for the recipe's {shown(by_identity[identity(name)])}, for "
            "they are spelt otherwise; name them in labels.intervals if they are meant"
        )
        for name in sorted(found)
        if canonical(name) not in taken and identity(name) in by_identity
    ]


def _first(lines: Sequence[str]) -> str:
    more = f"; and {len(lines) - SHOWN} more" if len(lines) > SHOWN else ""
    return "; ".join(lines[:SHOWN]) + more


def labels_of(
    rows: Sequence[CohortRow], cohort: Cohort, wanted: Labels
) -> tuple[tuple[str, ...], list[str | None]]:
    """All labels, and each row's own: None where it has none of them, or labels come from events."""
    if wanted.source == "events":
        return tuple(wanted.intervals), [None] * len(rows)
    assert wanted.column is not None
    own = [_value(row, wanted.column) for row in rows]
    if wanted.continuous:
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
    if "abstain" in labels:
        raise RecipeError(
            f"The cohort's column {wanted.column!r} holds 'abstain', which hemostream reports when it "
            "does not know; choose another word in the table."
        )
    if len(labels) < 2 or not set(labels) <= known:
        raise RecipeError(
            f"The cohort's column {wanted.column!r} holds {', '.join(sorted(known)) or 'nothing'}; expected "
            f"{', '.join(wanted.values) or 'two labels or more'}. Correct the table, or labels in the recipe."
        )
    return tuple(labels), [value if value in labels else None for value in own]


def amount_of(text: str, column: str) -> float | None:
    """A column's finite number; None where it is empty."""
    try:
        return code_in(text)
    except ValueError as error:
        raise RecipeError(f"The column {column!r} holds {str(error).removeprefix('is ')}.") from error


def amounts_of(cohort: Cohort, column: str) -> dict[str, float]:
    """Each person's number in a column of the cohort, of those who have one.

    Raises
    ------
    RecipeError
        A person has two, or it is no finite number.
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


def refuse_two_labels(table: SampleTable) -> None:
    """Refuse samples of a person who has two labels although the label is the person's.

    Raises
    ------
    RecipeError
        Names who.
    """
    for person in table.people:
        own = np.unique(table.target[table.person == person])
        if len(own) > 1:
            raise RecipeError(
                f"Person {person} has {len(own)} labels, but the recipe says that the label is the person's "
                '(labels.target = "person"). Correct the table, or set target = "event".'
            )
