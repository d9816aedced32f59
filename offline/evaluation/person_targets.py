"""A continuous target of people: each person's windows are put together into one row, and evaluated so."""

from typing import Any

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from offline.base.cohort import Cohort
from offline.estimators.baselines import window_features
from offline.evaluation.continuous import evaluate_continuous
from offline.evaluation.figures import PROTOCOLS
from offline.evaluation.nulls import capped
from offline.evaluation.summary import what_it_says
from offline.samples.labels import amounts_of
from offline.samples.memory_features import memory_features, mirrored
from offline.samples.recipe import Recipe
from offline.samples.samples import Samples
from offline.stats.regression import ContinuousPredictions
from offline.stats.traits import trait_features, traits_vary
from realtime.pipeline import Pipeline

Names = npt.NDArray[np.str_]


def evaluate_people(
    cohort: Cohort, samples: Samples, recipe: Recipe
) -> tuple[ContinuousPredictions, dict[str, Any]]:
    """Evaluate a target by linear models of whole people; there is no network for it yet.

    Parameters
    ----------
    cohort : Cohort
        Holds the target.
    samples : Samples
        Windows of everybody who has one.
    recipe : Recipe
        Its label is an amount.

    Returns
    -------
    ContinuousPredictions, dict
        What was predicted of everybody, and what is in ``results.json``.
    """
    column = recipe.labels.column or ""
    person, first, whose = np.unique(samples.table.person, return_index=True, return_inverse=True)
    target = amounts_of(cohort, column)
    y = np.array([target[name] for name in person.tolist()])
    table, figures = evaluate_continuous(
        _features(samples, recipe, person, whose),
        y,
        person,
        samples.table.site[first],
        permutations=capped(recipe.evaluation.permutations, recipe),
        repeats=recipe.evaluation.repeats,
        seed=recipe.training.seed,
    )
    whole = {
        "recipe": {"name": recipe.name, "hash": recipe.hash, "settings": recipe.model_dump(mode="json")},
        "who": cohort.described(),
        "cohort_hash": cohort.content_hash(),
        "continuous_target": column,
        "people": len(y),
        "says": what_it_says(len(y)),
        "protocol": PROTOCOLS["people"].replace("window", "person"),
        "remarks": list(samples.remarks),
        **figures,
    }
    return table, whole


def _features(
    samples: Samples, recipe: Recipe, person: Names, whose: npt.NDArray[np.intp]
) -> dict[str, Floats]:
    """The means of people's windows, and their traits, (n_people, n_features) float64 by condition."""
    behind = Pipeline(recipe.pipeline, samples.spec).spec_out
    of_windows = {
        "ridge": window_features(samples.X),
        "memory and symmetry": memory_features(samples.X, mirrored(behind)),
    }
    count = np.bincount(whose)[:, np.newaxis]
    features = {}
    for name, values in of_windows.items():
        total = np.zeros((len(person), values.shape[1]))
        np.add.at(total, whose, values)
        features[name] = total / count
    if traits_vary(samples.traits) and recipe.labels.column not in ("age", "sex"):
        features["age and sex"] = trait_features(samples.traits, person)
    return features
