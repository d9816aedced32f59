"""A linear model that every network must beat: a ridge discriminant, fitted to many sets of labels at once.

Least squares on class-balanced targets has the direction of Fisher's discriminant (Fisher 1936, Annals of
Eugenics 7:179-188), and the penalty of Hoerl and Kennard (1970, Technometrics 12:55-67) makes it hold
where features are many and people few.  Everything that does not look at labels, the decomposition of the
features above all, is computed once for all sets: so the whole procedure, choice of the penalty
included, can be repeated on a thousand permutations of the labels.

What is labelled as one is one row: a window where labels change within a recording, the mean of a
person's windows where the label is the person's (a thousand windows of one person are no thousand people).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from offline.estimators.base import Flags
from offline.estimators.ridge import EVERY_OTHER, RELATIVE, Ridge
from offline.estimators.scaling import standard_of

Rows = npt.NDArray[np.intp]

DEFAULT_PENALTY = 10.0
"""Of `EVERY_OTHER`, in units of the mean eigenvalue; used where there are too few people to try."""
SUREST = 5.0
"""Most log odds an SD of score where rows are few: separated without overlap would be certainty."""
LEAST_SLOPE = 0.05
"""Least log odds an SD of score: uninformative scores keep their order and next to no certainty."""


@dataclass(frozen=True, eq=False)
class Discriminant:
    """A fitted model of one or many sets of labels.

    ``mean`` and ``scale``, (n_features,) float64, standardise features, and ``weights``, (n_features, n_sets)
    float64, score them.  At the score ``middle`` both labels are as likely, ``slope`` are log odds a unit of
    score, and ``penalty`` is in units of the mean eigenvalue: (n_sets,) float64 each.
    """

    mean: Floats
    scale: Floats
    weights: Floats
    middle: Floats
    slope: Floats
    penalty: Floats

    def log_odds(self, features: Floats) -> Floats:
        """Natural log odds of the second label at equal prevalence, (n, n_sets) float64.

        Of features (n, n_features) float64, as fitted.
        """
        scores = ((features - self.mean) / self.scale) @ self.weights
        return np.asarray((scores - self.middle) * self.slope)


def fit_discriminant(
    features: Floats,
    positive: Flags,
    weight: Floats,
    inner: Sequence[tuple[Rows, Rows]],
    *,
    standard: tuple[Floats, Floats] | None = None,
) -> Discriminant:
    """Fit to every set of labels; choose penalty, middle and slope on rows that were held out.

    Parameters
    ----------
    features : (n, n_features) float64
        One row for what is labelled as one.
    positive : (n, n_sets) bool
        Whether a row has the second label.
    weight : (n,) float64
        What a row weighs.
    inner : sequence of (train, held out)
        Rows of each inner fold; held-out sides do not overlap.  Folds in which a set lacks a label
        are passed over for that set.  Empty: the default penalty, and middle and slope from
        the rows that were fitted, which then are too sure of themselves.
    standard : (mean, scale), each (n_features,) float64, or None
        Taken instead of the fitted rows' own.  For the audit, where others than those who are trained on
        were looked at; no honest protocol gives it.
    """
    held = np.full((len(EVERY_OTHER), *positive.shape), np.nan)
    for train, out in inner:
        whole = positive[train].any(axis=0) & ~positive[train].all(axis=0)
        mean, scale = standard_of(features[train], weight[train]) if standard is None else standard
        ridge = Ridge.of((features[train] - mean) / scale, weight[train])
        target, rows = balanced(positive[train], weight[train]), (features[out] - mean) / scale
        for i, tried in enumerate(EVERY_OTHER):
            score = rows @ ridge.directions(target, tried * ridge.unit)
            held[i, out] = np.where(whole, score, np.nan)
    mean, scale = standard_of(features, weight) if standard is None else standard
    rows = (features - mean) / scale
    ridge, target = Ridge.of(rows, weight), balanced(positive, weight)
    wrong = _mean(np.square(held - target), weight)  # (n_penalties, n_sets)
    known = np.isfinite(wrong).all(axis=0)
    default = EVERY_OTHER.index(DEFAULT_PENALTY)
    best = np.where(known, np.argmin(np.where(known, wrong, 0.0), axis=0), default)
    penalty = np.array(EVERY_OTHER)[best]
    weights = ridge.directions(target, penalty * ridge.unit)
    chosen = np.take_along_axis(held, best[np.newaxis, np.newaxis], axis=0)[0]
    middle, slope = calibrated(np.where(known, chosen, rows @ weights), positive, weight)
    return Discriminant(mean, scale, weights, middle, slope, penalty)


def fit_odds(Z: Floats, positive: Flags) -> tuple[Floats, Floats]:
    """Log odds at equal prevalence as sums of columns; all is chosen on rows that are left out one at a time.

    Columns (n, n_columns) float64 have mean 0; ``positive``, (n, n_questions) bool, says who has the label in
    question.  Weights (n_columns, n_questions) float64 and what is added, (n_questions,) float64, come out.
    """
    weight = np.ones(len(Z))
    ridge, target = Ridge.of(Z), balanced(positive, weight)
    scores = about_the_others(ridge, target, RELATIVE)
    best = np.square(scores - target).mean(axis=1).argmin(axis=0)  # (n_questions,)
    chosen = np.take_along_axis(scores, best[np.newaxis, np.newaxis], axis=0)[0]
    middle, slope = calibrated(chosen, positive, weight, pooled=True, surest=SUREST)
    directions = ridge.directions(target, np.array(RELATIVE)[best] * _unit(ridge))
    return slope * directions, -slope * middle


def about_the_others(ridge: Ridge, target: Floats, penalties: Sequence[float]) -> Floats:
    """Scores of each row by the fit to all the others, about the mean of the others' targets.

    That mean lies a little away from the target of the row that is left out, and where columns say nothing
    it would be all that one sees.  Rows weigh the same; targets, (n, n_questions) float64, have mean 0;
    penalties are in units of the mean of the eigenvalues above zero.  Scores are (n_penalties, n,
    n_questions) float64.
    """
    unit = _unit(ridge)
    return ridge.path(target, [penalty * unit for penalty in penalties]) + target / (len(target) - 1)


def _unit(ridge: Ridge) -> float:
    """Mean of the eigenvalues above zero: the same for a table and for one with empty columns."""
    return float(ridge.sizes.mean()) if len(ridge.sizes) else 1.0


def balanced(positive: Flags, weight: Floats) -> Floats:
    """Targets of mean 0 in which both labels weigh the same, whatever their number.

    Of who has the second label, (n, n_sets) bool, and what a row weighs, (n,) float64.
    """
    share = weight / weight.sum()
    second = share @ positive
    with np.errstate(divide="ignore"):
        return np.where(positive, 0.5 / second, -0.5 / (1.0 - second))


def _mean(values: Floats, weight: Floats) -> Floats:
    """Weighted mean over the rows that have a value; NaN where none has."""
    there = np.isfinite(values)
    total = np.einsum("n,pnb->pb", weight, np.where(there, values, 0.0))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(total / np.einsum("n,pnb->pb", weight, there.astype(np.float64)))


def calibrated(
    score: Floats, positive: Flags, weight: Floats, *, pooled: bool = False, surest: float = np.inf
) -> tuple[Floats, Floats]:
    """Middle and slope as if scores of a label were Gaussian, with one variance for both labels.

    Two numbers in closed form: a logistic regression on the scores of a few dozen people says the same
    and would have to be iterated for every set.

    Of scores, (n, n_sets) float64, NaN where a row has none, of what has the second label, (n, n_sets) bool,
    and what a row weighs, (n,) float64, it gives where both labels are as likely, and log odds a unit of
    score, ``surest`` an SD at most: (n_sets,) float64 each.  The one variance is that of all rows about their
    label's mean where ``pooled``; else labels weigh the same.
    """
    there = np.isfinite(score)
    values = np.where(there, score, 0.0)
    means, within = [], 0.0
    everybody = np.maximum((weight[:, np.newaxis] * there).sum(axis=0), 1e-300)
    for label in (positive, ~positive):
        rows = weight[:, np.newaxis] * (label & there)
        total = np.maximum(rows.sum(axis=0), 1e-300)
        mean = (rows * values).sum(axis=0) / total
        share = total / everybody if pooled else 0.5
        within = within + share * ((rows * np.square(values - mean)).sum(axis=0) / total)
        means.append(mean)
    spread = np.sqrt(np.maximum(within, 1e-24))
    slope = np.clip((means[0] - means[1]) / spread, LEAST_SLOPE, surest) / spread
    return 0.5 * (means[0] + means[1]), slope
