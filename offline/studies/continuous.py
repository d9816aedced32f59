"""A continuous target, such as the severity of symptoms: the dimensional view beside the diagnosis.

It is predicted from a study's table, from age and sex, and by the mean.  Scales differ between sites (a T
score of parents' answers here, a sum of points there), so a model across sites can only be of a target in its
own site's units.  Everybody's target is therefore given in SDs of their site from its mean, both taken from
the training people of that site.  Of a site that is not trained on nobody knows the scale: there the held-out
people's own mean and SD are taken, which no model sees; so the correlation within the site is what counts
there, and the other two figures say how much better than the site's mean one would guess were its scale
known.  Evaluating within each site alone would be as honest, but would train on a few dozen people and could
not say whether anything carries over.
"""

import hashlib
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from models.errors import RecipeError
from models.files.private import private_folder
from offline.base.progress import Tell
from offline.base.row_splits import folds_of_sites, ten_folds_of_sites
from offline.evaluation.continuous import (
    MEAN,
    ContinuousFit,
    ContinuousProcedure,
    ContinuousTask,
    evaluated,
)
from offline.evaluation.runner import run_tasks
from offline.evaluation.tasks import FitTask
from offline.report.continuous import TRAITS
from offline.report.folder import write_report
from offline.scans import Scans
from offline.stats.permutation import permuted_within
from offline.stats.regression import FIGURES, ContinuousPredictions, figures_of, write_continuous
from offline.studies.base import Role, Study
from offline.studies.profile import SEED, TENFOLD, TRANSDUCTIVE, UNSEEN_SITE, Profile
from offline.studies.run import described, write_results
from offline.studies.tables import TABLES, digest, table_of

BEYOND = ", beyond age and sex"
"""What training people's targets follow from age and sex is taken out of everybody's first."""
FEWEST = 40
FEWEST_OF_SITE = 20
"""A site with fewer people whose target is known is left out: every fold needs its mean and SD."""
ALONE = ", {} alone"
"""Of the same predictions, only people with the disorder: whether more is predicted than who has it."""


def run_continuous(
    study: Study, scans: Scans, out: Path, profile: Profile, *, cache: Path, tell: Tell
) -> tuple[ContinuousPredictions, dict[str, Any]]:
    """Evaluate how well a study's table predicts a continuous target, and write its report.

    Predictors are the study's table alone; scores (IQ and medication, where data have them) never are.

    Parameters
    ----------
    study : Study
        Whose table.
    scans : Scans
        Whose target is continuous.
    out : path
        Its folder: ``results.json``, ``predictions.csv``, ``run.json``, ``report.html``.
    profile : Profile
        How much is computed.
    cache : path
        Tables that were computed before, shared between studies.
    tell : callable
        Told of progress.

    Returns
    -------
    ContinuousPredictions, dict
        What was predicted of everybody, and what is in ``results.json``.

    Raises
    ------
    RecipeError
        The study predicts labels only, the target is a label, or there are too few people.
    """
    if not study.continuous or not scans.is_continuous:
        raise RecipeError(
            f"{study.name} on {scans.target!r}: an amount is told by linear models of a table; expected "
            "ridge, ridge-partial, ridge-table, age-sex or motion, and a target that is an amount "
            f"({', '.join(scans.scores) or 'these data have none'})."
        )
    scans, left_out = _enough_of_each_site(scans)
    if len(scans) < FEWEST:
        raise RecipeError(
            f"{scans.target!r} is known of {len(scans)} people at sites that are large enough; expected "
            f"{FEWEST} or more."
        )
    began = time.perf_counter()
    tell(study.name, 0, 1, f"table: {study.table}")
    X = np.load(table_of(study.table, scans, cache), mmap_mode="r", allow_pickle=False)
    seconds = {"table": time.perf_counter() - began}
    target = scans.scores[scans.target]
    permuted = [
        permuted_within(target, scans.site, np.random.default_rng([29, number]))
        for number in range(profile.permutations)
    ]
    procedure = ContinuousProcedure(
        {study.table: X, TRAITS: TABLES[TRAITS](scans)},
        np.column_stack([target, *permuted]),
        scans.site,
        by_site=True,
    )
    results = run_tasks(procedure, _tasks(study, scans, profile), tell=tell, what=study.name)
    figures: dict[str, Any] = {}
    found = evaluated(results, scans.table.person, scans.site)
    for condition, table, its, _, took in found:
        figures[condition] = its
        seconds[condition] = took
        if not condition.startswith(MEAN) and len(scans.labels) == 2:
            figures[condition + ALONE.format(scans.labels[-1])] = _only_r(figures_of(_alone(table, scans)))
    whole = ContinuousPredictions.concatenate([each.table for each in found])
    reported = {
        "study": described(study),
        "profile": asdict(profile),
        "data": _data(scans, left_out),
        "conditions": figures,
        "null": {
            each.condition: {
                name: {"mean": float(v.mean()), "sd": float(v.std(ddof=1))}
                for name, v in (each.null or {}).items()
            }
            for each in found
            if profile.permutations > 1
        },
    }
    private_folder(out)
    write_continuous(out / "predictions.csv", whole)
    write_results(out, reported, seconds)
    write_report(out)
    return whole, reported


def _enough_of_each_site(scans: Scans) -> tuple[Scans, tuple[str, ...]]:
    """Only sites whose scale can be known, and what is reported of the others."""
    target = scans.scores[scans.target]
    small = [
        name
        for name in np.unique(scans.site).tolist()
        if np.count_nonzero(scans.site == name) < FEWEST_OF_SITE
        or len(np.unique(target[scans.site == name])) < 2
    ]
    reported = tuple(
        f"site {name or '(none)'} left out: {np.count_nonzero(scans.site == name)} people with an amount, "
        f"expected {FEWEST_OF_SITE} or more who differ"
        for name in small
    )
    return scans.rows(~np.isin(scans.site, small)), reported


def _tasks(study: Study, scans: Scans, profile: Profile) -> list[ContinuousTask]:
    """Every condition's folds, with the true targets and with permuted ones."""
    person, site = scans.table.person, scans.site
    sites = [(0, fold) for fold in folds_of_sites(person, site)]
    tens = [
        (repeat, fold)
        for repeat in range(profile.repeats)
        for fold in ten_folds_of_sites(person, site, seed=SEED + repeat)
    ]
    tasks: list[ContinuousTask] = []
    for features in dict.fromkeys((study.table, TRAITS, MEAN)):
        plain, own = ContinuousFit(features), features == study.table
        beyond = replace(plain, beyond=TRAITS)
        conditions = [(UNSEEN_SITE, plain, sites)]
        if own and study.role is not Role.CONFOUND:
            conditions.append((TRANSDUCTIVE, replace(plain, centred=True), sites))
        if own and features != TRAITS:
            conditions.append((UNSEEN_SITE + BEYOND, beyond, sites))
        conditions.append((TENFOLD, plain, tens))
        if own and features != TRAITS:
            conditions.append((TENFOLD + BEYOND, beyond, tens))
        tasks += [
            FitTask(fold, f"{features}, {name}", fit, number, repeat)
            for name, fit, folds in conditions
            for repeat, fold in folds
            for number in (None, *range(profile.permutations))
        ]
    return tasks


def _alone(table: ContinuousPredictions, scans: Scans) -> ContinuousPredictions:
    """Rows of the people whose label is not the first, the controls'."""
    return table.take(np.flatnonzero(np.isin(table.person, scans.table.person[scans.y > 0])))


def _only_r(figures: dict[str, Any]) -> dict[str, Any]:
    # Predicted of everybody, and against the mean of a few: the others would say who has the disorder again.
    return figures | {name: {"value": None, "interval": None, "p": None} for name in FIGURES if name != "r"}


def _data(scans: Scans, left_out: tuple[str, ...]) -> dict[str, Any]:
    target = scans.scores[scans.target]
    sites = {
        name: {
            "people": int(np.count_nonzero(here := scans.site == name)),
            "mean": float(target[here].mean()),
            "sd": float(target[here].std()),
            "least": float(target[here].min()),
            "most": float(target[here].max()),
        }
        for name in np.unique(scans.site).tolist()
    }
    return {
        "derivative": scans.derivative,
        "digest": digest(scans),
        "amount_digest": hashlib.sha256(np.ascontiguousarray(target).tobytes()).hexdigest(),
        "target": scans.target,
        "unit": "SD of the site",
        "people": len(scans),
        "sites": sites,
        "remarks": [*scans.remarks, *left_out],
    }
