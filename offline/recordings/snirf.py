"""SNIRF files (1.0 to 1.2) to a `Recording`.

Read through h5py.  MNE's reader, which the tests compare with on every real file, cannot serve
here: it supposes equal steps in time, cuts wavelengths to whole nanometres, refuses total
haemoglobin, a single chromophore and units of intensity other than volts, and takes the first
data block only.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from models.arrays import Floats
from models.errors import RecordingError
from offline.recordings import hdf5
from offline.recordings.bad_marks import without_marked
from offline.recordings.checks import (
    HAEMOGLOBIN,
    check_times,
    held_once,
    in_order,
    is_regular,
    missing_values,
    nominal_rate,
)
from offline.recordings.dates import start_of
from offline.recordings.plausible import (
    TIME_UNITS,
    check_channels,
    check_concentrations,
    check_steps,
    length_factor,
)
from offline.recordings.snirf_columns import marks_in, standard_columns
from offline.recordings.snirf_events import read_stimuli
from offline.recordings.snirf_measurements import choose
from realtime.channels.lossless import restored
from realtime.channels.text_values import is_absent
from realtime.signal import SignalSpec
from realtime.sources.recording import Recording

TAG_CHANNELS, TAG_ORIGIN, TAG_START, TAG_NOTES = (
    "HemostreamChannels",
    "HemostreamTimeOrigin",
    "HemostreamStartUtc",
    "HemostreamNotes",
)
"""User-defined metadata tags in which our own files keep what SNIRF cannot hold."""


def read_snirf(
    path: Path,
    *,
    length_unit: str | None = None,
    haemoglobin_unit: str | None = None,
    stream: str | None = None,
) -> Recording:
    """Read a SNIRF file; options as of `read_recording`.

    By default the first data block of the first measurement, and remarks on others; `stream` names another:
    ``2``, ``nirs2``, ``nirs2/data1`` or ``data2``.

    A RecordingError or SignalError where the file is damaged, holds no signal of ours, or a pair lacks a
    wavelength.
    """
    try:
        with h5py.File(path, "r") as file:
            return _read(file, path, length_unit, haemoglobin_unit, stream)
    except RecordingError as error:
        message = str(error)
        raise RecordingError(message if str(path) in message else f"{path}: {message}") from error
    except (OSError, RuntimeError, KeyError) as error:
        # What the HDF5 library raises for a file that is cut off, damaged, or no HDF5 at all.
        raise RecordingError(
            f"{path} is damaged, cut off, or no SNIRF file: HDF5 cannot read it ({error})."
        ) from error


def _read(
    file: h5py.File, path: Path, length_unit: str | None, haemoglobin_unit: str | None, stream: str | None
) -> Recording:
    nirs, block, others = choose(file, stream)
    tags = hdf5.member(nirs, "metaDataTags")
    tags = tags if isinstance(tags, h5py.Group) else nirs
    unit, factor = length_factor(hdf5.text(tags, "LengthUnit", "mm"), length_unit, path)
    standard = standard_columns(nirs, block, factor, haemoglobin_unit=haemoglobin_unit)
    n_columns, skipped = len(standard.channels), ", ".join(sorted(standard.skipped))
    columns = [i for i, channel in enumerate(standard.channels) if channel is not None]
    if not columns:
        raise RecordingError(
            f"{path} holds {skipped}; expected continuous-wave intensity, optical density or haemoglobin."
        )
    raw = hdf5.numbers(block, "dataTimeSeries")
    if raw.ndim != 2 or raw.shape[1] != n_columns:
        raise RecordingError(
            f"{path}: dataTimeSeries has shape {raw.shape}; expected samples by the "
            f"{n_columns} channels of the measurement list."
        )
    time_factor, time_unit = _time_factor(tags)
    remarks = [time_unit] if time_unit.startswith("no ") else []
    origin = _own_number(tags, TAG_ORIGIN) or 0.0
    times = _times(block, len(raw), path) * time_factor + origin
    check_times(times, path)
    if TAG_CHANNELS not in tags:  # what we wrote is in seconds
        check_steps(times, path, time_unit, time_factor)
    spec = SignalSpec(tuple(c for c in standard.channels if c is not None), nominal_rate(times))
    # By the standard fields, before our own: who corrects a unit means these.
    check_channels(spec, path, unit)
    data = np.ascontiguousarray(raw.T[columns]) * np.array([standard.scales[i] for i in columns])[:, None]
    offset = _offset(block, n_columns)
    if np.any(offset):
        data = data + offset[columns][:, None]
        remarks.append("dataOffset was added")
    declared = np.array([i not in standard.undeclared for i in columns])
    concentrations = np.array([channel.kind in HAEMOGLOBIN for channel in spec.channels])
    remarks += check_concentrations(data[~declared], data[declared & concentrations], path)
    own = hdf5.text(tags, TAG_CHANNELS)
    if own and length_unit is None and haemoglobin_unit is None:
        full = restored(own, standard.channels, spec.rate)
        spec = full or spec
        if full is None:
            remarks.append("the file was changed after hemostream wrote it; read by its standard fields")
    remarks += others
    if not is_regular(times):
        steps = np.diff(times)
        remarks.append(f"steps in time are not equal: {steps.min():.4g} to {steps.max():.4g} s")
    remarks += standard.remarks
    if skipped:
        remarks.append(f"columns ignored: {skipped}")
    remarks += _unplaced(spec)
    events, event_remarks = read_stimuli(nirs, origin)
    # What we wrote has each event once, however fast they came.
    events, held = (events, []) if own else held_once(events, times)
    ordered, repeated = in_order(events)
    start, date_remarks, local = _start(tags)
    remarks += [*event_remarks, *repeated, *held, *date_remarks]
    before = _own_notes(tags)
    earlier = before.get("remarks", [])
    version = hdf5.text(file, "formatVersion", "?")
    notes = {**local, **before, "format": f"SNIRF {version}", "length_unit": unit}
    if remarks := [*(earlier if isinstance(earlier, list) else []), *remarks]:
        notes["remarks"] = list(dict.fromkeys(map(str, remarks)))
    read = Recording(path.stem, spec, data, times, missing_values(spec, data), ordered, start, notes)
    return without_marked(read, marks_in(block, nirs, tags), columns, n_columns)


def _unplaced(spec: SignalSpec) -> list[str]:
    """A remark where some channels have a position and others have none."""
    lacking = [channel.name for channel in spec.channels if channel.position is None]
    if not lacking or len(lacking) == len(spec):
        return []
    names = f"{', '.join(lacking[:4])}{' ...' if len(lacking) > 4 else ''}"
    return [f"the probe tells no place for an optode of {len(lacking)} of {len(spec)} channels: {names}"]


def _offset(block: h5py.Group, n_columns: int) -> Floats:
    """What is to be added to each column, zero where the file says nothing."""
    found = hdf5.numbers(block, "dataOffset").ravel() if "dataOffset" in block else np.empty(0)
    if len(found) not in (0, n_columns):
        raise RecordingError(
            f"{block.name}/dataOffset has {len(found)} elements; expected {n_columns}, one for each column."
        )
    return found if len(found) else np.zeros(n_columns)


def _time_factor(tags: h5py.Group) -> tuple[float, str]:
    """Seconds in one unit of the stamps, and what the file says of that unit."""
    unit = hdf5.text(tags, "TimeUnit")
    known = TIME_UNITS.get("s" if is_absent(unit) else unit)
    if known is None:
        raise RecordingError(f"TimeUnit is {unit!r}; expected s, ms or us.")
    return known, "no TimeUnit is given, so s was taken" if is_absent(unit) else f"TimeUnit is {unit}"


def _times(block: h5py.Group, n_samples: int, path: Path) -> Floats:
    """Stamps in the file's unit; SNIRF allows start and step instead."""
    times = hdf5.numbers(block, "time").ravel()
    if len(times) == n_samples:
        return times
    if len(times) == 2:
        return np.asarray(times[0] + times[1] * np.arange(n_samples), dtype=np.float64)
    raise RecordingError(f"{path}: there are {len(times)} time stamps for {n_samples} samples.")


def _start(tags: h5py.Group) -> tuple[float | None, list[str], dict[str, Any]]:
    """UTC at time 0, a remark on why it is not known, and what to note of it."""
    own = _own_number(tags, TAG_START)
    if own is not None:
        return own, [], {}
    day, clock = hdf5.text(tags, "MeasurementDate"), hdf5.text(tags, "MeasurementTime")
    try:
        start = datetime.fromisoformat(f"{day}T{clock}")
    except ValueError:
        silent = {day, clock} <= {"", "unknown"}
        return None, [] if silent else [f"date {day!r} and time {clock!r} are not understood"], {}
    return start_of(start)


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
