"""A study is run: folds of every condition, null, figures, page; taken up again where it was stopped."""

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from models.arrays import Floats
from models.errors import HemostreamError
from offline.base.predictions import Predictions, write_predictions
from offline.base.process_pool import Workers
from offline.base.progress import Tell
from offline.base.sample_table import SampleTable
from offline.base.versions import versions
from offline.evaluation.fit_cache import FitCache
from offline.evaluation.results_folder import write_figures
from offline.evaluation.runner import run_tasks
from offline.evaluation.tasks import FitResult
from offline.report.folder import write_report
from offline.scans import Scans
from offline.scans.groups import refuse_confounded, site_by_label
from offline.stats.null import Null
from offline.studies.base import Study
from offline.studies.figures import figures_of
from offline.studies.fitting import (
    INNER_FOLDS,
    ScanFit,
    ScanProcedure,
    ScanTask,
    labels_of,
    probabilities_of,
)
from offline.studies.leakage_audit import audit_study
from offline.studies.multiclass import refuse_few
from offline.studies.planning import null_tasks, only, people_of, planned
from offline.studies.profile import OWN, TENFOLD, Profile
from offline.studies.subgroups import subgroups
from offline.studies.tables import OF_MATRICES, digest, table_of


@dataclass(frozen=True, eq=False)
class Ran:
    """What a study gave.

    Parameters
    ----------
    study : Study
        Which.
    predictions : Predictions
        Of all conditions.
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
    if scans.is_continuous:
        raise HemostreamError(f"{study.name} is run here on labels; {scans.target!r} is an amount.")
    refuse_confounded(scans)
    refuse_few(scans)
    workers = Workers() if workers is None else workers
    began = time.perf_counter()
    tell(study.name, 0, 1, f"table: {study.table}")
    X = table_of(study.table, scans, cache)
    seconds = {"table": time.perf_counter() - began}
    procedure = ScanProcedure(study, X, scans.table, digest(scans))
    kept = FitCache(out / "work", procedure.key)
    people = people_of(study, scans)

    def ran(tasks: Sequence[ScanTask]) -> list[FitResult[ScanFit]]:
        own = only(tasks, people, scans.table)
        return run_tasks(procedure, own, cache=kept, workers=workers, tell=tell, what=study.name)

    results = ran(planned(study, scans.table, profile))
    permuted = ran(null_tasks(scans.table, profile, _chosen_most(results)))
    leakage = None
    if audit:
        leakage, seconds["leakage protocols"] = audit_study(
            study, scans, X, profile, work=kept.folder, cache=cache, workers=workers, tell=tell
        )
    table = Predictions.concatenate([_part(scans, scans.table, each) for each in results])
    null = _null(scans, permuted)
    for condition in table.conditions:
        seconds[condition] = sum(each.seconds for each in results if each.task.condition == condition)
    seconds["permuted labels"] = sum(each.seconds for each in permuted)
    whole = {
        "study": described(study),
        "profile": asdict(profile),
        "data": {
            "derivative": scans.derivative,
            "digest": digest(scans),
            "people": len(scans),
            "judged": study.population.words if study.population is not None else "",
            "target": scans.target,
            "labels": list(scans.labels),
            "sites": site_by_label(scans),
            "remarks": list(scans.remarks),
        },
        "conditions": figures_of(table, null),
        # Groups are compared by what tells two labels apart; more labels have their recalls.
        "subgroups": subgroups(table, scans) if len(scans.labels) == 2 else None,
        "transductive": transductive_words(study, scans.table),
        "null": {
            name: {"mean": float(np.mean(v)), "sd": float(np.std(v, ddof=1)), "labellings": len(v)}
            for name, v in null.items()
        },
        "settings": {condition: _settings(study, results, condition) for condition in table.conditions},
        "fits": _fits(study, [*results, *permuted]),
        "leakage": leakage,
    }
    write_predictions(out / "predictions.csv", table)
    write_results(out, whole, seconds)
    write_report(out)
    return Ran(study, table, whole)


def _chosen_most(results: Sequence[FitResult[ScanFit]]) -> int:
    """The setting that the ten folds chose most often."""
    chosen = Counter(each.how["setting"] for each in results if each.task.condition == TENFOLD)
    return min(chosen, key=lambda k: (-chosen[k], k))


def _part(scans: Scans, table: SampleTable, result: FitResult[ScanFit]) -> Predictions:
    task = result.task
    return Predictions.of_fold(
        scans.labels,
        table,
        task.fold,
        probabilities_of(result.scores),
        condition=task.condition,
        repeat=task.repeat,
        name=OWN if task.condition == OWN else None,  # one person at a time is one round
    )


def _null(scans: Scans, results: Sequence[FitResult[ScanFit]]) -> Mapping[str, Floats]:
    """By metric, (n_permutations,); empty where no labels were permuted."""
    first = {each.task.permutation: each.task for each in results}
    tables = {
        number: replace(scans.table, target=labels_of(scans.table, task)) for number, task in first.items()
    }
    parts: dict[int | None, list[Predictions]] = {}
    for each in results:
        number = each.task.permutation
        parts.setdefault(number, []).append(_part(scans, tables[number], each))
    return dict(Null.of(parts.values(), by_person=True).figures.items()) if parts else {}


def _settings(study: Study, results: Sequence[FitResult[ScanFit]], condition: str) -> dict[str, int]:
    """How often each setting was chosen."""
    chosen = Counter(each.how["setting"] for each in results if each.task.condition == condition)
    return {json.dumps(dict(study.settings[k]), sort_keys=True): n for k, n in sorted(chosen.items())}


def _fits(study: Study, results: Sequence[FitResult[ScanFit]]) -> int:
    inner = INNER_FOLDS * len(study.settings) if len(study.settings) > 1 else 0
    return sum(1 if each.task.fit.setting is not None else 1 + inner for each in results)


def described(study: Study) -> dict[str, Any]:
    """What a study is, as ``results.json`` says it."""
    return {
        "name": study.name,
        "title": study.title,
        "paper": study.paper.citation,
        "role": str(study.role),
        "disorder": study.paper.disorder,
        "claims": [asdict(claim) for claim in study.paper.claims],
        "claimed": [str(claim) for claim in study.paper.claims],
        "unstated": list(study.paper.unstated),
        "ours": study.ours,
        "table": study.table,
        "exportable": not study.not_exportable_because,
        "why_not_exportable": study.not_exportable_because,
    }


MATRICES_WORDS = (
    "In the transductive condition matrices are not centred, for then they would be none: the mean of their "
    "logarithms at each site becomes that of all."
)


def transductive_words(study: Study, table: SampleTable) -> str:
    """How the unlabelled people are used in the transductive condition, and for which sites they are too few.

    Parameters
    ----------
    study : Study
        Which.
    table : SampleTable
        One row a person.
    """
    if study.unlabelled is None:
        return MATRICES_WORDS if study.table in OF_MATRICES else ""
    names, counts = np.unique(table.site, return_counts=True)
    small = [str(name) for name, n in zip(names, counts, strict=True) if n < study.unlabelled.fewest]
    text = f"In the transductive condition no site is centred; instead: {study.unlabelled.words}."
    if small:
        text += (
            f" Sites with under {study.unlabelled.fewest} people are judged there as in the first condition: "
            f"{', '.join(small)}."
        )
    return text


def write_results(out: Path, results: Mapping[str, Any], seconds: Mapping[str, float]) -> None:
    """Write ``results.json``, the same from one run to the next, and ``run.json``, the rest."""
    run = {"seconds": {name: round(value, 2) for name, value in seconds.items()}, "versions": versions()}
    write_figures(out, results, run)
