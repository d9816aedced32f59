"""The ridge baseline: `offline.estimators.discriminant` fitted to simple features of windows.

On windows it is a little weaker than the logistic regression of `offline.estimators.baselines`, and it is
kept beside it because its whole procedure can be repeated on a thousand permuted labellings.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import softmax
from sklearn.model_selection import StratifiedKFold

from models.arrays import Floats
from offline.estimators.discriminant import Discriminant, Rows, fit_discriminant

INNER_FOLDS = 5
"""Most divisions of the training people for choosing the penalty."""


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
    """

    features: Floats
    y: npt.NDArray[np.int64]
    person: npt.NDArray[np.str_]
    weight: Floats


def labelled_rows(
    features: Floats, y: npt.NDArray[np.int64], person: npt.NDArray[np.str_], *, by_person: bool
) -> Labelled:
    """Windows as they are, or the mean of each person's.

    Parameters
    ----------
    features : (n_windows, n_features) float64
        Of windows.
    y : (n_windows,) int64
        Their labels; with ``by_person`` the same for all windows of a person.
    person : (n_windows,) str
        Whose they are.
    by_person : bool
        Whether the label is the person's.
    """
    people, whose, counts = np.unique(person, return_inverse=True, return_counts=True)
    if not by_person:
        return Labelled(features, y, person, 1.0 / counts[whose])
    total = np.zeros((len(people), features.shape[1]))
    np.add.at(total, whose, features)
    own = np.zeros(len(people), dtype=np.int64)
    own[whose] = y
    return Labelled(total / counts[:, np.newaxis], own, people, np.ones(len(people)))


@dataclass(frozen=True, eq=False)
class RidgeBaseline:
    """A fitted ridge baseline: one discriminant, or one a label where there are more than two.

    Parameters
    ----------
    discriminant : Discriminant
        Of one labelling with two labels, otherwise each label against the rest.
    n_labels : int
        Labels there are.
    how : dict
        Penalties and what they were chosen on, JSON types.
    """

    discriminant: Discriminant
    n_labels: int
    how: dict[str, Any]

    def probabilities(self, features: Floats) -> Floats:
        """Probabilities of labels at equal prevalence.

        Parameters
        ----------
        features : (n, n_features) float64
            As fitted.

        Returns
        -------
        (n, n_labels) float64
            Each row sums to 1.
        """
        odds = self.discriminant.log_odds(features)
        if self.n_labels == 2:
            odds = np.concatenate([-0.5 * odds, 0.5 * odds], axis=1)
        return np.asarray(softmax(odds, axis=1))


def fit_ridge(
    features: Floats,
    y: npt.NDArray[np.int64],
    person: npt.NDArray[np.str_],
    *,
    n_labels: int,
    by_person: bool,
    seed: int = 0,
) -> RidgeBaseline:
    """Fit the ridge baseline.

    Parameters
    ----------
    features : (n_windows, n_features) float64
        Of training windows, as `offline.estimators.baselines.window_features` gives them.
    y, person : (n_windows,) int64, str
        Labels, and whose they are.
    n_labels : int
        Labels there are.
    by_person : bool
        Whether the label is the person's.
    seed : int
        Which people are held out together when the penalty is chosen.
    """
    rows = labelled_rows(features, y, person, by_person=by_person)
    inner = inner_folds(rows, by_person=by_person, seed=seed)
    columns = np.arange(1, 2) if n_labels == 2 else np.arange(n_labels)
    model = fit_discriminant(rows.features, rows.y[:, np.newaxis] == columns, rows.weight, inner)
    how = {
        "penalty": [float(value) for value in model.penalty],
        "chosen_on": "held-out people" if inner else "nobody: too few people, the default",
        "rows": len(rows.y),
    }
    return RidgeBaseline(model, n_labels, how)


def inner_folds(rows: Labelled, *, by_person: bool, seed: int) -> Sequence[tuple[Rows, Rows]]:
    """Divisions of training rows by person; none where no division leaves every label on both sides.

    Parameters
    ----------
    rows : Labelled
        Of training.
    by_person : bool
        Whether the label is the person's: then divisions are stratified.
    seed : int
        Who comes together.

    Returns
    -------
    sequence of (train, held out), each (m,) intp
        Rows of either side.
    """
    people, whose = np.unique(rows.person, return_inverse=True)
    if by_person:
        fewest = int(np.bincount(rows.y)[np.unique(rows.y)].min())
        if fewest < 2:
            return []
        split = StratifiedKFold(min(INNER_FOLDS, fewest), shuffle=True, random_state=seed)
        return list(split.split(rows.features, rows.y))
    if len(people) < 2:
        return []
    # Not by label: the division must stay as it is when labels are permuted within people.
    part = np.random.default_rng(seed).permutation(len(people)) % min(INNER_FOLDS, len(people))
    return [(np.flatnonzero(part[whose] != k), np.flatnonzero(part[whose] == k)) for k in np.unique(part)]
