"""Evaluation by unseen person: in every fold, everything is fitted to the others alone.

One prediction table comes out, and every figure follows from it.  ``results.json`` holds what is the
same from one run to the next; times and the machine stand in ``run.json``.
"""

import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from models.errors import RecipeError
from models.files.output_place import report_if_full
from offline.base.cohort import Cohort, read_cohort
from offline.base.predictions import Predictions
from offline.base.process_pool import Workers
from offline.base.progress import Tell, shown
from offline.base.result_cache import new_folder
from offline.estimators.baselines import window_features
from offline.evaluation.all_tasks import tasks_of
from offline.evaluation.conditions import CONDITIONS, conditions_of, settings_kept
from offline.evaluation.figures import figures_of, predictions_of
from offline.evaluation.fit_cache import FitCache
from offline.evaluation.leakage.network import AUDIT_TASKS, network_audit
from offline.evaluation.leakage.ridge import DIVISIONS, PERMUTATIONS, audit_ridge
from offline.evaluation.nulls import (
    NETWORK_NULL,
    capped,
    is_by_person,
    map_of,
    null_of,
)
from offline.evaluation.person_targets import evaluate_people
from offline.evaluation.planning import Cost, plan
from offline.evaluation.results_folder import (
    AUDIT,
    NETWORK_AUDIT,
    WORK,
    clear,
    folder_for,
    run_of,
    write_audit,
    write_figures,
    write_maps,
    write_results,
)
from offline.evaluation.runner import Elsewhere, perform, run_tasks
from offline.evaluation.tasks import FitResult, tagged
from offline.evaluation.windows import OUT_OF_DISTRIBUTION, WindowFit, WindowProcedure, WindowTask
from offline.report.console import print_audit, print_continuous, print_results
from offline.report.folder import write_report
from offline.samples.recipe import Recipe
from offline.samples.samples import Samples, collect
from offline.samples.twice import refuse_doubled, refuse_shared
from offline.stats.regression import ContinuousPredictions, write_continuous

AGAIN = "Make room, and start the same command again: what was computed of the folds is kept"


@dataclass(frozen=True, eq=False)
class Results:
    """What an evaluation found.

    Parameters
    ----------
    predictions : Predictions or ContinuousPredictions
        The one table.
    figures : mapping
        What is in ``results.json``: JSON types, nothing of when or where.
    run : mapping
        What is in ``run.json``: times, versions, machine.
    """

    predictions: Predictions | ContinuousPredictions
    figures: dict[str, Any]
    run: dict[str, Any]


def evaluate(
    cohort_path: str | Path,
    recipe: Recipe,
    out: str | Path,
    *,
    networks: Sequence[str] = (),
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
    networks : sequence of str
        Networks to compare with the recipe's own, each with its default parameters.
    workers : int
        Processes that share the folds.
    cluster : str or None
        Address of a Dask scheduler whose workers compute them instead.
    audited : bool
        Whether leakage protocols are run too (``audit.json``, ``audit.png``).
    progress : callable or None
        Told of progress; None shows it where there is a terminal.
    show : bool
        Whether the table is printed, person by person.

    Raises
    ------
    HemostreamError
        Whatever is wrong with recipe, cohort, recordings or folder.
    """
    began = datetime.now(UTC)
    if audited or networks:
        _refuse_continuous(recipe, "it has no audit and no network: leave --audit and --network away")
    conditions_of(recipe, networks, sites=False)  # what is wrong with it is said before minutes of replay
    elsewhere = None if cluster is None else _on(cluster)
    folder = folder_for(out)
    seconds: dict[str, float] = {}
    with new_folder(folder), shown(progress) as tell, Workers(workers) as shared:
        cohort = read_cohort(cohort_path)
        clock = time.perf_counter()
        samples = collect(cohort, recipe, progress=tell)
        _refuse_twice(samples, recipe)
        seconds["collect"] = time.perf_counter() - clock
        if recipe.labels.continuous:
            table, figures = evaluate_people(cohort, samples, recipe)
            with report_if_full("The report", folder):
                clear(folder)
                write_continuous(folder / "predictions.csv", table)
                write_figures(folder, figures, run := run_of(began, {}, 1, None))
                write_report(folder)
            if show:
                print_continuous(figures)
            return Results(table, figures, run)
        tasks = tasks_of(samples, recipe, networks, audited=audited)
        procedure = WindowProcedure(samples)
        cache = FitCache(folder / WORK, procedure.key)
        apart = workers > 1 and elsewhere is None
        with procedure.on_disk(cache.folder) if apart else nullcontext(procedure) as stored:
            results = run_tasks(stored, tasks, cache=cache, workers=shared, elsewhere=elsewhere, tell=tell)
        clock = time.perf_counter()
        null = null_of(samples, recipe, tell)
        where = map_of(samples, recipe)
        seconds["null"] = time.perf_counter() - clock
        audits = _audits(samples, recipe, results, tell) if audited else {}
    for each in tagged(results, CONDITIONS):
        seconds[f"{each.task.fold.name}: {each.task.condition}"] = each.seconds
    for tag in (OUT_OF_DISTRIBUTION, NETWORK_NULL, AUDIT_TASKS):
        seconds[tag] = sum(each.seconds for each in tagged(results, tag))
    predictions = predictions_of(samples, results)
    figures = figures_of(samples, recipe, cohort, predictions, results, null=null, where=where)
    run = run_of(began, seconds, workers, cluster)
    with report_if_full("The report", folder, AGAIN):
        clear(folder)
        write_results(folder, predictions, figures, run, samples)
        write_maps(folder, figures, samples, recipe)
        for name, its in audits.items():
            write_audit(folder, its, name)
        write_report(folder)
    cache.drop()
    if show:
        print_results(figures)
        for its in audits.values():
            print_audit(its)
    return Results(predictions, figures, run)


def plan_evaluation(
    cohort_path: str | Path,
    recipe: Recipe,
    *,
    networks: Sequence[str] = (),
    audited: bool = False,
    progress: Tell | None = None,
) -> list[Cost]:
    """What `evaluate` would cost; nothing is written.

    Parameters
    ----------
    cohort_path, recipe, networks, audited, progress
        See `evaluate`.

    Raises
    ------
    HemostreamError
        Whatever is wrong with recipe, cohort or recordings.
    """
    _refuse_continuous(recipe, "its linear models take seconds: leave --plan away")
    conditions_of(recipe, networks, sites=False)
    cohort = read_cohort(cohort_path)
    with shown(progress) as tell:
        began = time.perf_counter()
        samples = collect(cohort, recipe, progress=tell)
        _refuse_twice(samples, recipe)
        collected = Cost("collect", 0, 0, 0, (time.perf_counter() - began) / 3600, shared=False)
        tasks = tasks_of(samples, recipe, networks, audited=audited)
        costs = plan(
            samples,
            recipe,
            tasks,
            permutations=capped(recipe.evaluation.permutations, recipe) if len(samples.labels) == 2 else 0,
            by_person=is_by_person(samples.table, recipe),
            rounds=PERMUTATIONS + DIVISIONS if audited else 0,
            tell=tell,
        )
        report = _report_seconds(samples, recipe, cohort, tasks)
    return [collected, *costs, Cost("report", 0, 0, 0, report / 3600, shared=False)]


def _refuse_twice(samples: Samples, recipe: Recipe) -> None:
    """Refuse recordings that would stand on both sides of a division."""
    refuse_shared(samples.shared)
    if recipe.evaluation.by == "time":
        refuse_doubled(samples.doubled)


def _report_seconds(samples: Samples, recipe: Recipe, cohort: Cohort, tasks: Sequence[WindowTask]) -> float:
    """How long figures, tables and pages take, of predictions that say nothing."""
    n, rng = len(samples.labels), np.random.default_rng(0)
    results = [
        FitResult(task, rng.dirichlet(np.ones(n), len(task.fold.test)), {}, 0.0)
        for task in tasks
        if task.tag == CONDITIONS
    ]
    novel = [task for task in tasks if task.tag == OUT_OF_DISTRIBUTION]
    results += perform(WindowProcedure(samples), novel[:1]) if novel else []
    began = time.perf_counter()
    predictions = predictions_of(samples, results)
    figures_of(samples, settings_kept(recipe), cohort, predictions, results, null=None, where=None)
    return time.perf_counter() - began


def _on(address: str) -> Elsewhere:
    """Dask is heavy to import, so only who asks for a cluster pays for it."""
    from offline.evaluation.dask_cluster import check_address, perform_on_cluster

    check_address(address)
    return partial(perform_on_cluster, address=address)


def _refuse_continuous(recipe: Recipe, why: str) -> None:
    if recipe.labels.continuous:
        raise RecipeError(f"The recipe's target is an amount (labels.continuous): {why}.")


def _audits(
    samples: Samples, recipe: Recipe, results: Sequence[FitResult[WindowFit]], tell: Tell
) -> dict[str, dict[str, Any]]:
    """Of the ridge model, and of the recipe's own network where it was audited; by name of their files."""
    by_person = is_by_person(samples.table, recipe)
    audits = {
        AUDIT: audit_ridge(
            window_features(samples.X),
            samples.table,
            by_person=by_person,
            metric=recipe.evaluation.metric,
            seed=recipe.training.seed,
            tell=tell,
        )
    }
    if own := tagged(results, AUDIT_TASKS):
        audits[NETWORK_AUDIT] = network_audit(samples, recipe, own, by_person=by_person)
    return audits
