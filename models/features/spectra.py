"""How much of each frequency a region has: ALFF and fALFF, whole spectra.

Amplitudes are roots of spectral density, unit / sqrt(Hz): noise of one kind has the same at any length of
the scan and any repetition time, where plain Fourier amplitudes fall with the scan's length.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.arrays import Floats
from models.errors import HemostreamError, ScanError
from models.features.bands import bins_of, check_band
from models.features.series import Block, Series, blocks, centred, checked


def amplitudes(block: Block, *, standardised: bool) -> Floats:
    """One-sided amplitude spectra on the scans' own frequencies.

    Parameters
    ----------
    block : Block
        People of one length and repetition time.
    standardised : bool
        Whether each region is first brought to variance 1.

    Returns
    -------
    (m, n_regions, n_frequencies) float64, unit / sqrt(Hz)
        A masked region has none.
    """
    block.require(4, "a spectrum")
    series, norm = centred(block)
    scale = np.sqrt(2 * block.seconds / block.n_times)
    spectrum = np.abs(np.fft.rfft(series.astype(np.float64), axis=2)) * scale
    if standardised:
        spectrum *= np.sqrt(block.n_times) / np.where(norm > 0, norm, 1).astype(np.float64)
    return np.asarray(spectrum)


@dataclass(frozen=True, eq=False)
class LowFrequency:
    """Amplitude of low-frequency fluctuations of every region; needs a frequency in the band.

    Zang YF et al. (2007). Altered baseline brain activity in children with ADHD revealed by resting-state
    functional MRI. Brain & Development 29:83-91.  Zou QH et al. (2008). An improved approach to detection
    of amplitude of low-frequency fluctuation (ALFF): fractional ALFF. Journal of Neuroscience Methods
    172:137-141.

    Parameters
    ----------
    fraction : bool
        False: mean amplitude in the band over its mean over all regions (ALFF; the unit does not matter).
        True: the band's amplitudes over those of all frequencies (fALFF).  The second knows how
        high the scan reaches: it is higher with a longer repetition time.
    low, high : float, Hz
        The band.
    """

    fraction: bool = False
    low: float = 0.01
    high: float = 0.08

    def __post_init__(self) -> None:
        check_band("low frequencies", self.low, self.high)

    def __call__(self, X: Series, repetition_time: Floats) -> Floats:
        """Series in, (n, n_regions) float64 out; a masked region has 0."""
        X = checked(X)
        out = np.zeros((len(X), X.shape[1]))
        for block in blocks(X, repetition_time):
            found = amplitudes(block, standardised=False)
            bins = bins_of(block, "low frequencies", self.low, self.high, least=1)
            if bins is None:
                raise ScanError.of(
                    int(block.rows[0]),
                    f"has a repetition time of {block.seconds:g} s and reaches {0.5 / block.seconds:g} Hz; "
                    f"low frequencies go to {self.high:g} Hz. Leave the scan out, or set a lower band.",
                )
            within = found[:, :, bins]
            if self.fraction:
                own, whole = within.sum(axis=2), found[:, :, 1:].sum(axis=2)
            else:
                own = within.mean(axis=2)
                live = np.maximum((own > 0).sum(axis=1), 1)
                whole = np.broadcast_to((own.sum(axis=1) / live)[:, np.newaxis], own.shape)
            out[block.rows] = own / np.where(whole > 0, whole, 1.0)
        return out

    def names(self, regions: Sequence[str]) -> list[str]:
        """Names of the columns."""
        return [f"{region} {'fALFF' if self.fraction else 'ALFF'}" for region in regions]


@dataclass(frozen=True, eq=False)
class Spectrum:
    """The spectrum of every region, the largest amplitude in each of evenly spaced cells.

    Kuang D, Guo X, An X, Zhao Y, He L (2014). Discrimination of ADHD based on fMRI data with deep belief
    network. ICIC, LNCS 8590:225-232: Fourier amplitudes, the largest of neighbouring frequencies.  The
    paper's cells count frequencies; these are cells of the same width in Hz for everybody, because scans
    differ in length and repetition time.  A longer scan has more frequencies in a cell, and of more the
    largest is larger: length shows.

    Parameters
    ----------
    low, high : float, Hz
        First cell's lower and last cell's upper edge.
    n_cells : int
        So many; a scan must be long enough to have a frequency in each that it reaches.
    standardised : bool
        Whether each region is first brought to variance 1.
    unreached : float
        Stands for a cell that the repetition time does not reach.
    """

    low: float = 0.01
    high: float = 0.25
    n_cells: int = 24
    standardised: bool = True
    unreached: float = 0.0

    def __post_init__(self) -> None:
        check_band("the spectrum", self.low, self.high)
        if self.n_cells < 1:
            raise HemostreamError(f"n_cells is {self.n_cells}; expected at least 1.")

    def __call__(self, X: Series, repetition_time: Floats) -> Floats:
        """Series in, (n, n_regions * n_cells) float64 out: all cells of the first region, then the next."""
        X = checked(X)
        out = np.full((len(X), X.shape[1], self.n_cells), float(self.unreached))
        edges = np.linspace(self.low, self.high, self.n_cells + 1)
        for block in blocks(X, repetition_time):
            found = amplitudes(block, standardised=self.standardised)
            for c in range(self.n_cells):
                low, high = float(edges[c]), float(edges[c + 1])
                bins = bins_of(block, f"cell {c + 1} of the spectrum", low, high, least=1)
                if bins is not None:
                    out[block.rows, :, c] = found[:, :, bins].max(axis=2)
        return out.reshape(len(X), out.shape[1] * out.shape[2])

    def names(self, regions: Sequence[str]) -> list[str]:
        """Names of the columns."""
        middles = np.linspace(self.low, self.high, 2 * self.n_cells + 1)[1::2]
        return [f"{region} {middle:.4f} Hz" for region in regions for middle in middles]
