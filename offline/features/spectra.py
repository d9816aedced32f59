"""Spectra of regions: nothing of them is learnt from others.

Regional homogeneity (ReHo) is not among them: it compares neighbouring voxels, and region series no
longer have any; `offline.scans.reho` has it of volumes.
"""

from models.arrays import Floats
from models.parts import spectra
from models.parts.bands import SLOW, Bands
from offline.features.base import NamedPart, Series, SeriesTransformer


class BandAmplitudeFeatures(SeriesTransformer):
    """Mean amplitude of every region in every frequency band.

    Parameters
    ----------
    bands : tuple of (name, low Hz, high Hz)
        Slow-5 to slow-2 where not given.
    standardised : bool
        Whether each region is first brought to variance 1.
    unreached : float
        Stands for a band that the repetition time does not reach.
    """

    def __init__(self, *, bands: Bands = SLOW, standardised: bool = True, unreached: float = 0.0) -> None:
        self.bands = bands
        self.standardised = standardised
        self.unreached = unreached

    def make_part(self, X: Series, repetition_time: Floats) -> NamedPart:
        """From the settings; X, (n, n_regions, n_times) float64, is not looked at."""
        return spectra.BandAmplitude(self.bands, self.standardised, self.unreached)


class LowFrequencyFeatures(SeriesTransformer):
    """Amplitude of low-frequency fluctuations: ALFF, or fALFF.

    Parameters
    ----------
    fraction : bool
        Whether as a share of all frequencies' amplitudes (fALFF).
    low, high : float, Hz
        The band.
    """

    def __init__(self, *, fraction: bool = False, low: float = 0.01, high: float = 0.08) -> None:
        self.fraction = fraction
        self.low = low
        self.high = high

    def make_part(self, X: Series, repetition_time: Floats) -> NamedPart:
        """From the settings; X, (n, n_regions, n_times) float64, is not looked at."""
        return spectra.LowFrequency(self.fraction, self.low, self.high)


class SpectrumFeatures(SeriesTransformer):
    """The whole spectrum of every region, max-pooled onto one grid (Kuang 2014).

    Parameters
    ----------
    low, high : float, Hz
        Edges of the grid.
    n_cells : int
        Its cells.
    standardised : bool
        Whether each region is first brought to variance 1.
    unreached : float
        Stands for a cell that the repetition time does not reach.
    """

    def __init__(
        self,
        *,
        low: float = 0.01,
        high: float = 0.25,
        n_cells: int = 24,
        standardised: bool = True,
        unreached: float = 0.0,
    ) -> None:
        self.low = low
        self.high = high
        self.n_cells = n_cells
        self.standardised = standardised
        self.unreached = unreached

    def make_part(self, X: Series, repetition_time: Floats) -> NamedPart:
        """From the settings; X, (n, n_regions, n_times) float64, is not looked at."""
        return spectra.Spectrum(self.low, self.high, self.n_cells, self.standardised, self.unreached)
