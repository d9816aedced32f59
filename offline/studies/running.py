"""A study is run: every arm's folds, the null, the figures, the page; taken up again where it was stopped."""

import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.errors import HemostreamError
from offline.base.json_files import write_json
from offline.base.predictions import Predictions, write_predictions
from offline.base.process_pool import Workers
from offline.base.progress import Tell
from offline.base.sample_table import SampleTable
from offline.base.versions import versions
from offline.report.folder import write_report
from offline.scans import Scans
from offline.scans.groups import refuse_confounded, site_by_label
from offline.studies.base import Study
from offline.studies.division import OWN, TENFOLD, Profile
from offline.studies.figures import figures_of, null_figures
from offline.studies.leakage_audit import audit_study
from offline.studies.planning import null_tasks, only, planned, who_is_judged
from offline.studies.relabelling import SEED
from offline.studies.several import refuse_few
from offline.studies.shelf import Shelf, perform_all
from offline.studies.subgroups import subgroups
from offline.studies.tables import digest, table_of
from offline.studies.unlabelled import words as transductive_words
from offline.studies.work import Done, StudyTask, labels_for, probabilities_of


@dataclass(frozen=True, eq=False)
class Ran:
    """What a study gave.

    Parameters
    ----------
    study : Study
        Which.
    predictions : Predictions
        Of all arms.
    results : dict
        What is in ``results.json``.
    """

    study: Study
    predictions: Predictions
    results: dict[str, Any]


def run_study(
    study: Study,
    scans: Scans,
    out: Path,
    profile: Profile,
    *,
    cache: Path,
    workers: Workers | None = None,
    audit: bool = False,
    tell: Tell,
) -> Ran:
    """Evaluate a study and write its report.

    Parameters
    ----------
    study : Study
        Which.
    scans : Scans
        Whose scans; two labels or more.
    out : path
        Its folder: ``results.json``, ``predictions.csv``, ``run.json``, ``report.html``, ``work``.
    profile : Profile
        How much is computed.
    cache : path
        Tables that were computed before, shared between studies.
    workers : Workers, optional
        Who shares the fits; without, they are made here.
    audit : bool
        Whether leakage protocols are tried too, at one site.
    tell : callable
        Told of progress.

    Raises
    ------
    HemostreamError
        The data are not what the study takes, or site and diagnosis cannot be told apart.
    """
    if scans.tells_amount:
        raise HemostreamError(f"{study.name} is run here on labels; {scans.target!r} is an amount.")
    refuse_confounded(scans)
    refuse_few(scans)
    workers = Workers() if workers is None else workers
    began = time.perf_counter()
    tell(study.name, 0, 1, f"table: {study.table}")
    X = table_of(study.table, scans, cache)
    seconds = {"table": time.perf_counter() - began}
    shelf = Shelf(out / "work", digest(scans), study)
    judged = who_is_judged(study, scans)
    tasks = only(planned(study, scans.table, profile), judged, scans.table)
    done = perform_all(shelf, study, X, scans.table, tasks, workers=workers, tell=tell)
    kept = _kept(tasks, done)
    of_null = only(null_tasks(study, scans.table, profile, kept), judged, scans.table)
    null_done = perform_all(shelf, study, X, scans.table, of_null, workers=workers, tell=tell)
    leakage = None
    if audit:
        leakage, seconds["leakage protocols"] = audit_study(
            study, scans, X, profile, shelf=shelf, cache=cache, workers=workers, tell=tell
        )
    table = _predictions(scans, tasks, done)
    null = _null(scans, of_null, null_done)
    for arm in table.arms:
        seconds[arm] = sum(d.seconds for t, d in zip(tasks, done, strict=True) if t.arm == arm)
    seconds["permuted labels"] = sum(d.seconds for d in null_done)
    results = {
        "study": described(study),
        "profile": asdict(profile),
        "data": {
            "derivative": scans.derivative,
            "digest": digest(scans),
            "people": len(scans),
            "judged": study.judges_words,
            "target": scans.target,
            "labels": list(scans.labels),
            "sites": site_by_label(scans),
            "remarks": list(scans.remarks),
        },
        "arms": figures_of(table, null),
        # Groups are compared by what tells two labels apart; more labels have their recalls.
        "subgroups": subgroups(table, scans) if len(scans.labels) == 2 else None,
        "transductive": transductive_words(study, scans.table),
        "null": {
            name: {"mean": float(np.mean(v)), "sd": float(np.std(v, ddof=1)), "labellings": len(v)}
            for name, v in null.items()
        },
        "settings": {arm: _settings(study, tasks, done, arm) for arm in table.arms},
        "fits": _fits(study, [*tasks, *of_null]),
        "leakage": leakage,
    }
    _write(out, results, seconds, table)
    write_report(out)
    return Ran(study, table, results)


def _kept(tasks: Sequence[StudyTask], done: Sequence[Done]) -> int:
    chosen = Counter(d.setting for t, d in zip(tasks, done, strict=True) if t.arm == TENFOLD)
    return min(chosen, key=lambda k: (-chosen[k], k))


def _predictions(scans: Scans, tasks: Sequence[StudyTask], done: Sequence[Done]) -> Predictions:
    parts = [_part(scans.labels, scans.table, t, d, scans.y) for t, d in zip(tasks, done, strict=True)]
    return Predictions.concatenate(parts)


def _part(
    labels: tuple[str, ...], table: SampleTable, task: StudyTask, done: Done, y: npt.NDArray[np.int64]
) -> Predictions:
    test = task.fold.test
    # Repeats are told apart by their folds' names, "fold 3 of 1"; one person at a time is one round.
    repeat = int(task.fold.name.rpartition(" of ")[2]) - SEED if task.arm == TENFOLD else 0
    name = OWN if task.arm == OWN else task.fold.name
    return Predictions(
        labels=labels,
        fold=np.full(len(test), name),
        arm=np.full(len(test), task.arm),
        sample=test.astype(np.int64),
        person=table.person[test],
        y=y[test],
        scores=probabilities_of(done.log_odds),
        repeat=np.full(len(test), repeat, dtype=np.int64),
    )


def _null(
    scans: Scans, tasks: Sequence[StudyTask], done: Sequence[Done]
) -> dict[str, npt.NDArray[np.float64]]:
    by_number: dict[int, list[Predictions]] = {}
    labels = {task.labelling or 0: labels_for(scans.table, task) for task in _first_of_each(tasks)}
    for task, outcome in zip(tasks, done, strict=True):
        number = task.labelling or 0
        part = _part(scans.labels, scans.table, task, outcome, labels[number])
        by_number.setdefault(number, []).append(part)
    each = [null_figures(Predictions.concatenate(parts)) for parts in by_number.values()]
    return {name: np.array([its[name] for its in each]) for name in (each[0] if each else {})}


def _first_of_each(tasks: Sequence[StudyTask]) -> list[StudyTask]:
    """One task of each labelling."""
    return list({task.labelling: task for task in tasks}.values())


def _settings(study: Study, tasks: Sequence[StudyTask], done: Sequence[Done], arm: str) -> dict[str, int]:
    """How often each setting was chosen."""
    chosen = Counter(d.setting for t, d in zip(tasks, done, strict=True) if t.arm == arm)
    return {json.dumps(dict(study.settings[k]), sort_keys=True): n for k, n in sorted(chosen.items())}


def _fits(study: Study, tasks: Sequence[StudyTask]) -> int:
    inner = 3 * len(study.settings) if len(study.settings) > 1 else 0
    return sum(1 if task.setting is not None else 1 + inner for task in tasks)


def described(study: Study) -> dict[str, Any]:
    """What a study is, as ``results.json`` says it."""
    return {
        "name": study.name,
        "title": study.title,
        "paper": study.paper,
        "role": str(study.role),
        "disorder": study.disorder,
        "claims": [asdict(claim) for claim in study.claims],
        "claimed": [str(claim) for claim in study.claims],
        "unstated": list(study.unstated),
        "ours": study.ours,
        "table": study.table,
        "exportable": not study.exportable,
        "why_not_exportable": study.exportable,
    }


def _write(out: Path, results: dict[str, Any], seconds: dict[str, float], table: Predictions) -> None:
    write_predictions(out / "predictions.csv", table)
    run = {"seconds": {name: round(value, 2) for name, value in seconds.items()}, "versions": versions()}
    for name, values in (("results.json", results), ("run.json", run)):
        write_json(out / name, values)
