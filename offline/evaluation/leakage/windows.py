"""An audit of windows: divisions, channels and rows of every protocol, whatever model is fitted.

All protocols predict the same windows (none of which overlap), train on the same number of windows, choose as
many channels, and share one honest twin: people in folds, channels chosen and features standardised on
training people.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from models.arrays import Floats
from offline.base.sample_table import SampleTable
from offline.base.splits import Fold, evaluation_folds
from offline.evaluation.leakage.protocols import (
    HONEST,
    OF_WINDOWS,
    AuditTask,
    Division,
    Labels,
    LabelsOf,
    Rounds,
    Rows,
)
from offline.evaluation.ridge import Labelled, labelled_rows

SELECTED = 0.1
"""Share of the channels that are chosen; two at least."""
PER_CHANNEL = 3
"""Features of a channel: mean, slope, spread."""
RANDOM_FOLDS = 5


@dataclass(frozen=True, eq=False)
class AuditWindows:
    """What every protocol works on.

    Parameters
    ----------
    features : (n, n_features) float64
        Of all windows: all means, all slopes, all spreads.
    table : SampleTable
        Whose they are; the targets are not used.
    apart : (m,) intp
        Windows of which none overlap, in each recording from its first on: those that are predicted.
    by_person : bool
        Whether the label is the person's.
    """

    features: Floats
    table: SampleTable
    apart: Rows
    by_person: bool

    @classmethod
    def of(cls, features: Floats, table: SampleTable, *, by_person: bool) -> "AuditWindows":
        """Find the windows that do not overlap."""
        return cls(features, table, windows_apart(table), by_person)

    def rows(self, which: Rows, y: Labels) -> Labelled:
        """Windows ``which``, (m,) intp, labelled by ``y``, (n,) int64; or the people whose they are."""
        return labelled_rows(
            self.features[which], y[which], self.table.person[which], by_person=self.by_person
        )

    def columns(self, task: AuditTask, y: Labels) -> Rows:
        """The features that a task's model sees, (m,) intp."""
        return select_channels(self.rows(task.selection, y))

    def channels(self, task: AuditTask, y: Labels) -> Rows:
        """The channels that a task's model sees, (m,) intp."""
        columns = self.columns(task, y)
        return columns[: len(columns) // PER_CHANNEL]


def windows_apart(table: SampleTable) -> Rows:
    """Windows of which none overlap: in each recording the first, and the next that begins when it ended.

    Parameters
    ----------
    table : SampleTable
        All windows.

    Returns
    -------
    (m,) intp
        Rows of the table, ascending.
    """
    chosen: list[int] = []
    for name in np.unique(table.recording):
        rows = np.flatnonzero(table.recording == name)
        free = -np.inf
        for row in rows[np.argsort(table.start[rows], kind="stable")]:
            if table.start[row] >= free - 1e-6:
                chosen.append(int(row))
                free = float(table.stop[row])
    return np.array(sorted(chosen), dtype=np.intp)


def plan_windows(windows: AuditWindows, labels: LabelsOf, rounds: Rounds) -> Iterator[AuditTask]:
    """The tasks, round by round, each fitted to as many windows: the honest folds, then every protocol's.

    Parameters
    ----------
    windows : AuditWindows
        All.
    labels : callable
        Labels of all windows, 0 or 1, (n,) int64.
    rounds : sequence of (int or None, int)
        Permutation, and seed of the division.
    """
    for permutation, seed in rounds:
        y = labels(permutation)
        divisions = {
            protocol: divisions_of(windows, y, protocol.division, seed) for protocol in (HONEST, *OF_WINDOWS)
        }
        n_train = min(len(fold.train) for folds in divisions.values() for fold in folds)
        for protocol, folds in divisions.items():
            for fold in folds:
                train = _as_many(fold.train, y, n_train, np.random.default_rng([seed, 2]))
                own = Fold(fold.held_out, train, fold.test, fold.name)
                yield AuditTask(protocol, protocol is not HONEST, permutation, seed, own)


def divisions_of(windows: AuditWindows, y: Labels, division: Division, seed: int) -> list[Fold]:
    """Folds of windows; of each, what may be trained on.

    Parameters
    ----------
    windows : AuditWindows
        All.
    y : (n,) int64
        Labels of all windows.
    division : Division
        What is divided.
    seed : int
        Of the division.
    """
    apart, table = windows.apart, windows.table
    if division is Division.PEOPLE:
        folds = evaluation_folds(table.person[apart], y[apart], seed=seed)
        return [Fold(fold.held_out, apart[fold.train], apart[fold.test], fold.name) for fold in folds]
    divided = apart if division is Division.WINDOWS else np.arange(len(table))
    part = np.random.default_rng([seed, 1]).permutation(len(divided)) % RANDOM_FOLDS
    folds = []
    for k in range(RANDOM_FOLDS):
        test = np.intersect1d(divided[part == k], apart)
        people = tuple(sorted(set(table.person[test].tolist())))
        folds.append(Fold(people, divided[part != k], test, f"{k}"))
    return folds


def _as_many(rows: Rows, y: Labels, n: int, rng: np.random.Generator) -> Rows:
    """So many of these windows, every label among them if it was before."""
    for _ in range(100):
        drawn = np.sort(rng.choice(rows, n, replace=False))
        if len(np.unique(y[drawn])) == len(np.unique(y[rows])):
            return drawn
    return rows


def select_channels(rows: Labelled) -> Rows:
    """The columns of the channels of which some feature differs most between the labels (largest t).

    Parameters
    ----------
    rows : Labelled
        Those whose labels may be used.

    Returns
    -------
    (m,) intp
        Columns: all features of the chosen channels.
    """
    positive = rows.y == 1
    weight = rows.weight / rows.weight.sum()
    scores = np.zeros(rows.features.shape[1])
    if positive.any() and not positive.all():
        means, variance = [], np.zeros_like(scores)
        for label in (positive, ~positive):
            share = weight[label] / weight[label].sum()
            mean = share @ rows.features[label]
            variance += share @ np.square(rows.features[label] - mean)
            means.append(mean)
        scores = np.abs(means[0] - means[1]) / np.sqrt(np.maximum(variance, 1e-300))
    n_channels = rows.features.shape[1] // PER_CHANNEL
    best = scores.reshape(PER_CHANNEL, n_channels).max(axis=0)
    n = min(max(round(SELECTED * n_channels), 2), n_channels)
    channels = np.sort(np.argsort(-best, kind="stable")[:n])
    return np.concatenate([channels + k * n_channels for k in range(PER_CHANNEL)]).astype(np.intp)
