"""The audit of windows with the recipe's own network, each fold of a protocol a task like any.

Windows, folds, channels and numbers of training windows are those of the ridge model's audit, so the two can
be laid side by side.  Settings are the recipe's in every task: nothing is searched.  Labels are permuted as
often as the recipe asks for a null of the network (``network_permutations``); 0 leaves the true ones alone.
"""

from collections.abc import Sequence
from typing import Any

from offline.estimators.baselines import window_features
from offline.evaluation.conditions import settings_kept
from offline.evaluation.leakage.audit import predicted
from offline.evaluation.leakage.by_person import audit_by_person
from offline.evaluation.leakage.protocols import HONEST, OF_WINDOWS, AuditTask, labels_by_permutation
from offline.evaluation.leakage.windows import AuditWindows, plan_windows
from offline.evaluation.tasks import FitResult, FitTask
from offline.evaluation.windows import WindowFit, WindowTask
from offline.samples.recipe import Recipe
from offline.samples.samples import Samples
from offline.training.visible_channels import VisibleChannels

AUDIT_TASKS = "network's audit"
"""Tag of the tasks."""


def audit_tasks(samples: Samples, recipe: Recipe, *, by_person: bool, permutations: int) -> list[WindowTask]:
    """Every fold of every protocol, for the true labels and for permuted ones.

    Parameters
    ----------
    samples : Samples
        Two labels.
    recipe : Recipe
        Whose network is audited; one of all channels.
    by_person : bool
        Whether the label is the person's.
    permutations : int
        Of the labels.
    """
    windows = AuditWindows.of(window_features(samples.X), samples.table, by_person=by_person)
    seed = recipe.training.seed
    labels = labels_by_permutation(samples.table, seed=seed, by_person=by_person)
    rounds = [(n, seed + (0 if n is None else n + 1)) for n in (None, *range(permutations))]
    bare, out = settings_kept(recipe), []
    for task in plan_windows(windows, labels, rounds):
        channels = windows.channels(task, labels(task.permutation))
        visible = VisibleChannels(tuple(channels.tolist()), tuple(task.normalisation.tolist()))
        fit = WindowFit(recipe.network.condition, bare, visible)
        own = FitTask(task.fold, str(task.protocol), fit, permutation=task.permutation, tag=AUDIT_TASKS)
        out.append(own)
    return out


def network_audit(
    samples: Samples, recipe: Recipe, results: Sequence[FitResult[WindowFit]], *, by_person: bool
) -> dict[str, Any]:
    """What the protocols gave.

    Parameters
    ----------
    samples, recipe, by_person
        See `audit_tasks`.
    results : sequence of FitResult
        Of its tasks.
    """
    protocols = {str(protocol): protocol for protocol in (HONEST, *OF_WINDOWS)}
    seed, evaluated = recipe.training.seed, []
    labels = labels_by_permutation(samples.table, seed=seed, by_person=by_person)
    for each in results:
        protocol, number = protocols[each.task.condition], each.task.permutation
        task = AuditTask(protocol, protocol is not HONEST, number, seed, each.task.fold)
        evaluated.append((task, predicted(task, each.scores, samples.table, labels)))
    metric, model = recipe.evaluation.metric, recipe.network.condition
    return audit_by_person(evaluated, by_person=by_person, metric=metric, seed=seed, model=model)
