"""Which windows of a cohort have which label, and what is reported where a label has none."""

from collections.abc import Collection, Sequence

import numpy as np

from models.errors import RecipeError
from offline.base.cohort import Cohort, CohortRow
from offline.base.remarks import Remark
from offline.base.spelling import canonical, identity, shown
from offline.recordings.dates import outside
from offline.samples.labels import Span, labels_of, usable_within
from offline.samples.recipe_labels import Labels
from offline.samples.replay import ReplayedWindows
from offline.samples.sample_account import SampleAccount, lost_words
from realtime.sources.recording import Recording
from realtime.windows import Window

SHOWN = 3
"""So many recordings are named one by one in a message."""


class WindowLabels:
    """Labels the windows of one recording after the other.

    Parameters
    ----------
    wanted : Labels
        Section of the recipe.
    cohort : Cohort
        All recordings.
    rows : sequence of CohortRow
        Those that are used.

    Attributes
    ----------
    names : tuple of str
        Labels in the order of the network's outputs.

    Raises
    ------
    RecipeError
        As `labels_of`.
    """

    def __init__(self, wanted: Labels, cohort: Cohort, rows: Sequence[CohortRow]) -> None:
        self.names, self._own = labels_of(rows, cohort, wanted)
        self._wanted = wanted
        self._events: set[str] = set()
        self._outside: dict[str, str] = {}

    def of(
        self, number: int, name: str, replayed: ReplayedWindows, span: Span | None
    ) -> tuple[list[Window], list[int]]:
        """The usable windows that have a label, and which.

        Parameters
        ----------
        number, name : int, str
            Of the recording: its place in ``rows``, and what it is called.
        replayed : ReplayedWindows
            Its windows.
        span : Span or None
            Only windows wholly inside it.

        Raises
        ------
        RecipeError
            Intervals of two labels hold one window.
        """
        events = replayed.recording.events
        self._events |= {event.label for event in events}
        if words := self._outside_words(replayed.recording):
            self._outside[name] = words
        kept: list[Window] = []
        targets: list[int] = []
        for window in usable_within(replayed, span):
            label = self._own[number]
            if self._wanted.source == "events":
                label = self._wanted.label_of(window.start, window.end, events)
            if label is not None:
                kept.append(window)
                targets.append(self.names.index(label))
        return kept, targets

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
        """Refuse a cohort in which a label has no window.

        Parameters
        ----------
        accounts : sequence of SampleAccount
            Of every recording.

        Raises
        ------
        RecipeError
            With what was lost, and where to look.
        """
        empty = [label for label in self.names if not any(each.labelled[label] for each in accounts)]
        if not empty:
            return
        where, seen = f"the column {self._wanted.column!r}", ""
        if self._wanted.source == "events":
            where = "labels.intervals (events, delay_s, duration_s)"
            names = sorted({name for label in empty for name in self._wanted.intervals[label].events})
            seen = (
                f"The recipe wants events {', '.join(map(repr, names))}; "
                f"the recordings have {', '.join(map(repr, sorted(self._events))) or 'none'}. "
            )
            if far := [f"{words} in {name}" for name, words in self._outside.items()]:
                seen += (
                    f"But events lie outside the recordings' time ({_first(far)}): those markers are on a "
                    "clock that the signal does not share, or of another recording. "
                )
        lost = _first([f"{each.recording}: {lost_words(each)}" for each in accounts])
        raise RecipeError(
            f"No usable window has label {' or '.join(map(repr, empty))}. {seen}Check {where}, "
            f"window.length_s and what was lost: {lost}."
        )

    def _outside_words(self, recording: Recording) -> str:
        """How many of the events that begin a label lie outside a recording; empty where none does."""
        events = tuple(event for event in recording.events if event.label in self._wanted.events)
        far = int(np.count_nonzero(outside(events, recording.times)))
        return f"{far} of {len(events)}" if far else ""


def events_spelt_otherwise(wanted: Labels, found: Collection[str]) -> list[Remark]:
    """On events that are nearly called as the recipe wants them, and so are not taken.

    Parameters
    ----------
    wanted : Labels
        Section of the recipe.
    found : collection of str
        Names of the recordings' events.
    """
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
