"""Other labels and targets that would have been as likely, were there nothing to find.

A label that is the person's is permuted between people, within a site where there are sites.  A label that
changes within a recording is permuted within the recording as whole blocks: windows of one block
resemble each other whatever their label, and permuting them one by one would make chance look rarer.  People
who were measured together (`offline.base.together`) are permuted together.

Of scans, each tenth of the people keeps its number of each label (`evened`): whatever a fit does
without looking at labels then serves all permutations of a fold.  Were tenths left with whatever number of a
label chance gives them, a model could learn from the share of a label in training which is rarer among the
held-out people, and chance would look lower than it is for the true labels, which are divided evenly.
"""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from offline.base.sample_table import SampleTable
from offline.base.splits import Fold

Labels = npt.NDArray[np.int64]
V = TypeVar("V", np.int64, np.float64)
FEWEST = 19
"""Under so many permutations no p value is given: its least is 1 / (1 + n)."""


def permuted_people(table: SampleTable, rng: np.random.Generator) -> Labels:
    """Labels of the samples, (n,) int64, permuted between people, within site; one label a person.

    Of people who were measured together all labels go to another unit of as many, in any order within it.
    """
    _, first, whose = np.unique(table.person, return_index=True, return_inverse=True)
    y, site = table.target[first], table.site[first]
    unit = None if table.together is None else table.together[first]
    return permuted_units(y, site, unit, rng)[whose]


def permuted_units(
    values: npt.NDArray[V],
    site: npt.NDArray[np.str_],
    unit: npt.NDArray[np.str_] | None,
    rng: np.random.Generator,
) -> npt.NDArray[V]:
    """Labels or other targets of people, (n,), permuted within sites, (n,) str.

    Where some were measured together, ``unit``, (n,) str, all values of a unit go to another with as many
    people at the same sites, in any order within it.
    """
    if unit is None:
        return permuted_within(values, site, rng)
    out = values.copy()
    by_kind: dict[tuple[str, ...], list[npt.NDArray[np.intp]]] = {}
    for name in np.unique(unit):
        members = np.flatnonzero(unit == name)
        members = members[np.argsort(site[members], kind="stable")]
        by_kind.setdefault(tuple(site[members].tolist()), []).append(members)
    for units in by_kind.values():
        for to, taken in enumerate(rng.permutation(len(units))):
            out[units[to]] = permuted_within(values[units[taken]], site[units[taken]], rng)
    return out


def permuted_within(
    values: npt.NDArray[V], group: npt.NDArray[np.str_], rng: np.random.Generator
) -> npt.NDArray[V]:
    """Labels or other targets, (n,), permuted between members of a group, (n,) str."""
    out = values.copy()
    for name in np.unique(group):
        here = np.flatnonzero(group == name)
        out[here] = rng.permutation(values[here])
    return out


def evened(
    y: Labels, true: Labels, part: Labels, site: npt.NDArray[np.str_], rng: np.random.Generator
) -> Labels:
    """Labels, (n,) int64, exchanged within sites until every part has as many of each as it truly has.

    Of labels permuted within sites, the true ones, and each one's part (from 0) and site.  At each site there
    are as many of each label as before; in the parts only nearly so where sites are so small that no exchange
    is left.
    """
    y = y.copy()
    surplus = np.zeros((int(part.max()) + 1, int(true.max()) + 1), dtype=np.int64)
    np.add.at(surplus, (part, y), 1)
    np.subtract.at(surplus, (part, true), 1)
    while surplus.any() and (pair := _exchange(y, part, site, surplus, rng)) is not None:
        one, other = pair
        for who, becomes in ((one, y[other]), (other, y[one])):
            surplus[part[who], y[who]] -= 1
            surplus[part[who], becomes] += 1
        y[one], y[other] = y[other], y[one]
    return y


def _exchange(
    y: Labels, part: Labels, site: npt.NDArray[np.str_], surplus: Labels, rng: np.random.Generator
) -> tuple[int, int] | None:
    """Two people of a site after whose exchange of labels the squared surpluses are fewer in sum."""
    for one in rng.permutation(np.flatnonzero(surplus[part, y] > 0)):
        mine, its = part[one], y[one]
        gain = surplus[mine, its] - surplus[mine, y] + surplus[part, y] - surplus[part, its]
        able = np.flatnonzero((site == site[one]) & (y != its) & (part != mine) & (gain > 2))
        if able.size:
            return int(one), int(rng.choice(able))
    return None


def permuted_blocks(table: SampleTable, rng: np.random.Generator) -> Labels:
    """Labels of the samples, (n,) int64, permuted between the blocks of each recording.

    A block is a run of windows of one label, in order of time.  Where no recording has two labels, those
    of a person's recordings are exchanged.  People who were measured together and have one order of blocks
    keep it in common.
    """
    out = np.empty_like(table.target)
    within = block_unit(table)
    drawn: dict[tuple[str, bytes], npt.NDArray[np.intp]] = {}
    _, recording = np.unique(table.recording, return_inverse=True)
    for name in np.unique(within):
        rows = np.flatnonzero(within == name)
        rows = rows[np.lexsort((table.start[rows], recording[rows]))]
        y = table.target[rows]
        new = (np.diff(y) != 0) | (np.diff(recording[rows]) != 0)
        block = np.concatenate([[0], np.cumsum(new)])
        first = np.concatenate([[0], np.flatnonzero(new) + 1])
        if table.together is None:
            out[rows] = rng.permutation(y[first])[block]
            continue
        key = str(table.together[rows[0]]), y[first].tobytes()
        order = drawn[key] if key in drawn else drawn.setdefault(key, rng.permutation(len(first)))
        out[rows] = y[first][order][block]
    return out


def block_unit(table: SampleTable) -> npt.NDArray[np.str_]:
    """Within what the blocks of samples are exchanged, (n,) str: the recording, or else the person."""
    if _varies(table.target, table.recording):
        return table.recording
    return table.person


def _varies(target: Labels, within: npt.NDArray[np.str_]) -> bool:
    return any(len(np.unique(target[within == name])) > 1 for name in np.unique(within))


def can_change(table: SampleTable, *, by_person: bool) -> bool:
    """Whether some permutation differs from the true labels at all.

    Where the label is the person's, people of one site exchange theirs.
    """
    return _varies(table.target, table.site if by_person else block_unit(table))


def permuted_labels(
    table: SampleTable, number: int | None, *, seed: int, by_person: bool, folds: Sequence[Fold] = ()
) -> Labels:
    """Labels, (n,) int64, permuted as they could have been: `permuted_people` or `permuted_blocks`.

    Parameters
    ----------
    number : int or None
        Of the permutation: it follows from the seed and this number alone.  None: the true labels.
    by_person : bool
        Whether the label is the person's.
    folds : sequence of Fold
        That hold everybody out once, where each is to keep its number of each label (`evened`).
    """
    if number is None:
        return table.target
    rng = np.random.default_rng([seed, number])
    y = permuted_people(table, rng) if by_person else permuted_blocks(table, rng)
    if not folds:
        return y
    part = np.zeros(len(table), dtype=np.int64)
    for k, fold in enumerate(folds):
        part[fold.test] = k
    return evened(y, table.target, part, table.site, rng)


def p_value(
    found: float, null: npt.NDArray[np.float64], *, like_true: int = 1, exact: bool = False
) -> float | None:
    """Chance of a figure at least as high where there is nothing to find: (1 + b) / (1 + B).

    Phipson B, Smyth GK (2010). Permutation p-values should never be zero. Statistical Applications in
    Genetics and Molecular Biology 9:39.

    Parameters
    ----------
    found, null : float, (n,) float64
        The figure with the true labels, and with permuted ones.
    like_true : int
        Permutations that give what the true labels give, these among them; ``null`` lacks them.
    exact : bool
        Whether ``null`` holds every other permutation there is: then few of them are enough.

    Returns
    -------
    float or None
        None, "not estimated", under `FEWEST` permutations that are but some of those possible.
    """
    if len(null) < FEWEST and not exact:
        return None
    # A hair of tolerance: the same sum in another order must still count as the same.
    return float((like_true + np.sum(null >= found - 1e-12)) / (like_true + len(null)))
