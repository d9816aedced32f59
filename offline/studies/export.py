"""A study's system, fitted and written into a bundle that predicts one scan of an unseen site.

What is exported is the inductive system: it needs nobody else of the site.  Behind its own layers stands a
line that makes its log odds calibrated, and beside them what scans of the training look like; both are learnt
inside the training.  The bundle is read back and predicts people before it counts as written: what was
evaluated is what it predicts, but for that line.
"""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from models.bundle_files import check_target
from models.cards.scan_card import ScanCard, ScanInput
from models.errors import HemostreamError, near_match
from models.scan_bundle import ScanBundle, read_scan_bundle, write_scan_bundle
from models.scan_model import ScanModel
from offline.base.progress import Tell
from offline.base.row_splits import unseen_sites
from offline.base.splits import Fold
from offline.base.versions import versions
from offline.estimators import NotExportable, layers_of
from offline.evaluation.tasks import FitTask
from offline.report.study import UNSEEN_SITE
from offline.samples.fingerprints import signals_for_card
from offline.scans import Scans
from offline.scans.groups import refuse_confounded
from offline.scans.twice import fingerprints_of
from offline.studies.base import Study
from offline.studies.calibration import calibrate
from offline.studies.fitting import ScanFit, ScanProcedure, log_odds
from offline.studies.scan_novelty import fit_novelty
from offline.studies.tables import OF_SERIES, digest, table_of
from offline.studies.unseen import unseen_of

SHORT_ENOUGH = 180.0
"""Scans of so many seconds are long enough, whatever the training had: two periods of the slowest wave of the
resting band.  Where the training had shorter ones, those are."""
NEAR = 1.1
"""How far beyond the training's repetition times a scan's may lie, as a factor."""
USUAL, MORE_MASKED = 0.99, 0.1
"""So large a share of regions may be constant as the training had at this quantile, and so much more; but no
larger one than anybody had.  One scan without half of the regions makes no such scan usual."""
LARGEST_DIFFERENCE = 1e-6
"""Between the log odds of a study and of its bundle."""
ASKED = 40
"""People on whom study and bundle are compared."""


class Exported(NamedTuple):
    """A bundle as read back, the largest difference of its log odds, before they are calibrated, to the
    study's, and over how many people."""

    bundle: ScanBundle
    difference: float
    asked: int


def export_study(
    study: Study,
    scans: Scans,
    out: Path,
    *,
    cache: Path,
    without: str = "",
    evaluation: Mapping[str, Any] | None = None,
    tell: Tell,
) -> Exported:
    """Fit a study's system to everybody, or to everybody but a site, and write it as a bundle.

    Parameters
    ----------
    study : Study
        Which.
    scans : Scans
        Region series of the people to train on; two labels.
    out, cache : path
        Folder of the bundle, and of tables that were computed before.
    without : str
        A site that is left out: the fit is then that of the study's fold of this site.
    evaluation : mapping, optional
        What the study was worth, for the card.
    tell : callable
        Told of progress.

    Raises
    ------
    HemostreamError
        The study cannot be written into a bundle, or these data are none of its kind, or the bundle
        does not predict what the study predicts.
    """
    if study.not_exportable_because:
        raise HemostreamError(
            f"{study.name} cannot be written into a bundle: {study.not_exportable_because}."
        )
    if study.table not in OF_SERIES or not scans.is_series:
        raise HemostreamError(
            f"{study.name} reads {study.table!r} of {scans.derivative}; a bundle needs region series, "
            "because it computes its features itself."
        )
    if len(scans.labels) != 2:
        raise HemostreamError(f"{study.name} distinguishes two labels; found {', '.join(scans.labels)}.")
    refuse_confounded(scans)
    check_target(out)
    task = FitTask(_fold(scans, without), UNSEEN_SITE, ScanFit())
    tell("export", 0, 5, f"table: {study.table}")
    X = np.load(table_of(study.table, scans, cache), mmap_mode="r", allow_pickle=False)
    tell("export", 1, 5, f"fit to {len(task.fold.train)} people")
    procedure = ScanProcedure(study, X, scans.table)
    with threadpool_limits(1), warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        model, setting, _ = procedure.fit(task)
        try:
            layers = layers_of(model)
        except NotExportable as error:
            raise HemostreamError(f"{study.name} cannot be written into a bundle: {error}") from error
        tell("export", 2, 5, "calibrate")
        calibration = calibrate(procedure, task, model, setting)
        tell("export", 3, 5, "what scans look like")
        known = scans.rows(task.fold.train)
        novelty, how = fit_novelty(known)
    card = ScanCard(
        system=(),
        input=input_of(known),
        labels=scans.labels,
        study={
            "name": study.name,
            "title": study.title,
            "paper": study.paper.citation,
            "done": study.ours,
            "setting": dict(study.settings[setting]),
        },
        training={
            "people": len(known),
            "sites": sorted(set(known.site.tolist())),
            "without_site": without,
            "digest": digest(known),
            # What is listed behind a colon may be people's names.
            "remarks": list(dict.fromkeys(remark.partition(": ")[0] for remark in scans.remarks)),
            # By the digest they are keyed, as people are elsewhere by a salt.
            "people_salt": digest(known),
            "signals": signals_for_card(fingerprints_of(known), digest(known)),
            "calibration": calibration.to_json(),
            "novelty": how,
            "research_use_only": True,
        },
        evaluation=evaluation or {},
        unseen=unseen_of(evaluation or {}),
        versions=versions(),
    )
    tell("export", 4, 5, "compare")
    system = ScanModel(OF_SERIES[study.table], (*layers, calibration.layer))
    write_scan_bundle(out, card, system, novelty)
    bundle = read_scan_bundle(out)
    rows = task.fold.test[:ASKED] if len(task.fold.test) else task.fold.train[:ASKED]
    asked = scans.rows(rows)
    before = ScanModel(bundle.system.features, bundle.system.layers[:-1])  # a slope of 0 would hide all
    logits = before.logits(np.asarray(asked.X, dtype=np.float32), asked.repetition_time)
    own = log_odds(model, np.asarray(X[rows], dtype=np.float64))
    difference = float(np.abs(logits[:, 1] - logits[:, 0] - own).max())
    if not difference <= LARGEST_DIFFERENCE:
        raise HemostreamError(
            f"The bundle's log odds of {len(rows)} people differ from the study's by up to {difference:.1e}; "
            f"expected at most {LARGEST_DIFFERENCE:g}. Do not use {out}; please report this."
        )
    tell("export", 5, 5, str(out))
    return Exported(bundle, difference, len(rows))


def input_of(scans: Scans) -> ScanInput:
    """What a scan must be, to be predicted by a system that was fitted to these region series."""
    seconds = scans.repetition_time
    known = np.isfinite(seconds)
    if not known.all():
        raise HemostreamError(
            f"The repetition time of {np.count_nonzero(~known)} of {len(scans)} scans is not known; a "
            "bundle must say for which it was made. Add it to the phenotype table."
        )
    masked = (np.nan_to_num(scans.X) == 0.0).all(axis=2).mean(axis=1)
    usual = float(np.quantile(masked, USUAL, method="lower")) + MORE_MASKED
    return ScanInput(
        regions=scans.names,
        preprocessing=scans.derivative,
        least_s=float(min(SHORT_ENOUGH, (scans.n_times * seconds).min())),
        repetition_time=(float(seconds.min() / NEAR), float(seconds.max() * NEAR)),
        most_masked=min(float(masked.max()), usual),
    )


def _fold(scans: Scans, without: str) -> Fold:
    if not without:
        everybody = np.arange(len(scans))
        return Fold(("nobody",), everybody, everybody[:0], "nobody")  # the name seeds the fit
    sites = np.unique(scans.site).tolist()
    if without not in sites:
        raise HemostreamError(f"There is no site {without!r}. {near_match(without, sites)}")
    for fold in unseen_sites(scans.table):
        if set(scans.site[fold.test].tolist()) == {without}:
            return fold
    raise HemostreamError(f"The site {without!r} cannot be left out: no other site is left to train on.")
