"""Which rows of a stream are haemodynamic channels."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from models.errors import SignalError, StreamError
from realtime.signal import SignalSpec


@dataclass(frozen=True, slots=True)
class StreamLayout:
    """How the rows of a stream become the channels of a signal.

    Parameters
    ----------
    spec : SignalSpec
        The haemodynamic channels, in SI units.
    rows : tuple of int
        For each channel of `spec` its row in the stream, from 0.  Other rows are auxiliary.
    scales : tuple of float
        For each channel what its values are to be multiplied by to be in the spec's unit (a
        stream in umol/L has 1e-6); empty where all are 1.
    device : str
        Name of the vendor's layout; empty for what describes itself or has a side file.
    frame_row : int or None
        Row that counts the device's frames.
    """

    spec: SignalSpec
    rows: tuple[int, ...]
    scales: tuple[float, ...] = ()
    device: str = ""
    frame_row: int | None = None

    def __post_init__(self) -> None:
        if len(self.rows) != len(self.spec) or len(self.scales) not in (0, len(self.spec)):
            raise SignalError(
                f"A layout has {len(self.spec)} channels, {len(self.rows)} rows and {len(self.scales)} "
                "scales; expected one row (and one scale or none at all) for each channel."
            )

    def take(self, data: npt.NDArray[Any]) -> Floats:
        """The signal's channels out of what a stream sends.

        Parameters
        ----------
        data : (n_rows, n_samples) array
            All rows of the stream, in its own units.

        Returns
        -------
        (n_channels, n_samples) float64
            The channels of `spec`, each in its unit.

        Raises
        ------
        StreamError
            Where the stream has fewer rows than the layout speaks of.
        """
        if self.rows and max(self.rows) >= len(data):
            raise StreamError(
                f"The layout names row {max(self.rows)} (from 0) but the stream has {len(data)} rows; "
                "this layout belongs to another device or setting."
            )
        out: Floats = np.asarray(data)[list(self.rows)].astype(np.float64)
        if self.scales:
            out *= np.array(self.scales)[:, None]
        return out

    def to_json(self) -> dict[str, Any]:
        """As JSON types, losslessly."""
        return {
            "spec": self.spec.to_json(),
            "rows": list(self.rows),
            "scales": list(self.scales),
            "device": self.device,
            "frame_row": self.frame_row,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Undo `to_json`."""
        spec = SignalSpec.from_json(values["spec"])
        return cls(
            spec,
            tuple(values["rows"]),
            tuple(values["scales"]),
            values.get("device", ""),
            values.get("frame_row"),
        )
