"""Likeness to remembered people: support vector and relevance vector machines."""

from dataclasses import dataclass

import numpy as np

from models.arrays import Floats


@dataclass(frozen=True, eq=False)
class KernelMachine:
    """Sums of radial basis functions around vectors that were kept from training.

    Of a support vector machine (Cortes & Vapnik 1995, Machine Learning 20:273-297) or a relevance vector
    machine (Tipping 2001, Journal of Machine Learning Research 1:211-244).

    Parameters
    ----------
    vectors : (n_vectors, n_columns) float64
        Rows of training.
    weights : (n_vectors, n_out) float64
        What likeness to each adds.
    bias : (n_out,) float64
        Added.
    gamma : float
        A likeness is ``exp(-gamma * squared distance)``.
    """

    vectors: Floats
    weights: Floats
    bias: Floats
    gamma: float

    def __call__(self, X: Floats) -> Floats:
        """(n, n_columns) float64 to (n, n_out) float64."""
        return np.asarray(np.exp(-self.gamma * squared_distances(X, self.vectors)) @ self.weights + self.bias)


@dataclass(frozen=True, eq=False)
class Pairwise:
    """A score for each of three or more labels from machines that each tell two of them apart.

    A label's score is the comparisons that it won; how clearly breaks ties, and never more than a tie.

    Parameters
    ----------
    n_labels : int
        Comparisons come in the order (0, 1), (0, 2), ..., (1, 2), ...; above 0 the first of the two won.
    """

    n_labels: int

    def __call__(self, X: Floats) -> Floats:
        """(n, n_labels * (n_labels - 1) / 2) float64 to (n, n_labels) float64."""
        first, second = np.triu_indices(self.n_labels, 1)
        signs = np.zeros((X.shape[1], self.n_labels))
        signs[np.arange(len(first)), first] = 1.0
        signs[np.arange(len(first)), second] = -1.0
        won = (X >= 0) @ np.maximum(signs, 0) + (X < 0) @ np.maximum(-signs, 0)
        margin = X @ signs
        return np.asarray(won + margin / (3.0 * (np.abs(margin) + 1.0)))


def squared_distances(X: Floats, vectors: Floats) -> Floats:
    """Squared Euclidean distances.

    Parameters
    ----------
    X : (n, n_columns) float64
        Rows.
    vectors : (n_vectors, n_columns) float64
        Others.

    Returns
    -------
    (n, n_vectors) float64
        At least 0.
    """
    # About the vectors' middle, so that columns far from zero lose no digits in the difference of squares.
    middle = vectors.mean(axis=0) if len(vectors) else np.zeros(vectors.shape[1])
    rows, others = X - middle, vectors - middle
    squares = np.square(rows).sum(axis=1)[:, np.newaxis] + np.square(others).sum(axis=1)
    return np.asarray(np.maximum(squares - 2.0 * rows @ others.T, 0.0))
