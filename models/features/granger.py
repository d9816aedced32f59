"""Which region's past predicts another region's next volume: directed, linear, one volume back.

Granger CWJ (1969). Investigating causal relations by econometric models and cross-spectral methods.
Econometrica 37:424-438.  Haemodynamic responses differ in delay between regions by more than a repetition
time, so direction here is of signals, and not of neurons (Deshpande et al. 2010, NeuroImage 52:884-896).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
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
        pairs = ~np.eye(X.shape[1], dtype=bool)  # (to, from), read row by row
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
        return [f"{other} -> {own}" for own in regions for other in regions if other != own]
