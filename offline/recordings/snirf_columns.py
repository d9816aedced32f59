"""What SNIRF's own fields say of the columns of a data block.

A measurement list stands in a file as one group for each column (SNIRF 1.0, and still allowed), or as one
group whose fields are arrays with an element for each column (``measurementLists``, SNIRF 1.1 and later).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from math import dist
from typing import Any, Protocol

import h5py
import numpy as np
import numpy.typing as npt

from models.errors import RecordingError
from offline.recordings import hdf5
from offline.recordings.bad_marks import CHANNELS, SAMPLES
from offline.recordings.snirf_probe import names, positions
from realtime.channels.optodes import midpoint, standard_name
from realtime.channels.text_values import is_absent
from realtime.channels.units import kind_of, unit_of
from realtime.channels.wavelengths import FARTHEST_NM
from realtime.signal import Channel, Kind

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
    remarks : list of str
        What is odd about them.
    unsaid : frozenset of int
        Columns of concentrations whose unit is not stated: they are taken for mol/L.
    """

    channels: list[Channel | None]
    scales: list[float]
    skipped: list[str]
    remarks: list[str] = field(default_factory=list)
    unsaid: frozenset[int] = frozenset()

    def is_concentration(self, column: int) -> bool:
        """Whether a column is a concentration, of a stated unit."""
        channel = self.channels[column]
        return channel is not None and channel.kind in _HAEMOGLOBIN and column not in self.unsaid


def standard_channels(
    nirs: h5py.Group, block: h5py.Group, factor: float, *, haemoglobin_unit: str | None = None
) -> Standard:
    """Understand the measurement list and the probe.

    Parameters
    ----------
    nirs, block : h5py.Group
        A measurement, and its data block.
    factor : float
        Metres in one unit of the probe's positions.
    haemoglobin_unit : str or None
        What concentrations are really in, where the file does not say so, or wrongly.
    """
    probe = hdf5.member(nirs, "probe")
    if not isinstance(probe, h5py.Group):
        raise RecordingError(f"{nirs.name} has no probe; the file is no SNIRF file.")
    wavelengths = hdf5.numbers(probe, "wavelengths").ravel()
    places = positions(probe, factor)
    optodes = names(probe, {letter: len(side) for letter, side in places.items()})
    channels: list[Channel | None] = []
    scales, skipped = [], []
    unsaid: set[int] = set()
    taken: dict[str, Kind] = {}
    for column in _columns(block):
        kind, what = _kind(column)
        if kind is None:
            channels.append(None)
            scales.append(1.0)
            skipped.append(what)
            continue
        stated = column.text("dataUnit")
        if kind in _HAEMOGLOBIN:
            stated = haemoglobin_unit or stated
            if is_absent(stated):
                unsaid.add(len(channels))
                stated = "mol/L"  # as MNE does
        unit, scale = unit_of(kind, stated)
        rows = _row(column, "sourceIndex"), _row(column, "detectorIndex")
        source, detector = optodes["S"].number(rows[0]), optodes["D"].number(rows[1])
        wavelength = nominal = None
        if kind in (Kind.INTENSITY, Kind.OPTICAL_DENSITY):
            index = column.integer("wavelengthIndex")
            if not 1 <= index <= len(wavelengths):
                raise RecordingError(
                    f"{column.name} has wavelengthIndex {index}; the probe lists "
                    f"{len(wavelengths)} wavelengths."
                )
            nominal = float(wavelengths[index - 1])
            wavelength = _actual(column, nominal)
        at, to = places["S"].get(rows[0]), places["D"].get(rows[1])
        called = standard_name(source, detector, kind, nominal)
        if taken.setdefault(called, kind) is not kind:
            called = f"{called} {kind}"  # a file may hold intensity and optical density of one pair
        channels.append(
            Channel(
                name=called,
                kind=kind,
                unit=unit,
                source=source,
                detector=detector,
                source_name=optodes["S"].name(rows[0]),
                detector_name=optodes["D"].name(rows[1]),
                wavelength=wavelength,
                nominal_wavelength=None if nominal == wavelength else nominal,
                distance=dist(at, to) if at and to else None,
                position=midpoint(at, to),
                source_position=at,
                detector_position=to,
            )
        )
        scales.append(scale)
    remarks = [remark for side in optodes.values() for remark in side.remarks]
    return Standard(channels, scales, skipped, remarks, frozenset(unsaid))


_HAEMOGLOBIN = (Kind.HBO, Kind.HBR, Kind.HBT)


def marks_in(block: h5py.Group, nirs: h5py.Group, tags: h5py.Group) -> dict[str, npt.NDArray[Any]]:
    """Flags of channels and samples (`offline.recordings.bad_marks`), by name, wherever they stand.

    Returns
    -------
    dict of str to (n_columns,) or (n_samples,) array
        As the file has them, in whatever shape.
    """
    found: dict[str, npt.NDArray[Any]] = {}
    probe = hdf5.member(nirs, "probe")
    for group in (block, hdf5.member(block, "measurementLists"), probe, nirs, tags):
        for name in group if isinstance(group, h5py.Group) else ():
            if isinstance(name, str) and name.lower() in CHANNELS | SAMPLES:
                values = hdf5.array(group, name)
                if values is not None:
                    found.setdefault(name, values)
    return found


class _Column(Protocol):
    """The fields of one column, wherever they stand."""

    name: str

    def text(self, field: str) -> str:
        """A text, empty where there is none."""

    def integer(self, field: str) -> int:
        """A whole number."""

    def number(self, field: str) -> float | None:
        """A number, None where there is none."""


class _OwnGroup:
    """A column that has a group of its own, ``measurementList3``."""

    def __init__(self, group: h5py.Group) -> None:
        self._group = group
        self.name = str(group.name)

    def text(self, field: str) -> str:
        return hdf5.text(self._group, field)

    def integer(self, field: str) -> int:
        return hdf5.integer(self._group, field)

    def number(self, field: str) -> float | None:
        found = hdf5.numbers(self._group, field).ravel() if field in self._group else np.empty(0)
        return float(found[0]) if len(found) else None


class _Lists:
    """The arrays of ``measurementLists``, each read once."""

    def __init__(self, group: h5py.Group) -> None:
        self.name = str(group.name)
        self.count = len(hdf5.integers(group, "dataType"))
        self.texts = cache(lambda field: self._whole(field, hdf5.texts(group, field)))
        self.integers = cache(lambda field: self._whole(field, hdf5.integers(group, field)))
        self.numbers = cache(
            lambda field: self._whole(
                field, hdf5.numbers(group, field).ravel().tolist() if field in group else []
            )
        )

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

    def number(self, field: str) -> float | None:
        found = self._lists.numbers(field)
        return float(found[self._number]) if found else None


def _columns(block: h5py.Group) -> Sequence[_Column]:
    """The columns of a data block, in order."""
    if lists := hdf5.numbered(block, "measurementList"):
        return [_OwnGroup(group) for group in lists]
    compact = hdf5.member(block, "measurementLists")
    if not isinstance(compact, h5py.Group):
        raise RecordingError(
            f"{block.name} has neither measurementList1 nor measurementLists, so it is unknown what its "
            "columns are; the file is not whole, or no SNIRF file."
        )
    arrays = _Lists(compact)
    return [_Place(arrays, number) for number in range(arrays.count)]


def _row(column: _Column, field: str) -> int:
    """Which row of the probe a column names, from 1."""
    if (row := column.integer(field)) < 1:
        raise RecordingError(
            f"{column.name} has {field} {row}; expected 1 or more: SNIRF counts rows of the probe from 1; "
            "counted from 0, every optode would get the place and the name of the one behind it."
        )
    return row


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


def _actual(column: _Column, nominal: float) -> float:
    """The wavelength (nm) that was really sent where the column tells it, else the nominal one."""
    actual = column.number("wavelengthActual")
    if actual is None or not np.isfinite(actual) or actual == 0:
        return nominal  # writers fill the field with 0 or NaN where they do not know
    if abs(actual - nominal) > FARTHEST_NM:
        raise RecordingError(
            f"{column.name} has wavelengthActual {actual:g} nm, where {nominal:g} nm is its nominal "
            f"wavelength; expected at most {FARTHEST_NM:g} nm between them. Correct the one that is wrong."
        )
    return actual
