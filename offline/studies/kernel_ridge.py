"""Ridge from people's products alone: which of many labels, or which of two, from one table of products.

In the dual (Saunders, Gammerman and Vovk 1998, ICML 515-521) nothing but products of people is needed; a
kernel in their place serves what is not linear.  One decomposition serves all penalties, and what a fit
without a person would have said of them follows from the fit with them (Cook and Weisberg 1982, Residuals and
Influence in Regression, section 2.2).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from offline.estimators.discriminant import standard_of
from offline.stats.metrics import balanced_accuracy
from offline.studies.dual import PENALTIES, Dual

Labels = npt.NDArray[np.int64]

FACTORS = (0.01, 0.1, 1.0, 10.0)
"""Penalties tried where there are many labels, in units of the products' mean eigenvalue."""
NOTHING = 1e-6
"""Scores (they sum to one over the labels) that differ by less than this say nothing but rounding."""


@dataclass(frozen=True, eq=False)
class Products:
    """Products of people, features standardised as they are in training.

    Parameters
    ----------
    gram : (n, n) float64
        Of those in training.
    cross : (m, n) float64
        Of the judged with those in training.
    own : (m,) float64
        Of each of the judged with themselves.
    """

    gram: Floats
    cross: Floats
    own: Floats

    @classmethod
    def of(cls, train: Floats, test: Floats) -> "Products":
        """Of features: (n, n_features) float64 and (m, n_features) float64."""
        mean, scale = standard_of(train, np.ones(len(train)))
        rows, judged = (train - mean) / scale, (test - mean) / scale
        return cls(rows @ rows.T, judged @ rows.T, np.einsum("ij,ij->i", judged, judged))

    def gaussian(self) -> "Products":
        """The Gaussian kernel of the same people, as wide as the median distance in training."""
        size = np.diag(self.gram)
        apart = np.maximum(size[:, np.newaxis] + size - 2.0 * self.gram, 0.0)
        judged = np.maximum(self.own[:, np.newaxis] + size - 2.0 * self.cross, 0.0)
        width = max(float(np.median(apart[np.triu_indices(len(apart), 1)])), 1e-300)
        return Products(np.exp(-apart / width), np.exp(-judged / width), np.ones(len(self.own)))


def say_which(of: Products, y: Labels, n_labels: int) -> Labels:
    """Which of many labels each of the judged has; labels weigh the same, however many people have them.

    The penalty is the one with the best balanced accuracy over people of training who were left out singly.

    Parameters
    ----------
    of : Products
        Of any kernel.
    y : (n,) int64
        Labels of those in training, every one of them there.
    n_labels : int
        How many labels there are.

    Returns
    -------
    (m,) int64
        The commonest label of training where the scores say nothing.
    """
    counts = np.bincount(y, minlength=n_labels)
    share = 1.0 / counts[y] / n_labels  # what each person weighs; together one
    root = np.sqrt(len(y) * share)[:, np.newaxis]
    level = share @ of.gram
    gram = of.gram - level - level[:, np.newaxis] + level @ share
    cross = of.cross - (of.cross @ share)[:, np.newaxis] - level + level @ share
    target = np.eye(n_labels)[y]
    sizes, vectors = np.linalg.eigh(root * gram * root.T)
    sizes = np.maximum(sizes, 0.0)
    turned = vectors.T @ (root * (target - 1.0 / n_labels))
    unit = max(float(sizes.mean()), 1e-12)  # below it constant features leave nothing but rounding
    best, weights = -1.0, np.zeros_like(target)
    for factor in FACTORS:
        left = factor * unit / (sizes + factor * unit)  # of a residual, in each direction
        residual = vectors @ (left[:, np.newaxis] * turned) / root
        influence = 1.0 - np.square(vectors) @ left + share
        held_out = target - residual / (1.0 - influence)[:, np.newaxis]
        found = balanced_accuracy(y, _said(held_out, counts), n_labels)
        if found is not None and found > best:
            best, weights = found, root * (vectors @ (turned / (sizes + factor * unit)[:, np.newaxis]))
    return _said(cross @ weights + 1.0 / n_labels, counts)


def _said(scores: Floats, counts: Labels) -> Labels:
    said = np.where(np.ptp(scores, axis=1) > NOTHING, np.argmax(scores, axis=1), np.argmax(counts))
    return np.asarray(said, dtype=np.int64)


def score_two(of: Products, second: npt.NDArray[np.bool_], group: npt.NDArray[np.str_]) -> Floats:
    """Scores of `offline.studies.ridge_connectivity.RidgeConnectivity`, from products alone.

    Parameters
    ----------
    of : Products
        Of features.
    second : (n,) bool
        Labels of those in training.
    group : (n,) str
        Who is left out together to choose the penalty, e.g. sites.

    Returns
    -------
    (m,) float64
        Above zero for the second label.
    """
    weights, _ = Dual.of(of.gram).choose(second, group, PENALTIES)
    return np.asarray(of.cross @ weights + (2.0 * second.mean() - 1.0))
