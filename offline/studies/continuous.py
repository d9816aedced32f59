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
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from models.errors import RecipeError
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
from offline.report.study import TENFOLD, TRANSDUCTIVE, UNSEEN_SITE
from offline.scans import Scans
from offline.stats.permutation import permuted_within
from offline.stats.regression import FIGURES, ContinuousPredictions, figures_of
from offline.studies.base import Role, Study
from offline.studies.profile import SEED, Profile
from offline.studies.tables import TABLES

BEYOND = ", beyond age and sex"
"""What training people's targets follow from age and sex is taken out of everybody's first."""
FEWEST = 40
FEWEST_OF_SITE = 20
"""A site with fewer people whose target is known is left out: every fold needs its mean and SD."""
ALONE = ", {} alone"
"""Of the same predictions, only people with the disorder: whether more is predicted than who has it."""


def large_sites(study: Study, scans: Scans) -> Scans:
    """The people of sites whose scale can be known; remarks say of which it cannot.

    Raises
    ------
    RecipeError
        The study predicts labels only, or there are too few people.
    """
    if not study.continuous:
        raise RecipeError(
            f"{study.name} on {scans.target!r}: linear models of a table predict a continuous target; "
            "expected ridge, ridge-partial, ridge-table, age-sex or motion."
        )
    target, small, remarks = scans.scores[scans.target], [], []
    for name in np.unique(scans.site).tolist():
        here = scans.site == name
        if (n := np.count_nonzero(here)) < FEWEST_OF_SITE or len(np.unique(target[here])) < 2:
            small.append(name)
            remarks.append(
                f"site {name or '(none)'} left out: {n} people with an amount, expected {FEWEST_OF_SITE} or "
                "more who differ"
            )
    scans = replace(scans.rows(~np.isin(scans.site, small)), remarks=(*scans.remarks, *remarks))
    if len(scans) < FEWEST:
        raise RecipeError(
            f"{scans.target!r} is known of {len(scans)} people at sites that are large enough; expected "
            f"{FEWEST} or more."
        )
    return scans


def predict_target(
    study: Study, scans: Scans, X: Path, profile: Profile, seconds: dict[str, float], *, tell: Tell
) -> tuple[ContinuousPredictions, dict[str, Any]]:
    """Predict a continuous target from a study's table alone: scores (IQ, medication) never predict.

    Parameters
    ----------
    study : Study
        Whose table.
    scans : Scans
        Of `large_sites`.
    X : path
        The study's table, (n, n_features) float32.
    profile : Profile
        How much is computed.
    seconds : dict
        Those of each condition are added, s.
    tell : callable
        Told of progress.

    Returns
    -------
    ContinuousPredictions, dict
        What was predicted of everybody, and what ``results.json`` holds of it.
    """
    target = scans.scores[scans.target]
    permuted = [
        permuted_within(target, scans.site, np.random.default_rng([29, number]))
        for number in range(profile.permutations)
    ]
    procedure = ContinuousProcedure(
        {study.table: np.load(X, mmap_mode="r", allow_pickle=False), TRAITS: TABLES[TRAITS](scans)},
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
            # Rows of the people whose label is not the first, the controls'.
            alone = np.isin(table.person, scans.table.person[scans.y > 0])
            figures[condition + ALONE.format(scans.labels[-1])] = _only_r(
                figures_of(table.rows(np.flatnonzero(alone)))
            )
    return ContinuousPredictions.concatenate([each.table for each in found]), {
        "data": _data(scans),
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


def _only_r(figures: dict[str, Any]) -> dict[str, Any]:
    # Predicted of everybody, and against the mean of a few: the others would say who has the disorder again.
    return figures | {name: {"value": None, "interval": None, "p": None} for name in FIGURES if name != "r"}


def _data(scans: Scans) -> dict[str, Any]:
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
        "amount_digest": hashlib.sha256(np.ascontiguousarray(target).tobytes()).hexdigest(),
        "unit": "SD of the site",
        "sites": sites,
    }
