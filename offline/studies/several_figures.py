"""Figures of more than two labels: the mean over labels, and each label's own with an interval by person.

Accuracy and recalls carry exact intervals of a share of people (Clopper and Pearson): who was drawn to train
is taken as it was.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from models.arrays import Floats
from offline.base.predictions import Predictions
from offline.stats.intervals import around, bootstrap_sd, clopper_pearson, null_sd
from offline.stats.permutation import p_value
from offline.stats.person_classes import PersonClasses
from offline.stats.primary import METRICS


def of_arm(table: Predictions, null: Mapping[str, Floats]) -> dict[str, Any]:
    """Figures of one arm, by person.

    Parameters
    ----------
    table : Predictions
        Its rows.
    null : mapping of metric to (n,) float64
        The same figures on permuted labels; empty where there are none.

    Returns
    -------
    dict
        JSON types.
    """
    classes = PersonClasses.of(table)
    out: dict[str, Any] = {"people": len(classes.people)}
    for metric in METRICS:
        value = float(classes.figure(metric, classes.y)[0])
        known = np.isfinite(value)
        sd = bootstrap_sd(classes, classes.y, metric, seed=0)
        chance = null_sd(null[metric]) if metric in null else None
        spreads = [each for each in (sd, chance) if each is not None]
        ends = around(value, max(spreads)) if spreads and known else None
        out[metric] = {
            "value": value if known else None,
            "interval": None if ends is None else [ends.low, ends.high],
            "interval_from": "null and bootstrap, the wider"
            if chance is not None
            else "bootstrap over people",
            "p": p_value(value, null[metric]) if metric in null and known else None,
        }
    # Of several labels the AUC over everybody's scores together is not given: no paper of the review has it.
    return out | classes.figures(table.labels) | shares(table) | {"auc_over_all": None}


def shares(table: Predictions) -> dict[str, Any]:
    """What share of everybody, and of each label's people, was told right; exact intervals of a share.

    Who was judged in several repeats counts once, by the mean of what was said.

    Parameters
    ----------
    table : Predictions
        Rows of one arm, two labels or more.
    """
    its = PersonClasses.of(table).figures(table.labels)
    said = np.array(its["said"])  # true labels down, said across
    right = np.diagonal(said)
    return {
        "accuracy_interval": _share(int(right.sum()), int(said.sum())),
        "recall": its["recall"],
        "recall_interval": {
            label: _share(int(right[k]), int(said[k].sum())) for k, label in enumerate(table.labels)
        },
    }


def null_figures(table: Predictions) -> dict[str, float]:
    """Figures of one permuted labelling: its predictions, with the permuted labels."""
    classes = PersonClasses.of(table)
    return {metric: float(classes.figure(metric, classes.y)[0]) for metric in METRICS}


def _share(right: int, n: int) -> list[float] | None:
    ends = clopper_pearson(right, n)
    return None if ends is None else list(ends)
