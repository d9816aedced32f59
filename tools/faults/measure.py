"""What a fault did: times held against the truth, and what was shown that should not have been."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.arrays import Floats
from realtime.clock import Clock
from realtime.log import ClockMeasured, Received, StreamOpened, StreamReset
from realtime.sinks.journal.journal import read_journal_entries
from tools.faults.hearing import Heard, age_at

SAME_STAMP_S = 2e-6
"""Stamps that lie closer are the same; they come back from LSL exactly."""


@dataclass(frozen=True, slots=True, eq=False)
class OutletTruth:
    """What an outlet really did.

    Parameters
    ----------
    index : (n_pushes,) int64
        Which sample each push was.
    true, stamp, local : (n_pushes,) float64, s
        When it was measured (stream clock), how it was stamped, when it was pushed (local clock).
    spoilt : (n_pushes,) bool
        Whether some of its values were worth nothing.
    """

    index: np.ndarray[Any, np.dtype[np.int64]]
    true: Floats
    stamp: Floats
    local: Floats
    spoilt: np.ndarray[Any, np.dtype[np.bool_]]

    @property
    def rate(self) -> float:
        """What was truly sampled, samples a stream second."""
        steps = np.diff(np.unique(self.true))
        return 1.0 / float(np.median(steps)) if len(steps) else 0.0

    @classmethod
    def read(cls, path: Path) -> "OutletTruth":
        """Read what ``tools.faults.device --truth`` wrote."""
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return cls(
            np.array([row[0] for row in rows], dtype=np.int64),
            np.array([row[1] for row in rows]),
            np.array([row[2] for row in rows]),
            np.array([row[3] for row in rows]),
            np.array([bool(row[4]) for row in rows]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Timed:
    """Samples as a session timed them, with the truth.

    Parameters
    ----------
    outlet : (n,) int64
        Which of the outlets each came from, from 0.
    true, given : (n,) float64, s
        When it was measured, and what the clock made of it.
    received : int
        Samples in the journal.
    pushed : int
        Samples that the outlets sent.
    """

    outlet: np.ndarray[Any, np.dtype[np.int64]]
    true: Floats
    given: Floats
    received: int
    pushed: int

    @property
    def error(self) -> Floats:
        """How wrong each time is, s: (n,) float64."""
        return np.abs(self.given - self.true)


def timed(journal: Path, truths: Sequence[OutletTruth]) -> Timed:
    """Give the journal's samples their times again, and find each in the truth.

    Parameters
    ----------
    journal : path
        Of the session.
    truths : sequence of Truth
        Of the outlets, in the order in which the session opened them.
    """
    clock: Clock | None = None
    offset, opened, at, received = 0.0, -1, -1, 0
    outlets: list[int] = []
    true: list[float] = []
    given: list[float] = []
    for entry in read_journal_entries(journal):
        match entry:
            case StreamOpened():
                clock, at = Clock(entry.spec.rate), -1
                opened = _whose(opened, entry, truths)
            case StreamReset() if clock is not None:
                clock.reset()
            case ClockMeasured():
                offset = entry.offset
            case Received() if clock is not None and opened >= 0:
                truth = truths[opened]
                if at < 0:
                    at = _first(truth, entry.stamps)
                received += len(entry.stamps)
                times, kept = clock.process(entry.stamps + offset)
                which = at + np.flatnonzero(kept)
                at += len(entry.stamps)
                within = which < len(truth.true)
                true += truth.true[which[within]].tolist()
                given += times[within].tolist()
                outlets += [opened] * int(within.sum())
    return Timed(
        np.array(outlets, dtype=np.int64),
        np.array(true),
        np.array(given),
        received,
        sum(len(truth.index) for truth in truths),
    )


def _whose(before: int, entry: StreamOpened, truths: Sequence[OutletTruth]) -> int:
    """The outlet that a stream came from: the latest that had begun to send, and none twice over."""
    begun = [number for number, truth in enumerate(truths) if truth.local[0] <= entry.local + 30.0]
    return min(before + 1, max(begun, default=len(truths) - 1), len(truths) - 1)


def _first(truth: OutletTruth, stamps: Floats) -> int:
    """Where in the truth the first samples received stand; at its start where stamps are made up."""
    found = np.flatnonzero(np.abs(truth.stamp - stamps[0]) < SAME_STAMP_S)
    return int(found[0]) if len(found) else 0


def good_share(truth: OutletTruth, start: float, end: float) -> float:
    """Share of a true span of time (stream s) that was measured, sent, and worth something."""
    inside = (truth.true >= start - 1e-6) & (truth.true < end - 1e-6) & ~truth.spoilt
    return len(np.unique(truth.index[inside])) / (truth.rate * (end - start)) if truth.rate else 0.0


@dataclass(frozen=True, slots=True)
class Shown:
    """What was shown as current.

    Parameters
    ----------
    labelled : int
        Decisions with a label on the topic of current decisions.
    wrong : int
        Of those, over windows whose content was not what they claim: spoilt, absent, or of another time.
    stale : int
        Of those, older than their policy when they arrived.
    """

    labelled: int
    wrong: int
    stale: int


def shown(
    heard: Iterable[Heard],
    truths: Sequence[OutletTruth],
    *,
    max_age_s: float,
    least_share: float,
    slack_s: float,
) -> Shown:
    """Hold what a subscriber was shown as current against the truth.

    Parameters
    ----------
    heard : iterable of Heard
        As it arrived.
    truths : sequence of Truth
        Of all outlets.
    max_age_s : float
        Policy, stream s.
    least_share : float
        Least share of a window that must have been measured.
    slack_s : float
        Stream seconds that a decision may take from the session's hands into the subscriber's.
    """
    labelled = wrong = stale = 0
    for one in heard:
        values = json.loads(one.text)
        if one.topic != "decision" or values["label"] == "abstain":
            continue
        labelled += 1
        stale += age_at(values, one.at_utc) > max_age_s + slack_s
        start, end = values["window_start"], values["window_end"]
        # One sample at the edge may fall on either side.
        wrong += not any(
            good_share(truth, start, end) >= least_share - 1.5 / (truth.rate * (end - start))
            for truth in truths
            if truth.rate
        )
    return Shown(labelled, wrong, stale)
