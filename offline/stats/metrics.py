"""How good the predictions are: pure functions of the prediction table.

A figure that its rows do not determine (a sensitivity without a positive window, an AUC of one class) is
None, never a guess.  Labels, true (``y``) and ``predicted``, are numbers under ``n_labels``.  People are the
unit of evaluation: `offline.evaluation.summary` gives figures for each person, and of whole people.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from offline.base.predictions import Predictions

Figure = float | None
FEWEST_FOR_OTHERS = 10
"""Under so many people figures say nothing about people who were not there."""


def mean_of(values: Iterable[Figure]) -> Figure:
    """Of those that are known; None where none is."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def majority_rate(y: npt.NDArray[np.int64]) -> Figure:
    """Accuracy of always predicting the commonest of these labels, (n_samples,) int64."""
    return float(np.bincount(y).max() / len(y)) if len(y) else None


def accuracy(y: npt.NDArray[np.int64], predicted: npt.NDArray[np.int64]) -> Figure:
    """Fraction of samples whose label was predicted, (n_samples,) int64 each."""
    return float(np.mean(y == predicted)) if len(y) else None


def recalls(y: npt.NDArray[np.int64], predicted: npt.NDArray[np.int64], n_labels: int) -> list[Figure]:
    """For each label the fraction of its samples that was found, of (n_samples,) int64 each."""
    return [
        float(np.mean(predicted[y == label] == label)) if np.any(y == label) else None
        for label in range(n_labels)
    ]


def balanced_accuracy(y: npt.NDArray[np.int64], predicted: npt.NDArray[np.int64], n_labels: int) -> Figure:
    """Mean of the labels' `recalls`, of (n_samples,) int64 each; None unless every label occurs."""
    found = recalls(y, predicted, n_labels)
    return None if None in found else mean_of(found)


def auc(positive: npt.NDArray[np.bool_], score: npt.NDArray[np.float64], fold: npt.NDArray[Any]) -> Figure:
    """Area under the ROC curve, scores compared only within a fold.

    The chance that a positive sample scores above a negative one of the same fold, ties counting
    half: two folds are two trained classifiers, and their scores share no scale.

    Parameters
    ----------
    positive : (n_samples,) bool
        Which samples have the label.
    score : (n_samples,) float64
        Predicted: the higher, the likelier.
    fold : (n_samples,) str or int64
        From which fold each comes.

    Returns
    -------
    float or None
        NaN where a score is NaN, None where no fold has both kinds of sample.
    """
    if np.isnan(score).any():
        return float("nan")
    won = 0.0
    pairs = 0
    for name in np.unique(fold):
        own = fold == name
        truth = positive[own]
        above, below = score[own][truth], np.sort(score[own][~truth])
        won += float(
            np.searchsorted(below, above, "left").sum() + np.searchsorted(below, above, "right").sum()
        )
        pairs += len(above) * len(below)
    return 0.5 * won / pairs if pairs else None


def matthews(y: npt.NDArray[np.int64], predicted: npt.NDArray[np.int64], n_labels: int) -> Figure:
    """Matthews' correlation of true and predicted labels, (n_samples,) int64 each (Gorodkin 2004).

    None where it is 0/0.
    """
    true = np.bincount(y, minlength=n_labels).astype(np.float64)
    given = np.bincount(predicted, minlength=n_labels).astype(np.float64)
    n = float(len(y))
    below = (n * n - given @ given) * (n * n - true @ true)
    if below <= 0:
        return None
    return float((np.sum(y == predicted) * n - true @ given) / np.sqrt(below))


def brier(y: npt.NDArray[np.int64], scores: npt.NDArray[np.float64]) -> Figure:
    """Half the mean squared distance of probabilities from the truth.

    Of true labels, (n_samples,) int64, and probabilities, (n_samples, n_labels) float64; 0 is best, 1 worst.
    With two labels this is the usual mean of ``(p - y) ** 2``.
    """
    if not len(y):
        return None
    truth = np.eye(scores.shape[1])[y]
    return float(np.mean(np.sum((scores - truth) ** 2, axis=1)) / 2)


def areas(y: npt.NDArray[np.int64], scores: npt.NDArray[np.float64], rounds: npt.NDArray[Any]) -> Figure:
    """The AUC of the second of two labels, or the mean of each against the rest.

    ``y : (n_samples,) int64``; ``scores : (n_samples, n_labels)``, compared within ``rounds : (n_samples,)``.
    """
    n_labels = scores.shape[1]
    if n_labels == 2:
        return auc(y == 1, scores[:, 1], rounds)
    each = [auc(y == label, scores[:, label], rounds) for label in range(n_labels)]
    return None if None in each else mean_of(each)


def figures(table: Predictions) -> dict[str, Any]:
    """All figures of one condition's rows, taken together.

    With two labels the second is the positive one, for sensitivity, specificity and AUC; with more,
    ``recall`` gives them one by one.
    """
    n_labels = len(table.labels)
    predicted = np.argmax(table.scores, axis=1) if len(table) else np.empty(0, dtype=np.int64)
    recall = recalls(table.y, predicted, n_labels)
    out: dict[str, Any] = {
        "n": dict(zip(table.labels, np.bincount(table.y, minlength=n_labels).tolist(), strict=True)),
        "majority_rate": majority_rate(table.y),
        "accuracy": accuracy(table.y, predicted),
        "balanced_accuracy": balanced_accuracy(table.y, predicted, n_labels),
    }
    if n_labels == 2:
        out |= {"sensitivity": recall[1], "specificity": recall[0]}
    else:
        out |= {"recall": dict(zip(table.labels, recall, strict=True))}
    out |= {"auc": areas(table.y, table.scores, table.rounds), "mcc": matthews(table.y, predicted, n_labels)}
    out |= {"brier": brier(table.y, table.scores)}
    return out
