"""The permutation tests of an evaluation: which there are, how many permutations of each, and what they gave.

The network's own keeps the recipe's settings, whether or not others were chosen inside the folds: it is
conditional on them and is called that.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from models.errors import RecipeError
from offline.base.predictions import Predictions
from offline.base.progress import Tell
from offline.base.sample_table import SampleTable
from offline.estimators.baselines import window_features
from offline.evaluation.channel_map import channel_map
from offline.evaluation.conditions import divisions_of, settings_kept
from offline.evaluation.ridge_null import ridge_null
from offline.evaluation.tasks import FitResult, FitTask
from offline.evaluation.windows import WindowFit, WindowTask, permuted_samples
from offline.samples.recipe import Recipe
from offline.samples.samples import Samples
from offline.stats.null import Null
from offline.stats.permutation import can_change

NETWORK_NULL = "network's null"
"""Tag of the tasks of the network's own."""


def is_by_person(table: SampleTable, recipe: Recipe) -> bool:
    """Whether a person is predicted once: the label is theirs.

    Raises
    ------
    RecipeError
        The recipe says that the label is the person's, and somebody has two.
    """
    if recipe.labels.target != "person":
        return False
    for person in table.people:
        own = np.unique(table.target[table.person == person])
        if len(own) > 1:
            raise RecipeError(
                f"Person {person} has {len(own)} labels, but the recipe says that the label is the person's "
                '(labels.target = "person"). Correct the table, or set target = "event".'
            )
    return True


def capped(wanted: int, recipe: Recipe) -> int:
    """Permutations, as far as the budget allows."""
    most = recipe.budget.permutations
    return wanted if most is None else min(wanted, most)


def null_of(samples: Samples, recipe: Recipe, tell: Tell) -> Null | None:
    """The ridge null, where the recipe asks for it and some label could have been another's."""
    n = capped(recipe.evaluation.permutations, recipe)
    by_person = is_by_person(samples.table, recipe)
    if recipe.evaluation.by == "time" or n == 0 or not can_change(samples.table, by_person=by_person):
        return None
    tell("null", 0, 1, f"{n} permutations")
    null = ridge_null(
        window_features(samples.X),
        samples.table,
        n_labels=len(samples.labels),
        by_person=by_person,
        permutations=n,
        repeats=recipe.evaluation.repeats,
        seed=recipe.training.seed,
    )
    tell("null", 1, 1, "")
    return null


def network_null_tasks(samples: Samples, recipe: Recipe) -> list[WindowTask]:
    """Every fold of the network's null; each permutation is divided by its own labels."""
    fit = WindowFit(recipe.network.condition, settings_kept(recipe))
    return [
        FitTask(fold, fit.model, fit, permutation=number, repeat=repeat, tag=NETWORK_NULL)
        for number in range(capped(recipe.evaluation.network_permutations, recipe))
        for repeat, fold in divisions_of(permuted_samples(samples, fit.recipe, number).table, fit.recipe)
    ]


def network_null_of(samples: Samples, recipe: Recipe, results: Sequence[FitResult[WindowFit]]) -> Null | None:
    """The null of results of `network_null_tasks`; None where there are none."""
    by_person = is_by_person(samples.table, recipe)
    parts: dict[int, list[Predictions]] = {}
    for each in results:
        number = each.task.permutation or 0
        table = permuted_samples(samples, recipe, number).table
        own = Predictions.of_fold(samples.labels, table, each.task.fold, each.scores, repeat=each.task.repeat)
        parts.setdefault(number, []).append(own)
    return Null.of([parts[number] for number in sorted(parts)], by_person=by_person) if parts else None


def map_of(samples: Samples, recipe: Recipe) -> dict[str, Any] | None:
    """Where labels differ on the head, where there are two and permutations were asked for."""
    n = capped(recipe.evaluation.permutations, recipe)
    if recipe.evaluation.by == "time" or n == 0 or len(samples.labels) != 2:
        return None
    return channel_map(
        window_features(samples.X),
        samples.table,
        samples.names,
        by_person=is_by_person(samples.table, recipe),
        permutations=n,
        seed=recipe.training.seed,
    )
