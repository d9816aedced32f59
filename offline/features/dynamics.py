"""Change of connectivity within a scan: nothing of it is learnt from others."""

from models.arrays import Floats
from models.parts import dynamics
from offline.features.base import NamedPart, Series, SeriesTransformer


class SlidingConnectivityFeatures(SeriesTransformer):
    """Standard deviation over sliding windows of every pair's Fisher z.

    Parameters
    ----------
    window_s, step_s : float, s
        Length of a window, and from one's start to the next one's.
    """

    def __init__(self, *, window_s: float = 60.0, step_s: float = 20.0) -> None:
        self.window_s = window_s
        self.step_s = step_s

    def make_part(self, X: Series, repetition_time: Floats) -> NamedPart:
        """From the settings; X, (n, n_regions, n_times) float64, is not looked at."""
        return dynamics.SlidingConnectivity(self.window_s, self.step_s)


class TemporalVariabilityFeatures(SeriesTransformer):
    """How much each region's profile of correlations differs from window to window (Wang & Jiao 2018).

    Parameters
    ----------
    window_s : float, s
        Length of a window; windows do not overlap.
    """

    def __init__(self, *, window_s: float = 40.0) -> None:
        self.window_s = window_s

    def make_part(self, X: Series, repetition_time: Floats) -> NamedPart:
        """From the settings; X, (n, n_regions, n_times) float64, is not looked at."""
        return dynamics.TemporalVariability(self.window_s)
