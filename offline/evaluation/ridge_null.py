"""What an evaluation gives where there is nothing to find: the whole ridge procedure on permuted labels.

Folds are drawn again for every permutation, the penalty is chosen again, middle and slope are fitted again:
nothing is kept from the true labels.  It takes milliseconds a permutation, for a person is one row and
rows are few, or (labels within recordings) because the features are decomposed once for all.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from offline.base.predictions import Predictions
from offline.base.sample_table import SampleTable
from offline.base.splits import evaluation_folds
from offline.estimators.discriminant import fit_discriminant
from offline.evaluation.ridge import Labelled, fit_ridge, inner_folds, labelled_rows
from offline.stats.metrics import auc
from offline.stats.null import Null
from offline.stats.permutation import permuted_labels
from offline.stats.primary import METRICS, Metric, Pairs, PersonScores

AT_ONCE = 100
"""Permutations within recordings that are fitted in one go: more would only take memory."""


def ridge_null(
    features: Floats,
    table: SampleTable,
    *,
    by_person: bool,
    n_labels: int = 2,
    permutations: int,
    repeats: int = 1,
    seed: int = 0,
) -> Null:
    """Evaluate the ridge baseline on permuted labels.

    Parameters
    ----------
    features : (n, n_features) float64
        `offline.estimators.baselines.window_features` of all samples.
    table : SampleTable
        Labels of all.
    by_person : bool
        Whether the label is the person's.
    n_labels : int
        How many there are.
    permutations : int
        Of the labels.
    repeats : int
        Divisions into folds that a figure is taken over.
    seed : int
        What chance follows from; a permutation follows from the seed and its own number.
    """
    if n_labels > 2:
        return _classes(features, table, permutations, repeats, seed, n_labels, by_person)
    run = _people if by_person else _blocks
    return run(features, table, permutations, repeats, seed)


def person_rounds(rows: Labelled, *, repeats: int, seed: int) -> PersonScores:
    """Cross-validate the ridge baseline over people: what it predicts of each in every repeat.

    Parameters
    ----------
    rows : Labelled
        One row a person, sorted.
    repeats : int
        Divisions into folds.
    seed : int
        Of the first division.
    """
    scores = []
    for repeat in range(repeats):
        for fold in evaluation_folds(rows.person, rows.y, seed=seed + repeat):
            train = Labelled(
                rows.features[fold.train],
                rows.y[fold.train],
                rows.person[fold.train],
                rows.weight[fold.train],
            )
            inner = inner_folds(train, by_person=True, seed=seed + repeat)
            model = fit_discriminant(train.features, train.y[:, np.newaxis] == 1, train.weight, inner)
            scores.append(np.full(len(rows.y), np.nan))
            scores[-1][fold.test] = model.log_odds(rows.features[fold.test])[:, 0]
    return PersonScores(tuple(rows.person.tolist()), rows.y == 1, np.array(scores))


def _people(features: Floats, table: SampleTable, permutations: int, repeats: int, seed: int) -> Null:
    rows = labelled_rows(features, table.target, table.person, by_person=True)
    first = np.unique(table.person, return_index=True)[1]
    people = table.rows(first)
    figures: dict[Metric, list[float]] = {metric: [] for metric in METRICS}
    for number in range(permutations):
        y = permuted_labels(people, number, seed=seed, by_person=True)
        again = Labelled(rows.features, y, rows.person, rows.weight)
        # Divided otherwise each time: one division fixed by the order of people would favour some of them.
        pairs = Pairs.of(person_rounds(again, repeats=repeats, seed=seed + repeats * (number + 1)))
        for metric in METRICS:
            figures[metric].append(float(pairs.figure(metric, y == 1)[0]))
    return Null({metric: np.array(values) for metric, values in figures.items()})


def _blocks(features: Floats, table: SampleTable, permutations: int, repeats: int, seed: int) -> Null:
    """Folds do not look at labels here (one label a window), so a fold serves all permutations."""
    figures: dict[Metric, list[float]] = {metric: [] for metric in METRICS}
    people = np.array(table.people)
    for begin in range(0, permutations, AT_ONCE):
        numbers = range(begin, min(begin + AT_ONCE, permutations))
        y = np.stack([permuted_labels(table, n, seed=seed, by_person=False) for n in numbers], axis=1)
        own = {metric: np.zeros((len(people), y.shape[1])) for metric in METRICS}
        for repeat in range(repeats):
            for fold in evaluation_folds(table.person, table.target, seed=seed + repeat):
                rows = labelled_rows(
                    features[fold.train], table.target[fold.train], table.person[fold.train], by_person=False
                )
                inner = inner_folds(rows, by_person=False, seed=seed + repeat)
                model = fit_discriminant(rows.features, y[fold.train] == 1, rows.weight, inner)
                odds = model.log_odds(features[fold.test])
                for person in fold.held_out:
                    here = table.person[fold.test] == person
                    which = int(np.searchsorted(people, person))
                    for metric in METRICS:
                        own[metric][which] += _own(odds[here], y[fold.test][here] == 1, metric) / repeats
        for metric in METRICS:
            figures[metric] += np.nanmean(own[metric], axis=0).tolist()
    return Null({metric: np.array(values) for metric, values in figures.items()})


def _classes(
    features: Floats,
    table: SampleTable,
    permutations: int,
    repeats: int,
    seed: int,
    n_labels: int,
    by_person: bool,
) -> Null:
    """More than two labels: the ridge model itself, fitted again in every fold for every permutation."""
    names = tuple(str(k) for k in range(n_labels))

    def predicted(number: int) -> Iterator[Predictions]:
        y = permuted_labels(table, number, seed=seed, by_person=by_person)
        again = replace(table, target=y)
        first = seed + repeats * (number + 1)
        for repeat in range(repeats):
            for fold in evaluation_folds(table.person, y, seed=first + repeat):
                model = fit_ridge(
                    features[fold.train],
                    y[fold.train],
                    table.person[fold.train],
                    n_labels=n_labels,
                    by_person=by_person,
                    seed=first + repeat,
                )
                scores = model.probabilities(features[fold.test])
                yield Predictions.of_fold(names, again, fold, scores, repeat=repeat)

    return Null.of((list(predicted(number)) for number in range(permutations)), by_person=by_person)


def _own(odds: Floats, positive: npt.NDArray[np.bool_], metric: Metric) -> Floats:
    """A person's own figure for each permutation, (n_permutations,)."""
    out = np.full(odds.shape[1], np.nan)
    fold = np.full(len(odds), "")
    for k in range(odds.shape[1]):
        if metric == "auc":
            value = auc(positive[:, k], odds[:, k], fold)
            out[k] = np.nan if value is None else value
        elif positive[:, k].any() and not positive[:, k].all():
            predicted = odds[:, k] > 0
            out[k] = 0.5 * (predicted[positive[:, k]].mean() + (~predicted[~positive[:, k]]).mean())
    return out
