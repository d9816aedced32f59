"""The reference of the tangent space: a mean of the training people's covariances.

Pennec X, Fillard P, Ayache N (2006). A Riemannian framework for tensor computing. International Journal
of Computer Vision 66:41-66 (the geometric mean).  Arsigny V, Fillard P, Pennec X, Ayache N (2006).
Log-Euclidean metrics for fast and simple calculus on diffusion tensors. Magnetic Resonance in Medicine
56:411-421.
"""

from typing import ClassVar

import numpy as np

from models.arrays import Floats
from models.errors import HemostreamError
from models.features import tangent
from models.features.base import Feature
from models.features.covariance import ledoit_wolf
from models.features.series import Series, blocks
from offline.features.base import SeriesFeatures

REFERENCES = ("euclidean", "log-euclidean", "geometric")
"""Kinds of mean, from the quickest to the slowest."""
TOLERANCE = 1e-7
"""Of the geometric mean: length of a step a number of the matrix, in the tangent space."""
MOST_STEPS = 50


class TangentFeatures(SeriesFeatures):
    """Tangent-space connectivity at a reference of the training people.

    Parameters
    ----------
    reference : str
        Of `REFERENCES`.  ``"log-euclidean"`` takes one decomposition a person, ``"geometric"`` one a
        person and step, ``"euclidean"`` none; the geometric mean is the one at which the training
        people's features have mean 0.
    standardised : bool
        Whether regions are brought to variance 1 first.

    Attributes
    ----------
    reference_ : (n_regions, n_regions) float64
        The mean.  Where a region was masked in somebody, the others' mean variance and no covariance stood
        for it.
    """

    fitted_to_people: ClassVar[bool] = True

    def __init__(self, *, reference: str = "log-euclidean", standardised: bool = True) -> None:
        self.reference = reference
        self.standardised = standardised

    def make_feature(self, X: Series, repetition_time: Floats) -> Feature:
        """With the whitening of the people of X, (n, n_regions, n_times) float64."""
        if self.reference not in REFERENCES:
            raise HemostreamError(
                f"reference is {self.reference!r}; expected one of {', '.join(REFERENCES)}."
            )
        covariances = np.empty((len(X), X.shape[1], X.shape[1]))
        for block in blocks(X, repetition_time):
            covariances[block.rows] = ledoit_wolf(block, standardised=self.standardised)[0]
        self.reference_ = mean_of(covariances, self.reference)
        return tangent.Tangent(power(self.reference_, -0.5), self.standardised)


def mean_of(covariances: Floats, kind: str) -> Floats:
    """A mean of symmetric positive matrices.

    Parameters
    ----------
    covariances : (n, n_regions, n_regions) float64
        Of people.
    kind : str
        Of `REFERENCES`.

    Returns
    -------
    (n_regions, n_regions) float64
        Symmetric, positive.
    """
    if kind == "euclidean":
        return np.asarray(covariances.mean(axis=0))
    mean = _exponential(_mean_logarithm(covariances, np.eye(covariances.shape[1])))
    if kind == "log-euclidean":
        return mean
    stride, last = 1.0, np.inf
    for _ in range(MOST_STEPS):
        white, root = power(mean, -0.5), power(mean, 0.5)
        step = _mean_logarithm(covariances, white)
        size = float(np.linalg.norm(step)) / mean.size
        if size < TOLERANCE:
            return mean
        if size > last:  # a step too far: covariances far apart make the way curved
            stride /= 2
        last = size
        mean = np.asarray(root @ _exponential(stride * step) @ root)
    raise HemostreamError(
        f"The geometric mean of {len(covariances)} covariances is still moving by {last:.1e} after "
        f"{MOST_STEPS} steps; expected under {TOLERANCE:.0e}. Use reference='log-euclidean'."
    )


def power(matrix: Floats, exponent: float) -> Floats:
    """A power of a symmetric positive matrix.

    Parameters
    ----------
    matrix : (n, n) float64
        Eigenvalues below `models.features.tangent.LEAST_EIGENVALUE` are taken for it.
    exponent : float
        Any.

    Returns
    -------
    (n, n) float64
        Symmetric.
    """
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.maximum(values, tangent.LEAST_EIGENVALUE) ** exponent) @ vectors.T)


def _mean_logarithm(covariances: Floats, white: Floats) -> Floats:
    """Mean over people of the whitened covariances' logarithms, one at a time: all would fill the memory."""
    total = np.zeros_like(white)
    for covariance in covariances:
        total += tangent.log_symmetric(white @ covariance @ white)
    return np.asarray(total / len(covariances))


def _exponential(matrix: Floats) -> Floats:
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.exp(values)) @ vectors.T)
