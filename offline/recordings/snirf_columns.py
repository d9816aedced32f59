"""What SNIRF's own fields say of the columns of a data block.

A measurement list stands in a file as one group for each column (SNIRF 1.0, and still allowed), or as one
group whose fields are arrays with an element for each column (``measurementLists``, SNIRF 1.1 and later).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from models.errors import RecordingError
from offline.recordings import hdf5
from offline.recordings.bad_marks import CHANNELS, SAMPLES
from offline.recordings.checks import HAEMOGLOBIN, LIGHT
from offline.recordings.snirf_probe import read_optodes
from realtime.channels.optodes import between, standard_name
from realtime.channels.text_values import is_absent
from realtime.channels.units import kind_of, unit_of
from realtime.channels.wavelengths import FARTHEST_NM
from realtime.signal import Channel, Kind

CONTINUOUS_WAVE, PROCESSED = 1, 99999
"""SNIRF's codes of the data types that are signals of ours."""


@dataclass
class StandardColumns:
    """What SNIRF's own fields say of the columns: of each its channel, None where it is no signal of ours.

    Values times ``scales`` are in the channels' units; ``skipped`` is what the other columns are; columns
    that are ``undeclared`` are concentrations whose unit is not stated, taken for mol/L.
    """

    channels: list[Channel | None] = field(default_factory=list)
    scales: list[float] = field(default_factory=list)
    skipped: set[str] = field(default_factory=set)
    undeclared: set[int] = field(default_factory=set)
    remarks: list[str] = field(default_factory=list)


def standard_columns(
    nirs: h5py.Group, block: h5py.Group, factor: float, *, haemoglobin_unit: str | None = None
) -> StandardColumns:
    """Understand the measurement list and the probe of a measurement and its data block.

    `factor` are the metres in one unit of the probe's positions, `haemoglobin_unit` is what concentrations
    are really in, where the file does not say so, or wrongly.
    """
    probe = hdf5.member(nirs, "probe")
    if not isinstance(probe, h5py.Group):
        raise RecordingError(f"{nirs.name} has no probe; the file is no SNIRF file.")
    wavelengths = hdf5.numbers(probe, "wavelengths").ravel().tolist()
    sources, detectors = read_optodes(probe, factor)
    out = StandardColumns(remarks=[side.remark for side in (sources, detectors) if side.remark])
    taken: dict[str, Kind] = {}
    for column in _columns(block):
        kind, called = _kind(column)
        if kind is None:
            out.channels.append(None)
            out.scales.append(1.0)
            out.skipped.add(called)
            continue
        stated = column.text("dataUnit")
        if kind in HAEMOGLOBIN:
            stated = haemoglobin_unit or stated
            if is_absent(stated):
                out.undeclared.add(len(out.channels))
                stated = "mol/L"  # as MNE does
        unit, scale = unit_of(kind, stated)
        at, to = _row(column, "sourceIndex"), _row(column, "detectorIndex")
        source, detector = sources.number(at), detectors.number(to)
        nominal, sent = _wavelengths(column, wavelengths) if kind in LIGHT else (None, None)
        name = standard_name(source, detector, kind, nominal)
        if taken.setdefault(name, kind) is not kind:
            name = f"{name} {kind}"  # a file may hold intensity and optical density of one pair
        channel = Channel(
            name=name,
            kind=kind,
            unit=unit,
            source=source,
            detector=detector,
            source_name=sources.name(at),
            detector_name=detectors.name(to),
            wavelength=sent,
            nominal_wavelength=None if nominal == sent else nominal,
        )
        out.channels.append(between(channel, sources.positions.get(at), detectors.positions.get(to)))
        out.scales.append(scale)
    return out


def marks_in(block: h5py.Group, nirs: h5py.Group, tags: h5py.Group) -> dict[str, npt.NDArray[Any]]:
    """Flags of channels and samples (`offline.recordings.bad_marks`) by name, of any group: (n,) array."""
    found: dict[str, npt.NDArray[Any]] = {}
    probe = hdf5.member(nirs, "probe")
    for group in (block, hdf5.member(block, "measurementLists"), probe, nirs, tags):
        for name in group if isinstance(group, h5py.Group) else ():
            if isinstance(name, str) and name.lower() in CHANNELS | SAMPLES:
                values = hdf5.array(group, name)
                if values is not None:
                    found.setdefault(name, values)
    return found


@dataclass(frozen=True)
class _Column:
    """The fields of one column by their name, wherever they stand: '' and None where there is none."""

    name: str
    text: Callable[[str], str]
    integer: Callable[[str], int]
    number: Callable[[str], float | None]


def _columns(block: h5py.Group) -> Sequence[_Column]:
    """The columns of a data block, in order."""
    if lists := hdf5.numbered(block, "measurementList"):
        return list(map(_in_own_group, lists))
    arrays = hdf5.member(block, "measurementLists")
    if not isinstance(arrays, h5py.Group):
        raise RecordingError(
            f"{block.name} has neither measurementList1 nor measurementLists, so it is unknown what its "
            "columns are; the file is not whole, or no SNIRF file."
        )
    return _in_arrays(arrays)


def _in_own_group(group: h5py.Group) -> _Column:
    return _Column(
        str(group.name),
        lambda field: hdf5.text(group, field),
        lambda field: hdf5.integer(group, field),
        lambda field: next(iter(_numbers(group, field)), None),
    )


def _in_arrays(group: h5py.Group) -> list[_Column]:
    """The columns of ``measurementLists``, whose arrays are read once each."""
    count = len(hdf5.integers(group, "dataType"))

    @cache
    def whole(read: Callable[[h5py.Group, str], list[Any]], field: str) -> list[Any]:
        found = read(group, field)
        if len(found) not in (0, count):
            raise RecordingError(
                f"{group.name}/{field} has {len(found)} elements; expected {count}, one for each column."
            )
        return found

    def column(place: int) -> _Column:
        def integer(field: str) -> int:
            if found := whole(hdf5.integers, field):
                return int(found[place])
            raise RecordingError(f"{group.name}/{field} is empty; expected {count} numbers.")

        def number(field: str) -> float | None:
            found = whole(_numbers, field)
            return float(found[place]) if found else None

        def text(field: str) -> str:
            found = whole(hdf5.texts, field)
            return str(found[place]).strip() if found else ""

        return _Column(f"{group.name}, column {place + 1},", text, integer, number)

    return [column(place) for place in range(count)]


def _numbers(group: h5py.Group, field: str) -> list[float]:
    """The numbers of a field, none where it is not there."""
    return hdf5.numbers(group, field).ravel().tolist() if field in group else []


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


def _wavelengths(column: _Column, wavelengths: Sequence[float]) -> tuple[float, float]:
    """The wavelength (nm) that is nominal, and the one that was really sent where the column tells it."""
    index = column.integer("wavelengthIndex")
    if not 1 <= index <= len(wavelengths):
        raise RecordingError(
            f"{column.name} has wavelengthIndex {index}; the probe lists {len(wavelengths)} wavelengths."
        )
    nominal = wavelengths[index - 1]
    actual = column.number("wavelengthActual")
    if actual is None or not np.isfinite(actual) or actual == 0:
        return nominal, nominal  # writers fill the field with 0 or NaN where they do not know
    if abs(actual - nominal) > FARTHEST_NM:
        raise RecordingError(
            f"{column.name} has wavelengthActual {actual:g} nm, where {nominal:g} nm is its nominal "
            f"wavelength; expected at most {FARTHEST_NM:g} nm between them. Correct the one that is wrong."
        )
    return nominal, actual
