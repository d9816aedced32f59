"""What the results of an evaluation's tasks amount to: one prediction table, and all that follows from it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from offline.base.cohort import Cohort
from offline.base.predictions import Predictions
from offline.evaluation.block_figures import block_figures
from offline.evaluation.evaluation_plan import CONDITIONS, NETWORK_NULL, EvaluationPlan
from offline.evaluation.fit_and_predict import BASELINES
from offline.evaluation.nulls import RidgeNulls, network_null_of
from offline.evaluation.over_time import over_time
from offline.evaluation.own_minutes import OWN_MINUTES, curves
from offline.evaluation.served import served
from offline.evaluation.summary import summary
from offline.evaluation.tasks import FitResult, tagged
from offline.evaluation.windows import OUT_OF_DISTRIBUTION, WindowFit
from offline.explain.over_folds import put_together
from offline.simulation import ceiling_beside

PROTOCOLS = {
    "people": "every window is predicted by what was fitted to other people only",
    "time": "every window is predicted by what was fitted to other parts of the same person's recordings",
}


def predictions_of(plan: EvaluationPlan, results: Sequence[FitResult[WindowFit]]) -> Predictions:
    """The one table of the conditions' results, sorted by condition, repeat and sample."""
    table = Predictions.concatenate(
        [
            Predictions.of_fold(
                plan.samples.labels,
                plan.samples.table,
                each.task.fold,
                each.scores,
                condition=each.task.condition,
                repeat=each.task.repeat,
            )
            for each in tagged(results, CONDITIONS)
        ]
    )
    rank = {condition: i for i, condition in enumerate(table.conditions)}
    by = np.array([rank[condition] for condition in table.condition.tolist()])
    return table.rows(np.lexsort((table.sample, table.repeat, by)))


def figures_of(
    plan: EvaluationPlan,
    cohort: Cohort,
    predictions: Predictions,
    results: Sequence[FitResult[WindowFit]],
    *,
    nulls: RidgeNulls,
    where: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """What stands in ``results.json``: JSON types, nothing of when or where.

    Parameters
    ----------
    plan, cohort
        What was evaluated.
    predictions, results
        The one table, and results of all tasks.
    nulls : RidgeNulls
        Of the ridge procedure.
    where : mapping or None
        `offline.evaluation.channel_map`.
    """
    samples, recipe = plan.samples, plan.recipe
    folds: dict[str, dict[str, Any]] = {}
    for each in tagged(results, CONDITIONS):
        folds.setdefault(each.task.fold.name, {})[each.task.condition] = each.how
    own_null = network_null_of(plan, tagged(results, NETWORK_NULL))
    found = summary(
        predictions,
        by_person=plan.by_person,
        metric=plan.metric,
        prevalence=recipe.evaluation.prevalence,
        nulls=nulls,
        order=plan.order,
        own_null=own_null,
        seed=plan.seed,
        by_time=plan.by_time,
    )
    unlike = {each.task.fold.name: each.how for each in tagged(results, OUT_OF_DISTRIBUTION)}
    return {
        "recipe": {
            "name": recipe.name,
            "hash": recipe.hash,
            "model": plan.model,
            "settings": recipe.model_dump(mode="json"),
        },
        "who": cohort.described(),
        "cohort_hash": cohort.content_hash(),
        "labels": list(samples.labels),
        "protocol": PROTOCOLS[recipe.evaluation.by],
        "channels": len(samples.names),
        "remarks": list(samples.remarks),
        "simulated": _simulated(cohort, recipe.window.length_s),
        "recordings": [account.to_json() for account in samples.accounts],
        "folds": {name: folds[name] for name in sorted(folds)},
        "explanations": put_together(
            {
                name: maps
                for name in sorted(folds)
                if (maps := folds[name].get(plan.model, {}).get("explanations"))
            },
            samples.names,
            samples.places,
        ),
        "served": served(predictions.of_condition(plan.model), samples.table, recipe, found["conditions"]),
        "over_time": _evidence(plan, predictions, folds),
        "channel_map": where,
        "calibration": curves(
            {each.task.fold.name: each.how for each in tagged(results, OWN_MINUTES)}, recipe, plan.model
        ),
        "unlike_training": {name: unlike[name] for name in sorted(unlike)},
        "by_block": block_figures(
            predictions,
            recipe,
            samples.accounts,
            simple=[name for name in BASELINES if name != plan.model],
            nulls=nulls,
            order=plan.order,
            own_null=own_null,
        ),
        **found,
    }


def _evidence(
    plan: EvaluationPlan, predictions: Predictions, fitted: Mapping[str, Any]
) -> dict[str, Any] | None:
    """What the recipe's own network's evidence was worth over time, where that was asked."""
    own = plan.model
    learnt = {
        fold: how["over_time"]
        for fold, conditions in fitted.items()
        if "over_time" in (how := conditions.get(own, {}))
    }
    return over_time(predictions.of_condition(own), plan.samples.table, learnt) if learnt else None


def _simulated(cohort: Cohort, window_s: float) -> dict[str, Any] | None:
    """What could be found at all, where people are simulated and their truth lies beside the table."""
    ceiling = ceiling_beside(cohort.path)
    return None if ceiling is None else {"latent_accuracy": ceiling, "window_s": window_s}
