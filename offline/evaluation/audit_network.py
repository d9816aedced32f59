"""The audit of the recipe's own network, each leakage protocol a condition whose folds are tasks like any.

Windows, folds, channels and numbers of training windows are those of the ridge model's audit, so the two can
be laid side by side.  Settings are the recipe's in every arm: nothing is searched.  Labels are permuted as
often as the recipe asks for a null of the network (``network_permutations``); 0 leaves the true ones alone.
"""

from collections.abc import Sequence

from offline.base.predictions import Predictions
from offline.base.splits import Fold
from offline.estimators.baselines import window_features
from offline.evaluation.conditions import settings_kept
from offline.evaluation.leakage_audit import Audit, audit_of
from offline.evaluation.leakage_protocols import AuditWindows, LeakageCondition, chosen_channels, parts_of
from offline.evaluation.tasks import FitResult, FitTask
from offline.evaluation.windows import WindowFit, WindowTask, permuted_samples
from offline.samples.recipe import Recipe
from offline.samples.samples import Samples
from offline.training.visible_channels import Sight

AUDIT_TASKS = "network's audit"
"""Tag of the tasks."""


def audit_tasks(samples: Samples, recipe: Recipe, *, by_person: bool, permutations: int) -> list[WindowTask]:
    """Every fold of every leakage protocol, for the true labels and for permuted ones.

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
    bare = settings_kept(recipe)
    windows = AuditWindows.of(window_features(samples.X), samples.table, by_person=by_person)
    out = []
    for number in (None, *range(permutations)):
        y = samples.table.target if number is None else permuted_samples(samples, bare, number).table.target
        seed = recipe.training.seed + (0 if number is None else number + 1)
        for part in parts_of(windows, y, seed=seed):
            people = tuple(sorted(set(samples.table.person[part.test].tolist())))
            visible = Sight(
                channels=tuple(chosen_channels(windows, y, part).tolist()),
                standard=tuple(part.of_normalisation.tolist()),
            )
            fit = WindowFit(recipe.network.arm, bare, visible)
            fold = Fold(people, part.train, part.test, part.name)
            out.append(FitTask(fold, str(part.arm), fit, permutation=number, tag=AUDIT_TASKS))
    return out


def network_audit(
    samples: Samples, recipe: Recipe, results: Sequence[FitResult[WindowFit]], *, by_person: bool
) -> Audit:
    """What the protocols gave.

    Parameters
    ----------
    samples, recipe, by_person
        See `audit_tasks`.
    results : sequence of FitResult
        Of its tasks, in their order.
    """
    rounds: dict[int | None, dict[LeakageCondition, list[Predictions]]] = {}
    for each in results:
        number, table = each.task.permutation, samples.table
        if number is not None:
            table = permuted_samples(samples, recipe, number).table
        own = Predictions.of_fold(
            samples.labels, table, each.task.fold, each.scores, condition=each.task.condition
        )
        by_condition = rounds.setdefault(number, {})
        by_condition.setdefault(LeakageCondition(each.task.condition), []).append(own)
    whole = [{name: Predictions.concatenate(own) for name, own in each.items()} for each in rounds.values()]
    return audit_of(
        whole[:1],
        whole[1:],
        metric=recipe.evaluation.metric,
        by_person=by_person,
        seed=recipe.training.seed,
        model=recipe.network.arm,
    )
