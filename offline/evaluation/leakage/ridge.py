"""The audit of windows with the ridge baseline, which can be fitted often enough for an interval."""

from typing import Any

import numpy as np

from models.arrays import Floats
from offline.base.progress import Tell
from offline.base.sample_table import SampleTable
from offline.estimators.discriminant import fit_discriminant
from offline.estimators.scaling import standard_of
from offline.evaluation.leakage.audit import predicted
from offline.evaluation.leakage.by_person import audit_by_person
from offline.evaluation.leakage.protocols import AuditTask, Labels, labels_by_permutation
from offline.evaluation.leakage.windows import AuditWindows, plan_windows
from offline.evaluation.ridge import inner_folds
from offline.stats.primary import Metric

PERMUTATIONS = 40
"""Permutations of the labels, of everything in every protocol."""
DIVISIONS = 10
"""Divisions into folds that the figures of the true labels are means of."""


def audit_ridge(
    features: Floats,
    table: SampleTable,
    *,
    by_person: bool,
    metric: Metric = "auc",
    permutations: int = PERMUTATIONS,
    divisions: int = DIVISIONS,
    seed: int = 0,
    tell: Tell,
) -> dict[str, Any]:
    """Run every protocol on true and on permuted labels.

    Parameters
    ----------
    features : (n, n_features) float64
        `offline.estimators.baselines.window_features` of all samples.
    table : SampleTable
        Two labels.
    by_person : bool
        Whether the label is the person's.
    metric : {"auc", "balanced_accuracy"}
        Which figure.
    permutations, divisions : int
        Permutations of the null, and divisions for the true labels.
    seed : int
        What chance follows from.
    tell : callable
        Told of progress.
    """
    windows = AuditWindows.of(features, table, by_person=by_person)
    total = divisions + permutations
    rounds = [(None if n < divisions else n, seed + n) for n in range(total)]
    labels = labels_by_permutation(table, seed=seed, by_person=by_person)
    evaluated, begun = [], -1
    for task in plan_windows(windows, labels, rounds):
        if begun != (begun := task.seed - seed):
            tell("audit", begun, total, "true labels" if begun < divisions else "permuted labels")
        scores = _scores(windows, labels(task.permutation), task)
        evaluated.append((task, predicted(task, scores, table, labels)))
    tell("audit", total, total, "")
    return audit_by_person(evaluated, by_person=by_person, metric=metric, seed=seed, model="ridge")


def _scores(windows: AuditWindows, y: Labels, task: AuditTask) -> Floats:
    """Probabilities of the task's test windows, (n, 2) float64."""
    rows, columns = windows.rows(task.fold.train, y), windows.columns(task, y)
    standard = None
    if len(task.normalisation) > len(task.fold.train):
        seen = windows.rows(task.normalisation, y)
        standard = standard_of(seen.features[:, columns], seen.weight)
    model = fit_discriminant(
        rows.features[:, columns],
        rows.y[:, np.newaxis] == 1,
        rows.weight,
        inner_folds(rows, by_person=windows.by_person, seed=task.seed),
        standard=standard,
    )
    odds = model.log_odds(windows.features[task.fold.test][:, columns])[:, 0]
    second = 1.0 / (1.0 + np.exp(-np.clip(odds, -30, 30)))
    return np.stack([1.0 - second, second], axis=1)
