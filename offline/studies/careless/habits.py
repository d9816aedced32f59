"""Careless habits of a study, and for each the fits that show it beside its honest twin.

Twins judge the same people by the same model on as many training rows, with the same chance; one thing
differs:

- *selection outside the fold*: columns are chosen with everybody's labels, not with the training people's.
- *windows at random*: windows of one person stand on both sides, not people on one.
- *setting by the test folds*: every setting is tried and the best told, not chosen within training.

But in the last, the study's first setting is kept: a choice would cost much and show nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import StratifiedKFold

from offline.base.sample_table import SampleTable
from offline.base.splits import Fold
from offline.evaluation.tasks import FitTask
from offline.studies.base import Study
from offline.studies.columns import Columns
from offline.studies.fitting import ScanFit, ScanTask, permuted_labels

FOLDS = 5
SEED = 5000
Rows = npt.NDArray[np.intp]


class Habit(StrEnum):
    """What is done carelessly."""

    SELECTION = "selection outside the fold"
    WINDOWS = "windows at random"
    SETTING = "setting by the test folds"


EXPLAINED = {
    Habit.SELECTION: "The columns are chosen with everybody's labels before people are divided; its honest "
    "twin chooses as many within the training people.",
    Habit.WINDOWS: "Every scan is cut into parts and the parts are divided at random, so the model knows the "
    "people it judges; its honest twin keeps a person on one side. Accuracy is of parts, as such papers "
    "tell it.",
    Habit.SETTING: "Every setting is tried, and the one that does best on the test folds is told; its honest "
    "twin chooses within the training people.",
}
"""In a sentence or two each."""


@dataclass(frozen=True, eq=False)
class Round:
    """One labelling and one division of it.

    Parameters
    ----------
    labelling : int or None
        Number of the permuted labelling; None is the true one.
    careless : tuple of tuple of Task
        Ways that are tried, of which the one that looks best is told.
    honest : tuple of Task
        The twin.
    """

    labelling: int | None
    careless: tuple[tuple[ScanTask, ...], ...]
    honest: tuple[ScanTask, ...]

    @property
    def tasks(self) -> list[ScanTask]:
        """All of them, in canonical order."""
        return [task for way in (*self.careless, self.honest) for task in way]


@dataclass(frozen=True)
class Extent:
    """How often.

    Parameters
    ----------
    divisions : int
        Of the people, with true labels.
    labellings : int
        Permuted, with one division each.
    """

    divisions: int
    labellings: int

    def rounds(self) -> list[tuple[int | None, int]]:
        """Labelling and seed of each round."""
        true: list[tuple[int | None, int]] = [(None, SEED + k) for k in range(self.divisions)]
        return true + [(k, SEED + 1000 + k) for k in range(self.labellings)]


def selection(
    study: Study, table: SampleTable, rows: Rows, n_columns: int, extent: Extent, *, always: int = 0
) -> list[Round]:
    """Columns chosen with everybody's labels, and with the training people's.

    Parameters
    ----------
    study : Study
        Whose model.
    table : SampleTable
        One row a person.
    rows : (m,) intp
        Of the site.
    n_columns : int
        That are chosen.
    extent : Extent
        How often.
    always : int
        Last columns that are no features, and stay.
    """

    def task(fold: Fold, labelling: int | None, looked_at: Rows | None) -> ScanTask:
        columns = Columns(n_columns, looked_at, always)
        return FitTask(fold, Habit.SELECTION, ScanFit(setting=0, columns=columns), labelling)

    out = []
    for labelling, seed in extent.rounds():
        folds = folds_by_person(table, rows, permuted_labels(table, labelling), seed=seed)
        careless = tuple(task(fold, labelling, rows) for fold in folds)
        out.append(Round(labelling, (careless,), tuple(task(fold, labelling, None) for fold in folds)))
    return out


def settings(study: Study, table: SampleTable, rows: Rows, extent: Extent) -> list[Round]:
    """Every setting on the test folds, and one chosen within training.

    Parameters
    ----------
    study, table, rows, extent
        See `selection`; rows are (m,) intp.
    """
    out = []
    for labelling, seed in extent.rounds():
        folds = folds_by_person(table, rows, permuted_labels(table, labelling), seed=seed)
        ways = [
            tuple(FitTask(fold, Habit.SETTING, ScanFit(setting=k), labelling) for fold in folds)
            for k in (*range(len(study.settings)), None)
        ]
        out.append(Round(labelling, tuple(ways[:-1]), ways[-1]))
    return out


def windows(study: Study, table: SampleTable, extent: Extent) -> list[Round]:
    """Windows divided at random, and by person.

    Parameters
    ----------
    study : Study
        Whose model.
    table : SampleTable
        One row a window.
    extent : Extent
        How often.
    """
    rows = np.arange(len(table))
    out = []
    for labelling, seed in extent.rounds():
        y = permuted_labels(table, labelling)
        apart = folds_by_person(table, rows, y, seed=seed)
        ways = [
            tuple(FitTask(fold, Habit.WINDOWS, ScanFit(setting=0), labelling) for fold in folds)
            for folds in (shuffled(table, y, apart, seed=seed), apart)
        ]
        out.append(Round(labelling, (ways[0],), ways[1]))
    return out


def folds_by_person(table: SampleTable, rows: Rows, y: npt.NDArray[np.int64], *, seed: int) -> list[Fold]:
    """Folds of people of a site, both labels in each.

    Parameters
    ----------
    table : SampleTable
        Of everybody; a person may have several rows.
    rows : (m,) intp
        Of the site.
    y : (n,) int64
        Labels of all rows, one a person.
    seed : int
        Who comes together.
    """
    _, first, whose = np.unique(table.person[rows], return_index=True, return_inverse=True)
    own = y[rows][first]
    split = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    part = np.zeros(len(own), dtype=np.int64)
    for k, (_, test) in enumerate(split.split(own, own)):
        part[test] = k
    return _folds(table, rows, part[whose], seed)


def shuffled(table: SampleTable, y: npt.NDArray[np.int64], folds: Sequence[Fold], *, seed: int) -> list[Fold]:
    """Folds of the same sizes and shares of labels, but of rows at random instead of people.

    Parameters
    ----------
    table : SampleTable
        All rows are divided.
    y : (n,) int64
        Labels.
    folds : sequence of Fold
        The honest ones.
    seed : int
        Which row comes where.
    """
    rng = np.random.default_rng(seed)
    part = np.zeros(len(table), dtype=np.int64)
    for k, fold in enumerate(folds):
        part[fold.test] = k
    for label in np.unique(y):
        own = np.flatnonzero(y == label)
        part[own] = part[rng.permutation(own)]
    return _folds(table, np.arange(len(table)), part, seed)


def _folds(table: SampleTable, rows: Rows, part: npt.NDArray[np.int64], seed: int) -> list[Fold]:
    out = []
    for k in range(int(part.max()) + 1):
        train, test = rows[part != k], rows[part == k]
        people = tuple(sorted(set(table.person[test].tolist())))
        out.append(Fold(people, train, test, f"fold {k + 1} of {seed}"))
    return out
