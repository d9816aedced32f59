"""A `Recording` as SNIRF 1.1, with its true times.

Written through h5py: mne_nirs writes times that it computes from a rate, takes neither total
haemoglobin nor mixed kinds, numbers optodes anew, and cuts the start to whole seconds.  What
SNIRF cannot hold goes into user-defined metadata tags, which other programs leave alone.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import h5py
import numpy as np

from models.arrays import Floats
from models.errors import RecordingError
from models.files.write_atomic import atomic_path
from offline.recordings.checks import LIGHT
from offline.recordings.snirf import TAG_CHANNELS, TAG_NOTES, TAG_ORIGIN, TAG_START
from offline.recordings.snirf_columns import CONTINUOUS_WAVE, PROCESSED, standard_columns
from realtime.channels.lossless import lossless_extension
from realtime.channels.wavelengths import FARTHEST_NM
from realtime.signal import CONFOUNDS, Channel, Kind
from realtime.sources.recording import Event, Recording

_LABELS: Mapping[Kind, str] = {
    Kind.OPTICAL_DENSITY: "dOD",
    Kind.HBO: "HbO",
    Kind.HBR: "HbR",
    Kind.HBT: "HbT",
}
_MOST_OPTODES = 9999


def write_snirf(recording: Recording, path: Path) -> Path:
    """Write one recording as one file; the file appears whole or not at all.

    Missing cells are written as NaN.  MNE reads the file if all channels are intensities, all
    optical densities, or HbO and HbR of the same pairs; and it supposes equal steps in time (see
    `write_segments`).

    Returns
    -------
    Path
        The same.

    Raises
    ------
    RecordingError
        Where the recording has no samples or channels that SNIRF has no place for (such without numbers of
        source and detector), or the file cannot be written.
    """
    _check(recording, path)
    try:
        with atomic_path(path) as part, h5py.File(part, "x") as file:
            _write(file, recording)
    except OSError as error:
        # HDF5's own words are long and tell names that no one gave.
        why = os.strerror(error.errno) if error.errno else error
        raise RecordingError(f"{path} cannot be written: {why}.") from error
    return path


def write_segments(recording: Recording, path: Path) -> tuple[Path, ...]:
    """Write one file for each contiguous stretch (`segments`).

    Several stretches go into ``name_001.snirf``, ``name_002.snirf`` ... next to the path.
    """
    parts = segments(recording)
    paths = [path.with_name(f"{path.stem}_{number:03d}{path.suffix}") for number in range(1, len(parts) + 1)]
    if len(parts) == 1:
        paths = [path]
    written: list[Path] = []
    try:
        for part, each in zip(parts, paths, strict=True):
            written.append(write_snirf(part, each))
    except BaseException:  # some stretches of a recording would pass for all
        for each in written:
            each.unlink(missing_ok=True)
        raise
    return tuple(written)


def segments(recording: Recording, max_gap_s: float | None = None) -> list[Recording]:
    """Cut a recording at gaps (of `max_gap_s`, or 2.5 typical steps), and where time runs backwards.

    There is one stretch at least; times stay as they are.  An event belongs to the last stretch that has
    begun at its onset, so none is lost.
    """
    steps = np.diff(recording.times)
    if max_gap_s is None:
        ahead = steps[steps > 0]
        max_gap_s = 2.5 * float(np.median(ahead)) if len(ahead) else np.inf
    cuts = np.flatnonzero((steps > max_gap_s) | (steps < 0)) + 1
    bounds = [0, *cuts.tolist(), len(recording.times)]
    if len(bounds) == 2:
        return [recording]
    starts = [float(recording.times[begin]) for begin in bounds[:-1]]
    stretches = []
    for event in recording.events:
        begun = [i for i, start in enumerate(starts) if start <= event.onset]
        stretches.append(max(begun, key=lambda i: starts[i], default=0))
    return [
        replace(
            recording,
            name=f"{recording.name}_{number + 1:03d}",
            data=recording.data[:, begin:end],
            times=recording.times[begin:end],
            missing=recording.missing[:, begin:end],
            events=tuple(
                event for event, own in zip(recording.events, stretches, strict=True) if own == number
            ),
        )
        for number, (begin, end) in enumerate(pairwise(bounds))
    ]


def _check(recording: Recording, path: Path) -> None:
    if not len(recording.times) or not len(recording.spec):
        raise RecordingError(f"{recording.name!r} holds nothing that could be written to {path}.")
    for channel in recording.spec.channels:
        if channel.kind is Kind.BOLD or channel.kind in CONFOUNDS:
            raise RecordingError(
                f"Channel {channel.name!r} is of kind {channel.kind}; SNIRF has no place for it. Keep the "
                "journal."
            )
        for what, number in (("source", channel.source), ("detector", channel.detector)):
            if number is None or not 1 <= number <= _MOST_OPTODES:
                raise RecordingError(
                    f"Channel {channel.name!r} has {what} {number}; SNIRF needs a number from 1 to "
                    f"{_MOST_OPTODES}."
                )
        if channel.kind in LIGHT and channel.wavelength is None:
            raise RecordingError(f"Channel {channel.name!r} has no wavelength; SNIRF needs one.")


def _write(file: h5py.File, recording: Recording) -> None:
    spec = recording.spec
    file["formatVersion"] = "1.1"
    nirs = file.create_group("nirs")
    block = nirs.create_group("data1")
    origin = _origin(recording.times)
    block["time"] = recording.times - origin
    block["dataTimeSeries"] = np.where(recording.missing, np.nan, recording.data).T
    wavelengths = sorted({c.colour for c in spec.channels if c.kind in LIGHT and c.colour is not None})
    for number, channel in enumerate(spec.channels, start=1):
        _write_channel(block.create_group(f"measurementList{number}"), channel, wavelengths)
    probe = nirs.create_group("probe")
    # Haemoglobin no longer knows its wavelengths; SNIRF wants some and MNE two: 0 nm says unknown.
    probe["wavelengths"] = np.array(wavelengths or [0.0, 0.0])
    for letter, word in (("S", "source"), ("D", "detector")):
        probe[f"{word}Labels"], probe[f"{word}Pos3D"] = _optodes(spec.channels, letter, word)
    _write_events(nirs, recording.events, origin)
    tags = nirs.create_group("metaDataTags")
    day, clock = _start(recording.start_utc, origin)
    texts = {
        "SubjectID": str(recording.notes.get("subject", recording.name)),
        "MeasurementDate": day,
        "MeasurementTime": clock,
        "LengthUnit": "m",
        "TimeUnit": "s",
        "FrequencyUnit": "Hz",
        TAG_ORIGIN: repr(origin),
        TAG_NOTES: json.dumps(dict(recording.notes)),
    }
    if recording.start_utc is not None:
        texts[TAG_START] = repr(float(recording.start_utc))
    for name, value in texts.items():
        tags[name] = value
    # Read back as a stranger would; keep only what is lacking then.
    tags[TAG_CHANNELS] = lossless_extension(spec, standard_columns(nirs, block, 1.0).channels, -1.0)


def _write_channel(group: h5py.Group, channel: Channel, wavelengths: list[float]) -> None:
    light = channel.kind in LIGHT
    codes = {
        "sourceIndex": channel.source,
        "detectorIndex": channel.detector,
        "wavelengthIndex": wavelengths.index(channel.colour) + 1 if light and channel.colour else 0,
        "dataType": CONTINUOUS_WAVE if channel.kind is Kind.INTENSITY else PROCESSED,
        "dataTypeIndex": 1,
    }
    nominal, actual = channel.nominal_wavelength, channel.wavelength
    if light and nominal is not None and actual is not None and abs(actual - nominal) <= FARTHEST_NM:
        group["wavelengthActual"] = actual
    for name, code in codes.items():
        group.create_dataset(name, data=code, dtype="int32")
    if channel.kind in _LABELS:
        group["dataTypeLabel"] = _LABELS[channel.kind]
    if channel.unit in ("V", "mol/L"):
        # MNE refuses a file whose unit it does not know, so what has no unit declares none.
        group["dataUnit"] = channel.unit


def _optodes(channels: tuple[Channel, ...], letter: str, word: str) -> tuple[list[str], Floats]:
    """Labels, and (n_optodes, 3) positions in metres, NaN where one is not known; of sources or detectors."""
    numbers = [int(getattr(channel, word)) for channel in channels]
    names = [f"{letter}{number}" for number in range(1, max(numbers) + 1)]
    positions = np.full((len(names), 3), np.nan)
    for number, channel in zip(reversed(numbers), reversed(channels), strict=True):  # the first one's stand
        if name := getattr(channel, f"{word}_name"):
            names[number - 1] = name
        if (position := getattr(channel, f"{word}_position")) is not None:
            positions[number - 1] = position
    return names, positions


def _write_events(nirs: h5py.Group, events: tuple[Event, ...], origin: float) -> None:
    for number, label in enumerate(dict.fromkeys(event.label for event in events), start=1):
        group = nirs.create_group(f"stim{number}")
        group["name"] = label.replace("\0", "")  # HDF5's texts end there
        group["data"] = np.array(
            [[event.onset - origin, event.duration, 1.0] for event in events if event.label == label]
        )


def _origin(times: Floats) -> float:
    """What to subtract from stamps so that a file begins at 0, as MNE supposes.

    Only where adding it again gives the same stamps to the last bit, as it does for a clock that
    has run for longer than the recording; other files begin where their stamps begin.
    """
    first = float(times[0])
    return first if np.array_equal((times - first) + first, times) else 0.0


def _start(start_utc: float | None, origin: float) -> tuple[str, str]:
    if start_utc is None:
        return "unknown", "unknown"
    start = datetime.fromtimestamp(start_utc + origin, UTC)
    return f"{start:%Y-%m-%d}", f"{start:%H:%M:%S.%f}Z"
