"""Two arms on the same people: whether one is really better than the other.

The difference is taken within each person (or with the same people drawn for both), so what all people
share cancels.  Cross-validated figures of two arms hang on the same training sets, so the interval is the
bootstrap's, and said to be that; under 10 people there is none.
"""

from typing import Any

import numpy as np

from models.arrays import Floats
from offline.base.predictions import Predictions
from offline.stats.intervals import DRAWS, PersonPredictions, draw_people
from offline.stats.metrics import FEWEST_FOR_OTHERS
from offline.stats.person_classes import PersonClasses
from offline.stats.person_loss import person_losses
from offline.stats.primary import Metric, Pairs, own_figures, person_scores


def compared(
    first: Predictions, second: Predictions, metric: Metric, *, by_person: bool, seed: int
) -> dict[str, Any]:
    """First less second, in the primary figure and in log loss.

    Parameters
    ----------
    first, second : Predictions
        Rows of one arm each; only people whom both judged are compared.
    metric : {"auc", "balanced_accuracy"}
        The primary one.
    by_person : bool
        Whether the label is the person's.
    seed : int
        Of the draws of people.

    Returns
    -------
    dict
        ``people``, and for ``figure`` and ``log_loss`` (nats, windows of a person averaged; below 0 the first
        is better) the ``difference`` and its ``interval``; JSON types.
    """
    both = sorted(set(first.people) & set(second.people))
    one, other = (table.rows(np.isin(table.person, both)) for table in (first, second))
    few = len(both) < FEWEST_FOR_OTHERS
    losses = _losses(one) - _losses(other)
    return {
        "people": len(both),
        "figure": _of_people(one, other, metric, few, seed)
        if by_person
        else _mean(_own(one, other, metric), few, seed),
        "log_loss": _mean(losses, few, seed),
    }


def _of_people(one: Predictions, other: Predictions, metric: Metric, few: bool, seed: int) -> dict[str, Any]:
    judged: list[PersonPredictions]
    if len(one.labels) == 2:
        scores = [person_scores(table) for table in (one, other)]
        judged, y = [Pairs.of(each) for each in scores], scores[0].positive.astype(np.int64)
    else:
        classes = [PersonClasses.of(table) for table in (one, other)]
        judged, y = [*classes], classes[0].y
    labels = y == 1 if len(one.labels) == 2 else y
    apart = float(judged[0].figure(metric, labels)[0] - judged[1].figure(metric, labels)[0])
    if few or not np.isfinite(apart) or np.unique(y, return_counts=True)[1].min() < 2:
        return _told(apart, None)
    times = draw_people(labels, seed=seed, draws=DRAWS)
    drawn = judged[0].figure(metric, labels, times) - judged[1].figure(metric, labels, times)
    return _told(apart, float(np.nanstd(drawn, ddof=1)))


def _own(one: Predictions, other: Predictions, metric: Metric) -> Floats:
    """Differences of people's own figures, (n_people,)."""
    figures = [own_figures(table, metric) for table in (one, other)]
    pairs = [(figures[0][person], figures[1][person]) for person in figures[0]]
    return np.array([a - b for a, b in pairs if a is not None and b is not None])


def _losses(table: Predictions) -> Floats:
    return np.array(list(person_losses(table.scores, table.y, table.person).values()))


def _mean(apart: Floats, few: bool, seed: int) -> dict[str, Any]:
    mean = float(apart.mean()) if len(apart) else float("nan")
    if few or len(apart) < 2:
        return _told(mean, None)
    times = np.random.default_rng(seed).multinomial(
        len(apart), np.full(len(apart), 1 / len(apart)), size=DRAWS
    )
    return _told(mean, float((times @ apart / len(apart)).std(ddof=1)))


def _told(difference: float, sd: float | None) -> dict[str, Any]:
    if not np.isfinite(difference):
        return {"difference": None, "interval": None}
    ends = None if sd is None else [difference - 1.96 * sd, difference + 1.96 * sd]
    return {"difference": difference, "interval": ends}
