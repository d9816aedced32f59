"""Labels permuted for the null of a study: within sites, each tenth keeping its number of each label.

The people are divided as they are for the true labels, so whatever a fit does without looking at labels
serves all labellings of a fold.  Were tenths left with whatever number of a label chance gives them, a model
could tell from the share of a label in training which is rarer among the judged, and chance would look lower
than it is for the true labels, which are divided evenly.
"""

import numpy as np
import numpy.typing as npt

from offline.base.sample_table import SampleTable
from offline.stats.permutation import permuted_people
from offline.studies.division import ten_folds

Labels = npt.NDArray[np.int64]
SEED = 0
"""Of the first division into tenths; further ones count on from it."""


def relabelled(table: SampleTable, number: int, division: int = SEED) -> Labels:
    """One permuted labelling.

    Parameters
    ----------
    table : SampleTable
        One row a person.
    number : int
        Which; chance follows from it.
    division : int
        Seed of the division whose tenths keep their numbers.

    Returns
    -------
    (n,) int64
        As many of each label at each site, and in each tenth, as there truly are; in the tenths only nearly
        so where sites are so small that no exchange is left.
    """
    rng = np.random.default_rng([19, number])
    tenth = np.zeros(len(table), dtype=np.int64)
    for k, fold in enumerate(ten_folds(table, seed=division)):
        tenth[fold.test] = k
    return evened(permuted_people(table, rng), table.target, tenth, table.site, rng)


def evened(
    y: Labels, true: Labels, part: Labels, site: npt.NDArray[np.str_], rng: np.random.Generator
) -> Labels:
    """Labels exchanged within sites until every part has as many of each as it truly has.

    Parameters
    ----------
    y, true : (n,) int64
        Permuted within sites, and true.
    part : (n,) int64
        From 0.
    site : (n,) str
        Of each.
    rng : numpy.random.Generator
        Who changes, where several might.

    Returns
    -------
    (n,) int64
        At each site as many of each label as before.
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
