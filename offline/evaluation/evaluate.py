"""Evaluation by unseen person: in every fold, everything is fitted to the others alone.

One prediction table comes out, and every figure follows from it.  ``results.json`` holds what is the
same from one run to the next; times and the machine stand in ``run.json``.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from models.errors import RecipeError
from models.output_place import report_if_full
from models.private import write_private
from offline.base.cohort import Cohort, read_cohort
from offline.base.predictions import Predictions
from offline.base.progress import Tell, shown
from offline.base.result_cache import new_folder
from offline.base.splits import site_folds
from offline.estimators.baselines import window_features
from offline.evaluation.amount_evaluation import evaluate_amounts
from offline.evaluation.amount_tables import person_tables
from offline.evaluation.audit_network import Audited, audit_jobs, network_audit
from offline.evaluation.conditions import Condition, arms_of, divisions_of, settings_kept
from offline.evaluation.fit_and_predict import unlike_training
from offline.evaluation.leakage_audit import DIVISIONS, PERMUTATIONS, Audit, audit, print_audit, write_audit
from offline.evaluation.nulls import capped, is_by_person, map_of, network_null_of, null_of, permuted_jobs
from offline.evaluation.planning import Cost, plan
from offline.evaluation.report_folder import (
    AUDIT,
    NETWORK_AUDIT,
    WORK,
    clear,
    folder_for,
    run_of,
    write_maps,
    write_results,
)
from offline.evaluation.results import PROTOCOLS, figures_of, predictions_of
from offline.evaluation.runner import UNLIKE, Elsewhere, Job, JobOutcome, OutcomeStore, perform_all
from offline.evaluation.summary import what_it_says
from offline.evaluation.tables import print_amounts, print_results
from offline.report.page import write_report
from offline.samples.labels import amounts_of
from offline.samples.recipe import Recipe
from offline.samples.samples import Samples, collect
from offline.samples.twice import refuse_doubled, refuse_shared
from offline.stats.regression import Amounts, write_amounts
from offline.stats.traits import tells

AGAIN = "Make room, and start the same command again: what was computed of the folds is kept"


@dataclass(frozen=True, eq=False)
class Results:
    """What an evaluation found.

    Parameters
    ----------
    predictions : Predictions or Amounts
        The one table.
    figures : mapping
        What is in ``results.json``: JSON types, nothing of when or where.
    run : mapping
        What is in ``run.json``: times, versions, machine.
    """

    predictions: Predictions | Amounts
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
    """Judge every person by what was fitted to the others; write the report and print its table.

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
        Networks to judge beside the recipe's own, each with its default parameters.
    workers : int
        Processes that share the folds.
    cluster : str or None
        Address of a Dask scheduler whose workers compute them instead.
    audited : bool
        Whether careless protocols are run beside it (``audit.json``, ``audit.png``).
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
        _refuse_amount(recipe, "it has no audit and no network: leave --audit and --network away")
    arms_of(recipe, networks, sites=False)  # what is wrong with it is said before minutes of replay
    elsewhere = None if cluster is None else _on(cluster)
    folder = folder_for(out)
    seconds: dict[str, float] = {}
    with new_folder(folder), shown(progress) as tell:
        cohort = read_cohort(cohort_path)
        clock = time.perf_counter()
        samples = collect(cohort, recipe, progress=tell)
        _refuse_twice(samples, recipe)
        seconds["collect"] = time.perf_counter() - clock
        if recipe.labels.amount:
            return _amounts(folder, cohort, samples, recipe, began, show)
        by_person = is_by_person(samples.table, recipe)
        planned = _planned(samples, recipe, networks)
        unlike = _unlike(samples, recipe)
        permuted = permuted_jobs(samples, recipe)
        careless = _careless(samples, recipe, by_person) if audited else []
        groups = [
            [job for _, _, job in planned],
            unlike,
            [job for _, job in permuted],
            [each.job for each in careless],
        ]
        store = OutcomeStore(folder / WORK, samples)
        jobs = [job for group in groups for job in group]
        outcomes = perform_all(store, jobs, workers=workers, elsewhere=elsewhere, tell=tell)
        clock = time.perf_counter()
        null = null_of(samples, recipe, tell)
        where = map_of(samples, recipe)
        seconds["null"] = time.perf_counter() - clock
        found = _audit(samples, recipe, by_person, tell) if audited else None
    ends = np.cumsum([len(group) for group in groups])
    of_arms, of_unlike, of_null, of_careless = (
        outcomes[end - len(group) : end] for end, group in zip(ends.tolist(), groups, strict=True)
    )
    for (arm, _, job), outcome in zip(planned, of_arms, strict=True):
        seconds[f"{job.fold.name}: {arm.name}"] = outcome.seconds
    for name, its in ((UNLIKE, of_unlike), ("network's null", of_null), ("network's audit", of_careless)):
        seconds[name] = sum(outcome.seconds for outcome in its)
    predictions = predictions_of(samples, planned, of_arms)
    figures = figures_of(
        samples,
        recipe,
        cohort,
        predictions,
        fitted=[
            (arm.name, job.fold.name, out.how) for (arm, _, job), out in zip(planned, of_arms, strict=True)
        ],
        unlike={job.fold.name: out.how for job, out in zip(unlike, of_unlike, strict=True)},
        null=null,
        own_null=network_null_of(samples, recipe, permuted, of_null),
        where=where,
    )
    results = Results(predictions, figures, run_of(began, seconds, workers, cluster))
    with report_if_full("The report", folder, AGAIN):
        clear(folder)
        write_results(folder, predictions, results.figures, results.run, samples)
        write_maps(folder, figures, samples, recipe)
        audits = [] if found is None else [found]
        if found is not None:
            write_audit(folder, found, AUDIT)
        if careless:
            audits.append(network_audit(samples, recipe, careless, of_careless, by_person=by_person))
            write_audit(folder, audits[-1], NETWORK_AUDIT)
        write_report(folder)
    store.drop()
    if show:
        print_results(results.figures)
        for each in audits:
            print_audit(each)
    return results


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
    _refuse_amount(recipe, "its linear models take seconds: leave --plan away")
    arms_of(recipe, networks, sites=False)
    cohort = read_cohort(cohort_path)
    with shown(progress) as tell:
        began = time.perf_counter()
        samples = collect(cohort, recipe, progress=tell)
        _refuse_twice(samples, recipe)
        collected = Cost("collect", 0, 0, 0, (time.perf_counter() - began) / 3600, shared=False)
        two, by_person = len(samples.labels) == 2, is_by_person(samples.table, recipe)
        planned, unlike = _planned(samples, recipe, networks), _unlike(samples, recipe)
        careless = _careless(samples, recipe, by_person) if audited else []
        costs = plan(
            samples,
            recipe,
            planned,
            permutations=capped(recipe.evaluation.permutations, recipe) if two else 0,
            network_permutations=capped(recipe.evaluation.network_permutations, recipe),
            by_person=by_person,
            unlike=unlike,
            careless=[each.job for each in careless],
            rounds=PERMUTATIONS + DIVISIONS if audited else 0,
            tell=tell,
        )
        report = _report_seconds(samples, recipe, cohort, planned, unlike)
    return [collected, *costs, Cost("report", 0, 0, 0, report / 3600, shared=False)]


def _refuse_twice(samples: Samples, recipe: Recipe) -> None:
    """Refuse recordings that would stand on both sides of a division."""
    refuse_shared(samples.shared)
    if recipe.evaluation.by == "time":
        refuse_doubled(samples.doubled)


def _report_seconds(
    samples: Samples,
    recipe: Recipe,
    cohort: Cohort,
    planned: Sequence[tuple[Condition, int, Job]],
    unlike: Sequence[Job],
) -> float:
    """How long figures, tables and pages take, of predictions that say nothing."""
    n = len(samples.labels)
    rng = np.random.default_rng(0)
    outcomes = [JobOutcome(rng.dirichlet(np.ones(n), len(job.fold.test)), {}, 0.0) for _, _, job in planned]
    plain = settings_kept(recipe)
    began = time.perf_counter()
    predictions = predictions_of(samples, planned, outcomes)
    figures_of(
        samples,
        plain,
        cohort,
        predictions,
        fitted=[],
        unlike={job.fold.name: unlike_training(samples, job.fold) for job in unlike[:1]},
        null=None,
        own_null=None,
        where=None,
    )
    return time.perf_counter() - began


def _unlike(samples: Samples, recipe: Recipe) -> list[Job]:
    """A session's own person is never part of what it was fitted to."""
    if recipe.evaluation.by != "people":
        return []
    return [Job(fold, UNLIKE, recipe) for _, fold in divisions_of(samples.table, recipe)]


def _careless(samples: Samples, recipe: Recipe, by_person: bool) -> list[Audited]:
    """Jobs of the network's audit."""
    check_audit(samples)
    if recipe.network.channels != "all":  # choosing the best is what one of the arms is about
        return []
    n = capped(recipe.evaluation.network_permutations, recipe)
    return audit_jobs(samples, recipe, by_person=by_person, labellings=n)


def _planned(samples: Samples, recipe: Recipe, networks: Sequence[str]) -> list[tuple[Condition, int, Job]]:
    """Every arm's folds as jobs, each with its repeat."""
    sites = len(site_folds(samples.table)) > 0
    arms = arms_of(recipe, networks, sites=sites, traits=tells(samples.traits))
    return [
        (arm, repeat, Job(fold, arm.judge, arm.recipe))
        for arm in arms
        for repeat, fold in arm.folds(samples.table)
    ]


def _on(address: str) -> Elsewhere:
    """Dask is heavy to import, so only who asks for a cluster pays for it."""
    from offline.evaluation.dask_cluster import check_address, perform_on_cluster

    check_address(address)
    return partial(perform_on_cluster, address=address)


def _refuse_amount(recipe: Recipe, why: str) -> None:
    if recipe.labels.amount:
        raise RecipeError(f"The recipe's target is an amount (labels.amount): {why}.")


def _amounts(
    folder: Path, cohort: Cohort, samples: Samples, recipe: Recipe, began: datetime, show: bool
) -> Results:
    """Amounts are told by linear models of whole people; there is no network for them yet."""
    column = recipe.labels.column or ""
    found = person_tables(samples, recipe)
    amounts = amounts_of(cohort, column)
    y = np.array([amounts[name] for name in found.person.tolist()])
    table, figures = evaluate_amounts(
        found.features,
        y,
        found.person,
        found.site,
        permutations=capped(recipe.evaluation.permutations, recipe),
        repeats=recipe.evaluation.repeats,
        seed=recipe.training.seed,
    )
    whole = {
        "recipe": {"name": recipe.name, "hash": recipe.hash, "settings": recipe.model_dump(mode="json")},
        "who": cohort.described(),
        "cohort_hash": cohort.content_hash(),
        "amount": column,
        "people": len(y),
        "says": what_it_says(len(y)),
        "protocol": PROTOCOLS["people"].replace("window", "person"),
        "remarks": list(samples.remarks),
        **figures,
    }
    run = run_of(began, {}, 1, None)
    with report_if_full("The report", folder):
        clear(folder)
        write_amounts(folder / "predictions.csv", table)
        for name, values in (("results.json", whole), ("run.json", run)):
            text = json.dumps(values, indent=1, allow_nan=False, ensure_ascii=False)
            write_private(folder / name, text + "\n")
    if show:
        print_amounts(whole)
    return Results(table, whole, run)


def check_audit(samples: Samples) -> None:
    """Refuse what cannot be audited.

    Raises
    ------
    RecipeError
        There are not two labels.
    """
    if len(samples.labels) != 2:
        raise RecipeError(
            f"The audit needs two labels; the recipe has {', '.join(samples.labels)}. "
            "Leave --audit away, or make a recipe of two of them."
        )


def _audit(samples: Samples, recipe: Recipe, by_person: bool, tell: Tell) -> Audit:
    return audit(
        window_features(samples.X),
        samples.table,
        by_person=by_person,
        metric=recipe.evaluation.metric,
        seed=recipe.training.seed,
        tell=tell,
    )
