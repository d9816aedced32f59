"""A linear model that every network must beat: a ridge discriminant, fitted to many labellings at once.

Least squares on class-balanced targets has the direction of Fisher's discriminant (Fisher 1936, Annals of
Eugenics 7:179-188), and the penalty of Hoerl and Kennard (1970, Technometrics 12:55-67) makes it hold
where features are many and people few.  Everything that does not look at labels, the decomposition of the
features above all, is computed once for all labellings: so the whole procedure, choice of the penalty
included, can be repeated on a thousand permuted labellings.

What is labelled as one is one row: a window where labels change within a recording, the mean of a
person's windows where the label is the person's (a thousand windows of one person are no thousand people).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.arrays import Floats

Flags = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]

PENALTIES = (0.01, 0.1, 1.0, 10.0, 100.0, 1000.0)
"""Tried on people the coefficients were not fitted to, in units of the features' mean eigenvalue."""
DEFAULT_PENALTY = 10.0
"""Used where there are too few people to try."""
LEAST_SLOPE = 0.05
"""Least log odds an SD of score: scores that say nothing keep their order and next to no certainty."""


@dataclass(frozen=True, eq=False)
class Discriminant:
    """A fitted model of one or many labellings.

    Parameters
    ----------
    mean, scale : (n_features,) float64
        Taken from and divided out of features.
    weights : (n_features, n_labellings) float64
        Of the standardised features.
    middle : (n_labellings,) float64
        Score at which both labels are as likely.
    slope : (n_labellings,) float64
        Log odds a unit of score.
    penalty : (n_labellings,) float64
        Of `PENALTIES`, or the default.
    """

    mean: Floats
    scale: Floats
    weights: Floats
    middle: Floats
    slope: Floats
    penalty: Floats

    def log_odds(self, features: Floats) -> Floats:
        """Log odds of the second label at equal prevalence.

        Parameters
        ----------
        features : (n, n_features) float64
            As fitted.

        Returns
        -------
        (n, n_labellings) float64
            Natural logarithm.
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
    """Fit to every labelling; choose penalty, middle and slope on rows that were held out.

    Parameters
    ----------
    features : (n, n_features) float64
        One row for what is labelled as one.
    positive : (n, n_labellings) bool
        Whether a row has the second label.
    weight : (n,) float64
        What a row weighs.
    inner : sequence of (train, held out)
        Rows of each inner fold; held-out sides do not overlap.  Folds in which a labelling lacks a label
        are passed over for that labelling.  Empty: the default penalty, and middle and slope from
        the rows that were fitted, which then are too sure of themselves.
    standard : (mean, scale), each (n_features,) float64, or None
        Taken instead of the fitted rows' own.  For the audit, where others than those who are trained on
        were looked at; no honest protocol gives it.
    """
    held = np.full((len(PENALTIES), *positive.shape), np.nan)
    for train, out in inner:
        whole = _both(positive[train])
        path = _Path.of(features[train], weight[train], standard)
        target = _target(positive[train], weight[train])
        for i, penalty in enumerate(PENALTIES):
            score = path.score(features[out], path.weights(target, penalty))
            held[i, out] = np.where(whole, score, np.nan)
    path = _Path.of(features, weight, standard)
    target = _target(positive, weight)
    wrong = _mean(np.square(held - target), weight)  # (n_penalties, n_labellings)
    known = np.isfinite(wrong).all(axis=0)
    best = np.where(known, np.argmin(np.where(known, wrong, 0.0), axis=0), PENALTIES.index(DEFAULT_PENALTY))
    weights = np.empty((features.shape[1], positive.shape[1]))
    for i in np.unique(best):
        weights[:, best == i] = path.weights(target[:, best == i], PENALTIES[i])
    listened = np.where(
        known,
        np.take_along_axis(held, best[np.newaxis, np.newaxis], axis=0)[0],
        path.score(features, weights),
    )
    middle, slope = _calibrate(listened, positive, weight)
    return Discriminant(path.mean, path.scale, weights, middle, slope, np.array(PENALTIES)[best])


@dataclass(frozen=True, eq=False)
class _Path:
    """Weighted, standardised features, decomposed: every penalty is then a product."""

    mean: Floats
    scale: Floats
    left: Floats
    """(n, k): maps targets to the k components, the rows' weights taken in."""
    right: Floats
    """(n_features, k): back from components to features."""
    size: Floats
    """(k,): squared singular values."""

    @classmethod
    def of(cls, features: Floats, weight: Floats, standard: tuple[Floats, Floats] | None) -> "_Path":
        share = weight / weight.sum()
        mean, scale = standard_of(features, weight) if standard is None else standard
        root = np.sqrt(share)[:, np.newaxis]
        rows = root * (features - mean) / scale
        # The smaller of the two Gram matrices has all there is to know.
        if rows.shape[0] <= rows.shape[1]:
            size, left = np.linalg.eigh(rows @ rows.T)
            size = np.maximum(size, 0.0)
            right = rows.T @ left  # singular value times the right vector
            return cls(mean, scale, root * left, right, size)
        size, right = np.linalg.eigh(rows.T @ rows)
        return cls(mean, scale, root * (rows @ right), right, np.maximum(size, 0.0))

    def weights(self, target: Floats, penalty: float) -> Floats:
        """Coefficients, (n_features, n_labellings), of targets (n, n_labellings)."""
        ridge = penalty * max(float(self.size.mean()), 1e-12)
        return np.asarray(self.right @ ((self.left.T @ target) / (self.size + ridge)[:, np.newaxis]))

    def score(self, features: Floats, weights: Floats) -> Floats:
        return np.asarray(((features - self.mean) / self.scale) @ weights)


def standard_of(features: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Weighted mean and SD of each feature.

    Parameters
    ----------
    features : (n, n_features) float64
        Rows.
    weight : (n,) float64
        What a row weighs.

    Returns
    -------
    mean, scale : (n_features,) float64
        The scale of a feature that never changes is 1.
    """
    share = weight / weight.sum()
    mean = share @ features
    scale = np.sqrt(share @ np.square(features - mean))
    return mean, np.where(scale > 1e-12 * (1.0 + np.abs(mean)), scale, 1.0)


def _target(positive: Flags, weight: Floats) -> Floats:
    """Targets of mean 0 in which both labels weigh the same, whatever their number: (n, n_labellings)."""
    share = weight / weight.sum()
    second = share @ positive
    with np.errstate(divide="ignore"):
        return np.where(positive, 0.5 / second, -0.5 / (1.0 - second))


def _both(positive: Flags) -> Flags:
    return np.asarray(positive.any(axis=0) & ~positive.all(axis=0))


def _mean(values: Floats, weight: Floats) -> Floats:
    """Weighted mean over the rows that have a value; no number where none has."""
    there = np.isfinite(values)
    total = np.einsum("n,pnb->pb", weight, np.where(there, values, 0.0))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(total / np.einsum("n,pnb->pb", weight, there.astype(np.float64)))


def _calibrate(score: Floats, positive: Flags, weight: Floats) -> tuple[Floats, Floats]:
    """Middle and slope as if scores of a label were Gaussian, with one variance for both labels.

    Two numbers in closed form: a logistic regression on the scores of a few dozen people says the same
    and would have to be iterated for every labelling.
    """
    there = np.isfinite(score)
    values = np.where(there, score, 0.0)
    means, within = [], 0.0
    for label in (positive, ~positive):
        rows = weight[:, np.newaxis] * (label & there)
        total = np.maximum(rows.sum(axis=0), 1e-300)
        mean = (rows * values).sum(axis=0) / total
        within = within + 0.5 * (rows * np.square(values - mean)).sum(axis=0) / total
        means.append(mean)
    spread = np.sqrt(np.maximum(within, 1e-24))
    apart = np.maximum((means[0] - means[1]) / spread, LEAST_SLOPE)
    return 0.5 * (means[0] + means[1]), apart / spread
