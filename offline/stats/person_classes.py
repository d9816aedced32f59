"""Whole people with more than two labels: each label against the rest, and the label that is predicted.

The same as `offline.stats.primary` does for two: a person is the mean of what was predicted of their windows,
compared within a round, and every figure is linear in who counts how often.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from models.probabilities import SUREST
from offline.base.predictions import Predictions
from offline.stats.metrics import accuracy, brier, majority_rate, matthews, recalls
from offline.stats.primary import Metric, Pairs, PersonScores, person_means, person_scores

Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PersonClasses:
    """What one condition predicted of whole people, sorted, whose labels are ``y``, (n_people,) int64.

    Parameters
    ----------
    log_probability : (n_rounds, n_people, n_labels) float64
        Mean over a person's windows; NaN where a round did not predict them.
    pairs : tuple of Pairs
        Each label against the rest; who was predicted to have it stands there as well.
    """

    people: tuple[str, ...]
    y: Labels
    log_probability: Floats
    pairs: tuple[Pairs, ...]

    @classmethod
    def of(cls, table: Predictions) -> "PersonClasses":
        """Put each person's windows together; rows of one condition, one label a person."""
        log_probability = np.log(np.clip(table.scores, SUREST, 1.0))
        people, y, mean = person_means(table, log_probability)
        pairs = tuple(_against_rest(mean, label, people) for label in range(len(table.labels)))
        return cls(people, y, mean, pairs)

    def figure(self, metric: Metric, y: Labels, times: Floats | None = None) -> Floats:
        """Mean over labels of one against the rest (AUC), or of the share that was found (balanced accuracy).

        Of labels, (n_people,) int64; else as `Pairs.figure`, and NaN where no one has a label.
        """
        if metric == "auc":
            each = [pairs.figure("auc", y == label, times) for label, pairs in enumerate(self.pairs)]
        else:
            each = [pairs.found(y == label, times) for label, pairs in enumerate(self.pairs)]
        return np.asarray(np.mean(each, axis=0))

    def figures(self, labels: tuple[str, ...]) -> dict[str, Any]:
        """Every other figure of people, JSON types; of several rounds the mean of a person's predictions."""
        mean = np.nanmean(self.log_probability, axis=0)
        probability = np.exp(mean - mean.max(axis=1, keepdims=True))
        probability /= probability.sum(axis=1, keepdims=True)
        predicted = np.argmax(mean, axis=1)
        return {
            "n": {label: int((self.y == k).sum()) for k, label in enumerate(labels)},
            "majority_rate": majority_rate(self.y),
            "accuracy": accuracy(self.y, predicted),
            "recall": dict(zip(labels, recalls(self.y, predicted, len(labels)), strict=True)),
            "mcc": matthews(self.y, predicted, len(labels)),
            "brier": brier(self.y, probability),
            "predicted": [
                [int(((self.y == i) & (predicted == j)).sum()) for j in range(len(labels))]
                for i in range(len(labels))
            ],
        }


def person_predictions(table: Predictions) -> tuple[Pairs | PersonClasses, npt.NDArray[Any]]:
    """What one condition predicted of whole people, sorted, and their labels, (n_people,) bool or int64."""
    if len(table.labels) > 2:
        classes = PersonClasses.of(table)
        return classes, classes.y
    scores = person_scores(table)
    return Pairs.of(scores), scores.positive


def _against_rest(mean: Floats, label: int, people: tuple[str, ...]) -> Pairs:
    rest = np.delete(mean, label, axis=2)
    with np.errstate(invalid="ignore"):
        odds = mean[:, :, label] - np.logaddexp.reduce(rest, axis=2)
    pairs = Pairs.of(PersonScores(people, np.zeros(len(people), dtype=bool), odds))
    there = np.isfinite(odds)
    own = np.where(there, mean[:, :, label], 0.0)
    most = np.where(there, mean.max(axis=2), 0.0)
    ties = (np.where(there[:, :, np.newaxis], mean, 0.0) == most[:, :, np.newaxis]).sum(axis=2)
    predicted = np.where(there & (own == most), 1.0 / ties, 0.0)
    return Pairs(pairs.won, pairs.met, predicted.sum(axis=0), pairs.evaluated)
