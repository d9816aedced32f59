"""What an evaluation gives where there is nothing to find: the whole ridge procedure on permuted labels.

Folds are drawn again for every permutation, the penalty is chosen again, middle and slope are fitted again:
nothing is kept from the true labels.  It takes milliseconds a permutation, for a person is one row and
rows are few, or (labels within recordings) because the features are decomposed once for all.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from models.arrays import Floats
from offline.base.predictions import Predictions
from offline.base.splits import Fold, evaluation_folds
from offline.estimators.discriminant import fit_discriminant
from offline.stats.null import Null
from offline.stats.permutation import Labels
from offline.training.feature_table import FeatureTable
from offline.training.ridge import fit_ridge, penalty_folds, probabilities

AT_ONCE = 100
"""Sets of labels within recordings that are fitted in one go: more would only take memory."""
FeaturesIn = Callable[[Fold], Floats]
"""Features of all windows, (n, n_features) float64, as a fold has them."""


def ridge_null(data: FeatureTable, *, permutations: int, repeats: int = 1, seed: int = 0) -> Null:
    """Evaluate the ridge baseline on permuted labels.

    Parameters
    ----------
    data : FeatureTable
        All windows.
    permutations : int
        Of the labels.
    repeats : int
        Divisions into folds that a figure is taken over.
    seed : int
        What chance follows from; a permutation follows from the seed and its own number.
    """
    if data.n_labels == 2 and not data.by_person:
        labels = [data.permuted(k, seed=seed).table.target for k in range(permutations)]
        return Null.of(ridge_within_recordings(data, labels, repeats=repeats, seed=seed), by_person=False)
    if data.n_labels == 2:  # log odds are linear in features: their mean over windows is that of the mean
        data = data.people()
    # Divided otherwise each time: one division fixed by the order of people would favour some of them.
    rounds = (
        ridge_rounds(data.permuted(k, seed=seed), repeats=repeats, seed=seed + repeats * (k + 1))
        for k in range(permutations)
    )
    return Null.of(rounds, by_person=data.by_person)


def ridge_rounds(data: FeatureTable, *, repeats: int, seed: int) -> list[Predictions]:
    """What the ridge baseline predicts in each fold of every repeat; the first is divided by this seed."""
    labels, table = tuple(map(str, range(data.n_labels))), data.table
    out = []
    for repeat in range(repeats):
        for fold in evaluation_folds(table.person, table.target, seed=seed + repeat, unit=table.together):
            model = fit_ridge(data, fold.train, seed=seed + repeat)
            scores = model.probabilities(data.features[fold.test])
            out.append(Predictions.of_fold(labels, table, fold, scores, repeat=repeat))
    return out


def ridge_within_recordings(
    data: FeatureTable,
    labels: Sequence[Labels],
    *,
    repeats: int,
    seed: int,
    features_in: FeaturesIn | None = None,
) -> Iterator[list[Predictions]]:
    """What the ridge baseline predicts when it is fitted to each of these sets of labels.

    Folds do not look at labels here (one label a window), so a fit serves many sets.

    Parameters
    ----------
    data : FeatureTable
        All windows.
    labels : sequence of (n,) int64
        Of all windows.
    repeats, seed : int
        Divisions into folds, and what they follow from.
    features_in : callable or None
        Features of all windows as a fold has them; None: those of the table in every fold.
    """
    table, n_labels = data.table, data.n_labels
    names = tuple(map(str, range(n_labels)))
    columns = np.arange(1, 2) if n_labels == 2 else np.arange(n_labels)
    at_once = max(AT_ONCE // len(columns), 1)
    for begin in range(0, len(labels), at_once):
        tables = [replace(table, target=y) for y in labels[begin : begin + at_once]]
        positive = np.concatenate([each.target[:, np.newaxis] == columns for each in tables], axis=1)
        found: list[list[Predictions]] = [[] for _ in tables]
        for repeat in range(repeats):
            for fold in evaluation_folds(table.person, table.target, seed=seed + repeat, unit=table.together):
                own = data if features_in is None else replace(data, features=features_in(fold))
                rows = own.rows(fold.train)
                inner = penalty_folds(rows, seed=seed + repeat)
                model = fit_discriminant(rows.features, positive[fold.train], rows.weight, inner)
                odds = model.log_odds(own.features[fold.test])
                for k, parts in enumerate(found):
                    scores = probabilities(odds[:, k * len(columns) : (k + 1) * len(columns)])
                    parts.append(Predictions.of_fold(names, tables[k], fold, scores, repeat=repeat))
        yield from found
