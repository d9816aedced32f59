"""Leakage protocols: each lets something of the test data into training that its honest twin keeps out.

A protocol and its twin predict the same samples with the same model, fitted to as many samples, with the same
chance; they differ in what leaks and in nothing else.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, partial

import numpy as np
import numpy.typing as npt

from offline.base.sample_table import SampleTable
from offline.base.splits import Fold
from offline.stats.permutation import permuted_labels

Rows = npt.NDArray[np.intp]
Labels = npt.NDArray[np.int64]
LabelsOf = Callable[[int | None], Labels]
"""Labels of all samples, (n,) int64, by the number of the permutation; None is the true ones."""
Rounds = Sequence[tuple[int | None, int]]
"""Number of the permutation, and seed of the division, of each time that everybody is predicted."""


def labels_by_permutation(table: SampleTable, *, seed: int, by_person: bool) -> LabelsOf:
    """Labels by number, (n,) int64 (`offline.stats.permutation.permuted_labels`), each computed once."""
    return cache(partial(permuted_labels, table, seed=seed, by_person=by_person))


def fold_of(table: SampleTable, train: Rows, test: Rows, name: str) -> Fold:
    """A fold of samples ``train``, (m,) intp, and ``test``, (k,) intp; people may stand on both sides."""
    return Fold(tuple(sorted(set(table.person[test].tolist()))), train, test, name)


class Division(StrEnum):
    """What is divided into folds."""

    PEOPLE = "people"
    WINDOWS = "windows"
    OVERLAPPING = "overlapping windows"
    STRANGERS = "people, as if nobody was measured together"


@dataclass(frozen=True)
class LeakageProtocol:
    """What leaks.

    Parameters
    ----------
    name : str
        In tables and files.
    leaks : str
        What is done, in words.
    twin : str
        What the honest twin does instead.
    division : Division
        What is divided into folds; the honest twin divides people.
    selection : bool
        Whether labels of test samples choose the channels or columns.
    normalisation : bool
        Whether test samples are among those that features are standardised by.
    setting : bool
        Whether the setting is chosen by how well it predicts the test samples.
    """

    name: str
    leaks: str
    twin: str
    division: Division = Division.PEOPLE
    selection: bool = False
    normalisation: bool = False
    setting: bool = False

    def __str__(self) -> str:
        return self.name


HONEST = LeakageProtocol("honest", "Nothing leaks", "is this one")
OVERLAPPING = LeakageProtocol(
    "overlapping windows at random",
    "Windows are divided at random, and windows of training overlap those that are predicted",
    "divides people, and none of its windows overlap",
    division=Division.OVERLAPPING,
)
RANDOM = LeakageProtocol(
    "windows at random",
    "Windows, or parts of a scan, are divided at random, so the model knows the people it predicts",
    "keeps a person on one side",
    division=Division.WINDOWS,
)
SELECTION = LeakageProtocol(
    "selection outside the fold",
    "Channels or columns are chosen with everybody's labels before people are divided",
    "chooses as many with the labels of the training people",
    selection=True,
)
NORMALISATION = LeakageProtocol(
    "normalisation outside the fold",
    "Features are standardised over everybody before people are divided",
    "standardises them over the training people",
    normalisation=True,
)
SETTING = LeakageProtocol(
    "setting by the test folds",
    "Every setting is tried, and the one that does best on the test folds is reported",
    "chooses within the training people",
    setting=True,
)
ALL = LeakageProtocol(
    "all of them",
    "Overlapping windows at random, selection and normalisation outside the fold together",
    "does none of the three",
    division=Division.OVERLAPPING,
    selection=True,
    normalisation=True,
)
STRANGERS = LeakageProtocol(
    "partners as if they were strangers",
    "Who was measured together is divided one by one, so the model knows partners of those it predicts",
    "keeps who was measured together on one side",
    division=Division.STRANGERS,
)
OF_WINDOWS = (OVERLAPPING, RANDOM, SELECTION, NORMALISATION, ALL)
OF_SCANS = (SELECTION, RANDOM, SETTING)
BY_NAME = {str(each): each for each in (*OF_WINDOWS, STRANGERS, *OF_SCANS)}


def protocols_for(table: SampleTable) -> tuple[LeakageProtocol, ...]:
    """The protocols of windows that say something of these samples."""
    return OF_WINDOWS if table.together is None else (*OF_WINDOWS, STRANGERS)


@dataclass(frozen=True, eq=False)
class AuditTask:
    """One fit of an audit.

    Parameters
    ----------
    protocol : LeakageProtocol
        Which is audited; `HONEST` where several share their twin.
    leaky : bool
        Whether it is the protocol itself, or its honest twin.
    permutation : int or None
        Number of the permutation of the labels; None is the true ones.
    seed : int
        Of the division; with the permutation it names the round.
    fold : Fold
        What is fitted to, and what is predicted.
    setting : int or None
        Which of the model's settings is kept; None chooses within training, where there are several.
    """

    protocol: LeakageProtocol
    leaky: bool
    permutation: int | None
    seed: int
    fold: Fold
    setting: int | None = None

    @property
    def selection(self) -> Rows:
        """Samples whose labels choose channels or columns, (m,) intp."""
        return self._everybody if self.leaky and self.protocol.selection else self.fold.train

    @property
    def normalisation(self) -> Rows:
        """Samples that features or signals are standardised by, (m,) intp."""
        return self._everybody if self.leaky and self.protocol.normalisation else self.fold.train

    @property
    def _everybody(self) -> Rows:
        return np.union1d(self.fold.train, self.fold.test)
