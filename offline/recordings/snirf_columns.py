"""What SNIRF's own fields say of the columns of a data block.

A measurement list stands in a file as one group for each column (SNIRF 1.0, and still allowed), or as one
group whose fields are arrays with an element for each column (``measurementLists``, SNIRF 1.1 and later).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import dist
from typing import Any, Protocol

import h5py
import numpy as np

from models.errors import RecordingError
from offline.recordings import hdf5
from realtime.optodes import midpoint, standard_name, vendor_name
from realtime.signal import Channel, Kind, Position
from realtime.units import kind_of, unit_of

CONTINUOUS_WAVE, PROCESSED = 1, 99999
"""SNIRF's codes of the data types that are signals of ours."""


@dataclass(frozen=True)
class Standard:
    """What SNIRF's own fields say of the columns.

    Parameters
    ----------
    channels : list of Channel or None
        One for each column of the data; None where it is no signal of ours.
    scales : list of float
        What the columns' values are to be multiplied by to be in the channels' units.
    skipped : list of str
        What the other columns are.
    """

    channels: list[Channel | None]
    scales: list[float]
    skipped: list[str]


def standard_channels(nirs: h5py.Group, block: h5py.Group, factor: float) -> Standard:
    """Understand the measurement list and the probe.

    Parameters
    ----------
    nirs, block : h5py.Group
        A measurement, and its data block.
    factor : float
        Metres in one unit of the probe's positions.
    """
    probe = hdf5.member(nirs, "probe")
    if not isinstance(probe, h5py.Group):
        raise RecordingError(f"{nirs.name} has no probe; the file is no SNIRF file.")
    wavelengths = hdf5.numbers(probe, "wavelengths").ravel()
    names = {letter: _labels(probe, word) for letter, word in _OPTODES}
    places = {letter: _positions(probe, word, factor) for letter, word in _OPTODES}
    channels: list[Channel | None] = []
    scales, skipped = [], []
    taken: dict[str, Kind] = {}
    for column in _columns(block):
        kind, what = _kind(column)
        if kind is None:
            channels.append(None)
            scales.append(1.0)
            skipped.append(what)
            continue
        unit, scale = unit_of(kind, _unit(kind, column.text("dataUnit")))
        source, detector = column.integer("sourceIndex"), column.integer("detectorIndex")
        wavelength = None
        if kind in (Kind.INTENSITY, Kind.OPTICAL_DENSITY):
            index = column.integer("wavelengthIndex")
            if not 1 <= index <= len(wavelengths):
                raise RecordingError(
                    f"{column.name} has wavelengthIndex {index}; the probe lists "
                    f"{len(wavelengths)} wavelengths."
                )
            wavelength = float(wavelengths[index - 1])
        at, to = places["S"].get(source), places["D"].get(detector)
        called = standard_name(source, detector, kind, wavelength)
        if taken.setdefault(called, kind) is not kind:
            called = f"{called} {kind}"  # a file may hold intensity and optical density of one pair
        channels.append(
            Channel(
                name=called,
                kind=kind,
                unit=unit,
                source=source,
                detector=detector,
                source_name=_vendor(names["S"], "S", source),
                detector_name=_vendor(names["D"], "D", detector),
                wavelength=wavelength,
                distance=dist(at, to) if at and to else None,
                position=midpoint(at, to),
                source_position=at,
                detector_position=to,
            )
        )
        scales.append(scale)
    return Standard(channels, scales, skipped)


_OPTODES = (("S", "source"), ("D", "detector"))


class _Column(Protocol):
    """The fields of one column, wherever they stand."""

    name: str

    def text(self, field: str) -> str:
        """A text, empty where there is none."""

    def integer(self, field: str) -> int:
        """A whole number."""


class _OwnGroup:
    """A column that has a group of its own, ``measurementList3``."""

    def __init__(self, group: h5py.Group) -> None:
        self._group = group
        self.name = str(group.name)

    def text(self, field: str) -> str:
        return hdf5.text(self._group, field)

    def integer(self, field: str) -> int:
        return hdf5.integer(self._group, field)


class _Lists:
    """The arrays of ``measurementLists``, each read once."""

    def __init__(self, group: h5py.Group) -> None:
        self.name = str(group.name)
        self.count = len(hdf5.integers(group, "dataType"))
        self.texts = cache(lambda field: self._whole(field, hdf5.texts(group, field)))
        self.integers = cache(lambda field: self._whole(field, hdf5.integers(group, field)))

    def _whole(self, field: str, found: list[Any]) -> list[Any]:
        if len(found) not in (0, self.count):
            raise RecordingError(
                f"{self.name}/{field} has {len(found)} elements; expected {self.count}, one for each column."
            )
        return found


class _Place:
    """A column that is a place (from 0) in such arrays."""

    def __init__(self, lists: _Lists, number: int) -> None:
        self._lists, self._number = lists, number
        self.name = f"{lists.name}, column {number + 1},"

    def text(self, field: str) -> str:
        found = self._lists.texts(field)
        return str(found[self._number]).strip() if found else ""

    def integer(self, field: str) -> int:
        found = self._lists.integers(field)
        if not found:
            count = self._lists.count
            raise RecordingError(f"{self._lists.name}/{field} is empty; expected {count} numbers.")
        return int(found[self._number])


def _columns(block: h5py.Group) -> Sequence[_Column]:
    """The columns of a data block, in order."""
    if lists := hdf5.numbered(block, "measurementList"):
        return [_OwnGroup(group) for group in lists]
    compact = hdf5.member(block, "measurementLists")
    if not isinstance(compact, h5py.Group):
        raise RecordingError(
            f"{block.name} has neither measurementList1 nor measurementLists, so nobody knows what its "
            "columns are; the file is not whole, or no SNIRF file."
        )
    arrays = _Lists(compact)
    return [_Place(arrays, number) for number in range(arrays.count)]


def _labels(probe: h5py.Group, word: str) -> list[str]:
    """Labels by optode; where a source has one for each wavelength, the first."""
    found = hdf5.texts(probe, f"{word}Labels")
    shape = () if (member := hdf5.member(probe, f"{word}Labels")) is None else getattr(member, "shape", ())
    return found[:: shape[1]] if shape and len(shape) == 2 and shape[1] else found


def _kind(column: _Column) -> tuple[Kind | None, str]:
    """What a column is, and how the file calls it."""
    code = column.integer("dataType")
    if code == CONTINUOUS_WAVE:
        return Kind.INTENSITY, "intensity"
    if code == PROCESSED:
        label = column.text("dataTypeLabel")
        kind = kind_of(label)
        return (kind if kind is not Kind.BOLD else None), label or "processed data without label"
    return None, f"data type {code}"


def _unit(kind: Kind, declared: str) -> str:
    """A column's unit; where none is declared, concentrations are taken for mol/L as MNE does."""
    return "mol/L" if not declared and kind in (Kind.HBO, Kind.HBR, Kind.HBT) else declared


def _positions(probe: h5py.Group, word: str, factor: float) -> dict[int, Position]:
    """Places of the sources or detectors, metres, by their number from 1; 2-D ones get z = 0."""
    name = f"{word}Pos3D" if f"{word}Pos3D" in probe else f"{word}Pos2D"
    if name not in probe:
        return {}
    values = np.atleast_2d(hdf5.numbers(probe, name))
    if values.shape[1] == 2:
        values = np.column_stack([values, np.zeros(len(values))])
    if values.shape[1] != 3:
        raise RecordingError(f"{probe.name}/{name} has shape {values.shape}; expected optodes by 3.")
    if not np.any(values):
        return {}  # all at one place: nobody measured them
    return {
        number: (float(x), float(y), float(z))
        for number, (x, y, z) in enumerate(values * factor, start=1)
        if np.isfinite((x, y, z)).all()
    }


def _vendor(names: list[str], letter: str, number: int) -> str | None:
    if not 1 <= number <= len(names) or not names[number - 1].strip():
        return None
    return vendor_name(names[number - 1], letter, number)
