"""SNIRF files (1.0 and 1.1) to a `Recording`.

Read through h5py.  MNE's reader, which the tests compare with on every real file, cannot serve
here: it supposes equal steps in time, cuts wavelengths to whole nanometres, refuses total
haemoglobin, a single chromophore and units of intensity other than volts, and takes the first
data block only.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import dist
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from models.errors import RecordingError, SignalError
from offline.recordings import hdf5
from offline.recordings.checks import (
    check_distances,
    check_pairs,
    check_times,
    in_order,
    is_regular,
    length_factor,
    missing_values,
    nominal_rate,
)
from realtime.description import midpoint
from realtime.layout import standard_name, vendor_name
from realtime.remainder import restored
from realtime.signal import Channel, Floats, Kind, Position, SignalSpec
from realtime.sources.recording import Event, Recording
from realtime.units import kind_of, unit_of

CONTINUOUS_WAVE, PROCESSED = 1, 99999
"""SNIRF's codes of the data types that are signals of ours."""

TAG_CHANNELS, TAG_ORIGIN, TAG_START, TAG_NOTES = (
    "HemostreamChannels",
    "HemostreamTimeOrigin",
    "HemostreamStartUtc",
    "HemostreamNotes",
)
"""User-defined metadata tags in which our own files keep what SNIRF cannot hold."""

_TIME_UNITS: Mapping[str, float] = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "unknown": 1.0, "": 1.0}


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


def read_snirf(path: Path, *, length_unit: str | None = None) -> Recording:
    """Read a SNIRF file.

    Parameters
    ----------
    path : Path
        The file.
    length_unit : str or None
        What positions are really in, where the file's claim is wrong.

    Returns
    -------
    Recording
        The first data block of the first measurement; `notes` tell of others.

    Raises
    ------
    RecordingError
        Where the file is damaged, holds no signal of ours, or a pair lacks a wavelength.
    """
    path = Path(path)
    try:
        with h5py.File(path, "r") as file:
            return _read(file, path, length_unit)
    except RecordingError as error:
        message = str(error)
        raise RecordingError(message if str(path) in message else f"{path}: {message}") from error
    except SignalError as error:
        raise RecordingError(f"{path}: {error}") from error
    except (OSError, RuntimeError, KeyError) as error:
        # What the HDF5 library raises for a file that is cut off, damaged, or no HDF5 at all.
        raise RecordingError(
            f"{path} is damaged, cut off, or no SNIRF file: HDF5 cannot read it ({error})."
        ) from error


def first(group: h5py.Group, stem: str) -> tuple[h5py.Group, int]:
    """The first of the groups ``stem``, ``stem1``, ``stem2`` ... and how many there are."""
    groups = hdf5.numbered(group, stem)
    if not groups:
        raise RecordingError(f"There is no group '{stem}' in {group.name}; the file is no SNIRF file.")
    return groups[0], len(groups)


def standard_channels(nirs: h5py.Group, block: h5py.Group, factor: float) -> Standard:
    """Understand the measurement list and the probe.

    Parameters
    ----------
    nirs, block : h5py.Group
        A measurement, and its data block.
    factor : float
        Metres in one unit of the probe's positions.
    """
    lists = hdf5.numbered(block, "measurementList")
    if not lists:
        raise RecordingError(
            f"{block.name} has no measurementList1; a file of SNIRF 1.1 or earlier is needed to know "
            "what its columns are."
        )
    probe = hdf5.member(nirs, "probe")
    if not isinstance(probe, h5py.Group):
        raise RecordingError(f"{nirs.name} has no probe; the file is no SNIRF file.")
    wavelengths = hdf5.numbers(probe, "wavelengths").ravel()
    names = {letter: hdf5.texts(probe, f"{word}Labels") for letter, word in _OPTODES}
    places = {letter: _positions(probe, word, factor) for letter, word in _OPTODES}
    channels: list[Channel | None] = []
    scales, skipped = [], []
    taken: dict[str, Kind] = {}
    for group in lists:
        kind, what = _kind(group)
        if kind is None:
            channels.append(None)
            scales.append(1.0)
            skipped.append(what)
            continue
        unit, scale = unit_of(kind, _unit(kind, hdf5.text(group, "dataUnit")))
        source, detector = hdf5.integer(group, "sourceIndex"), hdf5.integer(group, "detectorIndex")
        wavelength = None
        if kind in (Kind.INTENSITY, Kind.OPTICAL_DENSITY):
            index = hdf5.integer(group, "wavelengthIndex")
            if not 1 <= index <= len(wavelengths):
                raise RecordingError(
                    f"{group.name} has wavelengthIndex {index}; the probe lists "
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


def _read(file: h5py.File, path: Path, length_unit: str | None) -> Recording:
    nirs, n_measurements = first(file, "nirs")
    block, n_blocks = first(nirs, "data")
    tags = hdf5.member(nirs, "metaDataTags")
    tags = tags if isinstance(tags, h5py.Group) else nirs
    declared = hdf5.text(tags, "LengthUnit", "mm")
    unit, factor = length_factor(declared, length_unit, path)
    content = standard_channels(nirs, block, factor)
    columns = [i for i, channel in enumerate(content.channels) if channel is not None]
    if not columns:
        raise RecordingError(
            f"{path} holds {', '.join(sorted(set(content.skipped)))}; expected continuous-wave intensity, "
            "optical density or haemoglobin."
        )
    raw = hdf5.numbers(block, "dataTimeSeries")
    if raw.ndim != 2 or raw.shape[1] != len(content.channels):
        raise RecordingError(
            f"{path}: dataTimeSeries has shape {raw.shape}; expected samples by the "
            f"{len(content.channels)} channels of the measurement list."
        )
    remarks: list[str] = []
    time_factor = _time_factor(tags)
    origin = _own_number(tags, TAG_ORIGIN) or 0.0
    times = _times(block, len(raw), path) * time_factor + origin
    check_times(times, path)
    spec = SignalSpec(tuple(c for c in content.channels if c is not None), nominal_rate(times))
    # By the standard fields, before our own: who corrects a unit means these.
    check_distances(spec, path, unit)
    data = np.ascontiguousarray(raw.T[columns]) * np.array([content.scales[i] for i in columns])[:, None]
    offset = hdf5.array(block, "dataOffset")
    if offset is not None and np.any(offset):
        data = data + hdf5.numbers(block, "dataOffset").ravel()[columns][:, None]
        remarks.append("dataOffset was added")
    own = hdf5.text(tags, TAG_CHANNELS)
    if own and length_unit is None:
        full = restored(own, content.channels, spec.rate)
        spec = full or spec
        if full is None:
            remarks.append("the file was changed after hemostream wrote it; read by its standard fields")
    check_pairs(spec.channels, path)
    if n_measurements > 1 or n_blocks > 1:
        remarks.append(
            f"{n_measurements} measurements and {n_blocks} data blocks in the first; "
            "only the first block of the first was read, as MNE does"
        )
    if not is_regular(times):
        steps = np.diff(times)
        remarks.append(f"steps in time are not equal: {steps.min():.4g} to {steps.max():.4g} s")
    if content.skipped:
        remarks.append(f"columns left aside: {', '.join(sorted(set(content.skipped)))}")
    events, repeated = in_order(_events(nirs, time_factor, origin))
    if repeated:
        remarks.append(f"{repeated} events stand in the file twice; each was taken once")
    start, said = _start(tags)
    if said:
        remarks.append(said)
    before = _own_notes(tags)
    told = before.get("remarks", [])
    remarks = [*(told if isinstance(told, list) else []), *remarks]
    notes: dict[str, Any] = {
        **before,
        "format": f"SNIRF {hdf5.text(file, 'formatVersion', '?')}",
        "length_unit": unit,
    }
    if remarks:
        notes["remarks"] = list(dict.fromkeys(map(str, remarks)))
    return Recording(path.stem, spec, data, times, missing_values(spec, data), events, start, notes)


def _kind(group: h5py.Group) -> tuple[Kind | None, str]:
    """What a column is, and how the file calls it."""
    code = hdf5.integer(group, "dataType")
    if code == CONTINUOUS_WAVE:
        return Kind.INTENSITY, "intensity"
    if code == PROCESSED:
        label = hdf5.text(group, "dataTypeLabel")
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


def _time_factor(tags: h5py.Group) -> float:
    unit = hdf5.text(tags, "TimeUnit")
    if unit not in _TIME_UNITS:
        raise RecordingError(f"TimeUnit is {unit!r}; expected s, ms or us.")
    return _TIME_UNITS[unit]


def _times(block: h5py.Group, n_samples: int, path: Path) -> Floats:
    """Stamps in the file's unit; SNIRF allows start and step instead."""
    times = hdf5.numbers(block, "time").ravel()
    if len(times) == n_samples:
        return times
    if len(times) == 2:
        return np.asarray(times[0] + times[1] * np.arange(n_samples), dtype=np.float64)
    raise RecordingError(f"{path}: there are {len(times)} time stamps for {n_samples} samples.")


def _events(nirs: h5py.Group, factor: float, origin: float) -> list[Event]:
    events = []
    for group in hdf5.numbered(nirs, "stim"):
        if "data" not in group:
            continue
        rows = np.atleast_2d(hdf5.numbers(group, "data"))
        label = next(iter(hdf5.texts(group, "name")), group.name.split("/")[-1])
        if rows.shape[1] < 2:
            continue  # Homer3 writes a condition without events as a single 0
        for row in rows:
            duration = float(row[1]) * factor if np.isfinite(row[1]) else 0.0
            events.append(Event(float(row[0]) * factor + origin, label, duration))
    return events


def _start(tags: h5py.Group) -> tuple[float | None, str]:
    """UTC at time 0, and what had to be supposed."""
    own = _own_number(tags, TAG_START)
    if own is not None:
        return own, ""
    day, clock = hdf5.text(tags, "MeasurementDate"), hdf5.text(tags, "MeasurementTime")
    try:
        start = datetime.fromisoformat(f"{day}T{clock}")
    except ValueError:
        silent = {day, clock} <= {"", "unknown"}
        return None, "" if silent else f"date {day!r} and time {clock!r} are not understood"
    if start.tzinfo is None:
        return start.replace(tzinfo=UTC).timestamp(), "the start has no time zone; taken for UTC"
    return start.timestamp(), ""


def _own_number(tags: h5py.Group, name: str) -> float | None:
    """A number in a tag of ours; None where there is none (any more)."""
    try:
        value = float(hdf5.text(tags, name))
    except ValueError:
        return None
    return value if np.isfinite(value) else None


def _own_notes(tags: h5py.Group) -> dict[str, Any]:
    try:
        notes = json.loads(hdf5.text(tags, TAG_NOTES) or "{}")
    except (ValueError, RecursionError):
        return {}
    return notes if isinstance(notes, dict) else {}
