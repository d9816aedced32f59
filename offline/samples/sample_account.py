"""What became of a recording's windows, and what is reported where none is left."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from offline.base.cohort import CohortRow
from offline.samples.blocks import LabelledWindows
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
    recorded_s : float
        Length of the recording, s.
    blocks : mapping of label to int
        Blocks (trials) of each label that its events ask for; empty where the label is the person's.
    blocks_lost : mapping of label to mapping of reason to int
        Those of them that have no labelled window.
    """

    recording: str
    person: str
    windows: int
    fit: int
    labelled: Mapping[str, int]
    lost: Mapping[str, int]
    lost_s: float
    recorded_s: float = 0.0
    blocks: Mapping[str, int] = field(default_factory=dict)
    blocks_lost: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """All fields by name, JSON types."""
        return {**asdict(self), "remarks": list(self.remarks)}


def account_of(
    name: str, row: CohortRow, replayed: ReplayedWindows, found: LabelledWindows, labels: Sequence[str]
) -> SampleAccount:
    """Count what became of one recording's windows and blocks, of which some are labelled."""
    lost: Counter[str] = Counter()
    for window in replayed.windows:
        for reason in window.reasons:
            lost[str(reason)] += window.count
    usable = replayed.usable
    recording = replayed.recording
    counts = np.bincount(np.array(found.targets, dtype=np.int64), minlength=len(labels))
    asked = Counter(block.label for block in found.blocks)
    without = {label: Counter[str]() for label in labels}
    for number, why in found.lost.items():
        without[found.blocks[number].label][why] += 1
    return SampleAccount(
        recording=name,
        person=row.person,
        windows=sum(window.count for window in replayed.windows),
        fit=len(usable),
        labelled=dict(zip(labels, counts.tolist(), strict=True)),
        lost=dict(sorted(lost.items())),
        lost_s=usable[0].start - float(recording.times[0]) if usable else recording.duration,
        recorded_s=recording.duration,
        blocks={label: asked[label] for label in labels} if asked else {},
        blocks_lost={label: dict(sorted(own.items())) for label, own in without.items() if own},
    )


def lost_words(account: SampleAccount) -> str:
    """The same in words."""
    lost = ", ".join(f"{n} {reason}" for reason, n in account.lost.items()) or "none lost"
    blocks = "" if not account.blocks_lost else f"; {blocks_lost_words([account])}"
    return f"{account.windows} windows, {account.fit} fit, {lost}{blocks}"


def blocks_lost(accounts: Iterable[SampleAccount]) -> dict[str, int]:
    """Blocks of all labels that have no labelled window, by reason, the commonest first."""
    counts: Counter[str] = Counter()
    for account in accounts:
        for own in account.blocks_lost.values():
            counts.update(own)
    return dict(counts.most_common())


def blocks_lost_words(accounts: Sequence[SampleAccount]) -> str:
    """The same in words; empty where labels have no blocks."""
    asked = sum(sum(account.blocks.values()) for account in accounts)
    lost = blocks_lost(accounts)
    if not asked:
        return ""
    why = ", ".join(f"{n} {reason}" for reason, n in lost.items())
    return f"{sum(lost.values())} of {asked} blocks lost" + (f" ({why})" if why else "")
