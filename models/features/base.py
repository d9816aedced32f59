"""A feature: what is computed of region series, as array code that a bundle can hold."""

from collections.abc import Sequence
from typing import Any, ClassVar, Protocol

from models.arrays import Floats
from models.features.series import Series


class Feature(Protocol):
    """Takes region series, (n, n_regions, n_times), and gives a table, (n, n_out) float64.

    A frozen dataclass, as `models.layers.base.Layer`.  After a scan's own end the series are NaN; a region
    that is all zero was constant, and is masked.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def __call__(self, X: Series, repetition_time: Floats) -> Floats:
        """Series and seconds between volumes of each scan, (n,), in; rows out."""
        ...

    def names(self, regions: Sequence[str]) -> list[str]:
        """Names of the columns, given those of the regions."""
        ...
