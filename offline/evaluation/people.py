"""A continuous target of people: each person's windows are put together into one row, and evaluated so."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from offline.base.cohort import Cohort
from offline.estimators.baselines import window_features
from offline.evaluation.continuous import evaluate_continuous
from offline.evaluation.permutation_test import capped
from offline.evaluation.results import PROTOCOLS
from offline.evaluation.summary import what_it_says
from offline.samples.labels import amounts_of
from offline.samples.memory_features import memory_features, mirrored
from offline.samples.recipe import Recipe
from offline.samples.samples import Samples
from offline.stats.regression import Amounts
from offline.stats.traits import tells, trait_features
from realtime.pipeline import Pipeline


@dataclass(frozen=True, eq=False)
class PersonTable:
    """A row a person.

    Parameters
    ----------
    person, site : (n,) str
        Who, and where.
    features : dict of str to (n, n_features) float64
        By condition.
    """

    person: npt.NDArray[np.str_]
    site: npt.NDArray[np.str_]
    features: dict[str, npt.NDArray[np.float64]]


def person_tables(samples: Samples, recipe: Recipe) -> PersonTable:
    """Put each person's windows together.

    Parameters
    ----------
    samples : Samples
        Windows of everybody who has a target.
    recipe : Recipe
        Its pipeline says where channels lie.
    """
    table = samples.table
    person, first, whose = np.unique(table.person, return_index=True, return_inverse=True)
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
    if tells(samples.traits) and recipe.labels.column not in ("age", "sex"):
        features["age and sex"] = trait_features(samples.traits, person)
    return PersonTable(person, table.site[first], features)


def evaluate_people(cohort: Cohort, samples: Samples, recipe: Recipe) -> tuple[Amounts, dict[str, Any]]:
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
    Amounts, dict
        What was predicted of everybody, and what is in ``results.json``.
    """
    column = recipe.labels.column or ""
    found, target = person_tables(samples, recipe), amounts_of(cohort, column)
    y = np.array([target[name] for name in found.person.tolist()])
    table, figures = evaluate_continuous(
        found.features,
        y,
        found.person,
        found.site,
        permutations=capped(recipe.evaluation.permutations, recipe),
        repeats=recipe.evaluation.repeats,
        seed=recipe.training.seed,
    )
    whole = {
        "recipe": {"name": recipe.name, "hash": recipe.hash, "settings": recipe.model_dump(mode="json")},
        "who": cohort.described(),
        "cohort_hash": cohort.content_hash(),
        "amount": column,
        "people": len(y),
        "says": what_it_says(len(y)),
        "protocol": PROTOCOLS["people"].replace("window", "person"),
        "remarks": list(samples.remarks),
        **figures,
    }
    return table, whole
