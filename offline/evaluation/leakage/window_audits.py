"""The audits of windows: with the ridge model, fitted often enough for an interval, and with the own network.

Windows, folds, channels and numbers of training windows are the same in both, so they can be laid side by
side.  Figures are those of the evaluation, by person.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any

import numpy as np

from models.arrays import Floats
from offline.base.predictions import Predictions
from offline.base.progress import Tell, silent
from offline.estimators.discriminant import fit_discriminant
from offline.estimators.scaling import standard_of
from offline.evaluation.evaluation_plan import EvaluationPlan
from offline.evaluation.leakage.audit import LABELS, Evaluated, audit_of
from offline.evaluation.leakage.protocols import HONEST, AuditTask, LeakageProtocol, protocols_for
from offline.evaluation.leakage.windows import channels_of, plan_windows, select_channels
from offline.evaluation.tasks import FitResult, FitTask
from offline.evaluation.windows import WindowFit, WindowTask
from offline.stats.intervals import bootstrap_mean_sd
from offline.stats.paired_comparison import difference_sd, own_differences
from offline.stats.person_classes import person_predictions
from offline.stats.primary import Metric
from offline.stats.primary_figure import primary
from offline.training.feature_table import FeatureTable
from offline.training.ridge import penalty_folds, probabilities
from offline.training.visible_channels import VisibleChannels

AUDIT_TASKS = "network's audit"
"""Tag of the tasks of the recipe's own network."""
PERMUTATIONS = 40
"""Permutations of the labels for the ridge model, of everything in every protocol."""
DIVISIONS = 10
"""Divisions into folds that its figures of the true labels are means of."""


def audit_ridge(
    data: FeatureTable,
    *,
    metric: Metric = "auc",
    permutations: int = PERMUTATIONS,
    divisions: int = DIVISIONS,
    seed: int = 0,
    tell: Tell = silent,
) -> dict[str, Any]:
    """Run every protocol with the ridge model, on true and on permuted labels.

    Parameters
    ----------
    data : FeatureTable
        All windows; two labels.
    metric : {"auc", "balanced_accuracy"}
        Which figure.
    permutations, divisions : int
        Permutations of the null, and divisions for the true labels.
    seed : int
        What chance follows from.
    tell : callable
        Called with progress.
    """
    total, permuted = divisions + permutations, cache(partial(data.permuted, seed=seed))
    rounds = [(None if n < divisions else n, seed + n) for n in range(total)]
    evaluated, begun = [], -1
    for task in plan_windows(permuted, rounds):
        if begun != (begun := task.seed - seed):
            tell("audit", begun, total, "true labels" if begun < divisions else "permuted labels")
        own = permuted(task.permutation)
        evaluated.append((task, Predictions.of_fold(LABELS, own.table, task.fold, _ridge_scores(own, task))))
    tell("audit", total, total, "")
    return _audit(
        evaluated,
        protocols_for(data.table),
        by_person=data.by_person,
        metric=metric,
        seed=seed,
        model="ridge",
    )


def _ridge_scores(data: FeatureTable, task: AuditTask) -> Floats:
    """Probabilities of the task's test windows, (n, 2) float64."""
    rows, columns = data.rows(task.fold.train), select_channels(data.rows(task.selection))
    standard = None
    if len(task.normalisation) > len(task.fold.train):
        everybody = data.rows(task.normalisation)
        standard = standard_of(everybody.features[:, columns], everybody.weight)
    model = fit_discriminant(
        rows.features[:, columns],
        rows.y[:, np.newaxis] == 1,
        rows.weight,
        penalty_folds(rows, seed=task.seed),
        standard=standard,
    )
    return probabilities(model.log_odds(data.features[task.fold.test][:, columns]))


def network_audit_tasks(plan: EvaluationPlan) -> list[WindowTask]:
    """Every fold of every protocol as a task of the recipe's own network, its settings kept.

    Labels are permuted as often as the recipe asks for a null of the network; 0 leaves the true ones alone.
    None for a network of the best channel: one of the protocols is about the choice.  None for mixed
    montages: all choose and standardise channels that every window has.
    """
    if plan.recipe.model.channels != "all" or plan.samples.montages is not None:
        return []
    permuted = cache(lambda number: replace(plan.features, table=plan.permuted_table(number)))
    rounds = [(None, plan.seed), *((k, plan.seed + k + 1) for k in range(plan.model_permutations))]
    tasks = []
    for task in plan_windows(permuted, rounds):
        channels = channels_of(select_channels(permuted(task.permutation).rows(task.selection)))
        visible = VisibleChannels(tuple(channels.tolist()), tuple(task.normalisation.tolist()))
        fit = replace(plan.model_fit, visible=visible)
        tasks.append(
            FitTask(task.fold, str(task.protocol), fit, permutation=task.permutation, tag=AUDIT_TASKS)
        )
    return tasks


def network_audit(plan: EvaluationPlan, results: Sequence[FitResult[WindowFit]]) -> dict[str, Any]:
    """What the protocols gave with the recipe's own network, by results of `network_audit_tasks`."""
    tried = protocols_for(plan.samples.table)
    protocols = {str(protocol): protocol for protocol in (HONEST, *tried)}
    evaluated = []
    for each in results:
        protocol, number = protocols[each.task.condition], each.task.permutation
        task = AuditTask(protocol, protocol is not HONEST, number, plan.seed, each.task.fold)
        table = plan.permuted_table(number)
        evaluated.append((task, Predictions.of_fold(LABELS, table, task.fold, each.scores)))
    return _audit(
        evaluated,
        tried,
        by_person=plan.by_person,
        metric=plan.metric,
        seed=plan.seed,
        model=plan.model,
    )


def _audit(
    evaluated: Evaluated,
    protocols: Sequence[LeakageProtocol],
    *,
    by_person: bool,
    metric: Metric,
    seed: int,
    model: str,
) -> dict[str, Any]:
    """Put every protocol beside the honest one, by person."""

    def figures(of: Predictions) -> dict[str, float]:
        value = primary(of, metric, by_person=by_person)
        return {metric: np.nan if value is None else value}

    spread = partial(_difference_sd, metric=metric, by_person=by_person, seed=seed)
    return audit_of(evaluated, protocols, (metric,), figures, spread, model=model, unit="person")


def _difference_sd(
    one: Predictions, other: Predictions, *, metric: Metric, by_person: bool, seed: int
) -> float:
    """SD of the difference of two figures over draws of people, the same in both; NaN where unknown."""
    if not by_person:
        apart = own_differences(one, other, metric)
        sd = bootstrap_mean_sd(np.array(list(apart.values())), seed=seed, unit=one.units(list(apart)))
        return np.nan if sd is None else sd
    (first, positive), (second, _) = (person_predictions(table) for table in (one, other))
    if min(positive.sum(), (~positive).sum()) < 2:
        return np.nan
    return difference_sd(first, second, positive, metric, seed=seed, unit=one.units(one.people))
