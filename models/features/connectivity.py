"""Which regions go together over a whole scan: correlation, partial correlation, shrunk covariance."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.arrays import Floats
from models.errors import HemostreamError
from models.features.covariance import ledoit_wolf
from models.features.series import Series, blocks, checked, constant_regions, fisher_z, pair_names, upper

SHRUNK = ("covariance", "correlation", "partial")
"""What `Shrunk` can give."""


@dataclass(frozen=True, eq=False)
class Correlation:
    """Pearson correlation of every two regions; needs 3 volumes.

    It is computed in the precision of the series: float32 series, as scans are kept, do not hold more.
    Next to the product itself hardly anything is left to do, as long as one person's numbers stay in the
    processor's cache: room for them is made once, and what scales the series is the product's diagonal.

    Parameters
    ----------
    fisher : bool
        Whether to give Fisher's z instead of the correlation.
    """

    fisher: bool = True

    def __call__(self, X: Series, repetition_time: Floats) -> Floats:
        """Series in, (n, n_regions * (n_regions - 1) / 2) float64 out; a masked region correlates 0."""
        X = checked(X)
        n_regions = X.shape[1]
        pairs = upper(n_regions)
        out = np.empty((len(X), int(pairs.sum())))
        room, product = np.empty(n_regions * X.shape[2], X.dtype), np.empty((n_regions, n_regions), X.dtype)
        ones = np.ones(X.shape[2], X.dtype)
        with np.errstate(over="ignore", invalid="ignore"):  # the error names scan and region
            for block in blocks(X, repetition_time, together=1):
                block.require(3, "a correlation")
                n_times = block.n_times
                series = room[: n_regions * n_times].reshape(n_regions, n_times)
                series[:] = block.series[0]
                mean = series @ ones[:n_times] / n_times
                series -= mean[:, np.newaxis]
                np.matmul(series, series.T, out=product)
                norm = np.sqrt(np.diagonal(product))
                constant = constant_regions(block, mean[np.newaxis], norm[np.newaxis])[0]
                scale = np.where(constant, 0, 1 / np.where(constant, 1, norm))
                product *= scale
                product *= scale[:, np.newaxis]
                found = product[pairs]
                out[block.rows[0]] = fisher_z(found) if self.fisher else found
        return out

    def names(self, regions: Sequence[str]) -> list[str]:
        """Names of the columns."""
        return pair_names(regions)


@dataclass(frozen=True, eq=False)
class Shrunk:
    """Ledoit-Wolf estimates of every two regions; needs 3 volumes.

    Parameters
    ----------
    measure : str
        Of `SHRUNK`: the ``"covariance"`` (with the variances), the ``"correlation"``, or the ``"partial"``
        correlation, in which what any other region explains is taken out (from the inverse).
    standardised : bool
        Whether regions are brought to variance 1 before they are shrunk.
    fisher : bool
        Whether to give Fisher's z of correlations.
    """

    measure: str = "partial"
    standardised: bool = True
    fisher: bool = True

    def __post_init__(self) -> None:
        if self.measure not in SHRUNK:
            raise HemostreamError(f"measure is {self.measure!r}; expected one of {', '.join(SHRUNK)}.")

    def __call__(self, X: Series, repetition_time: Floats) -> Floats:
        """Series in, (n, n_pairs) float64 out; whatever a masked region has is 0."""
        X = checked(X)
        pairs = upper(X.shape[1], diagonal=self._diagonal)
        out = np.empty((len(X), int(pairs.sum())))
        for block in blocks(X, repetition_time):
            matrix, live = ledoit_wolf(block, standardised=self.standardised)
            if self.measure == "partial":
                matrix = np.negative(np.linalg.inv(matrix), dtype=np.float64)
            if not self._diagonal:
                root: Floats = np.sqrt(np.abs(np.diagonal(matrix, axis1=1, axis2=2)))
                matrix /= root[:, :, np.newaxis] * root[:, np.newaxis, :]
            matrix *= live[:, :, np.newaxis] & live[:, np.newaxis, :]
            out[block.rows] = matrix[:, pairs]
        return fisher_z(out) if self.fisher and not self._diagonal else out

    @property
    def _diagonal(self) -> bool:
        return self.measure == "covariance"

    def names(self, regions: Sequence[str]) -> list[str]:
        """Names of the columns."""
        return pair_names(regions, diagonal=self._diagonal)
