"""Other labellings that would have been as likely, were there nothing to find.

A label that is the person's is permuted between people, within a site where there are sites.  A label that
changes within a recording is permuted within the recording as whole blocks: windows of one block
resemble each other whatever their label, and permuting them one by one would make chance look rarer.
"""

import numpy as np
import numpy.typing as npt

from offline.sample_table import SampleTable

Labels = npt.NDArray[np.int64]
FEWEST = 19
"""Under so many permutations no p value is given: its least is 1 / (1 + n)."""


def permuted_people(table: SampleTable, rng: np.random.Generator) -> Labels:
    """Labels permuted between people, within site.

    Parameters
    ----------
    table : SampleTable
        One label a person.
    rng : numpy.random.Generator
        What chance follows from.

    Returns
    -------
    (n,) int64
        A label for each sample.
    """
    people, first, whose = np.unique(table.person, return_index=True, return_inverse=True)
    own = table.target[first].copy()
    site = table.site[first]
    for name in np.unique(site):
        here = np.flatnonzero(site == name)
        own[here] = rng.permutation(own[here])
    assert len(own) == len(people)
    return np.asarray(own[whose])


def permuted_blocks(table: SampleTable, rng: np.random.Generator) -> Labels:
    """Labels permuted between the blocks of each recording.

    A block is a run of windows of one label, in order of time.

    Parameters
    ----------
    table : SampleTable
        Labels change within recordings.
    rng : numpy.random.Generator
        What chance follows from.

    Returns
    -------
    (n,) int64
        A label for each sample.
    """
    out = np.empty_like(table.target)
    for name in np.unique(table.recording):
        rows = np.flatnonzero(table.recording == name)
        rows = rows[np.argsort(table.start[rows], kind="stable")]
        y = table.target[rows]
        block = np.concatenate([[0], np.cumsum(np.diff(y) != 0)])
        first = np.concatenate([[0], np.flatnonzero(np.diff(block)) + 1])
        out[rows] = rng.permutation(y[first])[block]
    return out


def permuted(table: SampleTable, rng: np.random.Generator, *, by_person: bool) -> Labels:
    """Labels permuted as the recipe's target has it: `permuted_people` or `permuted_blocks`.

    Parameters
    ----------
    table : SampleTable
        All samples.
    rng : numpy.random.Generator
        What chance follows from.
    by_person : bool
        Whether the label is the person's.

    Returns
    -------
    (n,) int64
        A label for each sample.
    """
    return permuted_people(table, rng) if by_person else permuted_blocks(table, rng)


def p_value(found: float, null: npt.NDArray[np.float64]) -> float | None:
    """Chance of a figure at least as high where there is nothing to find: (1 + b) / (1 + B).

    Phipson B, Smyth GK (2010). Permutation p-values should never be zero. Statistical Applications in
    Genetics and Molecular Biology 9:39.

    Parameters
    ----------
    found : float
        With the true labels.
    null : (n,) float64
        With permuted ones.

    Returns
    -------
    float or None
        None, "not estimated", under `FEWEST` permutations.
    """
    if len(null) < FEWEST:
        return None
    # A hair of tolerance: the same sum in another order must still count as the same.
    return float((1 + np.sum(null >= found - 1e-12)) / (1 + len(null)))
