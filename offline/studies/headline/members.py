"""One member of the average: a kind of connectivity, read in one way, and a direction in it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from offline.studies.headline.stretched import Stretched
from offline.studies.headline.tangent import reference, tangent_rows
from offline.studies.ridge_connectivity import Labels

Floats = npt.NDArray[np.float64]

PENALTIES = (0.15, 0.5, 1.5, 5.0)
"""In units of people's mean squared distance from the mean of all: 0.5 is about the baseline's 1e4."""


@dataclass(frozen=True, eq=False)
class Member:
    """How one kind of connectivity becomes a score.

    In this order: the tangent kind is seen from ``reference``; with ``own_scale`` each person's features have
    their mean (over the features that are there) taken out and are divided by their standard deviation;
    ``mean`` is taken out and ``scale`` divided out; what is missing is zero; the product with
    ``weights`` is the score.

    Parameters
    ----------
    kind : str
        Of `offline.studies._features.KINDS`.
    own_scale : bool
        Whether a person's level and spread over all features are taken out, which one scan suffices for.
    reference : (n_regions, n_regions) float64, or (0, 0)
        Inverse square root of the training people's mean matrix, for the tangent kind.
    mean, scale : (n_features,) float64
        Of the training people.
    weights : (n_features,) float64
        A score of one is a standard deviation over training people who were held out.
    """

    kind: str
    own_scale: bool
    reference: Floats
    mean: Floats
    scale: Floats
    weights: Floats

    def score(self, table: Floats) -> Floats:
        """Scores of people.

        Parameters
        ----------
        table : (n, n_features) float64
            Of this kind.

        Returns
        -------
        (n,) float64
            Higher for the second label.
        """
        return np.asarray(self._rows(table) @ self.weights)

    def _rows(self, table: Floats) -> Floats:
        seen = tangent_rows(table, self.reference) if self.reference.size else table
        rows = (_own_scale(seen) if self.own_scale else seen) - self.mean
        rows /= self.scale
        return np.nan_to_num(rows, copy=False, nan=0.0)


@dataclass(frozen=True, eq=False)
class Fitted:
    """A member at every factor, and what it said of training people who were held out.

    Parameters
    ----------
    members : tuple of Member
        One a factor.
    held_out : (n_factors, n) float64
        Scores of training people by fits without their site, standard deviation one.
    penalties : tuple of float
        Chosen, one a factor.
    """

    members: tuple[Member, ...]
    held_out: Floats
    penalties: tuple[float, ...]


def fit_member(
    kind: str,
    table: Floats,
    second: npt.NDArray[np.bool_],
    site: Labels,
    *,
    own_scale: bool,
    factors: Sequence[float],
) -> Fitted:
    """Fit one kind of connectivity; at each factor take the penalty of least squared error on left-out sites.

    Mean, scale and reference, which do not look at labels, are those of all training people also where a
    training site is left out.

    Parameters
    ----------
    kind : str
        Which.
    table : (n, n_features) float64
        Training people; no number where a region was constant.
    second : (n,) bool
        Labels.
    site : (n,) array
        Of each.
    own_scale : bool
        See `Member`.
    factors : sequence of float
        By which sites are moved apart, see `offline.studies.headline.stretched`.
    """
    seen_from = reference(table) if kind == "tangent" else np.empty((0, 0))
    seen = tangent_rows(table, seen_from) if seen_from.size else table
    rows = _own_scale(seen) if own_scale else seen.copy()
    there = np.isfinite(rows)
    count = np.maximum(there.sum(axis=0), 1)
    mean = np.where(there, rows, 0.0).sum(axis=0) / count
    rows -= mean
    np.nan_to_num(rows, copy=False, nan=0.0)
    scale = np.sqrt(np.einsum("ij,ij->j", rows, rows) / count)
    scale = np.where(scale > 1e-12 * (1.0 + np.abs(mean)), scale, 1.0)
    rows /= scale
    gram = rows @ rows.T
    gram /= np.trace(gram) / len(gram)
    bare = Member(kind, own_scale, seen_from, mean, scale, np.empty(0))
    target = np.where(second, 1.0, -1.0)
    members, held, chosen = [], [], []
    for factor in factors:
        fit = Stretched.of(gram, second, site, factor)
        scores = fit.held_out(PENALTIES)
        best = int(np.argmin(np.square(scores - target).mean(axis=1)))
        unit = max(float(scores[best].std()), 1e-12)
        direction = rows.T @ fit.coefficients(PENALTIES[best])
        direction /= unit * np.einsum("ij,ij->", rows, rows) / len(rows)
        members.append(replace(bare, weights=direction))
        held.append(scores[best] / unit)
        chosen.append(PENALTIES[best])
    return Fitted(tuple(members), np.stack(held), tuple(chosen))


def _own_scale(table: Floats) -> Floats:
    level = np.nanmean(table, axis=1, keepdims=True)
    spread = np.nanstd(table, axis=1, keepdims=True)
    return np.asarray((table - level) / np.where(spread > 0.0, spread, 1.0))
