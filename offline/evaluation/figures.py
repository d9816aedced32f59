"""What the results of an evaluation's tasks amount to: one prediction table, and all that follows from it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from offline.base.cohort import Cohort
from offline.base.predictions import Predictions
from offline.evaluation.conditions import CONDITIONS
from offline.evaluation.nulls import NETWORK_NULL, is_by_person, network_null_of
from offline.evaluation.over_time import over_time
from offline.evaluation.summary import summary
from offline.evaluation.tasks import FitResult, tagged
from offline.evaluation.windows import OUT_OF_DISTRIBUTION, WindowFit
from offline.explain.over_folds import put_together
from offline.samples.recipe import Recipe
from offline.samples.samples import Samples
from offline.simulation import ceiling_beside
from offline.stats.null import Null

PROTOCOLS = {
    "people": "every window is judged by what was fitted to other people only",
    "time": "every window is judged by what was fitted to other parts of the same person's recordings",
}


def in_canonical_order(table: Predictions, conditions: Sequence[str]) -> Predictions:
    """The rows by condition (in this order), then by repeat, then by sample."""
    rank = {condition: i for i, condition in enumerate(conditions)}
    return table.rows(
        np.lexsort(
            (
                table.sample,
                table.repeat,
                np.array([rank[condition] for condition in table.condition.tolist()]),
            )
        )
    )


def predictions_of(samples: Samples, results: Sequence[FitResult[WindowFit]]) -> Predictions:
    """The one table, in canonical order.

    Parameters
    ----------
    samples : Samples
        What was predicted.
    results : sequence of FitResult
        Those of the conditions are taken.
    """
    own = tagged(results, CONDITIONS)
    parts = [
        Predictions.of_fold(
            samples.labels,
            samples.table,
            each.task.fold,
            each.scores,
            condition=each.task.condition,
            repeat=each.task.repeat,
        )
        for each in own
    ]
    conditions = dict.fromkeys(each.task.condition for each in own)
    return in_canonical_order(Predictions.concatenate(parts), tuple(conditions))


def figures_of(
    samples: Samples,
    recipe: Recipe,
    cohort: Cohort,
    predictions: Predictions,
    results: Sequence[FitResult[WindowFit]],
    *,
    null: Null | None,
    where: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """What stands in ``results.json``.

    Parameters
    ----------
    samples, recipe, cohort
        What was evaluated.
    predictions : Predictions
        The one table.
    results : sequence of FitResult
        Of all tasks.
    null : Null or None
        Of the ridge procedure.
    where : mapping or None
        `offline.evaluation.channel_map`.

    Returns
    -------
    dict
        JSON types; nothing of when or where.
    """
    folds: dict[str, dict[str, Any]] = {}
    for each in tagged(results, CONDITIONS):
        folds.setdefault(each.task.fold.name, {})[each.task.condition] = each.how
    unlike = {each.task.fold.name: each.how for each in tagged(results, OUT_OF_DISTRIBUTION)}
    return {
        "recipe": {
            "name": recipe.name,
            "hash": recipe.hash,
            "network": recipe.network.condition,
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
            own_null=network_null_of(samples, recipe, tagged(results, NETWORK_NULL)),
            seed=recipe.training.seed,
            by_time=recipe.evaluation.by == "time",
        ),
    }


def _evidence(
    samples: Samples, recipe: Recipe, predictions: Predictions, fitted: Mapping[str, Any]
) -> dict[str, Any] | None:
    """What the recipe's own network's evidence was worth over time, where that was asked."""
    own = recipe.network.condition
    learnt = {
        fold: how["over_time"]
        for fold, conditions in fitted.items()
        if "over_time" in (how := conditions.get(own, {}))
    }
    return over_time(predictions.of_condition(own), samples.table, learnt) if learnt else None


def _maps_of(fitted: Mapping[str, Any], recipe: Recipe) -> list[dict[str, Any]]:
    """What explains the recipe's own network in one fold."""
    maps: list[dict[str, Any]] = fitted.get(recipe.network.condition, {}).get("explanations", [])
    return maps


def _simulated(cohort: Cohort, recipe: Recipe) -> dict[str, Any] | None:
    """What could be found at all, where people are simulated and their truth lies beside the table."""
    ceiling = ceiling_beside(cohort.path)
    if ceiling is None:
        return None
    return {"latent_accuracy": ceiling, "window_s": recipe.window.length_s}
