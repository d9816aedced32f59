"""Who is judged together: a whole site, a tenth of the people, or one person at a time."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import StratifiedKFold

from models.errors import HemostreamError
from offline.base.sample_table import SampleTable
from offline.base.splits import Fold, leave_one_person_out, site_folds

UNSEEN_SITE, TRANSDUCTIVE, TENFOLD = "unseen site", "unseen site, transductive", "10-fold"
OWN = "paper's protocol"
PERMUTED = "permuted labels"
FOLDS = 10
SEED = 0
"""Of the first division into tenths; further ones count on from it."""
PERMUTATION_SEED = 19
FEWEST_TRAINED = 3
"""Training people of each label: settings are chosen by inner thirds."""


@dataclass(frozen=True)
class Profile:
    """How much is computed.

    Parameters
    ----------
    name : str
        On the command line.
    repeats : int
        Divisions into ten folds.
    permutations : int
        Permuted labellings of the ten folds, the same people in each fold; they take the divisions by turns.
    audited : int
        Permutations of the labels for every leakage protocol and of its honest twin.
    kept : bool
        Whether permuted labellings keep the setting that the true labels chose most often; otherwise the
        whole procedure is repeated.
    """

    name: str
    repeats: int
    permutations: int
    audited: int = 5
    kept: bool = True


QUICK = Profile("quick", 1, 19)
FULL = Profile("full", 5, 199, 19, kept=False)
PROFILES = {profile.name: profile for profile in (QUICK, FULL)}


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
    return [
        Fold(tuple(sorted(table.person[test].tolist())), train, test, f"fold {k + 1} of {seed}")
        for k, (train, test) in enumerate(split.split(np.zeros(len(table)), table.target))
    ]


def tenths(table: SampleTable, *, seed: int) -> npt.NDArray[np.int64]:
    """Which of the `ten_folds` holds each person out, (n,) int64; permuted labels keep them even.

    The people are divided as they are for the true labels, so whatever a fit does without looking at labels
    serves all permutations of a fold.
    """
    part = np.zeros(len(table), dtype=np.int64)
    for k, fold in enumerate(ten_folds(table, seed=seed)):
        part[fold.test] = k
    return part


def unseen_sites(table: SampleTable) -> list[Fold]:
    """Every site once on the judged side; none where there is one site only.

    A site without which a label has too few people to choose a setting by is not judged.
    """
    labels = np.unique(table.target)

    def fewest(fold: Fold) -> int:
        return min(int(np.count_nonzero(table.target[fold.train] == label)) for label in labels)

    return [fold for fold in site_folds(table) if fewest(fold) >= FEWEST_TRAINED]


def own_site(table: SampleTable, size: int) -> tuple[str, np.ndarray]:
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
