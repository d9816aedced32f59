"""Many kinds of connectivity side by side, as the average over kinds reads them."""

from collections.abc import Sequence

from models.arrays import Floats
from models.parts import kinds
from offline.features.base import NamedPart, Series, SeriesTransformer


class KindsFeatures(SeriesTransformer):
    """Ten kinds of connectivity, or some of them.

    Unlike the other features it has no number where a masked region is meant: whoever is fitted to it
    decides about that.

    Parameters
    ----------
    kinds : sequence of str
        Of `models.parts.kinds.KINDS`.
    """

    def __init__(self, kinds: Sequence[str] = tuple(kinds.KINDS)) -> None:
        self.kinds = kinds

    def make_part(self, X: Series, repetition_time: Floats) -> NamedPart:
        """From the settings; X, (n, n_regions, n_times) float64, is not looked at."""
        return kinds.Kinds(tuple(self.kinds))
