"""Levenberg-Marquardt with Bayesian regularisation: least squares that finds its own weight decay.

MacKay 1992 (Neural Computation 4:415-447) for the evidence, Foresee & Hagan 1997 (International Conference
on Neural Networks 3:1930-1935) for its place inside Levenberg-Marquardt (Marquardt 1963, SIAM Journal
11:431-441).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from models.arrays import Floats

FIRST_DAMPING = 5e-3
MOST_DAMPING = 1e10
"""Foresee and Hagan's values, and their factor of ten between steps."""
FREE_STEPS = 10
"""Steps before the weight decay is re-estimated: sooner, a network that has learnt nothing is held there."""
LEAST_ERROR = 0.02
"""Mean squared error below which the noise is not believed to lie."""


@dataclass(frozen=True, eq=False)
class RegularisedFit:
    """A regularised fit."""

    weights: Floats  # (n_weights,)
    effective: float  # weights that the data determine; the others are held by the prior
    evidence: float  # log probability of the data, all weights considered; compares fits to the same data
    n_iter: int  # steps taken


def fit_bayesian(
    residuals: Callable[[Floats], tuple[Floats, Floats]],
    start: Floats,
    *,
    max_iter: int = 100,
    tol: float = 1e-5,
) -> RegularisedFit:
    """Minimise ``beta * squared errors + alpha * squared weights``, both factors re-estimated at each step.

    ``residuals`` takes weights (n_weights,) float64 and gives errors (n,) float64 and their derivatives
    (n, n_weights) float64; it stops where the objective's relative fall, and alpha's relative change, are
    below ``tol``.
    """
    weights, damping = start, FIRST_DAMPING
    error, slope = residuals(weights)
    alpha, beta = 1e-3, 1.0
    size, axes = _curvature(slope)
    n_iter = 0
    while n_iter < max_iter:
        n_iter += 1
        pull = axes.T @ (beta * (slope.T @ error) + alpha * weights)
        now = _objective(weights, error, alpha, beta)
        while damping <= MOST_DAMPING:
            tried = weights - axes @ (pull / (beta * size + alpha + damping))
            new_error, new_slope = residuals(tried)
            then = _objective(tried, new_error, alpha, beta)
            if then < now:
                break
            damping *= 10.0
        if then < now:
            weights, error, slope, damping = tried, new_error, new_slope, max(damping / 10.0, 1e-20)
            size, axes = _curvature(slope)
            if n_iter < FREE_STEPS:
                continue
        else:  # as low as it goes with these factors
            damping = FIRST_DAMPING
        before = alpha
        alpha, beta = _factors(weights, error, _effective(size, alpha, beta))
        if now - then < tol * (1.0 + abs(now)) and abs(alpha - before) < 1e-3 * alpha:
            break
    return RegularisedFit(
        weights, _effective(size, alpha, beta), _evidence(weights, error, size, alpha, beta), n_iter
    )


def _curvature(slope: Floats) -> tuple[Floats, Floats]:
    size, axes = np.linalg.eigh(slope.T @ slope)
    return np.maximum(size, 0.0), axes


def _effective(size: Floats, alpha: float, beta: float) -> float:
    return float((beta * size / (beta * size + alpha)).sum())


def _evidence(weights: Floats, error: Floats, size: Floats, alpha: float, beta: float) -> float:
    """MacKay 1992, equation 4.5, without what is the same for all fits to the same data."""
    known = 0.5 * len(weights) * np.log(alpha) + 0.5 * len(error) * np.log(beta)
    volume = 0.5 * np.log(beta * size + alpha).sum()
    return float(known - volume - _objective(weights, error, alpha, beta))


def _factors(weights: Floats, error: Floats, effective: float) -> tuple[float, float]:
    """Alpha and beta that make weights and errors as large as they are."""
    n = len(error)
    alpha = max(effective, 1e-6) / (2.0 * max(float(weights @ weights), 1e-10))
    beta = max(n - effective, 1.0) / (2.0 * max(float(error @ error), LEAST_ERROR * n))
    return alpha, beta


def _objective(weights: Floats, error: Floats, alpha: float, beta: float) -> float:
    return beta * float(error @ error) + alpha * float(weights @ weights)
