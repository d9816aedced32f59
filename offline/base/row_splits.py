"""Folds of tables that hold one row a person: tenths, whole sites, or one person at a time.

Folds of windows, of which a person has many, are in `offline.base.splits`.
"""

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import KFold, StratifiedKFold

from models.errors import HemostreamError
from offline.base.sample_table import SampleTable
from offline.base.splits import Fold, Indices, Names, leave_one_person_out, site_folds

FOLDS = 10
FEWEST_TRAINED = 3
"""Training people of each label: settings are chosen by inner thirds."""


def ten_folds(table: SampleTable, *, seed: int) -> list[Fold]:
    """Ten folds of people, both labels in each as far as there are so many.

    Parameters
    ----------
    table : SampleTable
        One row a person.
    seed : int
        Who comes together.

    Raises
    ------
    HemostreamError
        A label has under two people.
    """
    fewest = int(np.unique(table.target, return_counts=True)[1].min())
    if fewest < 2 or len(np.unique(table.target)) < 2:
        raise HemostreamError(
            f"The rarest label has {fewest} people, of {len(table)} in all; expected two or more of each of "
            "two labels."
        )
    split = StratifiedKFold(min(FOLDS, fewest), shuffle=True, random_state=seed)
    parts = enumerate(split.split(np.zeros(len(table)), table.target))
    return [_fold(table.person, train, test, f"fold {k + 1} of {seed}") for k, (train, test) in parts]


def ten_folds_of_anybody(person: Names, *, seed: int) -> list[Fold]:
    """Ten folds, whatever people's targets are; fewer where a fold would hold one alone.

    Parameters
    ----------
    person : (n,) str
        Who they are.
    seed : int
        Who comes together.
    """
    split = KFold(min(FOLDS, len(person) // 2), shuffle=True, random_state=seed)
    parts = enumerate(split.split(np.zeros(len(person))))
    return [_fold(person, train, test, f"fold {k + 1}") for k, (train, test) in parts]


def ten_folds_of_sites(person: Names, site: Names, *, seed: int) -> list[Fold]:
    """Ten folds, each with its share of every site.

    Parameters
    ----------
    person, site : (n,) str
        Who they are, and where they were recorded.
    seed : int
        Who comes together.
    """
    rng = np.random.default_rng([23, seed])
    order = np.concatenate([rng.permutation(np.flatnonzero(site == name)) for name in np.unique(site)])
    return _dealt(person, order, seed)


def ten_folds_of_sites_and_labels(table: SampleTable, *, seed: int = 0) -> list[Fold]:
    """Ten folds, sites and labels in each as alike as can be; of a table and a seed as in `ten_folds`."""
    shuffled = np.random.default_rng(seed).permutation(len(table))
    return _dealt(table.person, np.lexsort((shuffled, table.target, table.site)), seed)


def folds_of_sites(person: Names, site: Names) -> list[Fold]:
    """Every site once held out, whatever its people's targets are; none where there is one site only.

    Whoever's site is not known is neither trained on nor predicted: it may be any of them.

    Parameters
    ----------
    person, site : (n,) str
        Who they are, and where they were recorded.
    """
    names = [name for name in np.unique(site).tolist() if name]
    if len(names) < 2:
        return []
    known = site != ""
    sides = [(name, site == name) for name in names]
    return [
        _fold(person, np.flatnonzero(~here & known), np.flatnonzero(here), f"site {name}")
        for name, here in sides
    ]


def unseen_sites(table: SampleTable) -> list[Fold]:
    """Every site once held out; none where there is one site only.

    A site without which a label has too few people to choose a setting by is not held out.
    """
    labels = np.unique(table.target)

    def fewest(fold: Fold) -> int:
        return min(int(np.count_nonzero(table.target[fold.train] == label)) for label in labels)

    return [fold for fold in site_folds(table) if fewest(fold) >= FEWEST_TRAINED]


def own_site(table: SampleTable, size: int) -> tuple[str, Indices]:
    """The site whose number of people is nearest to a paper's, with both labels.

    Parameters
    ----------
    table : SampleTable
        One row a person.
    size : int
        People of the paper.

    Returns
    -------
    str, (m,) intp
        Its name and rows.
    """
    sites = [
        (abs(len(rows) - size), str(name), rows)
        for name in np.unique(table.site)
        if len(np.unique(table.target[(rows := np.flatnonzero(table.site == name))])) > 1
    ]
    _, name, rows = min(sites, key=lambda each: each[:2])
    return name, rows


def own_folds(table: SampleTable, size: int) -> list[Fold]:
    """One person at a time, within one site.

    Parameters
    ----------
    table : SampleTable
        One row a person.
    size : int
        People of the paper.
    """
    name, rows = own_site(table, size)
    folds = leave_one_person_out(table.person[rows])
    return [Fold(fold.held_out, rows[fold.train], rows[fold.test], f"{name}: {fold.name}") for fold in folds]


def _dealt(person: Names, order: npt.NDArray[np.intp], seed: int) -> list[Fold]:
    """Ten folds that people are dealt to in this order."""
    part = np.empty(len(person), dtype=np.int64)
    part[order] = np.arange(len(person)) % FOLDS
    return [
        _fold(person, np.flatnonzero(part != k), np.flatnonzero(part == k), f"fold {k + 1} of {seed}")
        for k in range(FOLDS)
    ]


def _fold(person: Names, train: Indices, test: Indices, name: str) -> Fold:
    return Fold(tuple(sorted(person[test].tolist())), train, test, name)
