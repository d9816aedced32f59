"""What flows: `Channel`, `SignalSpec` and `Chunk`.

Units are SI as in MNE: volts, mol/L, metres, seconds, hertz.  Only wavelengths are nanometres,
as everyone writes them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from functools import cached_property
from typing import Any, Self

import numpy as np

from models.arrays import Bools, Floats
from models.decode import decode
from models.errors import SignalError

Position = tuple[float, float, float]


class Kind(StrEnum):
    """What a channel measures."""

    INTENSITY = "intensity"
    OPTICAL_DENSITY = "optical_density"
    HBO = "hbo"
    HBR = "hbr"
    HBT = "hbt"
    BOLD = "bold"
    TRANSLATION = "head_translation"
    ROTATION = "head_rotation"
    DISPLACEMENT = "framewise_displacement"
    PHYSIOLOGY = "physiology"


CONFOUNDS = frozenset({Kind.TRANSLATION, Kind.ROTATION, Kind.DISPLACEMENT, Kind.PHYSIOLOGY})
"""What travels beside a signal: how the head moved, pulse and respiration.

Stages may regress it out and quality may ask for it; no pipeline gives it to a classifier.
"""
MOTION_NAMES = (
    "motion_x",
    "motion_y",
    "motion_z",
    "rotation_x",
    "rotation_y",
    "rotation_z",
    "framewise_displacement",
)
"""What the channels of head motion are called, in their order."""


UNITS: Mapping[Kind, tuple[str, ...]] = {
    Kind.INTENSITY: ("V", "a.u."),
    Kind.OPTICAL_DENSITY: ("1",),
    Kind.HBO: ("mol/L",),
    Kind.HBR: ("mol/L",),
    Kind.HBT: ("mol/L",),
    # Percent signal change where the series has a baseline, arbitrary units where it has none.
    Kind.BOLD: ("percent", "a.u."),
    Kind.TRANSLATION: ("m",),
    Kind.ROTATION: ("rad",),
    Kind.DISPLACEMENT: ("m",),
    Kind.PHYSIOLOGY: ("a.u.",),
}
"""The units a channel of each kind may have; the first is the usual one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One channel of a signal.

    Parameters
    ----------
    name : str
        Unique within its signal.
    kind : Kind
        What is measured.
    unit : str
        One of ``UNITS[kind]``.
    source, detector : int or None
        Our own numbers of the optodes, from 1.
    source_name, detector_name : str or None
        What the vendor calls the same optodes.
    wavelength : float or None
        Nanometres, of the light that was really sent where that is known; None for chromophores and BOLD.
    nominal_wavelength : float or None
        Nanometres by which the light is called, where that is known to be another number.
    distance : float or None
        Source to detector, metres.
    position, source_position, detector_position : tuple of 3 floats or None
        Metres, in the head frame of the recording: the channel's midpoint (or the region's
        centroid) and its optodes.
    mirror_source, mirror_detector : int or None
        Of a difference of homologous channels (`realtime.stages.homologues`): the optodes of the one that was
        subtracted.
    """

    name: str
    kind: Kind
    unit: str
    source: int | None = None
    detector: int | None = None
    source_name: str | None = None
    detector_name: str | None = None
    wavelength: float | None = None
    nominal_wavelength: float | None = None
    distance: float | None = None
    position: Position | None = None
    source_position: Position | None = None
    detector_position: Position | None = None
    mirror_source: int | None = None
    mirror_detector: int | None = None

    def __post_init__(self) -> None:
        if self.unit not in UNITS[self.kind]:
            raise SignalError(
                f"Channel {self.name!r} of kind {self.kind} has unit {self.unit!r}; "
                f"expected {' or '.join(UNITS[self.kind])}."
            )

    @property
    def pair(self) -> tuple[int | None, int | None]:
        """Source and detector numbers: what the wavelengths of one place share."""
        return self.source, self.detector

    @property
    def mirror_pair(self) -> tuple[int | None, int | None]:
        """`pair` of the homologous channel that was subtracted."""
        return self.mirror_source, self.mirror_detector

    @property
    def colour(self) -> float | None:
        """Wavelength (nm) by which the light is called: what one colour of all sources shares."""
        return self.wavelength if self.nominal_wavelength is None else self.nominal_wavelength

    def to_json(self) -> dict[str, Any]:
        """Everything that is known of the channel, as JSON types; what is None is left out."""
        out: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None:
                out[field.name] = list(value) if isinstance(value, tuple) else value
        return out

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Undo `to_json`.

        Raises
        ------
        SignalError
            It is no channel.
        """
        return decode(cls, values, error=SignalError, what="Channel")


def motion_channels() -> tuple[Channel, ...]:
    """The seven channels of head motion: translations (m), rotations (rad), framewise displacement (m)."""
    kinds = (*[Kind.TRANSLATION] * 3, *[Kind.ROTATION] * 3, Kind.DISPLACEMENT)
    return tuple(
        Channel(name=name, kind=kind, unit=UNITS[kind][0])
        for name, kind in zip(MOTION_NAMES, kinds, strict=True)
    )


@dataclass(frozen=True)
class SignalSpec:
    """The channels of a signal, in order, and its nominal rate.

    Parameters
    ----------
    channels : tuple of Channel
        In the order of the rows of `Chunk.data`.
    rate : float
        Nominal samples a second (Hz), 0 where none is declared.  A nominal rate is a claim: time
        is read from stamps.
    """

    channels: tuple[Channel, ...]
    rate: float

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for channel in self.channels:
            if channel.name in seen:
                raise SignalError(f"Two channels are called {channel.name!r}; names must be unique.")
            seen.add(channel.name)
        if not (np.isfinite(self.rate) and self.rate >= 0):
            raise SignalError(
                f"Rate is {self.rate!r} Hz; expected a finite number, 0 where none is declared."
            )

    def __len__(self) -> int:
        return len(self.channels)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Channel names, in order."""
        return tuple(channel.name for channel in self.channels)

    @cached_property
    def kinds(self) -> tuple[Kind, ...]:
        """Kinds that occur, in order of first appearance."""
        return tuple(dict.fromkeys(channel.kind for channel in self.channels))

    @cached_property
    def signal_kinds(self) -> tuple[Kind, ...]:
        """`kinds` without those of `CONFOUNDS`."""
        return tuple(kind for kind in self.kinds if kind not in CONFOUNDS)

    def pick(self, indices: Iterable[int]) -> "SignalSpec":
        """The same signal with only these channels, in this order."""
        return replace(self, channels=tuple(self.channels[i] for i in indices))

    def with_rate(self, rate: float) -> "SignalSpec":
        """The same channels at another rate (Hz)."""
        return replace(self, rate=rate)

    def to_json(self) -> dict[str, Any]:
        """As JSON types, losslessly."""
        return {"rate": self.rate, "channels": [channel.to_json() for channel in self.channels]}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Undo `to_json`.

        Raises
        ------
        SignalError
            It is no signal.
        """
        return decode(cls, values, error=SignalError, what="Signal")


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """A stretch of a signal.

    Parameters
    ----------
    spec : SignalSpec
        What the rows are.
    data : (n_channels, n_samples) float64
        Values in each channel's unit.  Where `missing`, the value means nothing and is finite
        or NaN as the producer pleases.
    times : (n_samples,) float64
        Seconds, all on one clock, increasing.
    missing : (n_channels, n_samples) bool
        True where nothing (usable) was measured.
    """

    spec: SignalSpec
    data: Floats
    times: Floats
    missing: Bools

    def __post_init__(self) -> None:
        expected = (len(self.spec), len(self.times))
        if self.data.shape != expected or self.missing.shape != expected:
            raise SignalError(
                f"Chunk has data {self.data.shape} and missing {self.missing.shape}; expected both "
                f"{expected}: channels of the spec by number of times."
            )

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        return len(self.times)

    @classmethod
    def empty(cls, spec: SignalSpec) -> "Chunk":
        """No samples."""
        n = len(spec)
        return cls(spec, np.empty((n, 0)), np.empty(0), np.empty((n, 0), dtype=bool))

    def between(self, start: int, stop: int) -> "Chunk":
        """Samples ``start`` to ``stop`` (exclusive), as views."""
        return Chunk(self.spec, self.data[:, start:stop], self.times[start:stop], self.missing[:, start:stop])

    @staticmethod
    def concatenate(chunks: Sequence["Chunk"]) -> "Chunk":
        """Join chunks of one spec, in order."""
        if len(chunks) == 1:
            return chunks[0]
        return Chunk(
            chunks[0].spec,
            np.concatenate([chunk.data for chunk in chunks], axis=1),
            np.concatenate([chunk.times for chunk in chunks]),
            np.concatenate([chunk.missing for chunk in chunks], axis=1),
        )
