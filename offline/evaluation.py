"""Evaluation by unseen person: in every fold, everything is fitted to the others alone.

One prediction table comes out, and every figure follows from it.  ``results.json`` holds what is the
same from one run to the next; times and the machine stand in ``run.json``.
"""

import json
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models.errors import HemostreamError, RecipeError
from offline.arms import Arm, arms_of, divisions_of, settings_kept
from offline.audit import Audit, audit, print_audit, write_audit
from offline.baselines import window_features
from offline.cohort import Cohort, read_cohort
from offline.explain.drawing import draw_explanation
from offline.explain.maps import METHODS
from offline.explain.over_folds import put_together
from offline.jobs import UNLIKE, Elsewhere, Job, Outcome, Store, perform_all
from offline.network_null import network_null, relabelled
from offline.null import Null, ridge_null
from offline.over_time import over_time
from offline.planning import Cost, plan
from offline.predictions import Predictions, write_predictions
from offline.progress import Tell, shown
from offline.recipe import Recipe
from offline.report.page import JSON, PAGE, picture_of, write_report
from offline.sample_table import SampleTable, write_table
from offline.samples import Samples, collect
from offline.splits import site_folds
from offline.summary import summary
from offline.tables import print_results
from offline.versions import versions
from realtime.pipeline import Pipeline

PROTOCOLS = {
    "people": "every window is judged by what was fitted to other people only",
    "time": "every window is judged by what was fitted to other parts of the same person's recordings",
}
WORK = "work"
"""Outcomes of folds are kept here until the run is whole."""
PICTURES = tuple(picture_of(method) for method in METHODS)
WRITTEN = (
    "results.json",
    "run.json",
    "predictions.csv",
    "samples.csv",
    "audit.json",
    "audit.png",
    PAGE,
    JSON,
    *PICTURES,
    WORK,
)


@dataclass(frozen=True, eq=False)
class Results:
    """What an evaluation found.

    Parameters
    ----------
    predictions : Predictions
        The one table.
    figures : mapping
        What is in ``results.json``: JSON types, nothing of when or where.
    run : mapping
        What is in ``run.json``: times, versions, machine.
    """

    predictions: Predictions
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
    arms_of(recipe, networks, sites=False)  # what is wrong with it is said before minutes of replay
    elsewhere = None if cluster is None else _on(cluster)
    folder = _folder(out)
    cohort = read_cohort(cohort_path)
    seconds: dict[str, float] = {}
    with shown(progress) as tell:
        clock = time.perf_counter()
        samples = collect(cohort, recipe, progress=tell)
        seconds["collect"] = time.perf_counter() - clock
        planned = _planned(samples, recipe, networks)
        unlike = []
        if recipe.evaluation.by == "people":  # a session's own person is never part of what it was fitted to
            unlike = [Job(fold, UNLIKE, recipe) for _, fold in divisions_of(samples.table, recipe)]
        permuted = _permuted(samples, recipe)
        store = Store(folder / WORK, samples)
        jobs = [*(job for _, _, job in planned), *unlike, *(job for _, job in permuted)]
        outcomes = perform_all(store, jobs, workers=workers, elsewhere=elsewhere, tell=tell)
        clock = time.perf_counter()
        null = _null(samples, recipe, tell)
        seconds["null"] = time.perf_counter() - clock
        found = _audit(samples, recipe, tell) if audited else None
    names = [*(arm.name for arm, _, _ in planned), *(UNLIKE for _ in unlike)]
    for name, job, outcome in zip(names, jobs, outcomes, strict=False):
        seconds[f"{job.fold.name}: {name}"] = outcome.seconds
    seconds["network's null"] = sum(outcome.seconds for outcome in outcomes[len(names) :])
    own_null = _network_null(samples, recipe, permuted, outcomes[len(names) :])
    predictions = _predictions(samples, planned, outcomes)
    figures = _figures(samples, recipe, cohort, names, jobs, outcomes, predictions, null, own_null)
    results = Results(predictions, figures, _run(began, seconds, workers, cluster))
    _write(folder, results, samples)
    _write_explanations(folder, figures["explanations"], samples, recipe)
    if found is not None:
        write_audit(folder, found)
    write_report(folder)
    store.drop()
    if show:
        print_results(results.figures)
        if found is not None:
            print_audit(found)
    return results


def plan_evaluation(
    cohort_path: str | Path,
    recipe: Recipe,
    *,
    networks: Sequence[str] = (),
    progress: Tell | None = None,
) -> list[Cost]:
    """What `evaluate` would cost; nothing is written.

    Parameters
    ----------
    cohort_path, recipe, networks, progress
        See `evaluate`.

    Raises
    ------
    HemostreamError
        Whatever is wrong with recipe, cohort or recordings.
    """
    arms_of(recipe, networks, sites=False)
    cohort = read_cohort(cohort_path)
    with shown(progress) as tell:
        samples = collect(cohort, recipe, progress=tell)
        two = len(samples.labels) == 2
        return plan(
            samples,
            recipe,
            _planned(samples, recipe, networks),
            permutations=_capped(recipe.evaluation.permutations, recipe) if two else 0,
            network_permutations=_capped(recipe.evaluation.network_permutations, recipe),
            by_person=is_by_person(samples.table, recipe, len(samples.labels)),
            tell=tell,
        )


def _planned(samples: Samples, recipe: Recipe, networks: Sequence[str]) -> list[tuple[Arm, int, Job]]:
    """Every arm's folds as jobs, each with its repeat."""
    arms = arms_of(recipe, networks, sites=len(site_folds(samples.table)) > 0)
    return [
        (arm, repeat, Job(fold, arm.judge, arm.recipe))
        for arm in arms
        for repeat, fold in arm.folds(samples.table)
    ]


def is_by_person(table: SampleTable, recipe: Recipe, n_labels: int) -> bool:
    """Whether a person is one judgement: the label is theirs, and there are two.

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
    return n_labels == 2


def _capped(wanted: int, recipe: Recipe) -> int:
    """Labellings, as far as the budget allows."""
    most = recipe.budget.permutations
    return wanted if most is None else min(wanted, most)


def in_canonical_order(table: Predictions, arms: Sequence[str]) -> Predictions:
    """The rows by arm (in this order), then by repeat, then by sample."""
    rank = {arm: i for i, arm in enumerate(arms)}
    return table.take(
        np.lexsort((table.sample, table.repeat, np.array([rank[arm] for arm in table.arm.tolist()])))
    )


def _on(address: str) -> Elsewhere:
    """Dask is heavy to import, so only who asks for a cluster pays for it."""
    from offline.cluster import check_address, perform_on_cluster

    check_address(address)
    return partial(perform_on_cluster, address=address)


def _null(samples: Samples, recipe: Recipe, tell: Tell) -> Null | None:
    """The null, where there are two labels and the recipe asks for it."""
    n = _capped(recipe.evaluation.permutations, recipe)
    if recipe.evaluation.by == "time" or n == 0 or len(samples.labels) != 2:
        return None
    tell("null", 0, 1, f"{n} permuted labellings")
    null = ridge_null(
        window_features(samples.X),
        samples.table,
        by_person=is_by_person(samples.table, recipe, len(samples.labels)),
        permutations=n,
        repeats=recipe.evaluation.repeats,
        seed=recipe.training.seed,
    )
    tell("null", 1, 1, "")
    return null


def _permuted(samples: Samples, recipe: Recipe) -> list[tuple[int, Job]]:
    """Repeat and job of every fold of the network's null, each labelling divided by its own labels."""
    n = _capped(recipe.evaluation.network_permutations, recipe)
    bare = settings_kept(recipe)
    return [
        (repeat, Job(fold, recipe.network.arm, bare, labelling=number))
        for number in range(n)
        for repeat, fold in divisions_of(relabelled(samples, bare, number).table, bare)
    ]


def _network_null(
    samples: Samples, recipe: Recipe, permuted: Sequence[tuple[int, Job]], outcomes: Sequence[Outcome]
) -> Null | None:
    judged = [
        (job.labelling or 0, repeat, job.fold, outcome.scores)
        for (repeat, job), outcome in zip(permuted, outcomes, strict=True)
    ]
    by_person = is_by_person(samples.table, recipe, len(samples.labels))
    return network_null(samples, recipe, judged, by_person=by_person)


def _audit(samples: Samples, recipe: Recipe, tell: Tell) -> Audit:
    if len(samples.labels) != 2:
        raise RecipeError(
            f"The audit needs two labels; the recipe has {', '.join(samples.labels)}. "
            "Leave --audit away, or make a recipe of two of them."
        )
    return audit(
        window_features(samples.X),
        samples.table,
        by_person=is_by_person(samples.table, recipe, len(samples.labels)),
        metric=recipe.evaluation.metric,
        seed=recipe.training.seed,
        tell=tell,
    )


def _predictions(
    samples: Samples, planned: Sequence[tuple[Arm, int, Job]], outcomes: Sequence[Outcome]
) -> Predictions:
    parts = []
    for (arm, repeat, job), outcome in zip(planned, outcomes, strict=False):  # the rest judged nothing
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


def _figures(
    samples: Samples,
    recipe: Recipe,
    cohort: Cohort,
    names: Sequence[str],
    jobs: Sequence[Job],
    outcomes: Sequence[Outcome],
    predictions: Predictions,
    null: Null | None,
    own_null: Null | None,
) -> dict[str, Any]:
    fitted: dict[str, Any] = {}
    unlike: dict[str, Any] = {}
    for name, job, outcome in zip(names, jobs, outcomes, strict=False):  # the rest is the null's
        if name == UNLIKE:
            unlike[job.fold.name] = outcome.how
        else:
            fitted.setdefault(job.fold.name, {})[name] = outcome.how
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
        "recordings": [asdict(account) for account in samples.accounts],
        "folds": {name: fitted[name] for name in sorted(fitted)},
        "explanations": put_together(
            {name: maps for name in sorted(fitted) if (maps := _maps_of(fitted[name], recipe))},
            samples.names,
            samples.places,
        ),
        "over_time": _evidence(samples, recipe, predictions, fitted),
        "unlike_training": {name: unlike[name] for name in sorted(unlike)},
        **summary(
            predictions,
            by_person=is_by_person(samples.table, recipe, len(samples.labels)),
            metric=recipe.evaluation.metric,
            prevalence=recipe.evaluation.prevalence,
            null=null,
            own_null=own_null,
            seed=recipe.training.seed,
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


def _write_explanations(
    folder: Path, explanations: Mapping[str, Any], samples: Samples, recipe: Recipe
) -> None:
    spec = Pipeline(recipe.pipeline, samples.spec).spec_out
    for method, its in explanations.items():
        figure = draw_explanation(method, its, spec, samples.rate)
        figure.savefig(folder / picture_of(method), dpi=130)


def _run(began: datetime, seconds: dict[str, float], workers: int, cluster: str | None) -> dict[str, Any]:
    return {
        "began_utc": began.isoformat(timespec="seconds"),
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
        "workers": workers,
        "cluster": cluster,
        "versions": versions(),
        "machine": {
            "system": platform.platform(),
            "processor": platform.machine(),
            "torch_threads": torch.get_num_threads(),
        },
    }


def _folder(out: str | Path) -> Path:
    """The folder of the report, made before anything is computed."""
    folder = Path(out)
    if folder.is_dir() and (others := sorted({each.name for each in folder.iterdir()} - set(WRITTEN))):
        raise HemostreamError(
            f"{folder} is not empty and is no report (it holds {', '.join(others[:5])}); "
            "nothing was computed. Give a new folder."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HemostreamError(f"The report's folder {folder} cannot be made: {error.strerror}.") from error
    return folder


def _write(folder: Path, results: Results, samples: Samples) -> None:
    write_predictions(folder / "predictions.csv", results.predictions)
    write_table(folder / "samples.csv", samples.table, samples.labels)
    for name, values in (("results.json", results.figures), ("run.json", results.run)):
        text = json.dumps(values, indent=1, allow_nan=False, ensure_ascii=False)
        (folder / name).write_text(text + "\n", encoding="utf-8")
