"""Ridge from people's products alone: which of many labels, or which of two, from one table of products.

Nothing but products of people is needed (`offline.estimators.ridge`); a kernel in their place serves what is
not linear.
"""

from dataclasses import dataclass

import numpy as np

from models.arrays import Floats
from offline.estimators.base import Flags, Labels
from offline.estimators.ridge import PENALTIES, Groups, Ridge
from offline.estimators.ridge_connectivity import PENALTIES as OF_TWO
from offline.estimators.ridge_connectivity import ridge_of_two
from offline.estimators.scaling import standard_of
from offline.stats.metrics import balanced_accuracy

FACTORS = PENALTIES[2:9:2]
"""Penalties tried where there are many labels, in units of the products' mean eigenvalue."""
NOTHING = 1e-6
"""Scores (they sum to one over the labels) that differ by less than this differ by rounding."""


@dataclass(frozen=True, eq=False)
class Products:
    """Products of people, features standardised as they are in training."""

    gram: Floats  # (n, n), of those in training
    cross: Floats  # (m, n), of those who are predicted with those in training
    own: Floats  # (m,), of each of those who are predicted with themselves

    @classmethod
    def of(cls, train: Floats, test: Floats) -> "Products":
        """Of features: (n, n_features) float64 and (m, n_features) float64."""
        mean, scale = standard_of(train, np.ones(len(train)))
        rows, new = (train - mean) / scale, (test - mean) / scale
        return cls(rows @ rows.T, new @ rows.T, np.einsum("ij,ij->i", new, new))

    def gaussian(self) -> "Products":
        """The Gaussian kernel of the same people, as wide as the median distance in training."""
        size = np.diag(self.gram)
        squared = np.maximum(size[:, np.newaxis] + size - 2.0 * self.gram, 0.0)
        new = np.maximum(self.own[:, np.newaxis] + size - 2.0 * self.cross, 0.0)
        width = max(float(np.median(squared[np.triu_indices(len(squared), 1)])), 1e-300)
        return Products(np.exp(-squared / width), np.exp(-new / width), np.ones(len(self.own)))


def predict_label(of: Products, y: Labels, n_labels: int) -> Labels:
    """Which of many labels each person has, (m,) int64; labels weigh the same, however many people have them.

    Of products of any kernel and the labels of those in training, (n,) int64, every one of them there.  The
    penalty is the one with the best balanced accuracy over people of training who were left out singly.
    Where all scores are equal it is the commonest label of training.
    """
    counts = np.bincount(y, minlength=n_labels)
    share = 1.0 / counts[y] / n_labels  # what each person weighs; together one
    level = share @ of.gram
    ridge = Ridge.of_products(of.gram - level - level[:, np.newaxis] + level @ share, share)
    target = np.eye(n_labels)[y]
    penalties = [factor * ridge.unit for factor in FACTORS]
    best, chosen = -1.0, penalties[0]
    for penalty, scores in zip(penalties, ridge.path(target, penalties), strict=True):
        found = balanced_accuracy(y, _greatest(scores, counts), n_labels)
        if found is not None and found > best:
            best, chosen = found, penalty
    # The weights add up to nothing, so only the people's own level has to be taken out of the products.
    weights = ridge.weights(target, chosen)
    return _greatest((of.cross - level) @ weights + 1.0 / n_labels, counts)


def _greatest(scores: Floats, counts: Labels) -> Labels:
    found = np.where(np.ptp(scores, axis=1) > NOTHING, np.argmax(scores, axis=1), np.argmax(counts))
    return np.asarray(found, dtype=np.int64)


def score_two(of: Products, second: Flags, group: Groups) -> Floats:
    """Scores (m,) of `offline.estimators.ridge_connectivity.RidgeConnectivity`, from products alone.

    Of who of those in training has the second label, (n,) bool, and their groups, (n,) str, which are left
    out together to choose the penalty; above zero for the second label.
    """
    weights, _ = ridge_of_two(Ridge.of_products(of.gram), second, group, OF_TWO)
    return np.asarray(of.cross @ weights + (2.0 * second.mean() - 1.0))
