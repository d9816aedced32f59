"""The primary figure of an evaluation, fixed in the recipe before it runs; by person always.

Where the label is the person's, a person is one prediction: the mean log odds of their windows, compared
with the other people of the same round (a fold of a repeat: two rounds are two trained classifiers, whose
scores share no scale).  Where labels change within a recording, each person has a figure of
their own, and people's figures are averaged, each counting the same.

Everything here is a pure function of the prediction table, and everything is linear in who counts how
often: so a bootstrap over people, or a thousand permutations of the labels, is a product.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from models.arrays import Floats
from models.probabilities import SUREST
from offline.base.predictions import Predictions
from offline.stats.metrics import Figure, areas, balanced_accuracy, mean_of

Metric = Literal["auc", "balanced_accuracy"]
METRICS: tuple[Metric, ...] = ("auc", "balanced_accuracy")


@dataclass(frozen=True, eq=False)
class PersonScores:
    """What one condition predicted of whole people, sorted, round by round (two labels, one a person).

    Parameters
    ----------
    positive : (n_people,) bool
        Who has the second label.
    log_odds : (n_rounds, n_people) float64
        Mean over a person's windows; NaN where a round did not predict them.
    """

    people: tuple[str, ...]
    positive: npt.NDArray[np.bool_]
    log_odds: Floats

    @property
    def probability(self) -> Floats:
        """Of the second label, (n_people,) float64, from the mean log odds of all rounds."""
        return np.asarray(expit(np.nanmean(self.log_odds, axis=0)))


def person_scores(table: Predictions) -> PersonScores:
    """Put each person's windows together; rows of one condition, two labels, one a person."""
    p = np.clip(table.scores[:, 1], SUREST, 1.0 - SUREST)
    people, y, mean = person_means(table, np.log(p / (1.0 - p))[:, np.newaxis])
    return PersonScores(people, y == 1, mean[:, :, 0])


def person_means(table: Predictions, values: Floats) -> tuple[tuple[str, ...], npt.NDArray[np.int64], Floats]:
    """Means over each person's windows, round by round.

    Of rows of one condition, one label a person, and values of them, (n, k): people, sorted; their labels,
    (n_people,) int64; means, (n_rounds, n_people, k) float64, NaN where a round has none.
    """
    people, first, whose = np.unique(table.person, return_index=True, return_inverse=True)
    keys = list(zip(table.repeat.tolist(), table.fold.tolist(), strict=True))
    rounds = sorted(set(keys))
    place = {key: i for i, key in enumerate(rounds)}
    cell = np.array([place[key] for key in keys], dtype=np.int64) * len(people) + whose
    size = len(rounds) * len(people)
    count = np.bincount(cell, minlength=size)
    total = np.stack([np.bincount(cell, own, minlength=size) for own in values.T], axis=1)
    mean = total / np.where(count, count, np.nan)[:, np.newaxis]
    return tuple(people.tolist()), table.y[first], mean.reshape(len(rounds), len(people), -1)


@dataclass(frozen=True, eq=False)
class Pairs:
    """Who scored above whom, and who was predicted to have the second label: sums over rounds.

    Parameters
    ----------
    won : (n_people, n_people) float64
        In how many rounds the first scored above the second; ties count half.
    met : (n_people, n_people) float64
        In how many both were predicted.
    predicted, evaluated : (n_people,) float64
        In how many a person was predicted to have the second label, and was predicted at all.
    """

    won: Floats
    met: Floats
    predicted: Floats
    evaluated: Floats

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
        predicted = np.where(there, (scores.log_odds > 0) + 0.5 * (scores.log_odds == 0), 0.0)
        return cls(won, met, predicted.sum(axis=0), there.sum(axis=0).astype(np.float64))

    def figure(self, metric: Metric, positive: npt.NDArray[np.bool_], times: Floats | None = None) -> Floats:
        """The figure of one or many permutations of the labels, or of people who count several times.

        Parameters
        ----------
        positive : (n_people,) or (n_people, n) bool
            Who has the second label.
        times : (n_people, n) float64 or None
            How often each person counts; None is once.

        Returns
        -------
        (n,) float64
            NaN where it is not determined.
        """
        second, first = _counted(positive, times), _counted(~positive, times)
        with np.errstate(invalid="ignore", divide="ignore"):
            if metric == "auc":
                above = np.einsum("ib,ij,jb->b", second, self.won, first, optimize=True)
                return np.asarray(above / np.einsum("ib,ij,jb->b", second, self.met, first, optimize=True))
            spared = ((self.evaluated - self.predicted) @ first) / (self.evaluated @ first)
        return np.asarray(0.5 * (self.found(positive, times) + spared))

    def found(self, positive: npt.NDArray[np.bool_], times: Floats | None = None) -> Floats:
        """Share of those with the label who were predicted to have it, (n,) float64; else as `figure`."""
        own = _counted(positive, times)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray((self.predicted @ own) / (self.evaluated @ own))


def _counted(own: npt.NDArray[np.bool_], times: Floats | None) -> Floats:
    """How often each of these people counts, (n_people, n)."""
    once = own.astype(np.float64) if own.ndim == 2 else own[:, np.newaxis].astype(np.float64)
    return once if times is None else once * times


def own_figures(table: Predictions, metric: Metric) -> dict[str, Figure]:
    """Each person's own figure, where labels change within recordings; mean over repeats of one condition."""
    people, whose = np.unique(table.person, return_inverse=True)
    _, rounds = np.unique(table.rounds, return_inverse=True)
    out: dict[str, Figure] = {}
    for person, rows in zip(people.tolist(), _rows_of_each(whose, len(people)), strict=True):
        repeat = table.repeat[rows]
        parts = (rows[repeat == number] for number in np.unique(repeat))
        out[person] = mean_of(own_figure(table.y[p], table.scores[p], rounds[p], metric) for p in parts)
    return out


def _rows_of_each(whose: npt.NDArray[np.intp], n: int) -> list[npt.NDArray[np.intp]]:
    """Rows of each of n people, whose numbers are (n_rows,) intp; in order."""
    ends = np.cumsum(np.bincount(whose, minlength=n))
    return np.split(np.argsort(whose, kind="stable"), ends)[:n]


def own_figure(y: npt.NDArray[np.int64], scores: Floats, rounds: npt.NDArray[Any], metric: Metric) -> Figure:
    """The figure of one person in one repeat.

    Of their samples: true labels ``y``, (n,) int64, probabilities, (n, n_labels), and which were predicted
    by one trained classifier, ``rounds``, (n,) str or int64.
    """
    if metric == "balanced_accuracy":
        return balanced_accuracy(y, np.argmax(scores, axis=1), scores.shape[1])
    return areas(y, scores, rounds)
