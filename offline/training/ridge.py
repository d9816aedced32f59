"""The ridge baseline: `offline.estimators.discriminant` fitted to simple features of windows.

On windows it is a little weaker than the logistic regression of `offline.estimators.baselines`, and it is
kept beside it because its whole procedure can be repeated on a thousand permutations of the labels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import softmax
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from models.arrays import Floats
from offline.base.splits import fewest_units
from offline.estimators.discriminant import Discriminant, Rows, fit_discriminant
from offline.training.feature_table import FeatureTable, Labelled

INNER_FOLDS = 5
"""Most divisions of the training people for choosing the penalty."""


@dataclass(frozen=True, eq=False)
class RidgeBaseline:
    """A fitted ridge baseline.

    Parameters
    ----------
    discriminant : Discriminant
        Of the second of two labels, or of each of more against the rest.
    how : dict
        Penalties and what they were chosen on, JSON types.
    """

    discriminant: Discriminant
    how: dict[str, Any]

    def probabilities(self, features: Floats) -> Floats:
        """Probabilities of labels at equal prevalence, (n, n_labels) float64, of features as fitted."""
        return probabilities(self.discriminant.log_odds(features))


def probabilities(log_odds: Floats) -> Floats:
    """Probabilities of labels, (n, n_labels) float64, by (n, n_labels), or of two by (n, 1), log odds."""
    if log_odds.shape[1] == 1:
        log_odds = np.concatenate([-0.5 * log_odds, 0.5 * log_odds], axis=1)
    return np.asarray(softmax(log_odds, axis=1))


def fit_ridge(data: FeatureTable, which: Rows, *, seed: int = 0) -> RidgeBaseline:
    """Fit to windows, or where the label is the person's to people.

    Parameters
    ----------
    data : FeatureTable
        All windows.
    which : (m,) intp
        Those of training.
    seed : int
        Which people are held out together when the penalty is chosen.
    """
    rows = data.rows(which)
    inner = penalty_folds(rows, seed=seed)
    columns = np.arange(1, 2) if data.n_labels == 2 else np.arange(data.n_labels)
    model = fit_discriminant(rows.features, rows.y[:, np.newaxis] == columns, rows.weight, inner)
    how = {
        "penalty": [float(value) for value in model.penalty],
        "chosen_on": "held-out people" if inner else "nobody: too few people, the default",
        "rows": len(rows.y),
    }
    return RidgeBaseline(model, how)


def penalty_folds(rows: Labelled, *, seed: int) -> Sequence[tuple[Rows, Rows]]:
    """Training and held-out rows, each (m,) intp, of divisions of training rows by person.

    Stratified where the label is the person's; none where no division leaves every label on both sides.
    """
    if rows.together is not None:
        return _unit_penalty_folds(rows, rows.together, seed)
    if rows.by_person:
        fewest = int(np.bincount(rows.y)[np.unique(rows.y)].min())
        if fewest < 2:
            return []
        split = StratifiedKFold(min(INNER_FOLDS, fewest), shuffle=True, random_state=seed)
        return list(split.split(rows.features, rows.y))
    people, whose = np.unique(rows.person, return_inverse=True)
    if len(people) < 2:
        return []
    # Not by label: the division must stay as it is when labels are permuted within people.
    part = np.random.default_rng(seed).permutation(len(people)) % min(INNER_FOLDS, len(people))
    return [(np.flatnonzero(part[whose] != k), np.flatnonzero(part[whose] == k)) for k in np.unique(part)]


def _unit_penalty_folds(rows: Labelled, unit: npt.NDArray[np.str_], seed: int) -> Sequence[tuple[Rows, Rows]]:
    """As `penalty_folds`, with whole units of people who were measured together."""
    units, whose = np.unique(unit, return_inverse=True)
    fewest = len(units)
    if rows.by_person:
        fewest = fewest_units(rows.person, rows.y, unit)
    if fewest < 2:
        return []
    n = min(INNER_FOLDS, fewest)
    if rows.by_person:
        split = StratifiedGroupKFold(n, shuffle=True, random_state=seed)
        return [pair for pair in split.split(rows.features, rows.y, groups=unit) if len(pair[1])]
    part = np.random.default_rng(seed).permutation(len(units)) % n
    return [(np.flatnonzero(part[whose] != k), np.flatnonzero(part[whose] == k)) for k in np.unique(part)]
