"""The relevance vector machine: a kernel classifier that keeps the few people who matter."""

from dataclasses import KW_ONLY, dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from sklearn.metrics.pairwise import rbf_kernel

from models.arrays import Floats
from models.layers.linear import logits_of
from offline.estimators.base import Flags, LogitClassifier, against_the_rest, labelled

FLAT = 1e-6
"""Precision of the bias's prior: next to none."""


@dataclass(eq=False, repr=False)
class RelevanceVectorMachine(LogitClassifier):
    """Sparse Bayesian classification (Tipping 2001, Journal of Machine Learning Research 1:211-244).

    The prior's precisions maximise the marginal likelihood, one basis function at a time (Tipping & Faul
    2003, AISTATS): start with the bias alone, then add, change or remove whichever gains most.

    Parameters
    ----------
    gamma : float or None
        A likeness is ``exp(-gamma * squared distance)``; None is 1 / (columns times their variance).
    max_iter : int
        Most changes.
    tol : float
        Least gain in log marginal likelihood that is worth a change.
    """

    gamma: float | None = None
    _: KW_ONLY
    max_iter: int = 500
    tol: float = 0.1

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:
        """Fit to a table (n, n_columns) float64 of standardised columns and its labels (n,) str or int."""
        table, index = labelled(self, X, y)
        spread = table.shape[1] * float(table.var())
        gamma = 1.0 / max(spread, np.finfo(float).tiny) if self.gamma is None else float(self.gamma)
        likeness = rbf_kernel(table, gamma=gamma)
        basis = np.concatenate([np.ones((len(table), 1)), likeness], axis=1)
        questions = against_the_rest(index)
        fits = [sparse_logistic(basis, positive, self.max_iter, self.tol) for positive in questions.T]
        weights = np.stack([weight for weight, _ in fits], axis=1)  # (1 + n, n_questions)
        self.n_iter_ = max(n_iter for _, n_iter in fits)
        self.relevance_ = np.flatnonzero(np.any(weights[1:] != 0, axis=1))
        self.vectors_, self.gamma_ = table[self.relevance_], gamma
        self.weights_, self.bias_ = weights[1:][self.relevance_], weights[:1]
        return self

    def logits_of_rows(self, X: Floats) -> Floats:
        """Logits (n, n_labels) float64 of rows (n, n_columns) float64."""
        if not len(self.vectors_):  # the bias alone
            return logits_of(np.repeat(self.bias_, len(X), axis=0))
        return logits_of(rbf_kernel(X, self.vectors_, gamma=self.gamma_) @ self.weights_ + self.bias_)


def sparse_logistic(basis: Floats, positive: Flags, max_iter: int, tol: float) -> tuple[Floats, int]:
    """Most probable weights (n_basis,) float64 of a logistic model, most of them zero, and the changes made.

    The first column of ``basis``, (n, n_basis) float64, is the bias, which stays; labels are (n,) bool.
    """
    n_basis = basis.shape[1]
    squares = np.square(basis)
    precision = np.full(n_basis, np.inf)
    precision[0] = FLAT
    weights = np.zeros(n_basis)
    active, n_iter = np.zeros(1, dtype=np.intp), 0
    while n_iter < max_iter:
        n_iter += 1
        mode = _mode(basis[:, active], positive, precision[active], weights[active])
        weights[active], residual, curvature, covariance = mode
        # What each basis function would explain (Q) and how far the active ones already do (S).
        shared = basis.T @ (curvature[:, np.newaxis] * basis[:, active])
        S = curvature @ squares - np.einsum("ij,ij->i", shared @ covariance, shared)
        Q = basis.T @ residual
        change, new = _gains(S, Q, precision)
        change[0] = -np.inf
        best = int(change.argmax())
        if change[best] < tol:
            return weights, n_iter
        precision[best] = new[best]
        weights[best] = weights[best] if np.isfinite(new[best]) else 0.0
        active = np.flatnonzero(np.isfinite(precision))
    weights[active] = _mode(basis[:, active], positive, precision[active], weights[active])[0]
    return weights, n_iter


def _gains(S: Floats, Q: Floats, precision: Floats) -> tuple[Floats, Floats]:
    """Gain of the best change of each basis function, and its precision then (infinite: left out)."""
    inside = np.isfinite(precision)
    S = np.maximum(S, 1e-12)
    own = np.where(inside, precision, 1.0)
    room = np.maximum(own - S, 1e-12 * own)  # above 0 in exact arithmetic
    s, q = np.where(inside, own * S / room, S), np.where(inside, own * Q / room, Q)
    useful = np.square(q) > s
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        new = np.where(useful, np.square(s) / np.where(useful, np.square(q) - s, 1.0), np.inf)
        add = 0.5 * ((np.square(Q) - S) / S + np.log(S / np.square(Q)))
        step = 1.0 / new - 1.0 / own
        alter = 0.5 * (np.square(Q) * step / (S * step + 1.0) - np.log1p(S * step))
        remove = 0.5 * (-np.square(Q) / room - np.log(room / own))
    gain = np.where(inside, np.where(useful, alter, remove), np.where(useful, add, -np.inf))
    return np.nan_to_num(gain, nan=-np.inf, posinf=-np.inf), new


def _mode(
    basis: Floats, positive: Flags, precision: Floats, weights: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """Most probable weights by Newton's method, residuals, curvatures and the weights' covariance."""

    def loss(w: Floats) -> float:
        net = basis @ w
        return float(np.logaddexp(0.0, np.where(positive, -net, net)).sum() + 0.5 * precision @ np.square(w))

    now = loss(weights)
    for _ in range(25):
        probability, curvature = _logistic(basis @ weights)
        gradient = basis.T @ (positive - probability) - precision * weights
        hessian = (basis * curvature[:, np.newaxis]).T @ basis + np.diag(precision)
        step = np.linalg.solve(hessian, gradient)
        for _ in range(20):  # halved until it goes down
            tried = loss(weights + step)
            if tried <= now:
                break
            step = 0.5 * step
        else:
            break
        weights, fell, now = weights + step, now - tried, tried
        if fell < 1e-9 * (1.0 + abs(now)):
            break
    probability, curvature = _logistic(basis @ weights)
    hessian = (basis * curvature[:, np.newaxis]).T @ basis + np.diag(precision)
    return weights, positive - probability, curvature, np.asarray(np.linalg.inv(hessian))


def _logistic(net: Floats) -> tuple[Floats, Floats]:
    probability = 0.5 * (1.0 + np.tanh(0.5 * net))
    return probability, np.maximum(probability * (1.0 - probability), 1e-10)
