"""Whole people as rows: the means of their windows' features, and their age and sex."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from offline.estimators.baselines import window_features
from offline.samples.memory_features import memory_features, mirrored
from offline.samples.recipe import Recipe
from offline.samples.samples import Samples
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
        By arm.
    """

    person: npt.NDArray[np.str_]
    site: npt.NDArray[np.str_]
    features: dict[str, npt.NDArray[np.float64]]


def person_tables(samples: Samples, recipe: Recipe) -> PersonTable:
    """Put each person's windows together.

    Parameters
    ----------
    samples : Samples
        Windows of everybody who has an amount.
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
    for arm, values in of_windows.items():
        total = np.zeros((len(person), values.shape[1]))
        np.add.at(total, whose, values)
        features[arm] = total / count
    if tells(samples.traits) and recipe.labels.column not in ("age", "sex"):
        features["age and sex"] = trait_features(samples.traits, person)
    return PersonTable(person, table.site[first], features)
