"""A study's figures: pure functions of what was said of people.

The primary one is the AUC within folds (people of one site compared with each other), by person; beside it
stands the AUC over everybody's scores together, which most papers give and which also rewards knowing a
site's share of patients.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from offline.base.predictions import Predictions
from offline.stats.intervals import PersonPredictions, around, bootstrap_sd, draw_people, null_sd
from offline.stats.metrics import auc, majority_rate
from offline.stats.permutation import p_value
from offline.stats.person_classes import PersonClasses
from offline.stats.person_metrics import people_figures
from offline.stats.primary import METRICS, Pairs, person_scores
from offline.studies.profile import TENFOLD
from offline.studies.several_figures import shares

DRAWS = 2000


def figures_of(table: Predictions, null: Mapping[str, Floats]) -> dict[str, Any]:
    """Every condition's figures, and what they are compared with.

    Parameters
    ----------
    table : Predictions
        All conditions of a study.
    null : mapping of metric to (n,) float64
        The ten folds' figures on permuted labels; empty where there are none.

    Returns
    -------
    dict
        JSON types, by condition.
    """
    return {
        condition: _of_condition(table.of_condition(condition), null if condition == TENFOLD else {})
        for condition in table.conditions
    }


def _of_condition(table: Predictions, null: Mapping[str, Floats]) -> dict[str, Any]:
    if len(table.labels) > 2:
        classes = PersonClasses.of(table)
        out = {"people": len(classes.people), **_with_intervals(classes, classes.y, null)}
        # Of several labels the AUC over everybody's scores is not given: no paper of the review has it.
        return out | classes.figures(table.labels) | shares(table) | {"auc_over_all": None}
    scores = person_scores(table)
    pairs = Pairs.of(scores)
    out = {"people": len(scores.people), "majority_rate": majority_rate(scores.positive * 1)}
    out |= _with_intervals(pairs, scores.positive, null) | {"auc_over_all": over_all(table)}
    return out | people_figures(scores, pairs, None) | shares(table)


def _with_intervals(
    predicted: PersonPredictions, y: npt.NDArray[Any], null: Mapping[str, Floats]
) -> dict[str, Any]:
    """Each metric with its interval and, where there is a null, its p value."""
    out: dict[str, Any] = {}
    for metric in METRICS:
        value = float(predicted.figure(metric, y)[0])
        sd = bootstrap_sd(predicted, y, metric, seed=0)
        chance = null_sd(null[metric]) if metric in null else None
        spreads = [each for each in (sd, chance) if each is not None]
        known = np.isfinite(value)
        ends = around(value, max(spreads)) if spreads and known else None
        wider = "null and bootstrap, the wider" if chance is not None else "bootstrap over people"
        out[metric] = {
            "value": value if known else None,
            "interval": None if ends is None else list(ends),
            "interval_from": wider,
            "p": p_value(value, null[metric]) if metric in null and known else None,
        }
    return out


def over_all(table: Predictions) -> float | None:
    """AUC over everybody's scores together, whatever fold they are from; of the first repeat."""
    first = table.rows(table.repeat == table.repeat.min())
    return auc(first.y == 1, first.scores[:, 1], np.full(len(first), ""))


def apart(one: Predictions, other: Predictions, metric: str, *, seed: int = 0) -> dict[str, Any] | None:
    """One study less another on the same people of the same folds, people drawn together for both.

    Parameters
    ----------
    one, other : Predictions
        The same condition of two studies.
    metric : {"auc", "balanced_accuracy"}
        Which figure.
    seed : int
        Of the draws.

    Returns
    -------
    dict or None
        ``difference`` and ``interval``; None where they did not judge the same people.
    """
    first, second = person_scores(one), person_scores(other)
    if first.people != second.people or not np.array_equal(first.positive, second.positive):
        return None
    pairs = [Pairs.of(each) for each in (first, second)]
    values = [float(each.figure(metric, first.positive)[0]) for each in pairs]  # type: ignore[arg-type]
    times = draw_people(first.positive, seed=seed, draws=DRAWS)
    drawn = [each.figure(metric, first.positive, times) for each in pairs]  # type: ignore[arg-type]
    low, high = np.nanquantile(drawn[0] - drawn[1], [0.025, 0.975])
    return {"difference": values[0] - values[1], "interval": [float(low), float(high)]}
