"""A study's figures: pure functions of what was predicted of people.

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
from offline.report.study import TENFOLD
from offline.stats.intervals import PersonPredictions, around, bootstrap_sd, clopper_pearson, null_sd
from offline.stats.metrics import auc
from offline.stats.permutation import p_value
from offline.stats.person_classes import PersonClasses
from offline.stats.person_metrics import people_figures
from offline.stats.primary import METRICS, Pairs, person_scores


def figures_of(table: Predictions, null: Mapping[str, Floats]) -> dict[str, Any]:
    """Figures of every condition in a study's table, by condition; JSON types.

    The ten folds stand beside the null: their figures on permuted labels, (n,) float64 by metric, if any.
    """
    return {
        condition: _of_condition(table.of_condition(condition), null if condition == TENFOLD else {})
        for condition in table.conditions
    }


def _of_condition(table: Predictions, null: Mapping[str, Floats]) -> dict[str, Any]:
    classes = PersonClasses.of(table)
    its = classes.figures(table.labels)
    people = {"people": len(classes.people), "majority_rate": its["majority_rate"]}
    shares = _shares(its, table.labels)
    if len(table.labels) > 2:
        # Of several labels the AUC over everybody's scores is not given: no paper of the review has it.
        return people | _with_intervals(classes, classes.y, null) | its | shares | {"auc_over_all": None}
    scores = person_scores(table)
    pairs = Pairs.of(scores)
    first = table.rows(table.repeat == table.repeat.min())
    over_all = auc(first.y == 1, first.scores[:, 1], np.full(len(first), ""))
    out = people | _with_intervals(pairs, scores.positive, null) | {"auc_over_all": over_all}
    return out | people_figures(scores, pairs, None) | shares


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


def _shares(its: Mapping[str, Any], labels: tuple[str, ...]) -> dict[str, Any]:
    """Shares of people who were predicted right, of everybody and of each label, with exact intervals.

    Who was predicted in several repeats counts once, by the mean of the predictions; who was drawn to train
    is taken as it was.
    """
    confusion = np.array(its["predicted"])  # true labels down, predicted across

    def share(right: int, n: int) -> list[float] | None:
        ends = clopper_pearson(right, n)
        return None if ends is None else list(ends)

    of_label = zip(labels, np.diagonal(confusion).tolist(), confusion.sum(axis=1).tolist(), strict=True)
    return {
        "accuracy_interval": share(int(np.trace(confusion)), int(confusion.sum())),
        "recall": its["recall"],
        "recall_interval": {label: share(right, n) for label, right, n in of_label},
    }
