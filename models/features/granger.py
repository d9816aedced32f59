"""Which region's past says something of another region's next volume: directed, linear, one volume back.

Granger CWJ (1969). Investigating causal relations by econometric models and cross-spectral methods.
Econometrica 37:424-438.  Haemodynamic responses differ in delay between regions by more than a repetition
time, so direction here is of signals, and not of neurons (Deshpande et al. 2010, NeuroImage 52:884-896).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from models.errors import HemostreamError
from models.features.series import Block, Series, blocks, checked, unit

LEAST_VOLUMES = 5
"""Two coefficients, a mean, and something left over."""
LEAST_LEFT = 1e-6
"""Share of a series' variance that another leaves unexplained; below it the two are one."""


def _lagged(block: Block) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """Correlations of all last volumes with all first, and of all first: ((m, r, r), (m, r, r), live)."""
    whole = replace(block, series=block.series.astype(np.float64))
    now, alive = unit(replace(whole, series=whole.series[:, :, 1:]))
    before, alive_before = unit(replace(whole, series=whole.series[:, :, :-1]))
    back = before.swapaxes(1, 2)
    return np.asarray(now @ back), np.asarray(before @ back), alive & alive_before


def _directions(n_regions: int) -> npt.NDArray[np.bool_]:
    """Entries (to, from) of different regions, read row by row."""
    return ~np.eye(n_regions, dtype=bool)


def _names(regions: Sequence[str], *, diagonal: bool) -> list[str]:
    return [
        f"{other} -> {own}"
        for i, own in enumerate(regions)
        for j, other in enumerate(regions)
        if diagonal or i != j
    ]


@dataclass(frozen=True, eq=False)
class Granger:
    """Pairwise influence: log of the residual variance without the other's past over that with it.

    Both models have the region's own last volume and a mean.  In closed form from three correlations, all
    pairs at once: the influence is ``-log(1 - p**2)``, p the partial correlation of the region with
    the other's past given its own.  Needs 5 volumes.

    Parameters
    ----------
    signed : bool
        Whether to give it p's sign: positive where the other's past raises the region.
    """

    signed: bool = False

    def __call__(self, X: Series, repetition_time: Floats) -> Floats:
        """Series in, (n, n_regions * (n_regions - 1)) float64 out, in nats; a masked region has 0.

        First all others' influences on the first region, then on the second.
        """
        X = checked(X)
        pairs = _directions(X.shape[1])
        out = np.empty((len(X), int(pairs.sum())))
        for block in blocks(X, repetition_time):
            block.require(LEAST_VOLUMES, "Granger causality")
            cross, past, live = _lagged(block)
            own = np.diagonal(cross, axis1=1, axis2=2)[:, :, np.newaxis]
            left = (1 - own**2) * (1 - past**2)
            known = live[:, :, np.newaxis] & live[:, np.newaxis, :] & (left > LEAST_LEFT**2)
            partial = np.where(known, (cross - own * past) / np.sqrt(np.where(known, left, 1.0)), 0.0)
            found = -np.log1p(-np.minimum(np.square(partial), 1 - LEAST_LEFT))
            out[block.rows] = (np.copysign(found, partial) if self.signed else found)[:, pairs]
        return out

    def names(self, regions: Sequence[str]) -> list[str]:
        """Names of the columns."""
        return _names(regions, diagonal=False)


@dataclass(frozen=True, eq=False)
class Autoregression:
    """Effective connectivity: coefficients of all regions' last volumes for each region's next, by ridge.

    Every region's influence is given all others', which pairs alone cannot tell from a common cause.  There
    are as many regions as volumes, so the coefficients are shrunk.  Needs 5 volumes.

    Parameters
    ----------
    penalty : float
        In units of the mean eigenvalue of the past's correlations, which is 1.
    """

    penalty: float = 1.0

    def __post_init__(self) -> None:
        if not self.penalty > 0:
            raise HemostreamError(
                f"penalty is {self.penalty}; expected a positive number: with as many regions as volumes "
                "nothing is determined without one."
            )

    def __call__(self, X: Series, repetition_time: Floats) -> Floats:
        """Series in, (n, n_regions ** 2) float64 out, of standardised series; a masked region has 0.

        First all regions' coefficients (its own among them) for the first region, then for the second.
        """
        X = checked(X)
        n_regions = X.shape[1]
        out = np.empty((len(X), n_regions**2))
        for block in blocks(X, repetition_time):
            block.require(LEAST_VOLUMES, "an autoregression")
            cross, past, _ = _lagged(block)
            past += self.penalty * np.eye(n_regions)
            # The past's matrix is symmetric: A P = C is P A' = C'.
            coefficients = np.linalg.solve(past, cross.swapaxes(1, 2)).swapaxes(1, 2)
            out[block.rows] = coefficients.reshape(len(block.rows), -1)
        return out

    def names(self, regions: Sequence[str]) -> list[str]:
        """Names of the columns."""
        return _names(regions, diagonal=True)
