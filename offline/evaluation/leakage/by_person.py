"""Figures of an audit of windows: those of the evaluation, by person, and how far a difference strays."""

from functools import partial
from typing import Any

import numpy as np

from offline.base.predictions import Predictions
from offline.evaluation.leakage.audit import Evaluated, audit_of
from offline.evaluation.leakage.protocols import OF_WINDOWS
from offline.stats.intervals import bootstrap_mean_sd
from offline.stats.paired_comparison import difference_sd, own_differences
from offline.stats.person_classes import person_predictions
from offline.stats.primary import Metric
from offline.stats.primary_figure import primary


def audit_by_person(
    evaluated: Evaluated, *, by_person: bool, metric: Metric, seed: int, model: str
) -> dict[str, Any]:
    """Put every protocol of an audit of windows beside the honest one.

    Parameters
    ----------
    evaluated : sequence of (AuditTask, Predictions)
        Every task, and what was predicted of its test windows.
    by_person : bool
        Whether the label is the person's.
    metric : {"auc", "balanced_accuracy"}
        Which figure.
    seed : int
        Of the draws of people.
    model : str
        What every task fitted.
    """

    def figures(table: Predictions) -> dict[str, float]:
        value = primary(table, metric, by_person=by_person)
        return {metric: np.nan if value is None else value}

    spread = partial(spread_of, metric=metric, by_person=by_person, seed=seed)
    return audit_of(evaluated, OF_WINDOWS, (metric,), figures, spread, model=model, unit="person")


def spread_of(one: Predictions, other: Predictions, *, metric: Metric, by_person: bool, seed: int) -> float:
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
        sd = bootstrap_mean_sd(own_differences(one, other, metric), seed=seed)
        return np.nan if sd is None else sd
    (first, positive), (second, _) = (person_predictions(table) for table in (one, other))
    if min(positive.sum(), (~positive).sum()) < 2:
        return np.nan
    return difference_sd(first, second, positive, metric, seed=seed)
