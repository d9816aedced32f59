"""Connectivity of a whole scan, of bands, and of directions: nothing of it is learnt from others."""

from models.arrays import Floats
from models.parts import band_connectivity, connectivity, granger
from models.parts.bands import SLOW, Bands
from offline.features.base import NamedPart, Series, SeriesTransformer


class CorrelationFeatures(SeriesTransformer):
    """Pearson correlation of every two regions.

    Parameters
    ----------
    fisher : bool
        Whether to give Fisher's z.
    """

    def __init__(self, *, fisher: bool = True) -> None:
        self.fisher = fisher

    def make_part(self, X: Series, repetition_time: Floats) -> NamedPart:
        """From the settings; X, (n, n_regions, n_times) float64, is not looked at."""
        return connectivity.Correlation(self.fisher)


class ShrunkFeatures(SeriesTransformer):
    """Partial correlation, correlation or covariance by Ledoit and Wolf.

    Parameters
    ----------
    measure : str
        ``"partial"``, ``"correlation"`` or ``"covariance"``.
    standardised : bool
        Whether regions are brought to variance 1 before they are shrunk.
    fisher : bool
        Whether to give Fisher's z of correlations.
    """

    def __init__(self, *, measure: str = "partial", standardised: bool = True, fisher: bool = True) -> None:
        self.measure = measure
        self.standardised = standardised
        self.fisher = fisher

    def make_part(self, X: Series, repetition_time: Floats) -> NamedPart:
        """From the settings; X, (n, n_regions, n_times) float64, is not looked at."""
        return connectivity.Shrunk(self.measure, self.standardised, self.fisher)


class BandCorrelationFeatures(SeriesTransformer):
    """Pearson correlation of every two regions in every frequency band.

    Parameters
    ----------
    bands : tuple of (name, low Hz, high Hz)
        Slow-5 to slow-2 where not given.
    fisher : bool
        Whether to give Fisher's z.
    unreached : float
        Stands for a band that the repetition time does not reach.
    """

    def __init__(self, *, bands: Bands = SLOW, fisher: bool = True, unreached: float = 0.0) -> None:
        self.bands = bands
        self.fisher = fisher
        self.unreached = unreached

    def make_part(self, X: Series, repetition_time: Floats) -> NamedPart:
        """From the settings; X, (n, n_regions, n_times) float64, is not looked at."""
        return band_connectivity.BandCorrelation(self.bands, self.fisher, self.unreached)


class GrangerFeatures(SeriesTransformer):
    """Pairwise linear Granger causality, one volume back.

    Parameters
    ----------
    signed : bool
        Whether influences that lower a region are negative.
    """

    def __init__(self, *, signed: bool = False) -> None:
        self.signed = signed

    def make_part(self, X: Series, repetition_time: Floats) -> NamedPart:
        """From the settings; X, (n, n_regions, n_times) float64, is not looked at."""
        return granger.Granger(self.signed)


class AutoregressionFeatures(SeriesTransformer):
    """Effective connectivity: ridge coefficients of all regions' last volumes for each region's next.

    Parameters
    ----------
    penalty : float
        In units of the mean eigenvalue of the past's correlations.
    """

    def __init__(self, *, penalty: float = 1.0) -> None:
        self.penalty = penalty

    def make_part(self, X: Series, repetition_time: Floats) -> NamedPart:
        """From the settings; X, (n, n_regions, n_times) float64, is not looked at."""
        return granger.Autoregression(self.penalty)
