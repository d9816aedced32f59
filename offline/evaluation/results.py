"""What the outcomes of an evaluation's jobs amount to: one prediction table, and all that follows from it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from offline.base.cohort import Cohort
from offline.base.predictions import Predictions
from offline.evaluation.conditions import Condition
from offline.evaluation.null import Null
from offline.evaluation.nulls import is_by_person
from offline.evaluation.over_time import over_time
from offline.evaluation.runner import Job, JobOutcome
from offline.evaluation.summary import summary
from offline.explain.over_folds import put_together
from offline.samples.recipe import Recipe
from offline.samples.samples import Samples
from offline.simulation import ceiling_beside

PROTOCOLS = {
    "people": "every window is judged by what was fitted to other people only",
    "time": "every window is judged by what was fitted to other parts of the same person's recordings",
}


def in_canonical_order(table: Predictions, arms: Sequence[str]) -> Predictions:
    """The rows by arm (in this order), then by repeat, then by sample."""
    rank = {arm: i for i, arm in enumerate(arms)}
    return table.take(
        np.lexsort((table.sample, table.repeat, np.array([rank[arm] for arm in table.arm.tolist()])))
    )


def predictions_of(
    samples: Samples, planned: Sequence[tuple[Condition, int, Job]], outcomes: Sequence[JobOutcome]
) -> Predictions:
    """The one table, in canonical order.

    Parameters
    ----------
    samples : Samples
        What was judged.
    planned : sequence of (Arm, int, Job)
        Arm, repeat and job of every fold.
    outcomes : sequence of Outcome
        Of these jobs.
    """
    parts = []
    for (arm, repeat, job), outcome in zip(planned, outcomes, strict=True):
        test = job.fold.test
        parts.append(
            Predictions(
                labels=samples.labels,
                fold=np.full(len(test), job.fold.name),
                arm=np.full(len(test), arm.name),
                sample=test.astype(np.int64),
                person=samples.table.person[test],
                y=samples.table.target[test],
                scores=outcome.scores,
                repeat=np.full(len(test), repeat, dtype=np.int64),
            )
        )
    arms = dict.fromkeys(arm.name for arm, _, _ in planned)
    return in_canonical_order(Predictions.concatenate(parts), tuple(arms))


def figures_of(
    samples: Samples,
    recipe: Recipe,
    cohort: Cohort,
    predictions: Predictions,
    *,
    fitted: Sequence[tuple[str, str, dict[str, Any]]],
    unlike: Mapping[str, Any],
    null: Null | None,
    own_null: Null | None,
    where: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """What stands in ``results.json``.

    Parameters
    ----------
    samples, recipe, cohort
        What was evaluated.
    predictions : Predictions
        The one table.
    fitted : sequence of (str, str, dict)
        Arm, fold, and how the arm was fitted there.
    unlike : mapping of str to dict
        For each fold, how many windows were unlike the training.
    null, own_null : Null or None
        Of the ridge procedure, and of the recipe's network.
    where : mapping or None
        `offline.evaluation.channel_map`.

    Returns
    -------
    dict
        JSON types; nothing of when or where.
    """
    folds: dict[str, dict[str, Any]] = {}
    for arm, fold, how in fitted:
        folds.setdefault(fold, {})[arm] = how
    return {
        "recipe": {
            "name": recipe.name,
            "hash": recipe.hash,
            "network": recipe.network.arm,
            "settings": recipe.model_dump(mode="json"),
        },
        "who": cohort.described(),
        "cohort_hash": cohort.content_hash(),
        "labels": list(samples.labels),
        "protocol": PROTOCOLS[recipe.evaluation.by],
        "channels": len(samples.names),
        "remarks": list(samples.remarks),
        "simulated": _simulated(cohort, recipe),
        "recordings": [account.to_json() for account in samples.accounts],
        "folds": {name: folds[name] for name in sorted(folds)},
        "explanations": put_together(
            {name: maps for name in sorted(folds) if (maps := _maps_of(folds[name], recipe))},
            samples.names,
            samples.places,
        ),
        "over_time": _evidence(samples, recipe, predictions, folds),
        "channel_map": where,
        "unlike_training": {name: unlike[name] for name in sorted(unlike)},
        **summary(
            predictions,
            by_person=is_by_person(samples.table, recipe),
            metric=recipe.evaluation.metric,
            prevalence=recipe.evaluation.prevalence,
            null=null,
            own_null=own_null,
            seed=recipe.training.seed,
            by_time=recipe.evaluation.by == "time",
        ),
    }


def _evidence(
    samples: Samples, recipe: Recipe, predictions: Predictions, fitted: Mapping[str, Any]
) -> dict[str, Any] | None:
    """What the recipe's own network's evidence was worth over time, where that was asked."""
    own = recipe.network.arm
    learnt = {
        fold: how["over_time"] for fold, arms in fitted.items() if "over_time" in (how := arms.get(own, {}))
    }
    return over_time(predictions.of_arm(own), samples.table, learnt) if learnt else None


def _maps_of(fitted: Mapping[str, Any], recipe: Recipe) -> list[dict[str, Any]]:
    """What explains the recipe's own network in one fold."""
    maps: list[dict[str, Any]] = fitted.get(recipe.network.arm, {}).get("explanations", [])
    return maps


def _simulated(cohort: Cohort, recipe: Recipe) -> dict[str, Any] | None:
    """What could be found at all, where people are simulated and their truth lies beside the table."""
    ceiling = ceiling_beside(cohort.path)
    if ceiling is None:
        return None
    return {"latent_accuracy": ceiling, "window_s": recipe.window.length_s}
