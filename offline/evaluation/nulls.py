"""The nulls of an evaluation: which there are, how many labellings of each, and what they gave."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from models.errors import RecipeError
from offline.base.progress import Tell
from offline.base.sample_table import SampleTable
from offline.estimators.baselines import window_features
from offline.evaluation.channel_map import channel_map
from offline.evaluation.conditions import divisions_of, settings_kept
from offline.evaluation.network_null import network_null, relabelled
from offline.evaluation.null import Null, ridge_null
from offline.evaluation.runner import Job, JobOutcome
from offline.samples.recipe import Recipe
from offline.samples.samples import Samples
from offline.stats.permutation import can_change


def is_by_person(table: SampleTable, recipe: Recipe) -> bool:
    """Whether a person is one judgement: the label is theirs.

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
    """Labellings, as far as the budget allows."""
    most = recipe.budget.permutations
    return wanted if most is None else min(wanted, most)


def null_of(samples: Samples, recipe: Recipe, tell: Tell) -> Null | None:
    """The null, where the recipe asks for it and some label could have been another's."""
    n = capped(recipe.evaluation.permutations, recipe)
    by_person = is_by_person(samples.table, recipe)
    if recipe.evaluation.by == "time" or n == 0 or not can_change(samples.table, by_person=by_person):
        return None
    tell("null", 0, 1, f"{n} permuted labellings")
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


def permuted_jobs(samples: Samples, recipe: Recipe) -> list[tuple[int, Job]]:
    """Repeat and job of every fold of the network's null, each labelling divided by its own labels."""
    n = capped(recipe.evaluation.network_permutations, recipe)
    bare = settings_kept(recipe)
    return [
        (repeat, Job(fold, recipe.network.arm, bare, labelling=number))
        for number in range(n)
        for repeat, fold in divisions_of(relabelled(samples, bare, number).table, bare)
    ]


def network_null_of(
    samples: Samples, recipe: Recipe, permuted: Sequence[tuple[int, Job]], outcomes: Sequence[JobOutcome]
) -> Null | None:
    """What `permuted_jobs` gave."""
    judged = [
        (job.labelling or 0, repeat, job.fold, outcome.scores)
        for (repeat, job), outcome in zip(permuted, outcomes, strict=True)
    ]
    by_person = is_by_person(samples.table, recipe)
    return network_null(samples, recipe, judged, by_person=by_person)


def map_of(samples: Samples, recipe: Recipe) -> dict[str, Any] | None:
    """Where labels differ on the head, where there are two and permuted labellings were asked for."""
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
