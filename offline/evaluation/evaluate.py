"""Evaluation by unseen person: in every fold, everything is fitted to the others alone.

One prediction table comes out, and every figure follows from it.  ``results.json`` holds what is the
same from one run to the next; times and the machine stand in ``run.json``.
"""

import time
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from models.errors import RecipeError
from offline.base.cohort import Cohort, read_cohort
from offline.base.process_pool import Workers
from offline.base.progress import Tell, shown
from offline.base.result_cache import new_folder
from offline.evaluation.conditions import conditions_of
from offline.evaluation.evaluation_plan import CONDITIONS, EvaluationPlan
from offline.evaluation.figures import figures_of, predictions_of
from offline.evaluation.fit_cache import FitCache
from offline.evaluation.leakage.window_audits import (
    AUDIT_TASKS,
    audit_ridge,
    network_audit,
    network_audit_tasks,
)
from offline.evaluation.nulls import map_of, nulls_of
from offline.evaluation.person_targets import evaluate_people
from offline.evaluation.planning import Cost, costs_of
from offline.evaluation.results_folder import (
    AUDIT,
    NETWORK_AUDIT,
    WORK,
    Results,
    folder_for,
    run_of,
    write_results,
)
from offline.evaluation.runner import Elsewhere, run_tasks
from offline.evaluation.tasks import tagged
from offline.evaluation.windows import WindowProcedure, WindowTask
from offline.report.console import print_audit, print_continuous, print_results
from offline.samples.recipe import Recipe
from offline.samples.samples import Samples, collect
from offline.samples.twice import refuse_doubled, refuse_shared
from offline.training.pretrained import refuse_seen

CONTINUOUS = "The recipe's target is an amount (labels.continuous)"


def evaluate(
    cohort_path: str | Path,
    recipe: Recipe,
    out: str | Path,
    *,
    compare: Sequence[str] = (),
    workers: int = 1,
    cluster: str | None = None,
    audited: bool = False,
    progress: Tell | None = None,
    show: bool = True,
) -> Results:
    """Predict every person by what was fitted to the others; write the report and print its table.

    A run that was killed goes on where it stopped when it is started again with the same folder, and ends
    with the same ``results.json``.

    Parameters
    ----------
    cohort_path : path
        The cohort's table, or the folder of ``cohort.tsv``.
    recipe : Recipe
        What is done.
    out : path
        Folder for ``results.json``, ``run.json``, ``predictions.csv`` and ``samples.csv``.
    compare : sequence of str
        Kinds of models to compare with the recipe's own, each with its default parameters.
    workers : int
        Processes that share the folds.
    cluster : str or None
        Address of a Dask scheduler whose workers compute them instead.
    audited : bool
        Whether leakage protocols are run too (``audit.json``, ``audit.png``).
    progress : callable or None
        Called with progress; None shows it where there is a terminal.
    show : bool
        Whether the table is printed, person by person.

    Raises
    ------
    HemostreamError
        Whatever is wrong with recipe, cohort, recordings or folder.
    """
    began = datetime.now(UTC)
    if recipe.labels.continuous and (audited or compare):
        raise RecipeError(
            f"{CONTINUOUS}: it has no audit and compares linear models: leave --audit and --compare away."
        )
    conditions = conditions_of(recipe, compare)  # what is wrong with them is found before minutes of replay
    elsewhere = None if cluster is None else _on(cluster)
    folder = folder_for(out)
    with new_folder(folder), shown(progress) as tell, Workers(workers) as shared:
        cohort = read_cohort(cohort_path)
        clock = time.perf_counter()
        plan = EvaluationPlan(_collected(cohort, recipe, tell), recipe, conditions)
        seconds = {"collect": time.perf_counter() - clock}
        if recipe.labels.continuous:
            results = Results(*evaluate_people(plan, cohort), run_of(began, {}, 1, None))
            write_results(folder, results, plan.samples, audits={})
            if show:
                print_continuous(results.figures)
            return results
        tasks, procedure = _tasks(plan, audited=audited), WindowProcedure(plan.samples)
        cache = FitCache(folder / WORK, procedure.key)
        apart = workers > 1 and elsewhere is None
        with procedure.on_disk(cache.folder) if apart else nullcontext(procedure) as stored:
            fitted = run_tasks(stored, tasks, cache=cache, workers=shared, elsewhere=elsewhere, tell=tell)
        clock = time.perf_counter()
        if plan.permutations:
            tell("null", 0, 1, f"{plan.permutations} permutations")
        nulls, where = nulls_of(plan, plan.permutations), map_of(plan)
        seconds["null"] = time.perf_counter() - clock
        audits = {}
        if audited:
            audits[AUDIT] = audit_ridge(plan.features, metric=plan.metric, seed=plan.seed, tell=tell)
        if own := tagged(fitted, AUDIT_TASKS):
            audits[NETWORK_AUDIT] = network_audit(plan, own)
    for each in fitted:
        task = each.task
        name = f"{task.fold.name}: {task.condition}" if task.tag == CONDITIONS else task.tag
        seconds[name] = seconds.get(name, 0.0) + each.seconds
    predictions = predictions_of(plan, fitted)
    figures = figures_of(plan, cohort, predictions, fitted, nulls=nulls, where=where)
    results = Results(predictions, figures, run_of(began, seconds, workers, cluster))
    write_results(folder, results, plan.samples, audits)
    cache.drop()
    if show:
        print_results(figures)
        for its in audits.values():
            print_audit(its)
    return results


def plan_evaluation(
    cohort_path: str | Path,
    recipe: Recipe,
    *,
    compare: Sequence[str] = (),
    audited: bool = False,
    progress: Tell | None = None,
) -> list[Cost]:
    """What `evaluate` would cost; nothing is written.

    Parameters
    ----------
    cohort_path, recipe, compare, audited, progress
        See `evaluate`.

    Raises
    ------
    HemostreamError
        Whatever is wrong with recipe, cohort or recordings.
    """
    if recipe.labels.continuous:
        raise RecipeError(f"{CONTINUOUS}: its linear models take seconds: leave --plan away.")
    conditions = conditions_of(recipe, compare)
    cohort = read_cohort(cohort_path)
    with shown(progress) as tell:
        began = time.perf_counter()
        plan = EvaluationPlan(_collected(cohort, recipe, tell), recipe, conditions)
        collected = Cost("collect", 0, 0, 0, (time.perf_counter() - began) / 3600, shared=False)
        costs = costs_of(plan, _tasks(plan, audited=audited), cohort, audited=audited, tell=tell)
    return [collected, *costs]


def _collected(cohort: Cohort, recipe: Recipe, tell: Tell) -> Samples:
    """All samples; recordings that would stand on both sides of a division are refused."""
    samples = collect(cohort, recipe, progress=tell)
    refuse_shared(samples.shared)
    refuse_seen(recipe.training.pretrained, samples)
    if recipe.evaluation.by == "time":
        refuse_doubled(samples.doubled)
    return samples


def _tasks(plan: EvaluationPlan, *, audited: bool) -> list[WindowTask]:
    """All that is fitted, in canonical order."""
    tasks = plan.tasks()
    if not audited:
        return tasks
    labels = plan.samples.labels
    if len(labels) != 2:
        raise RecipeError(
            f"The audit needs two labels; the recipe has {', '.join(labels)}. "
            "Leave --audit away, or make a recipe of two of them."
        )
    return tasks + network_audit_tasks(plan)


def _on(address: str) -> Elsewhere:
    """Dask is heavy to import, so only who asks for a cluster pays for it."""
    from offline.evaluation.dask_cluster import check_address, perform_on_cluster

    check_address(address)
    return partial(perform_on_cluster, address=address)
