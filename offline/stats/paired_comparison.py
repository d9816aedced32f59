"""Two conditions on the same people: whether one is really better than the other.

The difference is taken within each person (or with the same people drawn for both), so what all people
share cancels.  Cross-validated figures of two conditions hang on the same training sets, so the interval is
the bootstrap's, and called that; under 10 people (or units of people measured together) there is none.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from offline.base.predictions import Predictions
from offline.stats.intervals import DRAWS, PersonPredictions, bootstrap_mean_sd, draw_people
from offline.stats.metrics import FEWEST_FOR_OTHERS
from offline.stats.person_classes import person_predictions
from offline.stats.person_loss import person_losses
from offline.stats.primary import Metric, own_figures


def compared(
    first: Predictions, second: Predictions, metric: Metric, *, by_person: bool, seed: int
) -> dict[str, Any]:
    """First less second condition, in the primary figure and in log loss, on people whom both predicted.

    Returns
    -------
    dict
        ``people``, and for ``figure`` and ``log_loss`` (nats, windows of a person averaged; below 0 the first
        is better) the ``difference`` and its ``interval``; JSON types.
    """
    both = sorted(set(first.people) & set(second.people))
    one, other = (table.rows(np.isin(table.person, both)) for table in (first, second))
    few = one.n_units < FEWEST_FOR_OTHERS
    if by_person:
        figure = _of_people(one, other, metric, few, seed)
    else:
        apart = own_differences(one, other, metric)
        figure = _mean(np.array(list(apart.values())), few, seed, one.units(list(apart)))
    losses = _losses(one) - _losses(other)
    log_loss = _mean(losses, few, seed, one.units(both))
    return {"people": len(both), "figure": figure, "log_loss": log_loss}


def _of_people(one: Predictions, other: Predictions, metric: Metric, few: bool, seed: int) -> dict[str, Any]:
    (first, y), (second, _) = (person_predictions(table) for table in (one, other))
    unit = one.units(one.people)
    apart = float(first.figure(metric, y)[0] - second.figure(metric, y)[0])
    if few or not np.isfinite(apart) or np.unique(y, return_counts=True)[1].min() < 2:
        return _reported(apart, None)
    return _reported(apart, difference_sd(first, second, y, metric, seed=seed, unit=unit))


def difference_sd(
    first: PersonPredictions,
    second: PersonPredictions,
    y: npt.NDArray[Any],
    metric: Metric,
    *,
    seed: int,
    unit: npt.NDArray[np.str_] | None = None,
) -> float:
    """SD of the difference of two figures over draws of people, the same people in both.

    Of their labels, (n_people,) bool or int64, two people or more have each.
    """
    times = draw_people(y, seed=seed, draws=DRAWS, unit=unit)
    return float(np.nanstd(first.figure(metric, y, times) - second.figure(metric, y, times), ddof=1))


def own_differences(one: Predictions, other: Predictions, metric: Metric) -> dict[str, float]:
    """Differences of people's own figures, of those who have both."""
    theirs = own_figures(other, metric)
    pairs = [(person, own, theirs.get(person)) for person, own in own_figures(one, metric).items()]
    return {person: a - b for person, a, b in pairs if a is not None and b is not None}


def _losses(table: Predictions) -> Floats:
    return np.array(list(person_losses(table.scores, table.y, table.person).values()))


def _mean(apart: Floats, few: bool, seed: int, unit: npt.NDArray[np.str_] | None = None) -> dict[str, Any]:
    mean = float(apart.mean()) if len(apart) else float("nan")
    if few or len(apart) < 2:
        return _reported(mean, None)
    if unit is not None:
        return _reported(mean, bootstrap_mean_sd(apart, seed=seed, unit=unit))
    times = np.random.default_rng(seed).multinomial(
        len(apart), np.full(len(apart), 1 / len(apart)), size=DRAWS
    )
    return _reported(mean, float((times @ apart / len(apart)).std(ddof=1)))


def _reported(difference: float, sd: float | None) -> dict[str, Any]:
    if not np.isfinite(difference):
        return {"difference": None, "interval": None}
    ends = None if sd is None else [difference - 1.96 * sd, difference + 1.96 * sd]
    return {"difference": difference, "interval": ends}
