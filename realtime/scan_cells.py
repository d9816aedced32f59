"""Which cells of a scan were measured: what is bridged, which volumes were lost, which regions are absent."""

from dataclasses import dataclass

import numpy as np

from models.arrays import Bools, Floats

MOST_BRIDGED = 0.1
"""Share of a region's volumes that may be bridged; with more the region was not measured."""
LOST = 0.5
"""A volume that more than this share of the regions lacks was lost as a whole."""


@dataclass(frozen=True, eq=False)
class ScanCells:
    """A scan as a model takes it, and what had to be done for that.

    Parameters
    ----------
    series : (n_regions, n_times) float32
        Lone cells that were not measured are bridged along time; a masked region is 0.
    masked : (n_regions,) bool
        Regions that never change: they hold no signal.
    absent : (n_regions,) bool
        Regions of which nothing was measured.
    lost : (n_times,) bool
        Volumes of which (nearly) nothing was measured.
    bridged : int
        Cells that were bridged.
    holes : (n_regions,) bool
        Regions that miss more than can be bridged.
    """

    series: np.typing.NDArray[np.float32]
    masked: Bools
    absent: Bools
    lost: Bools
    bridged: int
    holes: Bools

    @classmethod
    def of(cls, data: Floats, missing: Bools) -> "ScanCells":
        """Look at every cell.

        Parameters
        ----------
        data : (n_regions, n_times) float64
            As read.
        missing : (n_regions, n_times) bool
            What the reader found not to be measured; a region that never changes is missing throughout.
        """
        with np.errstate(over="ignore"):  # models take float32: what is too large for it was not measured
            series = data.astype(np.float32)
        finite = np.isfinite(series)
        absent: Bools = np.asarray(~finite.any(axis=1))
        masked: Bools = np.asarray((missing.all(axis=1) | _constant(series, finite)) & ~absent)
        there = ~(masked | absent)
        gone = (missing | ~finite) & there[:, np.newaxis]
        share = gone.sum(axis=0) / max(int(there.sum()), 1)
        lost: Bools = np.asarray(share > LOST)
        alone = gone & ~lost
        holes: Bools = _runs_of_two(alone) | (alone.sum(axis=1) > MOST_BRIDGED * alone.shape[1])
        series = np.where(there[:, np.newaxis], series, np.float32(0.0))
        at = np.arange(series.shape[1])
        for k in np.flatnonzero(gone.any(axis=1)):
            series[k, gone[k]] = np.interp(at[gone[k]], at[~gone[k]], series[k, ~gone[k]])
        return cls(series, masked, absent, lost, int(np.count_nonzero(alone)), holes)


def _constant(series: np.typing.NDArray[np.float32], finite: Bools) -> Bools:
    """Regions whose numbers, those that are there, are all the same."""
    if not series.shape[1]:
        return np.zeros(len(series), dtype=np.bool_)
    low = np.where(finite, series, np.inf).min(axis=1)
    high = np.where(finite, series, -np.inf).max(axis=1)
    return np.asarray(low >= high)


def _runs_of_two(flags: Bools) -> Bools:
    """Rows in which two flags stand next to each other, (n_rows, n) bool to (n_rows,) bool."""
    return np.asarray((flags[:, 1:] & flags[:, :-1]).any(axis=1))
