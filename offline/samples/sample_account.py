"""What became of a recording's windows, and what is reported where none is left."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from offline.base.cohort import CohortRow
from offline.samples.replay import ReplayedWindows


@dataclass(frozen=True)
class SampleAccount:
    """What became of one recording's windows, and what is to be known of it: first its reader's remarks.

    Parameters
    ----------
    windows, fit : int
        All that its length holds, and those that are usable.
    labelled : mapping of label to int
        Usable windows that a label holds for, within the span.
    lost : mapping of reason to int
        Windows that are not usable, by reason; a window may have two.
    lost_s : float
        Seconds from the first sample to the start of the first usable window; all where none is.
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
    """Count what became of one recording's windows; ``targets`` are labels of usable ones that have one."""
    lost: Counter[str] = Counter()
    for window in replayed.windows:
        for reason in window.reasons:
            lost[str(reason)] += window.count
    usable = replayed.usable
    recording = replayed.recording
    counts = np.bincount(np.array(targets, dtype=np.int64), minlength=len(labels))
    return SampleAccount(
        recording=name,
        person=row.person,
        windows=sum(window.count for window in replayed.windows),
        fit=len(usable),
        labelled=dict(zip(labels, counts.tolist(), strict=True)),
        lost=dict(sorted(lost.items())),
        lost_s=usable[0].start - float(recording.times[0]) if usable else recording.duration,
    )


def lost_words(account: SampleAccount) -> str:
    """The same in words."""
    lost = ", ".join(f"{n} {reason}" for reason, n in account.lost.items()) or "none lost"
    return f"{account.windows} windows, {account.fit} fit, {lost}"
