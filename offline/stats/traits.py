"""Age and sex: what a classifier must do better than, where the groups differ in them."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from offline.base.cohort import CohortRow

Traits = Mapping[str, tuple[float | None, str]]
"""Age (years) and sex of each person; None and empty where the cohort does not have them."""


def traits_of(rows: list[CohortRow]) -> dict[str, tuple[float | None, str]]:
    """Ages and sexes of a cohort's people: the first recording's age where there are several."""
    out: dict[str, tuple[float | None, str]] = {}
    for row in rows:
        out.setdefault(row.person, (row.age, row.sex))
    return out


def traits_vary(traits: Traits) -> bool:
    """Whether ages or sexes are known in which people differ."""
    return (
        len({age for age, _ in traits.values()} - {None}) > 1
        or len({s for _, s in traits.values()} - {""}) > 1
    )


def trait_features(traits: Traits, person: npt.NDArray[np.str_]) -> npt.NDArray[np.float64]:
    """Age, its square, sex, and what is unknown, for each sample: (n, n_features) float64.

    Unknown ages are 0 and have a column of their own, so that nothing of other people fills them.
    """
    people, whose = np.unique(person, return_inverse=True)
    sexes = sorted({traits[name][1] for name in traits if traits[name][1]})
    rows = []
    for name in people.tolist():
        age, sex = traits[name]
        known = 0.0 if age is None else age
        rows.append([known, known**2, float(age is None), *(float(sex == each) for each in sexes)])
    return np.array(rows, dtype=np.float64)[whose]
