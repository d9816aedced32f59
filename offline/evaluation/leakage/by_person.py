"""Figures of an audit of windows: those of the evaluation, by person, and how far a difference strays."""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from models.arrays import Floats
from offline.base.predictions import Predictions
from offline.evaluation.leakage.audit import Evaluated, audit_of
from offline.evaluation.leakage.protocols import OF_WINDOWS, AuditTask, LabelsOf
from offline.evaluation.leakage.windows import AuditWindows
from offline.stats.intervals import DRAWS, bootstrap_mean_sd, draw_people
from offline.stats.primary import Metric, Pairs, own_figures, person_scores
from offline.stats.primary_figure import primary


def audit_by_person(
    evaluated: Evaluated,
    windows: AuditWindows,
    labels: LabelsOf,
    *,
    metric: Metric,
    seed: int,
    model: str,
    names: tuple[str, ...],
) -> dict[str, Any]:
    """Put every protocol of an audit of windows beside the honest one.

    Parameters
    ----------
    evaluated : sequence of (AuditTask, (n, 2) float64)
        Every task, and the probabilities that its model gave to the fold's test windows.
    windows : AuditWindows
        Whose tasks.
    labels : callable
        Labels of all windows, (n,) int64.
    metric : {"auc", "balanced_accuracy"}
        Which figure.
    seed : int
        Of the draws of people.
    model : str
        What every task fitted.
    names : tuple of str
        Of the labels.
    """

    def table_of(own: Evaluated) -> Predictions:
        return Predictions.concatenate([part(*each) for each in own])

    def part(task: AuditTask, scores: Floats) -> Predictions:
        table = replace(windows.table, target=labels(task.permutation))
        return Predictions.of_fold(names, table, task.fold, scores, condition=str(task.protocol))

    def figures(own: Evaluated) -> dict[str, float]:
        value = primary(table_of(own), metric, by_person=windows.by_person)
        return {metric: np.nan if value is None else value}

    spread = partial(difference_sd, metric=metric, by_person=windows.by_person, seed=seed)
    return audit_of(
        evaluated,
        OF_WINDOWS,
        (metric,),
        figures,
        lambda leaky, honest: spread(table_of(leaky), table_of(honest)),
        model=model,
        unit="person",
    )


def difference_sd(
    one: Predictions, other: Predictions, *, metric: Metric, by_person: bool, seed: int
) -> float:
    """SD of the difference of two figures over draws of people, the same people in both; NaN where unknown.

    Parameters
    ----------
    one, other : Predictions
        Of the same windows.
    metric : {"auc", "balanced_accuracy"}
        Which figure.
    by_person : bool
        Whether the label is the person's.
    seed : int
        Of the draws.
    """
    if not by_person:
        first, second = own_figures(one, metric), own_figures(other, metric)
        pairs = [(own, second.get(person)) for person, own in first.items()]
        apart = np.array([a - b for a, b in pairs if a is not None and b is not None])
        sd = bootstrap_mean_sd(apart, seed=seed)
        return np.nan if sd is None else sd
    scores = [person_scores(table) for table in (one, other)]
    positive = scores[0].positive
    if min(positive.sum(), (~positive).sum()) < 2:
        return np.nan
    times = draw_people(positive, seed=seed, draws=DRAWS)
    drawn = [Pairs.of(its).figure(metric, its.positive, times) for its in scores]
    return float(np.nanstd(drawn[0] - drawn[1], ddof=1))
