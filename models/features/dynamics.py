"""How connectivity changes within a scan, from window to window.

Windows are given in seconds and become whole volumes at each scan's repetition time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.arrays import Floats
from models.errors import HemostreamError
from models.features.series import Block, Series, blocks, checked, unit

LEAST_VOLUMES = 3
"""Of a window: two volumes always correlate fully."""


def windows(block: Block, window_s: float, *, least: int) -> Iterator[Floats]:
    """Correlation matrices of windows of so many seconds, one behind the other.

    Yields
    ------
    (m, n_regions, n_regions) float64
        Of one window after the other; a region that is constant in it correlates 0, with itself too.

    Raises
    ------
    HemostreamError
        Too few volumes in a window, or in the scan for the ``least`` windows.
    """
    length = round(window_s / block.seconds)
    if length < LEAST_VOLUMES:
        raise HemostreamError(
            f"A window of {window_s:g} s has {length} volumes at a repetition time of {block.seconds:g} s "
            f"(scan {block.rows[0]}); a correlation needs at least {LEAST_VOLUMES}. Use a longer window."
        )
    block.require(least * length, f"connectivity in {least} windows of {length} volumes")
    for start in range(0, block.n_times - length + 1, length):
        own = block.series[:, :, start : start + length].astype(np.float64)
        series, _ = unit(replace(block, series=own))
        yield np.asarray(series @ series.swapaxes(1, 2))


@dataclass(frozen=True, eq=False)
class TemporalVariability:
    """How much each region's profile of correlations differs from window to window; needs two windows.

    Zhang J et al. (2016). Neural, electrophysiological and anatomical basis of brain-network variability
    and its characteristic changes in mental disorders. Brain 139:2307-2321: one less the mean correlation
    of the region's profiles in two windows that do not overlap.  Wang and Jiao (2018) classify ADHD by
    it.

    Parameters
    ----------
    window_s : float, s
        Length of a window; the next one begins where it ends.
    """

    window_s: float = 40.0

    def __post_init__(self) -> None:
        if not self.window_s > 0:
            raise HemostreamError(f"window_s is {self.window_s}; expected a positive number of seconds.")

    def __call__(self, X: Series, repetition_time: Floats) -> Floats:
        """Series in, (n, n_regions) float64 out, 0 (always the same) to 2; a masked region has 0."""
        X = checked(X)
        n_regions = X.shape[1]
        if n_regions < 3:
            raise HemostreamError(f"X has {n_regions} regions; a profile of correlations needs 3 or more.")
        out = np.empty((len(X), n_regions))
        for block in blocks(X, repetition_time):
            total = np.zeros((len(block.rows), n_regions, n_regions))
            own = np.zeros((len(block.rows), n_regions))
            count = 0
            block.require(2 * LEAST_VOLUMES, "temporal variability")
            _, live = unit(block)
            # A region's correlation with itself and with masked ones is no part of its profile.
            used = live[:, np.newaxis, :] & ~np.eye(n_regions, dtype=bool)
            n_used = np.maximum(used.sum(axis=2, keepdims=True), 1)
            for matrix in windows(block, self.window_s, least=2):
                matrix -= (matrix * used).sum(axis=2, keepdims=True) / n_used
                matrix *= used
                norm = np.sqrt(np.square(matrix).sum(axis=2))
                flat = norm <= 1e-6
                matrix /= np.where(flat, 1.0, norm)[:, :, np.newaxis]
                matrix[flat] = 0.0
                total += matrix
                own += ~flat
                count += 1
            # The sum over pairs of different windows is that over all pairs less each window with itself.
            alike = (np.square(total).sum(axis=2) - own) / (count * (count - 1))
            out[block.rows] = np.where(live, 1.0 - alike, 0.0)
        return out

    def names(self, regions: Sequence[str]) -> list[str]:
        """Names of the columns."""
        return [f"{region} variability" for region in regions]
