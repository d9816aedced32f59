"""Region series as features take them: where each scan ends, people of one length together, standardised.

Every feature goes through `blocks`, so that none sees what stands after a scan's end, and through `unit` or
`centred`, so that a value that is not finite is found wherever it stands.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from models.errors import HemostreamError, ScanError

Rows = npt.NDArray[np.intp]
Series = npt.NDArray[np.floating[Any]]
F = TypeVar("F", bound=np.floating[Any])

TOGETHER = 8
"""People in a block: enough to share what is computed once, few enough to stay in the processor's cache."""
LARGEST_Z = 7.25
"""Fisher's z of a correlation of 0.999999: what is the same twice has no larger one.

Of float32 series it is 7.25 to two digits: no number of theirs lies nearer to that correlation.
"""


@dataclass(frozen=True, eq=False)
class Block:
    """People whose scans have the same length and the same repetition time.

    Parameters
    ----------
    rows : (m,) intp
        Who.
    series : (m, n_regions, n_times) floating
        Up to the scans' own end.
    repetition_time : float, s
        NaN where unknown.
    """

    rows: Rows
    series: Series
    repetition_time: float

    @property
    def n_times(self) -> int:
        """Volumes of each scan."""
        return int(self.series.shape[2])

    def require(self, needed: int, what: str) -> None:
        """Refuse scans that are too short.

        Parameters
        ----------
        needed : int
            Least volumes.
        what : str
            For what.

        Raises
        ------
        ScanError
            They have fewer.
        """
        if self.n_times < needed:
            raise ScanError.of(
                int(self.rows[0]),
                f"has {self.n_times} volumes; {what} needs at least {needed}. Leave the scan out, or record "
                "longer.",
            )

    @property
    def seconds(self) -> float:
        """The repetition time, s; an error where it is unknown."""
        if not (np.isfinite(self.repetition_time) and self.repetition_time > 0):
            raise ScanError.of(
                int(self.rows[0]),
                f"has a repetition time of {self.repetition_time} s; expected a positive number, because "
                "this feature is defined in Hz or seconds. Give repetition_time.",
            )
        return self.repetition_time


def ends_of(X: Series) -> npt.NDArray[np.int64]:
    """Volumes of each scan.

    Parameters
    ----------
    X : (n, n_regions, n_times) floating
        NaN after a scan's own end.

    Returns
    -------
    (n,) int64
        Where the first region's last number stands, and one.
    """
    there = np.isfinite(X[:, 0, ::-1])
    return np.where(there.any(axis=1), X.shape[2] - there.argmax(axis=1), 0).astype(np.int64)


def checked(X: Series, *, n_regions: int | None = None) -> Series:
    """The series, if they are series.

    Parameters
    ----------
    X : (n, n_regions, n_times) floating
        To be looked at; whole numbers become float64.
    n_regions : int or None
        How many regions there must be.
    """
    X = np.asarray(X)
    if X.ndim != 3 or X.shape[1] == 0 or X.shape[2] == 0:
        raise HemostreamError(
            f"X has shape {X.shape}; expected 3 dimensions, (n, n_regions, n_times), at least one region "
            "and one volume."
        )
    if n_regions is not None and X.shape[1] != n_regions:
        raise HemostreamError(
            f"X has {X.shape[1]} regions; expected {n_regions}, as when it was fitted. Use the same atlas."
        )
    return X if np.issubdtype(X.dtype, np.floating) else X.astype(np.float64)


def blocks(X: Series, repetition_time: Floats, *, together: int = TOGETHER) -> Iterator[Block]:
    """People of the same length and repetition time together, few at a time.

    Parameters
    ----------
    X : (n, n_regions, n_times) floating
        As `checked` gives it.
    repetition_time : (n,) float64, s
        NaN where unknown.
    together : int
        Most people in a block.
    """
    repetition_time = np.asarray(repetition_time, dtype=np.float64)
    if repetition_time.shape != (len(X),):
        raise HemostreamError(
            f"repetition_time has shape {repetition_time.shape}; expected ({len(X)},), seconds of each scan."
        )
    ends = ends_of(X)
    alike = np.stack([ends, np.nan_to_num(repetition_time, nan=-1.0)], axis=1)
    kinds, kind = np.unique(alike, axis=0, return_inverse=True)
    for k in range(len(kinds)):
        members = np.flatnonzero(kind.reshape(-1) == k)
        for at in range(0, len(members), together):
            rows = members[at : at + together]
            end = int(ends[rows[0]])
            # Consecutive people are a view: nothing is copied.
            whole = X[rows[0] : rows[-1] + 1] if rows[-1] - rows[0] == len(rows) - 1 else X[rows]
            yield Block(rows, whole[:, :, :end], float(repetition_time[rows[0]]))


def centred(block: Block) -> tuple[Series, Series]:
    """Series less their mean, and each one's length as a vector.

    Parameters
    ----------
    block : Block
        People.

    Returns
    -------
    series : (m, n_regions, n_times) floating
        In the precision they came in; a constant region is exactly zero.
    norm : (m, n_regions, 1) floating
        Root of the sum of squares; zero where the region was constant, and masked.
    """
    mean = block.series.mean(axis=2, keepdims=True)
    series = block.series - mean
    with np.errstate(over="ignore", invalid="ignore"):
        norm = np.sqrt(np.einsum("mrt,mrt->mr", series, series))[:, :, np.newaxis]
    constant = constant_regions(block, mean[:, :, 0], norm[:, :, 0])[:, :, np.newaxis]
    if constant.any():
        norm = np.where(constant, 0, norm)
        series = np.where(constant, 0, series)
    return series, norm


def constant_regions(block: Block, mean: Series, norm: Series) -> npt.NDArray[np.bool_]:
    """Which regions never change.

    Parameters
    ----------
    block : Block
        People.
    mean, norm : (m, n_regions) floating
        Of each region's series, and of what it is about its mean: the root of the sum of squares.

    Returns
    -------
    (m, n_regions) bool
        True also where what is left about the mean is no more than rounding makes.

    Raises
    ------
    ScanError
        There is a value that is not finite: it makes its own region's norm none, so one look at the norms
        is enough.
    """
    if not np.isfinite(norm).all():
        m, region = np.argwhere(~np.isfinite(norm))[0]
        raise ScanError.of(
            int(block.rows[m]),
            f"holds in region {region} a value that is not finite (or too large) among its {block.n_times} "
            "volumes; expected numbers up to the scan's end and none after it.",
        )
    return np.asarray(norm <= 64 * np.finfo(norm.dtype).eps * np.sqrt(block.n_times) * np.abs(mean))


def unit(block: Block) -> tuple[Series, npt.NDArray[np.bool_]]:
    """Series of mean 0 and length 1: the product of two of them is their correlation.

    Parameters
    ----------
    block : Block
        People.

    Returns
    -------
    series : (m, n_regions, n_times) floating
        A masked region is all zero.
    live : (m, n_regions) bool
        Which regions are not masked.
    """
    series, norm = centred(block)
    live = norm > 0
    series /= np.where(live, norm, 1)
    return series, live[:, :, 0]


def upper(n_regions: int, *, diagonal: bool = False) -> npt.NDArray[np.bool_]:
    """Which entries of a symmetric matrix say everything, read row by row.

    Parameters
    ----------
    n_regions : int
        Rows of the matrix.
    diagonal : bool
        Whether the diagonal is among them.

    Returns
    -------
    (n_regions, n_regions) bool
        The upper triangle.
    """
    return np.triu(np.ones((n_regions, n_regions), dtype=bool), 0 if diagonal else 1)


def fisher_z(correlation: npt.NDArray[F]) -> npt.NDArray[F]:
    """Fisher's transformation (Fisher 1915, Biometrika 10:507-521), at most `LARGEST_Z` either way.

    Parameters
    ----------
    correlation : (..., n) floating
        Changed in place.

    Returns
    -------
    (..., n) floating
        The same array.
    """
    largest = float(np.tanh(LARGEST_Z))
    np.clip(correlation, -largest, largest, out=correlation)
    np.arctanh(correlation, out=correlation)
    return correlation


def pair_names(regions: Sequence[str], *, diagonal: bool = False) -> list[str]:
    """Names of the entries that `upper` chooses.

    Parameters
    ----------
    regions : sequence of str
        Names of regions.
    diagonal : bool
        As there.
    """
    first, second = np.triu_indices(len(regions), 0 if diagonal else 1)
    return [f"{regions[i]} ~ {regions[j]}" for i, j in zip(first.tolist(), second.tolist(), strict=True)]
