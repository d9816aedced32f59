"""An amount of the person, told from features by people (and sites) that were never seen.

A person is one row.  Beside every model stands what guesses the mean of the training people, and age and sex
where they are known.  The null repeats the whole ridge procedure on amounts permuted between people of one
site.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import KFold

from models.arrays import Floats
from models.errors import RecipeError
from offline.estimators.ridge import predict_by_ridge
from offline.stats.regression import Amounts, figures_of, values_of

Names = npt.NDArray[np.str_]
Folds = list[tuple[str, npt.NDArray[np.intp], npt.NDArray[np.intp]]]
MEAN, SITE = "mean of the others", ", unseen site"
FOLDS = 10
FEWEST = 4


def folds_of(n: int, *, seed: int) -> Folds:
    """Ten folds of n people, fewer where a fold would hold one alone; rows of each side, (m,) int."""
    split = KFold(min(FOLDS, n // 2), shuffle=True, random_state=seed)
    return [(f"fold {k + 1}", train, test) for k, (train, test) in enumerate(split.split(np.zeros(n)))]


def site_folds_of(site: Names) -> Folds:
    """Every site, of (n,) str, once; none where there is one only. Rows of each side, (m,) int.

    Whoever's site is not known is neither trained on nor judged: it may be any of them.
    """
    names = [name for name in np.unique(site) if name]
    if len(names) < 2:
        return []
    return [
        (f"site {name}", np.flatnonzero((site != name) & (site != "")), np.flatnonzero(site == name))
        for name in names
    ]


def judged(
    features: Floats | None, y: Floats, person: Names, folds: Folds, *, arm: str, repeat: int = 0
) -> Amounts:
    """What a ridge regression (or, without features, the mean) says of everybody.

    Parameters
    ----------
    features : (n, n_features) float64 or None
        A row a person.
    y : (n,) float64
        Their amounts.
    person : (n,) str
        Who they are.
    folds : list of (name, train, test)
        Who is trained on and who judged.
    arm : str
        What to call it.
    repeat : int
        Which division.
    """
    parts = []
    for name, train, test in folds:
        if features is None:
            said = np.full(len(test), y[train].mean())
        else:
            # The penalty by leaving out one training person at a time, in closed form.
            said = predict_by_ridge(features[train], y[train, np.newaxis], features[test])[:, 0]
        n = len(test)
        parts.append(
            Amounts(
                np.full(n, repeat), np.full(n, name), np.full(n, arm), person[test], y[test], np.asarray(said)
            )
        )
    return Amounts.concatenate(parts)


def evaluate_amounts(
    features: Mapping[str, Floats],
    y: Floats,
    person: Names,
    site: Names,
    *,
    permutations: int,
    repeats: int = 1,
    seed: int = 0,
) -> tuple[Amounts, dict[str, Any]]:
    """Judge an amount by every table of features.

    Parameters
    ----------
    features : mapping of arm to (n, n_features) float64
        A row a person; the first is the one whose procedure is repeated on permuted amounts.
    y : (n,) float64
        Their amounts.
    person, site : (n,) str
        Who they are, and where they were recorded.
    permutations, repeats, seed : int
        Permuted labellings, divisions into folds, and what chance follows from.

    Returns
    -------
    Amounts, dict
        The one table, and figures of every arm with the null; JSON types.

    Raises
    ------
    RecipeError
        There are too few people, or everybody has the same amount.
    """
    if len(y) < FEWEST or np.ptp(y) == 0:
        raise RecipeError(
            f"There are {len(y)} people with an amount, {len(np.unique(y))} of them different; expected "
            f"{FEWEST} people or more who differ."
        )
    parts: list[Amounts] = []
    tables: dict[str, Floats | None] = {**features, MEAN: None}
    for arm, table in tables.items():
        for repeat in range(repeats):
            folds = folds_of(len(y), seed=seed + repeat)
            parts.append(judged(table, y, person, folds, arm=arm, repeat=repeat))
        if sites := site_folds_of(site):
            parts.append(judged(table, y, person, sites, arm=arm + SITE))
    whole = Amounts.concatenate(parts)
    first = next(iter(features))
    null = _null(features[first], y, person, site, permutations, seed) if permutations else None
    arms = {
        arm: figures_of(whole.of_arm(arm), null if arm == first else None, seed=seed) for arm in whole.arms
    }
    for arm in (MEAN, MEAN + SITE):
        if arm in arms:  # the mean of the others falls where a person's own amount is high: no correlation
            arms[arm]["r"] = {"value": None, "interval": None, "p": None}
    said = None
    if null is not None:
        said = {
            "of": f"the whole procedure of {first} on amounts permuted between people of one site",
            "permutations": permutations,
            "mean": {name: float(np.mean(values)) for name, values in null.items()},
        }
    return whole, {"arms": arms, "null": said}


def _null(
    features: Floats, y: Floats, person: Names, site: Names, permutations: int, seed: int
) -> dict[str, Floats]:
    each = []
    for number in range(permutations):
        rng = np.random.default_rng([seed, number])
        other = y.copy()
        for name in np.unique(site):
            here = np.flatnonzero(site == name)
            other[here] = rng.permutation(other[here])
        folds = folds_of(len(y), seed=seed + 1 + number)
        each.append(values_of(judged(features, other, person, folds, arm="")))
    return {name: np.array([its[name] for its in each]) for name in each[0]}
