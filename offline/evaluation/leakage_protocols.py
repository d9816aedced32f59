"""Careless protocols, each of which does one thing that the honest one does not.

All arms judge the same windows (none of which overlap), train on the same number of windows, choose as
many channels, and are scored by person within a fold.  What differs is who may be looked at:

- *honest*: people in folds; channels chosen and features standardised on training people.
- *overlapping windows at random*: windows in folds, and windows of training overlap those that are judged.
- *windows at random*: windows in folds; none overlap.
- *selection outside*: channels chosen with everybody's labels, then honest folds.
- *normalisation outside*: features standardised over everybody, then honest folds.
- *all of them*: the first, third and fourth together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from offline.base.predictions import Predictions
from offline.base.sample_table import SampleTable
from offline.base.splits import Fold, evaluation_folds
from offline.estimators.discriminant import fit_discriminant
from offline.estimators.scaling import standard_of
from offline.evaluation.ridge import Labelled, inner_folds, labelled_rows

Rows = npt.NDArray[np.intp]
SELECTED = 0.1
"""Share of the channels that are chosen; two at least."""
PER_CHANNEL = 3
"""Features of a channel: mean, slope, spread."""
RANDOM_FOLDS = 5


class LeakageCondition(StrEnum):
    """What is done."""

    HONEST = "honest"
    OVERLAPPING = "overlapping windows at random"
    RANDOM = "windows at random"
    SELECTION = "selection outside"
    NORMALISATION = "normalisation outside"
    ALL = "all of them"


CARELESS = tuple(arm for arm in LeakageCondition if arm is not LeakageCondition.HONEST)


@dataclass(frozen=True, eq=False)
class AuditWindows:
    """What every arm works on.

    Parameters
    ----------
    features : (n, n_features) float64
        Of all windows: all means, all slopes, all spreads.
    table : SampleTable
        Whose they are; the targets are not looked at.
    apart : (m,) intp
        Windows of which none overlap, in each recording from its first on: those that are judged.
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


def run_arms(
    windows: AuditWindows, y: npt.NDArray[np.int64], *, seed: int
) -> dict[LeakageCondition, Predictions]:
    """Judge every window that is judged, in every arm.

    Parameters
    ----------
    windows : Windows
        All.
    y : (n,) int64
        Labels of all windows, 0 or 1: the true ones, or permuted.
    seed : int
        Of folds, and of which windows are trained on.
    """
    parts: dict[LeakageCondition, list[Predictions]] = {arm: [] for arm in LeakageCondition}
    for part in parts_of(windows, y, seed=seed):
        parts[part.arm].append(_judged(windows, y, part, seed))
    return {arm: Predictions.concatenate(own) for arm, own in parts.items()}


@dataclass(frozen=True, eq=False)
class ConditionFold:
    """One fold of one arm.

    Parameters
    ----------
    arm : Arm
        What is done.
    name : str
        Of the fold, within the arm.
    train, test : (n,) intp
        Windows that are trained on, and that are judged.
    """

    arm: LeakageCondition
    name: str
    train: Rows
    test: Rows

    @property
    def of_selection(self) -> Rows:
        """Windows whose labels channels are chosen by."""
        return (
            self._everybody if self.arm in (LeakageCondition.SELECTION, LeakageCondition.ALL) else self.train
        )

    @property
    def of_normalisation(self) -> Rows:
        """Windows that features or signals are standardised by."""
        return (
            self._everybody
            if self.arm in (LeakageCondition.NORMALISATION, LeakageCondition.ALL)
            else self.train
        )

    @property
    def _everybody(self) -> Rows:
        return np.union1d(self.train, self.test)


def parts_of(windows: AuditWindows, y: npt.NDArray[np.int64], *, seed: int) -> list[ConditionFold]:
    """All folds of all arms, each with as many windows of training.

    Parameters
    ----------
    windows : Windows
        All.
    y : (n,) int64
        Labels of all windows, 0 or 1.
    seed : int
        Of folds, and of which windows are trained on.
    """
    divisions = {arm: _divisions(windows, y, arm, seed) for arm in LeakageCondition}
    n_train = min(len(train) for folds in divisions.values() for _, train, _ in folds)
    out = []
    for arm, folds in divisions.items():
        for name, may, test in folds:
            train = _as_many(may, y, n_train, np.random.default_rng([seed, 2]))
            out.append(ConditionFold(arm, name, train, test))
    return out


def _divisions(
    windows: AuditWindows, y: npt.NDArray[np.int64], arm: LeakageCondition, seed: int
) -> Sequence[tuple[str, Rows, Rows]]:
    """Name, windows that may be trained on, and windows that are judged, of every fold."""
    rng = np.random.default_rng([seed, 1])
    apart, table = windows.apart, windows.table
    if arm is LeakageCondition.RANDOM:
        part = rng.permutation(len(apart)) % RANDOM_FOLDS
        return [(f"{k}", apart[part != k], apart[part == k]) for k in range(RANDOM_FOLDS)]
    if arm in (LeakageCondition.OVERLAPPING, LeakageCondition.ALL):
        part = rng.permutation(len(table)) % RANDOM_FOLDS
        judged = np.isin(np.arange(len(table)), apart)
        return [
            (f"{k}", np.flatnonzero(part != k), np.flatnonzero((part == k) & judged))
            for k in range(RANDOM_FOLDS)
        ]
    folds: list[Fold] = evaluation_folds(table.person[apart], y[apart], seed=seed)
    return [(fold.name, apart[fold.train], apart[fold.test]) for fold in folds]


def _judged(windows: AuditWindows, y: npt.NDArray[np.int64], part: ConditionFold, seed: int) -> Predictions:
    rows, test = _rows(windows, y, part.train), part.test
    chosen = select_channels(_rows(windows, y, part.of_selection))
    looked_at = _rows(windows, y, part.of_normalisation)
    standard = None
    if len(part.of_normalisation) > len(part.train):
        standard = standard_of(looked_at.features[:, chosen], looked_at.weight)
    model = fit_discriminant(
        rows.features[:, chosen],
        rows.y[:, np.newaxis] == 1,
        rows.weight,
        inner_folds(rows, by_person=windows.by_person, seed=seed),
        standard=standard,
    )
    odds = model.log_odds(windows.features[test][:, chosen])[:, 0]
    second = 1.0 / (1.0 + np.exp(-np.clip(odds, -30, 30)))
    return Predictions(
        labels=("0", "1"),
        fold=np.full(len(test), part.name),
        arm=np.full(len(test), str(part.arm)),
        sample=test.astype(np.int64),
        person=windows.table.person[test],
        y=y[test],
        scores=np.stack([1.0 - second, second], axis=1),
        repeat=np.zeros(len(test), dtype=np.int64),
    )


def select_channels(rows: Labelled) -> Rows:
    """The columns of the channels of which some feature differs most between the labels (largest t).

    Parameters
    ----------
    rows : Labelled
        Those whose labels may be looked at.

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


def chosen_channels(windows: AuditWindows, y: npt.NDArray[np.int64], part: ConditionFold) -> Rows:
    """The channels themselves that a part's model sees, (m,) intp."""
    columns = select_channels(_rows(windows, y, part.of_selection))
    return columns[: len(columns) // PER_CHANNEL]


def _rows(windows: AuditWindows, y: npt.NDArray[np.int64], which: Rows) -> Labelled:
    return labelled_rows(
        windows.features[which], y[which], windows.table.person[which], by_person=windows.by_person
    )


def _as_many(may: Rows, y: npt.NDArray[np.int64], n: int, rng: np.random.Generator) -> Rows:
    """So many of these windows, every label among them if it was before."""
    for _ in range(100):
        drawn = np.sort(rng.choice(may, n, replace=False))
        if len(np.unique(y[drawn])) == len(np.unique(y[may])):
            return drawn
    return may
