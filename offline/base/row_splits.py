"""Folds of tables that hold one row a person: tenths, whole sites, or one person at a time.

Folds of windows, of which a person has many, are in `offline.base.splits`.  Of all people ``person`` and
``site``, (n,) str, are who they are and where they were recorded, ``unit``, (n,) str or None, who was
measured with whom (`offline.base.together`); a ``seed`` says who comes together.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import KFold, StratifiedKFold

from models.errors import HemostreamError
from offline.base.sample_table import SampleTable
from offline.base.splits import Fold, Indices, Names, leave_one_person_out, person_folds, site_folds

Flags = npt.NDArray[np.bool_]
FOLDS = 10
FEWEST_TRAINED = 3
"""Training people of each label: settings are chosen by inner thirds."""


def ten_folds(table: SampleTable, *, seed: int) -> list[Fold]:
    """Ten folds of people, both labels in each as far as there are so many.

    Raises
    ------
    HemostreamError
        A label has under two people.
    """
    if table.together is not None:
        folds = person_folds(table.person, table.target, FOLDS, seed=seed, unit=table.together)
        return _held_out(table.person, [fold.test for fold in folds], f" of {seed}")
    fewest = int(np.unique(table.target, return_counts=True)[1].min())
    if fewest < 2 or len(np.unique(table.target)) < 2:
        raise HemostreamError(
            f"The rarest label has {fewest} people, of {len(table)} in all; expected two or more of each of "
            "two labels."
        )
    split = StratifiedKFold(min(FOLDS, fewest), shuffle=True, random_state=seed)
    tests = [test for _, test in split.split(np.zeros(len(table)), table.target)]
    return _held_out(table.person, tests, f" of {seed}")


def ten_folds_of_anybody(person: Names, *, seed: int, unit: Names | None = None) -> list[Fold]:
    """Ten folds of people, (n,) str, whatever their targets are; fewer where one would hold one alone."""
    if unit is not None:
        names, whose = np.unique(unit, return_inverse=True)
        part = np.random.default_rng([29, seed]).permutation(len(names)) % min(FOLDS, len(names))
        return _held_out(person, [np.flatnonzero(part[whose] == k) for k in np.unique(part)])
    split = KFold(min(FOLDS, len(person) // 2), shuffle=True, random_state=seed)
    return _held_out(person, [test for _, test in split.split(np.zeros(len(person)))])


def ten_folds_of_sites(person: Names, site: Names, *, seed: int) -> list[Fold]:
    """Ten folds of people, (n,) str, each with its share of every site, (n,) str."""
    rng = np.random.default_rng([23, seed])
    order = np.concatenate([rng.permutation(np.flatnonzero(site == name)) for name in np.unique(site)])
    return _dealt(person, order, seed)


def ten_folds_of_sites_and_labels(table: SampleTable) -> list[Fold]:
    """Ten folds, sites and labels in each as alike as can be."""
    shuffled = np.random.default_rng(0).permutation(len(table))
    order = np.lexsort((shuffled, table.target, table.site))
    return _dealt(table.person, order, 0, table.together)


def folds_of_sites(person: Names, site: Names, unit: Names | None = None) -> list[Fold]:
    """Every site once held out, whatever its people's targets are; none where there is one site only.

    Of people and sites, (n,) str.  Whoever's site is not known is neither trained on nor predicted: it may
    be any of them.
    """
    names = [name for name in np.unique(site).tolist() if name]
    if len(names) < 2:
        return []
    unit = person if unit is None else unit
    return [
        _fold(person, site == name, f"site {name}", among=(site != "") & ~np.isin(unit, unit[site == name]))
        for name in names
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
    """The site of both labels whose number of people is nearest to a paper's: name and rows, (m,) intp."""
    sites = [
        (abs(len(rows) - size), str(name), rows)
        for name in np.unique(table.site)
        if len(np.unique(table.target[(rows := np.flatnonzero(table.site == name))])) > 1
    ]
    _, name, rows = min(sites, key=lambda each: each[:2])
    return name, rows


def own_folds(table: SampleTable, size: int) -> list[Fold]:
    """One person at a time, within the site of `own_site`."""
    name, rows = own_site(table, size)
    own = table.rows(rows)
    folds = leave_one_person_out(own.person, own.together)
    return [Fold(fold.held_out, rows[fold.train], rows[fold.test], f"{name}: {fold.name}") for fold in folds]


def _dealt(person: Names, order: npt.NDArray[np.intp], seed: int, unit: Names | None = None) -> list[Fold]:
    """Ten folds that people (or units, by their first) are dealt to in this order."""
    if unit is not None:
        turn = {name: k % FOLDS for k, name in enumerate(dict.fromkeys(unit[order].tolist()))}
        part = np.array([turn[name] for name in unit.tolist()])
        return _held_out(person, [np.flatnonzero(part == k) for k in np.unique(part)], f" of {seed}")
    return _held_out(person, [order[k::FOLDS] for k in range(FOLDS)], f" of {seed}")


def _held_out(person: Names, tests: Sequence[Indices], of: str = "") -> list[Fold]:
    """Folds that hold out these rows, (m,) intp each."""
    everybody = np.arange(len(person))
    return [_fold(person, np.isin(everybody, test), f"fold {k + 1}{of}") for k, test in enumerate(tests)]


def _fold(person: Names, test: Flags, name: str, among: Flags | bool = True) -> Fold:
    """The fold that predicts some people, (n,) bool, and learns from others, among some."""
    return Fold(
        tuple(sorted(person[test].tolist())), np.flatnonzero(~test & among), np.flatnonzero(test), name
    )
