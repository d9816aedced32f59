"""The connectivity ensemble: an average of linear models of many connectivity measures, person by person."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from models.errors import BundleError
from models.features.measures import regions_of, split, widths
from models.features.series import F
from models.features.tangent import log_symmetric
from models.layers.linear import logits_of

TANGENT = "tangent"


@dataclass(frozen=True, eq=False)
class ConnectivityEnsemble:
    """Scores of members, averaged; a member is a measure of connectivity read in one way.

    In this order: the tangent measure is seen from the reference; where a member reads on the person's
    own scale, the person's features (those that are there) have their mean taken out and are divided by their
    standard deviation; ``mean`` is taken out and ``scale`` divided out; what is missing is zero; the
    product with ``weights`` is the member's score.  The mean score times ``slope``, plus ``intercept``, is
    the log odds of the second label.

    Parameters
    ----------
    whitening : (n_regions, n_regions) float64, or (0, 0)
        Inverse square root of the training people's mean matrix; none where no member needs it.
    mean, scale, weights : (n_numbers,) float64
        Of all members, one after the other.
    kinds : tuple of str
        Measures of the table, in its order.
    members : tuple of (str, bool)
        A measure, and whether it is read on the person's own scale.
    slope, intercept : float
        From the mean score to log odds.
    """

    whitening: Floats
    mean: Floats
    scale: Floats
    weights: Floats
    kinds: tuple[str, ...]  # so named in bundles
    members: tuple[tuple[str, bool], ...]
    slope: float
    intercept: float

    def __post_init__(self) -> None:
        found = {len(self.mean), len(self.scale), len(self.weights)}
        if len(found) != 1 or not self.members or {measure for measure, _ in self.members} - set(self.kinds):
            raise BundleError(
                f"An average of {len(self.members)} members of {', '.join(self.kinds)} has numbers of "
                f"lengths {sorted(found)}; expected one length. The bundle is damaged."
            )

    def __call__(self, X: Floats) -> Floats:
        """Table of `ConnectivityMeasures`, (n, n_columns) float64, to logits (n, 2) float64."""
        size = widths(self.kinds, regions_of(self.kinds, X.shape[1]))
        total = sum(size[measure] for measure, _ in self.members)
        if total != len(self.weights):
            raise BundleError(
                f"A table of {X.shape[1]} columns needs {total} weights; there are {len(self.weights)}. "
                "It is of another atlas."
            )
        tables = split(X, self.kinds)
        if self.whitening.size:
            tables[TANGENT] = seen_from(self.whitening, tables[TANGENT])
        score, at = np.zeros(len(X)), 0
        for measure, own in self.members:
            numbers = slice(at, at := at + size[measure])
            rows = own_scale(tables[measure]) if own else tables[measure]
            rows = (rows - self.mean[numbers]) / self.scale[numbers]
            score += np.nan_to_num(rows, copy=False, nan=0.0) @ self.weights[numbers]
        odds = self.slope * score / len(self.members) + self.intercept
        return logits_of(odds[:, np.newaxis])


def own_scale(table: npt.NDArray[F]) -> npt.NDArray[F]:
    """Each person's features less their mean, by their standard deviation.

    Parameters
    ----------
    table : (n, n_features) float64, or float32
        NaN where a feature is missing.

    Returns
    -------
    (n, n_features) float64, or float32
        No unit.
    """
    level, spread = table.mean(axis=1), table.std(axis=1)
    holes = np.flatnonzero(np.isnan(level))  # few people: only they pay for looking
    if holes.size:
        level[holes], spread[holes] = np.nanmean(table[holes], axis=1), np.nanstd(table[holes], axis=1)
    spread = np.where(spread > 0.0, spread, 1.0)
    scaled: npt.NDArray[F] = (table - level[:, np.newaxis]) / spread[:, np.newaxis]
    return scaled


def seen_from(whitening: Floats, table: Floats) -> Floats:
    """Logarithms of matrices as seen from a reference (Varoquaux et al. 2010, MICCAI 13:200-208).

    Parameters
    ----------
    whitening : (n_regions, n_regions) float64
        Inverse square root of the reference.
    table : (n, n_regions (n_regions + 1) / 2) float64
        Upper triangles with the diagonal, positive definite.  A region that correlates with none is masked.

    Returns
    -------
    (n, n_regions (n_regions + 1) / 2) float64
        NaN where a masked region is meant.
    """
    upper = np.triu_indices(len(whitening))
    out = np.empty(table.shape)
    for row, own in zip(out, table, strict=True):
        matrix = matrix_of(own)
        seen = log_symmetric(whitening @ matrix @ whitening)
        masked = np.count_nonzero(matrix, axis=1) == 1
        seen[masked] = np.nan
        seen[:, masked] = np.nan
        row[:] = seen[upper]
    return out


def matrix_of(row: Floats) -> Floats:
    """A symmetric matrix from its upper triangle with the diagonal.

    Parameters
    ----------
    row : (n (n + 1) / 2,) float64
        Row by row.

    Returns
    -------
    (n, n) float64
        Symmetric.
    """
    n = int((np.sqrt(8 * len(row) + 1) - 1) / 2)
    matrix = np.zeros((n, n))
    matrix[np.triu_indices(n)] = row
    return np.asarray(matrix + np.triu(matrix, 1).T)


def average_of(
    whitening: Floats,
    measures: Sequence[str],
    members: Sequence[tuple[str, bool, Floats, Floats, Floats]],
    line: tuple[float, float],
) -> ConnectivityEnsemble:
    """An average from its members.

    Parameters
    ----------
    whitening : (n_regions, n_regions) float64, or (0, 0)
        As `ConnectivityEnsemble` has it.
    measures : sequence of str
        Of the table.
    members : sequence of (measure, own scale, mean, scale, weights)
        The last three ``(n_features,) float64``.
    line : (slope, intercept)
        From the mean score to log odds.
    """
    mean, scale, weights = (np.concatenate([each[k] for each in members]) for k in (2, 3, 4))
    named = tuple((each[0], each[1]) for each in members)
    return ConnectivityEnsemble(whitening, mean, scale, weights, tuple(measures), named, *line)
