"""A study is run: folds of every condition, null, figures, page; taken up again where it was stopped."""

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from models.arrays import Floats
from offline.base.predictions import Predictions, write_predictions
from offline.base.process_pool import Workers
from offline.base.progress import Tell
from offline.base.result_cache import make_folder
from offline.base.sample_table import SampleTable
from offline.base.versions import versions
from offline.evaluation.fit_cache import FitCache
from offline.evaluation.results_folder import write_figures
from offline.evaluation.runner import run_tasks
from offline.evaluation.tasks import FitResult
from offline.report.folder import write_report
from offline.report.study import TENFOLD
from offline.scans import Scans
from offline.scans.groups import refuse_confounded, site_by_label
from offline.stats.null import Null
from offline.stats.regression import write_continuous
from offline.studies.base import Study
from offline.studies.continuous import large_sites, predict_target
from offline.studies.figures import figures_of
from offline.studies.fitting import (
    INNER_FOLDS,
    ScanFit,
    ScanProcedure,
    ScanTask,
    labels_of,
    predictions_of,
)
from offline.studies.leakage_audit import audit_study
from offline.studies.multiclass import refuse_few
from offline.studies.planning import null_tasks, only, people_of, planned
from offline.studies.profile import Profile
from offline.studies.subgroups import subgroups
from offline.studies.tables import OF_MATRICES, digest, table_of


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
) -> dict[str, Any]:
    """Evaluate a study, on labels or on a continuous target, and write its report.

    Parameters
    ----------
    study : Study
        Which.
    scans : Scans
        Whose scans; two labels or more, or a continuous target.
    out : path
        Its folder: ``results.json``, ``predictions.csv``, ``run.json``, ``report.html``, ``work``.
    profile : Profile
        How much is computed.
    cache : path
        Tables that were computed before, shared between studies.
    workers : Workers, optional
        Who shares the fits to labels; without, they are made here.
    audit : bool
        Whether leakage protocols are tried too, at one site; of labels.
    tell : callable
        Told of progress.

    Returns
    -------
    dict
        What is in ``results.json``.

    Raises
    ------
    HemostreamError
        The data are not what the study takes, site and diagnosis cannot be told apart, or there are too few
        people.
    """
    if scans.is_continuous:
        scans = large_sites(study, scans)
    else:
        refuse_confounded(scans)
        refuse_few(scans)
    began = time.perf_counter()
    tell(study.name, 0, 1, f"table: {study.table}")
    X = table_of(study.table, scans, cache)
    seconds = {"table": time.perf_counter() - began}
    if scans.is_continuous:
        targets, found = predict_target(study, scans, X, profile, seconds, tell=tell)
        make_folder(out)
        write_continuous(out / "predictions.csv", targets)
    else:
        labels, found = _predict_labels(
            study,
            scans,
            X,
            profile,
            seconds,
            work=out / "work",
            cache=cache,
            workers=workers or Workers(),
            audit=audit,
            tell=tell,
        )
        write_predictions(out / "predictions.csv", labels)
    data = {
        "derivative": scans.derivative,
        "digest": digest(scans),
        "people": len(scans),
        "target": scans.target,
        "remarks": list(scans.remarks),
    }
    results = {
        "study": study.described(),
        "profile": asdict(profile),
        **found,
        "data": data | found["data"],
    }
    run = {"seconds": {name: round(value, 2) for name, value in seconds.items()}, "versions": versions()}
    write_figures(out, results, run)
    write_report(out)
    return results


def _predict_labels(
    study: Study,
    scans: Scans,
    X: Path,
    profile: Profile,
    seconds: dict[str, float],
    *,
    work: Path,
    cache: Path,
    workers: Workers,
    audit: bool,
    tell: Tell,
) -> tuple[Predictions, dict[str, Any]]:
    procedure = ScanProcedure(study, X, scans.table, digest(scans))
    people = people_of(study, scans)
    kept = FitCache(work, procedure.key)

    def ran(tasks: Sequence[ScanTask]) -> list[FitResult[ScanFit]]:
        own = only(tasks, people, scans.table)
        return run_tasks(procedure, own, cache=kept, workers=workers, tell=tell, what=study.name)

    results = ran(planned(study, scans.table, profile))
    table = Predictions.concatenate([predictions_of(scans.labels, scans.table, each) for each in results])
    chosen = {
        condition: Counter(each.how["setting"] for each in results if each.task.condition == condition)
        for condition in table.conditions
    }
    often = min(chosen[TENFOLD], key=lambda k: (-chosen[TENFOLD][k], k))
    permuted = ran(null_tasks(scans.table, profile, often))
    leakage = None
    if audit:
        leakage, seconds["leakage protocols"] = audit_study(
            study, scans, X, profile, work=work, cache=cache, workers=workers, tell=tell
        )
    null = _null(scans, permuted)
    for condition in table.conditions:
        seconds[condition] = sum(each.seconds for each in results if each.task.condition == condition)
    seconds["permuted labels"] = sum(each.seconds for each in permuted)
    inner = INNER_FOLDS * len(study.settings) if len(study.settings) > 1 else 0
    return table, {
        "data": {
            "predicted": study.population.words if study.population is not None else "",
            "labels": list(scans.labels),
            "sites": site_by_label(scans),
        },
        "conditions": figures_of(table, null),
        # Groups are compared by what tells two labels apart; more labels have their recalls.
        "subgroups": subgroups(table, scans) if len(scans.labels) == 2 else None,
        "transductive": transductive_words(study, scans.table),
        "null": {
            name: {"mean": float(np.mean(v)), "sd": float(np.std(v, ddof=1)), "permutations": len(v)}
            for name, v in null.items()
        },
        "settings": {
            condition: {
                json.dumps(dict(study.settings[k]), sort_keys=True): n for k, n in sorted(counts.items())
            }
            for condition, counts in chosen.items()
        },
        "fits": sum(1 if each.task.fit.setting is not None else 1 + inner for each in (*results, *permuted)),
        "leakage": leakage,
    }


def _null(scans: Scans, results: Sequence[FitResult[ScanFit]]) -> Mapping[str, Floats]:
    """By metric, (n_permutations,); empty where no labels were permuted."""
    tables: dict[int | None, SampleTable] = {}
    parts: dict[int | None, list[Predictions]] = {}
    for each in results:
        number = each.task.permutation
        if number not in tables:
            tables[number] = replace(scans.table, target=labels_of(scans.table, each.task))
        parts.setdefault(number, []).append(predictions_of(scans.labels, tables[number], each))
    return dict(Null.of(parts.values(), by_person=True).figures.items()) if parts else {}


MATRICES_WORDS = (
    "In the transductive condition matrices are not centred, for then they would be none: the mean of their "
    "logarithms at each site becomes that of all."
)


def transductive_words(study: Study, table: SampleTable) -> str:
    """How unlabelled people are used in the transductive condition, and for which sites they are too few."""
    if study.unlabelled is None:
        return MATRICES_WORDS if study.table in OF_MATRICES else ""
    names, counts = np.unique(table.site, return_counts=True)
    small = names[counts < study.unlabelled.fewest].tolist()
    text = f"In the transductive condition no site is centred; instead: {study.unlabelled.words}."
    if small:
        text += (
            f" Sites with under {study.unlabelled.fewest} people are predicted there as in the first "
            f"condition: {', '.join(small)}."
        )
    return text
