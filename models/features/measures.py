"""Ten connectivity measures side by side: what the connectivity ensemble reads.

Each is blind to something else.  What a masked region would have is NaN, for whoever is fitted to
decide about: zero would say that it is as near to its neighbours as the middle of all people.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from models.errors import HemostreamError, near_match
from models.features.covariance import ledoit_wolf
from models.features.series import Block, Series, blocks, checked, fisher_z, pair_names, unit

SLOW_5, SLOW_4, SLOW_3 = (0.01, 0.027), (0.027, 0.073), (0.073, 0.16)
"""Hz (Zuo et al. 2010, NeuroImage 49:1432-1445); slow-3 only as far as a repetition time of 3 s reaches."""
RESTING = (0.01, 0.1)
"""Hz: the band in which resting connectivity is usually computed."""
LEAST_SHARE = 1e-6
"""Of a region's power that a band has at least, for a logarithm to be taken."""


@dataclass(frozen=True, eq=False)
class Scan:
    """One scan, as measures look at it.

    Parameters
    ----------
    data : (n_regions, n_times) float64
        Series of mean 0 and length 1; a masked region is all zero.
    live : (n_regions,) bool
        Which are not masked.
    shrunk : (n_regions, n_regions) float64
        Correlation matrix, shrunk (`models.features.covariance`); a masked region correlates with nothing.
    seconds : float, s
        Repetition time.
    """

    data: Floats
    live: npt.NDArray[np.bool_]
    shrunk: Floats
    seconds: float

    @classmethod
    def of(cls, block: Block) -> "Scan":
        """The only scan of a block."""
        double = replace(block, series=block.series.astype(np.float64))
        covariance, live = ledoit_wolf(double, standardised=True)
        data, _ = unit(double)
        root = np.sqrt(np.diagonal(covariance[0]))
        shrunk = covariance[0] / root[:, np.newaxis] / root
        return cls(np.asarray(data[0], dtype=np.float64), live[0], shrunk, block.seconds)

    def bins(self, band: tuple[float, float]) -> npt.NDArray[np.bool_]:
        """Which frequencies of the transform lie in a band (Hz), (n_frequencies,) bool."""
        frequency = np.fft.rfftfreq(self.data.shape[1], self.seconds)
        return np.asarray((frequency >= band[0]) & (frequency < band[1]))


def _z(products: Floats) -> Floats:
    """Fisher's z of the correlations that products of rows say, however long; the diagonal says nothing."""
    norm = np.sqrt(np.maximum(np.diagonal(products), 0.0))
    norm = np.where(norm > 0.0, norm, 1.0)
    return fisher_z(products / norm[:, np.newaxis] / norm)


def _pearson(scan: Scan) -> Floats:
    return _z(scan.data @ scan.data.T)


def _without_mean(scan: Scan) -> Floats:
    mean = scan.data[scan.live].mean(axis=0) if scan.live.any() else np.zeros(scan.data.shape[1])
    mean = mean / max(float(np.sqrt(mean @ mean)), 1e-12)
    left = scan.data - np.outer(scan.data @ mean, mean)
    return _z(left @ left.T)


def _of_ranks(scan: Scan) -> Floats:
    ranks = average_ranks(scan.data)
    ranks -= ranks.mean(axis=1, keepdims=True)
    ranks[~scan.live] = 0.0
    products = ranks @ ranks.T
    norm = np.sqrt(np.diagonal(products))
    norm = np.where(norm > 0.0, norm, 1.0)
    # The Pearson correlation they stand for, were the series Gaussian.
    return fisher_z(2.0 * np.sin(products / norm[:, np.newaxis] / norm * (np.pi / 6.0)))


def _within(band: tuple[float, float]) -> Callable[[Scan], Floats]:
    def make(scan: Scan) -> Floats:
        found = np.fft.rfft(scan.data, axis=1)[:, scan.bins(band)]
        return _z(np.asarray((found @ found.conj().T).real, dtype=np.float64))

    return make


def _partial(scan: Scan) -> Floats:
    return -_z(np.asarray(np.linalg.inv(scan.shrunk), dtype=np.float64))


def _lagged(scan: Scan) -> Floats:
    ahead = scan.data[:, :-1] @ scan.data[:, 1:].T
    return np.asarray(ahead - ahead.T)


def _pairs(make: Callable[[Scan], Floats]) -> Callable[[Scan], Floats]:
    """Upper triangle of a matrix of regions, without what masked regions have."""

    def pairs(scan: Scan) -> Floats:
        matrix = make(scan)
        matrix[~scan.live] = np.nan
        matrix[:, ~scan.live] = np.nan
        return np.asarray(matrix[np.triu_indices(len(matrix), 1)])

    return pairs


def _tangent(scan: Scan) -> Floats:
    return np.asarray(scan.shrunk[np.triu_indices(len(scan.shrunk))])


def _spectrum(scan: Scan) -> Floats:
    power = np.square(np.abs(np.fft.rfft(scan.data, axis=1)))
    whole = np.where(scan.live, power[:, 1:].sum(axis=1), np.nan)
    parts = [power[:, scan.bins(band)].sum(axis=1) / whole for band in (SLOW_5, SLOW_4, SLOW_3)]
    return np.log(np.maximum(np.concatenate(parts), LEAST_SHARE))


MEASURES: Mapping[str, Callable[[Scan], Floats]] = MappingProxyType(
    {
        "pearson": _pairs(_pearson),
        "without_mean": _pairs(_without_mean),
        "ranks": _pairs(_of_ranks),
        "resting_band": _pairs(_within(RESTING)),
        "slow_5": _pairs(_within(SLOW_5)),
        "slow_4": _pairs(_within(SLOW_4)),
        "partial": _pairs(_partial),
        "lagged": _pairs(_lagged),
        "tangent": _tangent,
        "spectrum": _spectrum,
    }
)
"""Name to what makes a row of a scan.

Of the tangent measure the row is the shrunk correlation matrix, upper triangle with the diagonal: the
reference is for whoever is fitted.
"""


@dataclass(frozen=True, eq=False)
class ConnectivityMeasures:
    """ConnectivityMeasures of connectivity, one after the other; needs 3 volumes and the repetition time.

    Parameters
    ----------
    kinds : tuple of str
        Of `MEASURES`.
    """

    kinds: tuple[str, ...] = tuple(MEASURES)  # so named in bundles

    def __post_init__(self) -> None:
        for measure in self.kinds:
            if measure not in MEASURES:
                hint = near_match(str(measure), MEASURES)
                raise HemostreamError(f"There is no connectivity measure {measure!r}. {hint}")

    def __call__(self, X: Series, repetition_time: Floats) -> Floats:
        """Series in, (n, n_columns) float64 out; NaN where a masked region is meant."""
        X = checked(X)
        out = np.empty((len(X), sum(widths(self.kinds, X.shape[1]).values())))
        for block in blocks(X, repetition_time, together=1):
            scan = Scan.of(block)
            out[block.rows[0]] = np.concatenate([MEASURES[measure](scan) for measure in self.kinds])
        return out

    def names(self, regions: Sequence[str]) -> list[str]:
        """Names of the columns."""
        out = []
        for measure in self.kinds:
            if measure == "spectrum":
                bands = ("slow-5", "slow-4", "slow-3")
                out += [f"spectrum: {region}, {band}" for band in bands for region in regions]
            else:
                out += [f"{measure}: {pair}" for pair in pair_names(regions, diagonal=measure == "tangent")]
        return out


def widths(measures: Sequence[str], n_regions: int) -> dict[str, int]:
    """How many columns each measure has.

    Parameters
    ----------
    measures : sequence of str
        Of `MEASURES`.
    n_regions : int
        Regions.
    """
    pairs = n_regions * (n_regions - 1) // 2
    special = {"tangent": pairs + n_regions, "spectrum": 3 * n_regions}
    return {measure: special.get(measure, pairs) for measure in measures}


def regions_of(measures: Sequence[str], n_columns: int) -> int:
    """How many regions a table of these measures is of.

    Parameters
    ----------
    measures : sequence of str
        Of `MEASURES`.
    n_columns : int
        Columns of the table.

    Raises
    ------
    HemostreamError
        Of no number of regions.
    """
    regions = 1
    while (found := sum(widths(measures, regions).values())) < n_columns:
        regions += 1
    if found != n_columns:
        raise HemostreamError(
            f"{n_columns} columns are no table of {', '.join(measures)}: {regions} regions have {found}."
        )
    return regions


def split(table: Floats, measures: Sequence[str]) -> dict[str, Floats]:
    """Each measure's own columns: views.

    Parameters
    ----------
    table : (n, n_columns) float64
        As `ConnectivityMeasures` gives it.
    measures : sequence of str
        Of `MEASURES`, in the table's order.
    """
    ends = np.cumsum(list(widths(measures, regions_of(measures, table.shape[1])).values()))
    return dict(zip(measures, np.split(table, ends[:-1], axis=1), strict=True))


def average_ranks(data: Floats) -> Floats:
    """Ranks of each row from 1, the mean of theirs where some are equal.

    Parameters
    ----------
    data : (n_rows, n_times) float64
        To be ranked.

    Returns
    -------
    (n_rows, n_times) float64
        Ranks.
    """
    out = np.empty(data.shape)
    for row, ranks in zip(data, out, strict=True):
        _, where, count = np.unique(row, return_inverse=True, return_counts=True)
        ranks[:] = (np.cumsum(count) - (count - 1) / 2.0)[where]
    return out
