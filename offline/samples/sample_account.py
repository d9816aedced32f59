"""What became of a recording's windows, and what is said where none is left."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from models.errors import RecipeError
from offline.base.cohort import CohortRow
from offline.recordings.dates import outside
from offline.samples.recipe_labels import Labels
from offline.samples.replay import ReplayedWindows
from realtime.sources.recording import Recording

SHOWN = 3
"""So many recordings are named one by one in a message."""


@dataclass(frozen=True)
class SampleAccount:
    """What became of one recording's windows.

    Parameters
    ----------
    recording, person : str
        Which, whose.
    windows, fit : int
        All that its length holds, and those that may be judged.
    labelled : mapping of label to int
        Fit windows that a label holds for, within the span.
    lost : mapping of reason to int
        Windows that may not be judged, by reason; a window may have two.
    lost_s : float
        Seconds from the first sample to the start of the first fit window; all where none is fit.
    remarks : tuple of str
        What is to be known of it: first what its reader remarked.
    """

    recording: str
    person: str
    windows: int
    fit: int
    labelled: Mapping[str, int]
    lost: Mapping[str, int]
    lost_s: float
    remarks: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """All fields by name, JSON types."""
        return {**asdict(self), "remarks": list(self.remarks)}


def account_of(
    name: str, row: CohortRow, replayed: ReplayedWindows, targets: Sequence[int], labels: Sequence[str]
) -> SampleAccount:
    """Count what became of one recording's windows.

    Parameters
    ----------
    name : str
        Of the recording.
    row : Row
        Whose it is.
    replayed : Replayed
        Its windows.
    targets : sequence of int
        Labels of the fit windows that have one.
    labels : sequence of str
        All there are.
    """
    lost: Counter[str] = Counter()
    for window in replayed.windows:
        for reason in window.reasons:
            lost[str(reason)] += window.count
    fit = replayed.fit
    recording = replayed.recording
    counts = np.bincount(targets, minlength=len(labels)) if targets else np.zeros(len(labels), dtype=np.int64)
    return SampleAccount(
        recording=name,
        person=row.person,
        windows=sum(window.count for window in replayed.windows),
        fit=len(fit),
        labelled=dict(zip(labels, counts.tolist(), strict=True)),
        lost=dict(sorted(lost.items())),
        lost_s=fit[0].start - float(recording.times[0]) if fit else recording.duration,
    )


def lost_words(account: SampleAccount) -> str:
    """The same in words."""
    lost = ", ".join(f"{n} {reason}" for reason, n in account.lost.items()) or "none lost"
    return f"{account.windows} windows, {account.fit} fit, {lost}"


def outside_words(name: str, recording: Recording, wanted: Labels) -> str:
    """How many of the events that begin a label lie outside a recording; empty where none does.

    Parameters
    ----------
    name : str
        Of the recording.
    recording : Recording
        As read.
    wanted : Labels
        Section of the recipe.
    """
    events = tuple(event for event in recording.events if event.label in wanted.events)
    far = int(np.count_nonzero(outside(events, recording.times)))
    return f"{far} of {len(events)} in {name}" if far else ""


def refuse_empty_labels(
    labels: Sequence[str],
    accounts: Sequence[SampleAccount],
    wanted: Labels,
    events: set[str],
    far: Sequence[str] = (),
) -> None:
    """Refuse a cohort in which a label has no window.

    Parameters
    ----------
    labels : sequence of str
        All that are wanted.
    accounts : sequence of Account
        Of every recording.
    wanted : Labels
        Section of the recipe.
    events : set of str
        Names that the recordings have.
    far : sequence of str
        Recordings with events outside of them (`outside_words`).

    Raises
    ------
    RecipeError
        With what was lost, and where to look.
    """
    empty = [label for label in labels if not any(account.labelled[label] for account in accounts)]
    if empty:
        shown = "; ".join(f"{account.recording}: {lost_words(account)}" for account in accounts[:SHOWN])
        more = f"; and {len(accounts) - SHOWN} more" if len(accounts) > SHOWN else ""
        if wanted.source == "events":
            names = sorted({name for label in empty for name in wanted.intervals[label].events})
            where = "labels.intervals (events, delay_s, duration_s)"
            seen = (
                f"The recipe wants events {', '.join(map(repr, names))}; "
                f"the recordings have {', '.join(map(repr, sorted(events))) or 'none'}. "
            )
            if far:
                first = "; ".join(far[:SHOWN]) + (f"; and {len(far) - SHOWN} more" if far[SHOWN:] else "")
                seen += (
                    f"But events lie outside the recordings' time ({first}): those markers are on a clock "
                    "that the signal does not share, or of another recording. "
                )
        else:
            where, seen = f"the column {wanted.column!r}", ""
        raise RecipeError(
            f"No usable window has label {' or '.join(map(repr, empty))}. {seen}Check {where}, "
            f"window.length_s and what was lost: {shown}{more}."
        )
