"""Simple features of windows with their labels, and what of them is labelled as one."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from offline.base.sample_table import SampleTable
from offline.stats.permutation import permuted_labels

Rows = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Labelled:
    """Rows that are labelled as one: a window, or all of a person's windows together.

    Parameters
    ----------
    features : (n, n_features) float64
        Of a window, or the mean over a person's.
    y : (n,) int64
        Labels.
    person : (n,) str
        Whose.
    weight : (n,) float64
        Every person weighs the same, however many windows there are of them.
    by_person : bool
        Whether a row is a person.
    together : (n,) str or None
        The unit of each, where people were measured together.
    """

    features: Floats
    y: npt.NDArray[np.int64]
    person: npt.NDArray[np.str_]
    weight: Floats
    by_person: bool
    together: npt.NDArray[np.str_] | None = None


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """Features of windows, whose they are and their labels.

    Parameters
    ----------
    features : (n, n_features) float64
        `offline.estimators.baselines.window_features` of all: all means, all slopes, all spreads.
    table : SampleTable
        Of all.
    by_person : bool
        Whether the label is the person's.
    n_labels : int
        How many there are.
    """

    features: Floats
    table: SampleTable
    by_person: bool
    n_labels: int = 2

    def permuted(self, number: int | None, *, seed: int) -> "FeatureTable":
        """With permuted labels (`offline.stats.permutation.permuted_labels`); the true ones for None."""
        y = permuted_labels(self.table, number, seed=seed, by_person=self.by_person)
        return replace(self, table=replace(self.table, target=y))

    def people(self) -> "FeatureTable":
        """The mean of each person's windows, with a row of theirs; persons sorted, each of one label."""
        _, first, whose = np.unique(self.table.person, return_index=True, return_inverse=True)
        return replace(self, features=group_means(self.features, whose), table=self.table.rows(first))

    def rows(self, which: Rows) -> Labelled:
        """Windows ``which``, (m,) intp, as they are; where labels are people's, the mean of each."""
        own = FeatureTable(self.features[which], self.table.rows(which), self.by_person)
        if self.by_person:
            own = own.people()
        _, whose, counts = np.unique(own.table.person, return_inverse=True, return_counts=True)
        weight, table = 1.0 / counts[whose], own.table
        return Labelled(own.features, table.target, table.person, weight, self.by_person, table.together)


def group_means(values: Floats, whose: Rows) -> Floats:
    """Mean rows, (n_groups, n_columns) float64, of groups that are numbered from 0, (n,) intp."""
    total = np.zeros((int(whose.max()) + 1, values.shape[1]))
    np.add.at(total, whose, values)
    return np.asarray(total / np.bincount(whose)[:, np.newaxis])
