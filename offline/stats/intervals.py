"""How sure a figure is: intervals over people whose coverage was measured, and intervals within a person.

A bootstrap over people of cross-validated scores takes the trained classifiers as given, while each of them
shares most of its people with the others: where 95 % is claimed, 78 to 85 % is what such an interval
covered on noise.  So what is reported is the SD that figures really have in this cohort where there is
nothing to find, from the permutation null; it is a little too wide where there is much to find.

``y`` are labels of people, (n_people,) bool or int64; chance follows from a ``seed``.  ``unit``, (n_people,)
str, says who was measured together: whole units are drawn, for partners are not two independent people.
"""

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from scipy.stats import beta, norm

from models.arrays import Floats
from offline.base.predictions import Predictions
from offline.stats.permutation import FEWEST
from offline.stats.primary import Metric, own_figure

Ends = tuple[float, float]
"""From where to where."""


class PersonPredictions(Protocol):
    """What was predicted of people, from which figures under any permutation of the labels follow."""

    def figure(self, metric: Metric, y: npt.NDArray[Any], times: Floats | None = None, /) -> Floats:
        """The figure of labels (n_people,), for each column of how often people count: (n,) float64."""
        ...


DRAWS = 2000
"""Bootstrap draws of an interval."""
LEVEL = 0.95


def bootstrap_sd(
    predicted: PersonPredictions,
    y: npt.NDArray[Any],
    metric: Metric,
    *,
    seed: int,
    unit: npt.NDArray[np.str_] | None = None,
) -> float | None:
    """SD of a figure over draws of people, those of each label drawn among themselves.

    Labels are (n_people,) bool or int64; None where under two people have one of them.
    """
    counts = np.unique(y, return_counts=True)[1]
    if len(counts) < 2 or counts.min() < 2:
        return None
    values = predicted.figure(metric, y, draw_people(y, seed=seed, draws=DRAWS, unit=unit))
    return float(np.nanstd(values, ddof=1))


def draw_people(
    y: npt.NDArray[Any], *, seed: int, draws: int, unit: npt.NDArray[np.str_] | None = None
) -> Floats:
    """How often each person is drawn, those of each label among themselves: (n_people, draws) float64.

    Of units, those with as many people of each label are drawn among themselves.
    """
    rng = np.random.default_rng(seed)
    if unit is not None:
        names, whose = np.unique(unit, return_inverse=True)
        members = np.stack([np.bincount(whose[y == label], minlength=len(names)) for label in np.unique(y)])
        _, kind = np.unique(members, axis=1, return_inverse=True)
        return draw_people(kind.ravel(), seed=seed, draws=draws)[whose]
    times = np.zeros((len(y), draws))
    for label in np.unique(y)[::-1]:
        own = np.flatnonzero(y == label)
        times[own] = rng.multinomial(len(own), np.full(len(own), 1.0 / len(own)), size=draws).T
    return times


def bootstrap_mean_sd(values: Floats, *, seed: int, unit: npt.NDArray[np.str_] | None = None) -> float | None:
    """SD of the mean of people's own figures, (n_people,) float64, over draws of them; None under two."""
    if unit is not None:
        names, whose = np.unique(unit, return_inverse=True)
        if len(names) < 2:
            return None
        drawn = np.random.default_rng(seed).integers(0, len(names), (DRAWS, len(names)))
        total, count = np.bincount(whose, values), np.bincount(whose)
        return float((total[drawn].sum(axis=1) / count[drawn].sum(axis=1)).std(ddof=1))
    if len(values) < 2:
        return None
    drawn = np.random.default_rng(seed).integers(0, len(values), (DRAWS, len(values)))
    return float(values[drawn].mean(axis=1).std(ddof=1))


def standard_error(values: Floats, unit: npt.NDArray[np.str_]) -> float:
    """Standard error of people's mean, whole units drawn: partners are not two independent people.

    Parameters
    ----------
    values : (n_people,) float64
        One a person.
    unit : (n_people,) str
        Who was measured together.

    Returns
    -------
    float
        With one person a unit it is SD / sqrt(n_people); infinite for one unit.
    """
    names, whose = np.unique(unit, return_inverse=True)
    n = len(names)
    if n < 2:
        return np.inf
    beyond = np.bincount(whose, values - values.mean())
    return float(np.sqrt(n / (n - 1) * (beyond**2).sum()) / len(values))


def around(figure: float, sd: float) -> Ends:
    """A Gaussian interval, kept within 0 and 1."""
    half = float(norm.ppf(0.5 + 0.5 * LEVEL)) * sd
    return max(figure - half, 0.0), min(figure + half, 1.0)


def null_sd(null: Floats) -> float | None:
    """SD of figures under permuted labels, (n_permutations,) float64; None under `FEWEST` of them."""
    return float(np.std(null, ddof=1)) if len(null) >= FEWEST else None


def within_person(table: Predictions, metric: Metric, *, seed: int, draws: int = 500) -> dict[str, Ends]:
    """An interval for each person's own figure: blocks of the recording drawn again, labels kept apart.

    A block is a run of windows of one label; windows of a block are not independent of each other.  It says
    how the figure of this person would vary, and nothing about others.  Rows are of one condition, with
    samples in order of time; only the first repeat is used, and whoever has under two blocks of a label is
    left out.
    """
    out: dict[str, Ends] = {}
    first = table.rows(table.repeat == table.repeat.min()) if len(table) else table
    for number, person in enumerate(table.people):
        own = first.of_person(person)
        block = np.concatenate([[0], np.cumsum(np.diff(own.y) != 0)])
        rows = [np.flatnonzero(block == k) for k in range(int(block[-1]) + 1)]
        by_label = [[r for r in rows if own.y[r[0]] == label] for label in range(len(own.labels))]
        if min(len(blocks) for blocks in by_label) < 2:
            continue
        rng = np.random.default_rng([seed, number])
        rounds = np.unique(own.rounds, return_inverse=True)[1]
        values = []
        for _ in range(draws):
            chosen = np.concatenate(
                [blocks[i] for blocks in by_label for i in rng.integers(0, len(blocks), len(blocks))]
            )
            value = own_figure(own.y[chosen], own.scores[chosen], rounds[chosen], metric)
            values.append(np.nan if value is None else value)
        low, high = np.nanquantile(values, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
        out[person] = float(low), float(high)
    return out


def clopper_pearson(right: int, n: int, *, level: float = LEVEL) -> Ends | None:
    """Exact interval of a share (Clopper and Pearson 1934, Biometrika 26:404-413); None without anyone."""
    if n == 0:
        return None
    tail = 0.5 * (1.0 - level)
    low = float(beta.ppf(tail, right, n - right + 1)) if right > 0 else 0.0
    high = float(beta.ppf(1.0 - tail, right + 1, n - right)) if right < n else 1.0
    return low, high
