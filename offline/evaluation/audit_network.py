"""The audit of the recipe's own network, each careless arm a job like any fold.

Windows, folds, channels and numbers of training windows are those of the ridge model's audit, so the two can
be laid side by side.  Settings are the recipe's in every arm: nothing is searched.  Labels are permuted as
often as the recipe asks for a null of the network (``network_permutations``); 0 leaves the true ones alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from offline.base.predictions import Predictions
from offline.base.splits import Fold
from offline.estimators.baselines import window_features
from offline.evaluation.conditions import settings_kept
from offline.evaluation.leakage_audit import Audit, audit_of
from offline.evaluation.leakage_protocols import (
    AuditWindows,
    ConditionFold,
    LeakageCondition,
    chosen_channels,
    parts_of,
)
from offline.evaluation.network_null import relabelled
from offline.evaluation.runner import Job, JobOutcome
from offline.samples.recipe import Recipe
from offline.samples.samples import Samples
from offline.training.visible_channels import Sight


@dataclass(frozen=True, eq=False)
class Audited:
    """A job of the audit, and what it is a part of.

    Parameters
    ----------
    part : Part
        Fold and arm.
    job : Job
        What is computed.
    """

    part: ConditionFold
    job: Job


def audit_jobs(samples: Samples, recipe: Recipe, *, by_person: bool, labellings: int) -> list[Audited]:
    """Every fold of every arm, for the true labels and for permuted ones.

    Parameters
    ----------
    samples : Samples
        Two labels.
    recipe : Recipe
        Whose network is audited; one of all channels.
    by_person : bool
        Whether the label is the person's.
    labellings : int
        Permuted ones.
    """
    bare = settings_kept(recipe)
    windows = AuditWindows.of(window_features(samples.X), samples.table, by_person=by_person)
    out = []
    for number in (None, *range(labellings)):
        y = samples.table.target if number is None else relabelled(samples, bare, number).table.target
        seed = recipe.training.seed + (0 if number is None else number + 1)
        for part in parts_of(windows, y, seed=seed):
            people = tuple(sorted(set(samples.table.person[part.test].tolist())))
            fold = Fold(people, part.train, part.test, f"{part.arm}, {part.name}")
            sight = Sight(
                channels=tuple(chosen_channels(windows, y, part).tolist()),
                standard=tuple(part.of_normalisation.tolist()),
            )
            out.append(Audited(part, Job(fold, recipe.network.arm, bare, labelling=number, sight=sight)))
    return out


def network_audit(
    samples: Samples,
    recipe: Recipe,
    audited: Sequence[Audited],
    outcomes: Sequence[JobOutcome],
    *,
    by_person: bool,
) -> Audit:
    """What the arms gave.

    Parameters
    ----------
    samples, recipe, by_person
        See `audit_jobs`.
    audited : sequence of Audited
        What it returned.
    outcomes : sequence of Outcome
        Of its jobs, in their order.
    """
    rounds: dict[int | None, dict[LeakageCondition, list[Predictions]]] = {}
    for each, outcome in zip(audited, outcomes, strict=True):
        number, test = each.job.labelling, each.part.test
        table = samples.table
        if number is not None:
            table = relabelled(samples, recipe, number).table
        said = Predictions(
            labels=samples.labels,
            fold=np.full(len(test), each.part.name),
            arm=np.full(len(test), str(each.part.arm)),
            sample=test.astype(np.int64),
            person=table.person[test],
            y=table.target[test],
            scores=outcome.scores,
            repeat=np.zeros(len(test), dtype=np.int64),
        )
        rounds.setdefault(number, {}).setdefault(each.part.arm, []).append(said)
    whole = [{arm: Predictions.concatenate(own) for arm, own in arms.items()} for arms in rounds.values()]
    return audit_of(
        whole[:1],
        whole[1:],
        metric=recipe.evaluation.metric,
        by_person=by_person,
        seed=recipe.training.seed,
        model=recipe.network.arm,
    )
