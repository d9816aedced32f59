"""What an evaluation gives where there is nothing to find: the whole ridge procedure on permuted labels.

Folds are drawn again for every permutation, the penalty is chosen again, middle and slope are fitted again:
nothing is kept from the true labels.  It takes milliseconds a permutation, for a person is one row and
rows are few, or (labels within recordings) because the features are decomposed once for all.
"""

from collections.abc import Iterator

import numpy as np

from offline.base.predictions import Predictions
from offline.base.splits import evaluation_folds
from offline.estimators.discriminant import fit_discriminant
from offline.stats.null import Null
from offline.training.feature_table import FeatureTable
from offline.training.ridge import fit_ridge, penalty_folds, probabilities

AT_ONCE = 100
"""Permutations within recordings that are fitted in one go: more would only take memory."""


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
        return Null.of(_within_recordings(data, permutations, repeats, seed), by_person=False)
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
        for fold in evaluation_folds(table.person, table.target, seed=seed + repeat):
            model = fit_ridge(data, fold.train, seed=seed + repeat)
            scores = model.probabilities(data.features[fold.test])
            out.append(Predictions.of_fold(labels, table, fold, scores, repeat=repeat))
    return out


def _within_recordings(
    data: FeatureTable, permutations: int, repeats: int, seed: int
) -> Iterator[list[Predictions]]:
    """Folds do not look at labels here (one label a window), so a fit serves many permutations."""
    table = data.table
    for begin in range(0, permutations, AT_ONCE):
        numbers = range(begin, min(begin + AT_ONCE, permutations))
        tables = [data.permuted(k, seed=seed).table for k in numbers]
        positive = np.stack([each.target for each in tables], axis=1) == 1
        found: list[list[Predictions]] = [[] for _ in numbers]
        for repeat in range(repeats):
            for fold in evaluation_folds(table.person, table.target, seed=seed + repeat):
                rows = data.rows(fold.train)
                inner = penalty_folds(rows, seed=seed + repeat)
                model = fit_discriminant(rows.features, positive[fold.train], rows.weight, inner)
                odds = model.log_odds(data.features[fold.test])
                for k, own in enumerate(found):
                    scores = probabilities(odds[:, k : k + 1])
                    own.append(Predictions.of_fold(("0", "1"), tables[k], fold, scores, repeat=repeat))
        yield from found
