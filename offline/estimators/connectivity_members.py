"""One member of the connectivity ensemble: a measure, read in one way, and a direction in it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from models.features.tangent import log_symmetric
from models.layers.connectivity_ensemble import matrix_of, own_scale
from offline.estimators.base import Flags
from offline.estimators.ridge import Groups
from offline.estimators.scaling import safe_scale
from offline.estimators.site_projected_ridge import SiteProjectedRidge, site_means

PENALTIES = (0.15, 0.5, 1.5, 5.0)
"""In units of people's mean squared distance from the mean of all: 0.5 is about the baseline's 1e4.  Settled
before the result on left-out sites was seen, as the factors were."""
IN_SINGLE = 1e-6
"""What `offline.estimators.scaling.ROUNDING` is where SDs are computed in single precision."""


@dataclass(frozen=True, eq=False)
class Member:
    """One connectivity measure as it is read of the training people, whatever their labels."""

    mean: Floats  # (n_features,), of the training people
    scale: Floats  # (n_features,)
    rows: npt.NDArray[np.float32]  # (n, n_features), standardised
    size: float  # products of rows were divided by it, for penalties to mean the same in every measure
    ridges: tuple[SiteProjectedRidge, ...]  # one a factor

    def fit(self, second: Flags) -> tuple[Floats, Floats]:
        """At each factor take the penalty of least squared error on left-out sites; labels are (n,) bool.

        Gives weights, (n_factors, n_features) float64, and scores of training people by fits without their
        site, (n_factors, n) float64: a score of one is a standard deviation of these.
        """
        target = np.where(second, 1.0, -1.0)
        weights, held = [], []
        for ridge in self.ridges:
            scores = ridge.left_out(second, PENALTIES)
            best = int(np.argmin(np.square(scores - target).mean(axis=1)))
            spread = max(float(scores[best].std()), 1e-12)
            weights.append(ridge.weights(second, PENALTIES[best]) / (spread * self.size))
            held.append(scores[best] / spread)
        directions = self.rows.T @ np.stack(weights, axis=1).astype(np.float32)
        return directions.T.astype(np.float64), np.stack(held)


def read_member(table: Floats, site: Groups, *, own: bool, factors: Sequence[float]) -> Member:
    """Read one connectivity measure, on each person's `own` scale or as it is.

    Of training people, (n, n_features) float32 or float64, the tangent measure as seen from its reference,
    NaN where a region was masked; of their sites, (n,) array; and of factors by which sites are moved apart,
    see `offline.estimators.site_projected_ridge`.  Mean and scale, which do not look at labels, are those of
    all training people also where a training site is left out.
    """
    rows = table.astype(np.float32)  # what follows moves numbers about, twice as many a second in single
    if own:
        rows = own_scale(rows)
    missing = np.isnan(rows)
    count = np.maximum(len(rows) - missing.sum(axis=0), 1)
    rows[missing] = 0.0
    mean = rows.sum(axis=0, dtype=np.float64) / count
    rows -= mean.astype(np.float32)
    rows[missing] = 0.0
    scale = np.sqrt(np.einsum("ij,ij->j", rows, rows) / count)
    scale = safe_scale(mean, scale, IN_SINGLE)
    rows /= scale.astype(np.float32)
    gram = (rows @ rows.T).astype(np.float64)
    size = float(np.trace(gram) / len(gram))
    gram /= size
    means = site_means(site)
    ridges = tuple(SiteProjectedRidge.of(gram, site, factor, means) for factor in factors)
    return Member(mean, scale, rows, size, ridges)


def whitening_of(table: Floats) -> Floats:
    """Inverse square root of matrices' mean, (n_regions, n_regions) float64: the tangent measure's reference.

    The mean is the log-Euclidean one (Arsigny et al. 2006, Magn Reson Med 56:411-421): it has a closed form,
    and as a point to look from it serves as well as the geometric one.  Matrices are upper triangles with the
    diagonal, (n, n_regions (n_regions + 1) / 2) float64, positive definite.
    """
    mean = np.mean([log_symmetric(matrix_of(row)) for row in table], axis=0)
    values, vectors = np.linalg.eigh(mean)
    return np.asarray((vectors * np.exp(-values / 2.0)) @ vectors.T)
