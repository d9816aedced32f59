"""A continuous target of people: each person's windows are put together into one row, and evaluated so."""

from typing import Any

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from offline.base.cohort import Cohort
from offline.estimators.baselines import window_features
from offline.evaluation.continuous import evaluate_continuous
from offline.evaluation.evaluation_plan import EvaluationPlan
from offline.evaluation.figures import PROTOCOLS
from offline.evaluation.summary import what_it_says
from offline.samples.labels import amounts_of
from offline.samples.memory_features import memory_features
from offline.samples.samples import Samples
from offline.samples.sides import with_one_montage
from offline.stats.regression import ContinuousPredictions
from offline.stats.traits import trait_features, traits_vary
from offline.training.feature_table import group_means
from realtime.stages.homologues import mirrored

Names = npt.NDArray[np.str_]


def evaluate_people(plan: EvaluationPlan, cohort: Cohort) -> tuple[ContinuousPredictions, dict[str, Any]]:
    """Evaluate a target by linear models of whole people; there is no network for it yet.

    Returns
    -------
    ContinuousPredictions, dict
        What was predicted of everybody who has an amount in the cohort, and what is in ``results.json``.
    """
    samples, recipe = plan.samples, plan.recipe
    (column,) = samples.labels
    person, first, whose = np.unique(samples.table.person, return_index=True, return_inverse=True)
    target = amounts_of(cohort, column)
    y = np.array([target[name] for name in person.tolist()])
    table, figures = evaluate_continuous(
        _features(samples, person, whose),
        y,
        person,
        samples.table.site[first],
        unit=None if samples.table.together is None else samples.table.together[first],
        permutations=plan.permutations,
        repeats=recipe.evaluation.repeats,
        seed=plan.seed,
    )
    whole = {
        "recipe": {"name": recipe.name, "hash": recipe.hash, "settings": recipe.model_dump(mode="json")},
        "who": cohort.described(),
        "cohort_hash": cohort.content_hash(),
        "continuous_target": column,
        "people": len(y),
        "says": what_it_says(len(y), n_units=len(np.unique(samples.table.unit))),
        "protocol": PROTOCOLS["people"].replace("window", "person"),
        "remarks": list(samples.remarks),
        **figures,
    }
    return table, whole


def _features(samples: Samples, person: Names, whose: npt.NDArray[np.intp]) -> dict[str, Floats]:
    """The means of people's windows, and their traits, (n_people, n_features) float64 by condition."""
    samples = with_one_montage(samples)
    features = {
        "ridge": group_means(window_features(samples.X), whose),
        "memory and symmetry": group_means(memory_features(samples.X, mirrored(samples.behind)), whose),
    }
    if traits_vary(samples.traits) and samples.labels[0] not in ("age", "sex"):
        features["age and sex"] = trait_features(samples.traits, person)
    return features
