"""Who is left out together inside a training: sites, put into a few groups; people where there is one."""

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import StratifiedKFold

from offline.base.sample_table import SampleTable

Groups = npt.NDArray[Any]

MOST_GROUPS = 5
"""Of people, where all are of one site."""


def groups_of(table: SampleTable) -> npt.NDArray[np.intp]:
    """The site of each person as a number, (n,) intp; divisions of the people where there is one site."""
    sites, which = np.unique(table.site, return_inverse=True)
    if len(sites) > 1:
        return which.astype(np.intp)
    out = np.zeros(len(table), dtype=np.intp)
    fewest = int(np.bincount(table.target)[np.unique(table.target)].min())
    if fewest > 1:
        split = StratifiedKFold(min(MOST_GROUPS, fewest), shuffle=True, random_state=0)
        for k, (_, rows) in enumerate(split.split(out, table.target)):
            out[rows] = k
    return out


def few_groups_of(table: SampleTable, most: int = MOST_GROUPS) -> npt.NDArray[np.intp]:
    """`groups_of`, (n,) intp, sites put together until there are at most so many groups: the largest first,
    each to the group that has the fewest people so far."""
    which = groups_of(table)
    sizes = np.bincount(which)
    if len(sizes) <= most:
        return which
    of, people = np.zeros(len(sizes), dtype=np.intp), np.zeros(most, dtype=np.intp)
    for site in np.argsort(-sizes, kind="stable"):
        of[site] = int(np.argmin(people))
        people[of[site]] += sizes[site]
    return of[which]
