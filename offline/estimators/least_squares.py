"""Penalised least squares in closed form, every person left out once at no cost.

The penalty is that of Hoerl and Kennard (1970, Technometrics 12:55-67); what a row would be given by a model
fitted without it follows from the row's leverage (Allen 1974, Technometrics 16:125-127).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.arrays import Floats

Flags = npt.NDArray[np.bool_]

PENALTIES = tuple(float(value) for value in np.logspace(-3, 3, 13))
"""Tried, in units of the mean eigenvalue of the smaller Gram matrix."""
LEAST_SLOPE = 0.05
"""Least log odds an SD of score: scores that say nothing keep their order and next to no certainty."""


@dataclass(frozen=True, eq=False)
class Odds:
    """Log odds as sums of columns.

    Parameters
    ----------
    weights : (n_columns, n_questions) float64
        Of columns whose means are 0.
    bias : (n_questions,) float64
        Added.
    penalty : (n_questions,) float64
        Chosen, of those tried.
    """

    weights: Floats
    bias: Floats
    penalty: Floats


@dataclass(frozen=True, eq=False)
class Decomposed:
    """A table whose every ridge fit is a product.

    Parameters
    ----------
    left : (n, k) float64
        Orthonormal directions of rows.
    back : (n_columns, k) float64
        From directions to columns.
    size : (k,) float64
        Squared singular values.
    """

    left: Floats
    back: Floats
    size: Floats


def decomposed(Z: Floats) -> Decomposed:
    """Decompose through the smaller of the two Gram matrices.

    Parameters
    ----------
    Z : (n, n_columns) float64
        Columns of mean 0.
    """
    wide = Z.shape[0] <= Z.shape[1]
    size, vectors = np.linalg.eigh(Z @ Z.T if wide else Z.T @ Z)
    kept = size > 1e-10 * max(float(size[-1]), np.finfo(float).tiny)
    size, vectors = size[kept], vectors[:, kept]
    root = np.sqrt(size)
    left = vectors if wide else Z @ (vectors / root)
    back = Z.T @ (vectors / size) if wide else vectors / root
    return Decomposed(left, back, size)


def left_out(table: Decomposed, target: Floats, penalty: float) -> Floats:
    """What each row would be given by the fit to all the others.

    Parameters
    ----------
    table : Decomposed
        Rows.
    target : (n, n_questions) float64
        Of mean 0.
    penalty : float
        In units of the mean eigenvalue.

    Returns
    -------
    (n, n_questions) float64
        Scores about the mean of the others' targets.  That mean lies a little away from the target of the row
        that is left out, and where columns say nothing it would be all that one sees.
    """
    kept = table.size / (table.size + _ridge(table, penalty))
    fitted = (table.left * kept) @ (table.left.T @ target)
    n = len(target)
    leverage = 1.0 / n + (np.square(table.left) @ kept)[:, np.newaxis]
    return np.asarray(target * n / (n - 1) - (target - fitted) / np.maximum(1.0 - leverage, 1e-9))


def fit_odds(Z: Floats, positive: Flags, penalties: tuple[float, ...] = PENALTIES) -> Odds:
    """Fit log odds at equal prevalence; penalty, middle and slope come from scores of rows left out.

    Parameters
    ----------
    Z : (n, n_columns) float64
        Columns of mean 0.
    positive : (n, n_questions) bool
        Whether a row has the label in question.
    penalties : tuple of float
        Tried.
    """
    table, target = decomposed(Z), balanced(positive)
    scores = np.stack([left_out(table, target, penalty) for penalty in penalties])
    best = np.square(scores - target).mean(axis=1).argmin(axis=0)  # (n_questions,)
    weights, bias = np.empty((Z.shape[1], positive.shape[1])), np.empty(positive.shape[1])
    for q, i in enumerate(best):
        ridge = _ridge(table, penalties[i])
        direction = table.left.T @ target[:, q] * table.size / (table.size + ridge)
        slope, middle = _calibrated(scores[i, :, q], positive[:, q])
        weights[:, q], bias[q] = slope * (table.back @ direction), -slope * middle
    return Odds(weights, bias, np.array(penalties)[best])


def balanced(positive: Flags) -> Floats:
    """Targets of mean 0 in which both answers weigh the same: (n, n_questions) float64."""
    share = positive.mean(axis=0)
    return np.asarray(np.where(positive, 0.5 / share, -0.5 / (1.0 - share)))


def _ridge(table: Decomposed, penalty: float) -> float:
    return penalty * float(table.size.mean()) if len(table.size) else 1.0


def _calibrated(score: Floats, positive: Flags) -> tuple[float, float]:
    """Slope and middle that make log odds of a score: two Gaussians with one SD."""
    first, second = score[~positive], score[positive]
    spread = np.concatenate([first - first.mean(), second - second.mean()])
    sd = max(float(spread.std()), 1e-12)
    apart = float(second.mean() - first.mean()) / sd
    # Separated without overlap would be certainty; five SDs apart is as sure as so few rows can make anyone.
    return min(max(apart, LEAST_SLOPE), 5.0) / sd, 0.5 * float(first.mean() + second.mean())
