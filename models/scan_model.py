"""A scan model: from a scan's region series to a logit for each label, with numpy alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Self

import numpy as np

from models.arrays import Floats
from models.errors import BundleError, near_match
from models.features.base import Feature
from models.features.connectivity import Correlation, Shrunk
from models.features.dynamics import TemporalVariability
from models.features.granger import Granger
from models.features.measures import ConnectivityMeasures
from models.features.series import Series
from models.features.spectra import LowFrequency, Spectrum
from models.layers.base import Array, Layer, from_arrays, run, to_arrays
from models.layers.columns import SelectColumns, Standardise
from models.layers.connectivity_ensemble import ConnectivityEnsemble
from models.layers.convolution import Convolutions
from models.layers.linear import Linear
from models.layers.network import TableNetwork

FEATURES: Mapping[str, type[Any]] = MappingProxyType(
    {
        **{
            kind.__name__: kind
            for kind in (Correlation, Granger, LowFrequency, Shrunk, Spectrum, TemporalVariability)
        },
        "Kinds": ConnectivityMeasures,
    }
)
"""Every feature by the name that bundles have for it."""
LAYERS: Mapping[str, type[Any]] = MappingProxyType(
    {
        **{kind.__name__: kind for kind in (Convolutions, Linear, SelectColumns, Standardise, TableNetwork)},
        "KindsAverage": ConnectivityEnsemble,
    }
)
"""Every layer by the name that bundles have for it: what is worth running live."""
_KNOWN = {"series": FEATURES, "table": LAYERS}
"""What an entry of the layout takes, and what may stand there."""
_NAMES = {kind: name for known in _KNOWN.values() for name, kind in known.items()}


@dataclass(frozen=True, eq=False)
class ScanModel:
    """Features side by side, then layers one after the other.

    Features are rounded to float32 before anything else sees them, because that is how tables are kept
    that models are fitted to: so a bundle predicts what the study predicted, to the last digits.

    Parameters
    ----------
    features : tuple of Feature
        One or more.
    layers : tuple of Layer
        The last gives a logit for each label.
    """

    features: tuple[Feature, ...]
    layers: tuple[Layer, ...]

    def logits(self, X: Series, repetition_time: Floats) -> Floats:
        """Predict scans.

        Parameters
        ----------
        X : (n, n_regions, n_times) float32
            Region series; NaN after a scan's own end, a region that is all zero was constant.
        repetition_time : (n,) float64, s
            Of each scan.

        Returns
        -------
        (n, n_labels) float64
            Logits; each scan's follow from that scan alone.
        """
        columns = [np.asarray(each(X, repetition_time)) for each in self.features]
        table = np.concatenate(columns, axis=1).astype(np.float32).astype(np.float64)
        return run(self.layers, table)

    def to_arrays(self) -> tuple[dict[str, Array], list[dict[str, Any]]]:
        """All arrays by name, such as weights (n_in, n_out) float64, and the layout (JSON types)."""
        arrays: dict[str, Array] = {}
        layout: list[dict[str, Any]] = []
        sides: list[tuple[str, Sequence[Any]]] = [("series", self.features), ("table", self.layers)]
        for side, steps in sides:
            for step in steps:
                own, settings = to_arrays(step)
                number = len(layout)
                arrays |= {f"{number}.{name}": values for name, values in own.items()}
                layout.append({"takes": side, "kind": _NAMES[type(step)], "settings": settings})
        return arrays, layout

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array], layout: Sequence[Any]) -> Self:
        """Undo `to_arrays`.

        Raises
        ------
        BundleError
            The layout names a step that does not exist, or a step has other numbers than it needs.
        """
        found: dict[str, list[Any]] = {side: [] for side in _KNOWN}
        left = set(arrays)
        for number, entry in enumerate(layout):
            side, kind, settings = _entry(entry)
            known = _KNOWN[side]
            if kind not in known:
                raise BundleError(f"The bundle asks for a step {kind!r}. {near_match(kind, known)}")
            prefix = f"{number}."
            own = {name.removeprefix(prefix): arrays[name] for name in left if name.startswith(prefix)}
            left -= {prefix + name for name in own}
            try:
                found[side].append(from_arrays(known[kind], own, settings))
            except (TypeError, ValueError, KeyError, IndexError) as error:
                raise BundleError(f"Step {number}, {kind}, cannot be made: {error}.") from error
        if left or not found["series"] or not found["table"]:
            raise BundleError(
                f"The bundle has numbers of no step ({', '.join(sorted(left)) or 'none'}), "
                f"{len(found['series'])} features and {len(found['table'])} layers behind them; expected "
                "none, and one or more of each."
            )
        return cls(tuple(found["series"]), tuple(found["table"]))


def _entry(entry: Any) -> tuple[str, str, Mapping[str, Any]]:
    if isinstance(entry, Mapping) and set(entry) == {"takes", "kind", "settings"}:
        side, kind, settings = entry["takes"], entry["kind"], entry["settings"]
        if (
            isinstance(side, str)
            and side in _KNOWN
            and isinstance(kind, str)
            and isinstance(settings, Mapping)
        ):
            return side, kind, settings
    raise BundleError(
        f"A step of the bundle's layout is {str(entry)[:80]!r}; expected what it takes "
        f"({' or '.join(_KNOWN)}), its kind and its settings."
    )
