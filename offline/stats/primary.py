"""The figure that an evaluation is judged by, fixed in the recipe before it runs; by person always.

Where the label is the person's, a person is one judgement: the mean log odds of their windows, compared
with the other people of the same round (a fold of a repeat: two rounds are two trained classifiers, whose
scores share no scale).  Where labels change within a recording, each person has a figure of
their own, and people's figures are averaged, each counting the same.

Everything here is a pure function of the prediction table, and everything is linear in who counts how
often: so a bootstrap over people, or a thousand other labellings of the same scores, is a product.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from offline.base.predictions import Predictions
from offline.stats.metrics import Figure, auc, balanced_accuracy

Metric = Literal["auc", "balanced_accuracy"]
METRICS: tuple[Metric, ...] = ("auc", "balanced_accuracy")
SUREST = 1e-6
"""Probabilities are kept so far from 0 and 1: a network that says 1 has no finite odds."""


@dataclass(frozen=True, eq=False)
class PersonScores:
    """What one arm said of whole people, round by round (two labels, one a person).

    Parameters
    ----------
    people : tuple of str
        Sorted.
    positive : (n_people,) bool
        Who has the second label.
    log_odds : (n_rounds, n_people) float64
        Mean over a person's windows; no number where a round did not judge them.
    rounds : tuple of (int, str)
        Repeat and fold.
    """

    people: tuple[str, ...]
    positive: npt.NDArray[np.bool_]
    log_odds: Floats
    rounds: tuple[tuple[int, str], ...]


def person_scores(table: Predictions) -> PersonScores:
    """Put each person's windows together.

    Parameters
    ----------
    table : Predictions
        Rows of one arm, two labels, one label a person.
    """
    people, whose = np.unique(table.person, return_inverse=True)
    keys = list(zip(table.repeat.tolist(), table.fold.tolist(), strict=True))
    rounds = tuple(sorted(set(keys)))
    place = {key: i for i, key in enumerate(rounds)}
    cell = np.array([place[key] for key in keys], dtype=np.int64) * len(people) + whose
    p = np.clip(table.scores[:, 1], SUREST, 1.0 - SUREST)
    size = len(rounds) * len(people)
    count = np.bincount(cell, minlength=size)
    with np.errstate(invalid="ignore"):
        mean = np.bincount(cell, np.log(p / (1.0 - p)), minlength=size) / np.where(count, count, np.nan)
    positive = np.zeros(len(people), dtype=bool)
    positive[whose] = table.y == 1
    return PersonScores(tuple(people.tolist()), positive, mean.reshape(len(rounds), len(people)), rounds)


@dataclass(frozen=True, eq=False)
class Pairs:
    """Who scored above whom, and who was said to have the second label: sums over rounds.

    Parameters
    ----------
    won : (n_people, n_people) float64
        In how many rounds the first scored above the second; ties count half.
    met : (n_people, n_people) float64
        In how many both were judged.
    said, judged : (n_people,) float64
        In how many a person was said to have the second label, and was judged.
    """

    won: Floats
    met: Floats
    said: Floats
    judged: Floats

    @classmethod
    def of(cls, scores: PersonScores) -> "Pairs":
        """Compare people within each round."""
        n = len(scores.people)
        won, met = np.zeros((n, n)), np.zeros((n, n))
        for row in scores.log_odds:
            here = np.flatnonzero(np.isfinite(row))
            apart = row[here, np.newaxis] - row[here]
            won[np.ix_(here, here)] += (apart > 0) + 0.5 * (apart == 0)
            met[np.ix_(here, here)] += 1.0
        there = np.isfinite(scores.log_odds)
        said = np.where(there, (scores.log_odds > 0) + 0.5 * (scores.log_odds == 0), 0.0)
        return cls(won, met, said.sum(axis=0), there.sum(axis=0).astype(np.float64))

    def figure(self, metric: Metric, positive: npt.NDArray[np.bool_], times: Floats | None = None) -> Floats:
        """The figure of one or many labellings, or of people who count several times.

        Parameters
        ----------
        metric : {"auc", "balanced_accuracy"}
            Which.
        positive : (n_people,) or (n_people, n) bool
            Who has the second label.
        times : (n_people, n) float64 or None
            How often each person counts; None is once.

        Returns
        -------
        (n,) float64
            No number where it is not determined.
        """
        second = positive.astype(np.float64) if positive.ndim == 2 else positive[:, np.newaxis].astype(float)
        first = 1.0 - second
        if times is not None:
            second, first = second * times, first * times
        with np.errstate(invalid="ignore", divide="ignore"):
            if metric == "auc":
                above = np.einsum("ib,ij,jb->b", second, self.won, first, optimize=True)
                return np.asarray(above / np.einsum("ib,ij,jb->b", second, self.met, first, optimize=True))
            found = (self.said @ second) / (self.judged @ second)
            spared = ((self.judged - self.said) @ first) / (self.judged @ first)
            return np.asarray(0.5 * (found + spared))


def own_figures(table: Predictions, metric: Metric) -> dict[str, Figure]:
    """Each person's own figure, where labels change within recordings; mean over repeats.

    Parameters
    ----------
    table : Predictions
        Rows of one arm.
    metric : {"auc", "balanced_accuracy"}
        Which.
    """
    out: dict[str, Figure] = {}
    for person in table.people:
        own = table.of_person(person)
        values = [_own(own.rows(own.repeat == repeat), metric) for repeat in np.unique(own.repeat)]
        known = [value for value in values if value is not None]
        out[person] = float(np.mean(known)) if known else None
    return out


def _own(table: Predictions, metric: Metric) -> Figure:
    n_labels = len(table.labels)
    if metric == "balanced_accuracy":
        return balanced_accuracy(table.y, np.argmax(table.scores, axis=1), n_labels)
    areas = [auc(table.y == label, table.scores[:, label], table.rounds) for label in range(n_labels)]
    if n_labels == 2:
        return areas[1]
    known = [area for area in areas if area is not None]
    return float(np.mean(known)) if len(known) == n_labels else None
