"""A study's careless protocols on one real site, run and put into figures.

It says what a protocol gives on these people, and nothing about any paper: whoever chose columns outside the
fold may still have found something.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.errors import HemostreamError
from offline.base.process_pool import Workers
from offline.base.progress import Tell
from offline.base.row_splits import own_site
from offline.base.sample_table import SampleTable
from offline.evaluation.fit_cache import FitCache
from offline.evaluation.runner import run_tasks
from offline.evaluation.tasks import FitResult
from offline.scans import Scans
from offline.stats.metrics import auc
from offline.studies.base import Study
from offline.studies.careless.habits import FOLDS, Extent, Habit, Round, selection, settings, windows
from offline.studies.careless.windows import PARTS, cut
from offline.studies.columns import how_many
from offline.studies.division import Profile
from offline.studies.fitting import INNER_FOLDS, ScanFit, ScanProcedure, permuted_labels
from offline.studies.tables import CORRELATION_AND_TRAITS, N_TRAITS, digest, table_of

METRICS = ("accuracy", "balanced_accuracy", "auc")
DIVISIONS = 3
"""Of the true labels, at the least: of one site's few people a single division says too little."""
FEWEST = 6
"""People of the rarer label at the site: a setting is chosen within training, in three folds of both."""
LONGEST_S = 100.0
"""About how long a habit's fits may take in a quick audit, s, as told by `Study.fit_s`."""


def audit_study(
    study: Study,
    scans: Scans,
    X: Path,
    profile: Profile,
    *,
    work: Path,
    cache: Path,
    workers: Workers,
    tell: Tell,
) -> tuple[dict[str, Any], float]:
    """What each careless habit gives, beside its honest twin, on true and on permuted labels.

    Parameters
    ----------
    study : Study
        Whose model and table.
    scans : Scans
        Whose scans; one site of about the paper's size is taken, or the largest.
    X : path
        The study's table, (n, n_features) float32.
    profile : Profile
        How much is computed.
    work : path
        Folder of results that are kept.
    cache : path
        Tables that were computed before.
    workers : Workers
        Who shares the fits.
    tell : callable
        Told of progress.

    Returns
    -------
    dict, float
        JSON types, and seconds that the fits took.
    """
    if study.not_auditable_because:
        return {"why_not": study.not_auditable_because}, 0.0
    if len(scans.labels) != 2:
        return {"why_not": f"habits are tried on two labels, and these are {', '.join(scans.labels)}"}, 0.0
    site, rows = own_site(scans.table, study.paper.one_site_of or len(scans))
    target = scans.y[rows]
    fewest = int(np.bincount(target, minlength=2).min())
    if fewest < FEWEST:
        return {"why_not": f"{site} has {fewest} people of a label, and {FEWEST} are needed"}, 0.0
    extent = Extent(max(DIVISIONS, profile.repeats), profile.audited)
    traits = N_TRAITS if study.table == CORRELATION_AND_TRAITS else 0
    n_columns = how_many(np.load(X, mmap_mode="r", allow_pickle=False).shape[1] - traits)
    plans = {Habit.SELECTION: selection(study, scans.table, rows, n_columns, extent, always=traits)}
    skipped = {} if profile.name == "full" else too_long(study, len(rows), extent)
    if len(study.settings) == 1:
        skipped[Habit.SETTING] = "the study has one setting"
    if Habit.SETTING not in skipped:
        plans[Habit.SETTING] = settings(study, scans.table, rows, extent)

    seconds: list[float] = []

    def figures(procedure: ScanProcedure, rounds: Sequence[Round]) -> dict[str, Any]:
        tasks = [task for each in rounds for task in each.tasks]
        kept = FitCache(work, procedure.key)
        results = run_tasks(procedure, tasks, cache=kept, workers=workers, tell=tell, what=study.name)
        seconds.append(sum(each.seconds for each in results))
        return figures_of(rounds, results, procedure.table)

    plain = ScanProcedure(study, X, scans.table, digest(scans))
    habits = {str(habit): figures(plain, rounds) for habit, rounds in plans.items()}
    if Habit.WINDOWS not in skipped:
        try:
            parts = cut(scans.rows(rows))
            of_parts = table_of(study.table, parts, cache)
        except HemostreamError as error:
            skipped[Habit.WINDOWS] = f"a part of a scan has no such table: {error}"
        else:
            rounds = windows(study, parts.table, extent)
            own = ScanProcedure(study, of_parts, parts.table, digest(parts))
            habits[str(Habit.WINDOWS)] = figures(own, rounds)
    return {
        "site": site,
        "people": len(rows),
        "majority_rate": float(np.bincount(target).max() / len(target)),
        "folds": FOLDS,
        "divisions": extent.divisions,
        "labellings": extent.labellings,
        "columns": n_columns,
        "parts": PARTS,
        "setting": ", ".join(f"{k} {v}" for k, v in study.settings[0].items()),
        "habits": {str(habit): habits[habit] for habit in Habit if habit in habits},
        "skipped": {str(habit): skipped[habit] for habit in Habit if habit in skipped},
        "says": "what these protocols give on these people; no verdict on any paper",
    }, sum(seconds)


def too_long(study: Study, n_people: int, extent: Extent) -> dict[Habit, str]:
    """Habits whose fits would take too long for a quick audit, and what is said of it.

    Parameters
    ----------
    study : Study
        Whose fits.
    n_people : int
        At the site.
    extent : Extent
        How often.
    """
    k, fits = len(study.settings), FOLDS * len(extent.rounds())
    within = INNER_FOLDS * (1.0 - 1.0 / INNER_FOLDS)  # fits of a choice, in fits of all training people
    seconds = {
        habit: many * fits * study.fit_s * n_people / 200.0
        for habit, many in ((Habit.WINDOWS, 2.0 * PARTS), (Habit.SETTING, k + 1.0 + within * k))
    }
    return {
        habit: f"its fits would take about {own / 60.0:.0f} minutes; the profile full tries it"
        for habit, own in seconds.items()
        if own > LONGEST_S
    }


def figures_of(
    rounds: Sequence[Round], results: Sequence[FitResult[ScanFit]], table: SampleTable
) -> dict[str, Any]:
    """Figures of a habit and of its honest twin.

    Parameters
    ----------
    rounds : sequence of Round
        What was asked.
    results : sequence of FitResult
        In the order of the rounds' tasks.
    table : SampleTable
        Whose rows they are.

    Returns
    -------
    dict
        By twin, ``true``: the mean over divisions, and ``permuted``: mean and spread over labellings.
    """
    predicted = iter(results)
    found: dict[str, dict[bool, list[dict[str, float]]]] = {
        twin: {True: [], False: []} for twin in ("careless", "honest")
    }
    for each in rounds:
        y = permuted_labels(table, each.labelling)
        ways = [_round([next(predicted) for _ in way], table, y) for way in each.careless]
        # Whoever tells the best of several ways tells the most accurate.
        found["careless"][each.labelling is None].append(max(ways, key=lambda way: way["accuracy"]))
        honest = _round([next(predicted) for _ in each.honest], table, y)
        found["honest"][each.labelling is None].append(honest)
    return {
        twin: {
            "true": {metric: float(np.mean([each[metric] for each in by[True]])) for metric in METRICS},
            "permuted": _spread(by[False]),
            "accuracy_by_person": float(np.mean([each["accuracy_by_person"] for each in by[True]])),
        }
        for twin, by in found.items()
    }


def _spread(each: Sequence[dict[str, float]]) -> dict[str, Any]:
    values = {metric: np.array([own[metric] for own in each]) for metric in METRICS}
    return {
        metric: {
            "mean": float(own.mean()) if len(own) else None,
            "sd": float(own.std(ddof=1)) if len(own) > 1 else None,
        }
        for metric, own in values.items()
    }


def _round(
    results: Sequence[FitResult[ScanFit]], table: SampleTable, y: npt.NDArray[np.int64]
) -> dict[str, float]:
    """What a paper would tell of one round: by row, and by person (a person's rows averaged)."""
    folds = [each.task.fold for each in results]
    rows = np.concatenate([each.test for each in folds])
    fold = np.concatenate([np.full(len(each.test), each.name) for each in folds])
    log_odds = np.concatenate([each.scores for each in results])
    truth, said = y[rows] == 1, log_odds > 0
    # Scores of two folds share no scale; every fold has rows of both labels.
    area = auc(truth, log_odds, fold)
    assert area is not None
    _, first, whose = np.unique(table.person[rows], return_index=True, return_inverse=True)
    of_people = np.bincount(whose, log_odds) > 0
    return {
        "accuracy": float(np.mean(said == truth)),
        "balanced_accuracy": 0.5 * float(np.mean(said[truth]) + np.mean(~said[~truth])),
        "auc": area,
        "accuracy_by_person": float(np.mean(of_people == truth[first])),
    }
