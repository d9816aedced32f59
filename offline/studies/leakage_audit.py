"""The leakage audit of a study: its own model and table, at one real site."""

from pathlib import Path
from typing import Any

import numpy as np

from models.errors import HemostreamError
from offline.base.process_pool import Workers
from offline.base.progress import Tell
from offline.base.row_splits import own_site
from offline.evaluation.fit_cache import FitCache
from offline.evaluation.leakage.audit import audit_of, predicted
from offline.evaluation.leakage.protocols import (
    OF_SCANS,
    RANDOM,
    SELECTION,
    SETTING,
    AuditTask,
    LeakageProtocol,
    labels_by_permutation,
)
from offline.evaluation.leakage.scans import FOLDS, METRICS, figures_by_sample, plan_scans, rounds_of
from offline.evaluation.runner import run_tasks
from offline.evaluation.tasks import FitTask
from offline.scans import Scans
from offline.stats.metrics import majority_rate
from offline.studies.base import Study
from offline.studies.columns import Columns, how_many
from offline.studies.fitting import INNER_FOLDS, ScanFit, ScanProcedure, ScanTask, probabilities_of
from offline.studies.profile import PERMUTATION_SEED, Profile
from offline.studies.scan_parts import PARTS, cut
from offline.studies.tables import CORRELATION_AND_TRAITS, N_TRAITS, digest, table_of

DIVISIONS = 3
"""Of the true labels, at the least: of one site's few people a single division says too little."""
FEWEST = 6
"""People of the rarer label at the site: a setting is chosen within training, in three folds of both."""
LONGEST_S = 100.0
"""About how long a protocol's fits may take in a quick audit, s, as stated by `Study.fit_s`."""


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
    """What each leakage protocol gives, beside its honest twin, on true and on permuted labels.

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
    work, cache : path
        Folders of results that are kept, and of tables that were computed before.
    workers : Workers
        Who shares the fits.
    tell : callable
        Told of progress.

    Returns
    -------
    dict, float
        JSON types, and seconds that the fits took.
    """
    if why := why_not(study, scans):
        return {"why_not": why}, 0.0
    site, rows = own_site(scans.table, study.paper.one_site_of or len(scans))
    rounds = rounds_of(max(DIVISIONS, profile.repeats), profile.audited)
    traits = N_TRAITS if study.table == CORRELATION_AND_TRAITS else 0
    n_columns = how_many(np.load(X, mmap_mode="r", allow_pickle=False).shape[1] - traits)
    whole = ScanProcedure(study, X, scans.table, digest(scans))
    given = {SELECTION: (whole, rows), SETTING: (whole, rows)}
    skipped = {} if profile.name == "full" else too_long(study, len(rows), len(rounds))
    if len(study.settings) == 1:
        skipped[SETTING] = "the study has one setting"
    if RANDOM not in skipped:
        try:
            parts = cut(scans.rows(rows))
            of_parts = table_of(study.table, parts, cache)
        except HemostreamError as error:
            skipped[RANDOM] = f"a part of a scan has no such table: {error}"
        else:
            own = ScanProcedure(study, of_parts, parts.table, digest(parts))
            given[RANDOM] = own, np.arange(len(parts))
    found, seconds = {}, 0.0
    for protocol, (procedure, its_rows) in given.items():
        if protocol in skipped:
            continue
        table = procedure.table
        labels = labels_by_permutation(table, seed=PERMUTATION_SEED, by_person=True)
        planned = plan_scans(protocol, table, its_rows, labels, rounds, n_settings=len(study.settings))
        tasks = [scan_task(each, n_columns, traits) for each in planned]
        kept = FitCache(work, procedure.key)
        results = run_tasks(procedure, tasks, cache=kept, workers=workers, tell=tell, what=study.name)
        seconds += sum(each.seconds for each in results)
        evaluated = [
            (task, predicted(task, probabilities_of(each.scores), table, labels))
            for task, each in zip(planned, results, strict=True)
        ]
        found[protocol] = audit_of(
            evaluated, (protocol,), METRICS, figures_by_sample, model=study.name, unit="sample"
        )
    tried = [found[protocol]["protocols"] for protocol in OF_SCANS if protocol in found]
    return {
        "site": site,
        "people": len(rows),
        "majority_rate": majority_rate(scans.y[rows]),
        "folds": FOLDS,
        "columns": n_columns,
        "parts": PARTS,
        "setting": ", ".join(f"{k} {v}" for k, v in study.settings[0].items()),
        **found[SELECTION],
        "protocols": {name: its for each in tried for name, its in each.items()},
        "skipped": {str(protocol): skipped[protocol] for protocol in OF_SCANS if protocol in skipped},
    }, seconds


def why_not(study: Study, scans: Scans) -> str:
    """Why a study cannot be audited on these scans; empty where it can."""
    if study.not_auditable_because:
        return study.not_auditable_because
    if len(scans.labels) != 2:
        return f"leakage protocols are tried on two labels, and these are {', '.join(scans.labels)}"
    site, rows = own_site(scans.table, study.paper.one_site_of or len(scans))
    fewest = int(np.bincount(scans.y[rows], minlength=2).min())
    return "" if fewest >= FEWEST else f"{site} has {fewest} people of a label, and {FEWEST} are needed"


def too_long(study: Study, n_people: int, n_rounds: int) -> dict[LeakageProtocol, str]:
    """Protocols whose fits would take too long for a quick audit of so many people and rounds, and why."""
    k, fits = len(study.settings), FOLDS * n_rounds
    within = INNER_FOLDS * (1.0 - 1.0 / INNER_FOLDS)  # fits of a choice, in fits of all training people
    seconds = {
        protocol: many * fits * study.fit_s * n_people / 200.0
        for protocol, many in ((RANDOM, 2.0 * PARTS), (SETTING, k + 1.0 + within * k))
    }
    return {
        protocol: f"its fits would take about {own / 60.0:.0f} minutes; the profile full tries it"
        for protocol, own in seconds.items()
        if own > LONGEST_S
    }


def scan_task(task: AuditTask, n_columns: int, traits: int) -> ScanTask:
    """A task of the audit as one of the study.

    So many columns are chosen where the protocol chooses; the last ones are traits, which stay.
    """
    columns = None
    if task.protocol.selection:
        columns = Columns(n_columns, task.selection if task.leaky else None, traits)
    fit = ScanFit(setting=task.setting, columns=columns)
    return FitTask(task.fold, str(task.protocol), fit, task.permutation)
