"""A whole system: from a scan's region series to a logit for each label, with numpy alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from models.arrays import Floats
from models.errors import BundleError, near_match
from models.parts.base import Array, Part, SeriesPart, from_arrays, to_arrays
from models.parts.packing import run
from models.parts.registry import SERIES_PARTS, TABLE_PARTS
from models.parts.series import Series

SIDES = ("series", "table")
"""What a part of the layout takes: region series, or what stands before it."""


@dataclass(frozen=True, eq=False)
class System:
    """Features side by side, then parts one after the other.

    Features are rounded to float32 before anything else sees them, because that is how tables are kept
    that systems are fitted to: so a bundle says what the study said, to the last digits.

    Parameters
    ----------
    features : tuple of SeriesPart
        One or more.
    parts : tuple of Part
        The last gives a logit for each label.
    """

    features: tuple[SeriesPart, ...]
    parts: tuple[Part, ...]

    def logits(self, X: Series, repetition_time: Floats) -> Floats:
        """What the system says of scans.

        Parameters
        ----------
        X : (n, n_regions, n_times) float32
            Region series; no numbers after a scan's own end, a region that is all zero was constant.
        repetition_time : (n,) float64, s
            Of each scan.

        Returns
        -------
        (n, n_labels) float64
            Logits; each scan's follow from that scan alone.
        """
        columns = [np.asarray(each(X, repetition_time)) for each in self.features]
        table = np.concatenate(columns, axis=1).astype(np.float32).astype(np.float64)
        return run(self.parts, table)

    def to_arrays(self) -> tuple[dict[str, Array], list[dict[str, Any]]]:
        """All arrays by name, such as weights (n_in, n_out) float64, and the layout (JSON types) of parts."""
        arrays: dict[str, Array] = {}
        layout: list[dict[str, Any]] = []
        sides: list[tuple[str, Sequence[Any]]] = [("series", self.features), ("table", self.parts)]
        for side, parts in sides:
            for part in parts:
                own, settings = to_arrays(part)
                number = len(layout)
                arrays |= {f"{number}.{name}": values for name, values in own.items()}
                layout.append({"takes": side, "kind": type(part).__name__, "settings": settings})
        return arrays, layout

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array], layout: Sequence[Any]) -> Self:
        """Undo `to_arrays`.

        Raises
        ------
        BundleError
            The layout names a part that there is not, or a part has other numbers than it needs.
        """
        found: dict[str, list[Any]] = {side: [] for side in SIDES}
        left = set(arrays)
        for number, entry in enumerate(layout):
            side, kind, settings = _entry(entry)
            known = SERIES_PARTS if side == "series" else TABLE_PARTS
            if kind not in known:
                raise BundleError(f"The bundle asks for a part {kind!r}. {near_match(kind, known)}")
            prefix = f"{number}."
            own = {name.removeprefix(prefix): arrays[name] for name in left if name.startswith(prefix)}
            left -= {prefix + name for name in own}
            try:
                found[side].append(from_arrays(known[kind], own, settings))
            except (TypeError, ValueError, KeyError, IndexError) as error:
                raise BundleError(f"Part {number}, {kind}, cannot be made: {error}.") from error
        if left or not found["series"] or not found["table"]:
            raise BundleError(
                f"The bundle has numbers of no part ({', '.join(sorted(left)) or 'none'}), "
                f"{len(found['series'])} features and {len(found['table'])} parts behind them; expected "
                "none, and one or more of each."
            )
        return cls(tuple(found["series"]), tuple(found["table"]))


def _entry(entry: Any) -> tuple[str, str, Mapping[str, Any]]:
    if isinstance(entry, Mapping) and set(entry) == {"takes", "kind", "settings"}:
        side, kind, settings = entry["takes"], entry["kind"], entry["settings"]
        if side in SIDES and isinstance(kind, str) and isinstance(settings, Mapping):
            return side, kind, settings
    raise BundleError(
        f"A part of the bundle's layout is {str(entry)[:80]!r}; expected what it takes "
        f"({' or '.join(SIDES)}), its kind and its settings."
    )
