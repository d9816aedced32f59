"""All tasks of an evaluation of windows, in canonical order."""

from collections.abc import Sequence

from models.errors import RecipeError
from offline.base.splits import site_folds
from offline.evaluation.conditions import conditions_of, divisions_of
from offline.evaluation.leakage.network import audit_tasks
from offline.evaluation.nulls import capped, is_by_person, network_null_tasks
from offline.evaluation.tasks import FitTask
from offline.evaluation.windows import OUT_OF_DISTRIBUTION, WindowFit, WindowTask
from offline.samples.recipe import Recipe
from offline.samples.samples import Samples
from offline.stats.traits import traits_vary


def tasks_of(samples: Samples, recipe: Recipe, networks: Sequence[str], *, audited: bool) -> list[WindowTask]:
    """All that is fitted: conditions, the network's null and audit, and what counts novel windows.

    Parameters
    ----------
    samples : Samples
        All.
    recipe, networks, audited
        See `offline.evaluation.evaluate.evaluate`.

    Raises
    ------
    RecipeError
        There are too few people, or what is asked for cannot be audited.
    """
    by_person = is_by_person(samples.table, recipe)
    sites = len(site_folds(samples.table)) > 0
    conditions = conditions_of(recipe, networks, sites=sites, traits=traits_vary(samples.traits))
    tasks = [task for each in conditions for task in each.tasks(samples.table)]
    tasks += network_null_tasks(samples, recipe)
    if audited:
        _check_audit(samples)
    if audited and recipe.network.channels == "all":  # one of the protocols is about the choice
        n = capped(recipe.evaluation.network_permutations, recipe)
        tasks += audit_tasks(samples, recipe, by_person=by_person, permutations=n)
    if recipe.evaluation.by == "people":  # a session's own person is never part of what it was fitted to
        fit = WindowFit(OUT_OF_DISTRIBUTION, recipe)
        tasks += [
            FitTask(fold, fit.model, fit, repeat=repeat, tag=OUT_OF_DISTRIBUTION)
            for repeat, fold in divisions_of(samples.table, recipe)
        ]
    return tasks


def _check_audit(samples: Samples) -> None:
    if len(samples.labels) != 2:
        raise RecipeError(
            f"The audit needs two labels; the recipe has {', '.join(samples.labels)}. "
            "Leave --audit away, or make a recipe of two of them."
        )
