"""The side file that says what a stream's rows are.

Many devices send streams without any description.  A side file says what their rows are, in the
form of a BIDS sidecar with a channel montage (as recordings of the Cortivision Photon Cap have)::

    {
      "SamplingFrequency": 8.12,
      "SourceDetectorSeparation": {"Long": "30 mm", "Short": "8 mm"},
      "ChMontage": [
        {"channel_idx": 0, "source": "S1_FCC3h", "detector": "D1_C1",
         "wavelength": 760, "type": "Long"},
        ...
      ]
    }

``ChMontage`` is required; each of its entries needs ``channel_idx`` (row of the stream, from 0),
``source``, ``detector`` and, for light, ``wavelength`` (nm).  Optional: ``type``, a key of
``SourceDetectorSeparation`` (lengths with unit; without it no distance is known); ``kind``
(``Intensity`` by default, ``dOD``, ``HbO``, ``HbR``, ``HbT``); ``unit``; ``label``
(the channel's name).  Rows that the montage does not name are auxiliary (motion sensors,
counters) and are ignored.  An optical density to base 10 has the unit ``log10``.  A side file
without ``ChMontage`` adds distances to a stream that describes its channels by itself
(`realtime.channels.geometry`).  ``SamplingFrequency`` is what the person claims; the stream's own
nominal rate goes before it, and stamps go before both.
"""

import json
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

from models.errors import SignalError, StreamError
from models.files.regular_file import read_regular
from realtime.channels.layout import StreamLayout
from realtime.channels.optodes import number_optodes, standard_name
from realtime.channels.text_values import is_absent
from realtime.channels.units import LENGTHS, kind_of, unit_of
from realtime.signal import Channel, Kind, SignalSpec

FORM = '{"ChMontage": [{"channel_idx": 0, "source": "S1", "detector": "D1", "wavelength": 760}, ...]}'
"""The least that a side file says, for messages."""
LAYOUT = '--layout FILE, or layout = "FILE" under [input] in a recipe'
"""How a person gives a layout file."""


def read_layout(path: Path) -> StreamLayout:
    """Read a side file (form: see this module).

    Parameters
    ----------
    path : Path
        A JSON file.

    Returns
    -------
    StreamLayout
        Channels in order of row; positions are not known from a side file.

    Raises
    ------
    StreamError
        Where the file is absent, no JSON, or lacks what a layout needs.
    """
    return layout_of_json(read_json(path), path)


def read_json(path: Path) -> Any:
    """The JSON value that a side file holds.

    Raises
    ------
    StreamError
        Where the file is absent or no JSON.
    """
    try:
        return json.loads(read_regular(path).decode("utf-8"))
    except OSError as error:
        raise StreamError(f"Layout file {path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise StreamError(f"Layout file {path} is no JSON text: {error}.") from error


def layout_of_json(values: Any, path: Path) -> StreamLayout:
    """The layout that a side file's JSON says (`read_layout`)."""
    montage = values.get("ChMontage") if isinstance(values, dict) else None
    if not isinstance(montage, list) or not montage:
        raise StreamError(f"Layout file {path} has no list 'ChMontage'; expected one entry for each channel.")
    separations = _separations(values.get("SourceDetectorSeparation", {}), path)
    entries = [_Entry.read(entry, number, path) for number, entry in enumerate(montage)]
    entries.sort(key=lambda entry: entry.row)
    repeated = {a.row for a, b in pairwise(entries) if a.row == b.row}
    if repeated:
        raise StreamError(f"Layout file {path} names row {min(repeated)} twice; each row is one channel.")
    sources = number_optodes(entry.source for entry in entries)
    detectors = number_optodes(entry.detector for entry in entries)
    channels, scales = [], []
    for entry in entries:
        source, detector = sources[entry.source], detectors[entry.detector]
        try:
            unit, scale = unit_of(entry.kind, entry.unit)
        except SignalError as error:
            raise StreamError(f"Layout file {path}, row {entry.row}: {error}") from error
        if entry.type and separations and entry.type not in separations:
            raise StreamError(
                f"Layout file {path}, row {entry.row} has type {entry.type!r}; SourceDetectorSeparation "
                f"gives lengths for {', '.join(sorted(separations))}."
            )
        channels.append(
            Channel(
                name=entry.label or standard_name(source, detector, entry.kind, entry.wavelength),
                kind=entry.kind,
                unit=unit,
                source=source,
                detector=detector,
                source_name=entry.source or None,
                detector_name=entry.detector or None,
                wavelength=entry.wavelength,
                distance=separations.get(entry.type),
            )
        )
        scales.append(scale)
    rate = values.get("SamplingFrequency", 0)
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not abs(rate) < 1e9:
        raise StreamError(f"Layout file {path} has SamplingFrequency {rate!r}; expected a number of hertz.")
    try:
        spec = SignalSpec(tuple(channels), float(rate))
    except SignalError as error:
        raise StreamError(f"Layout file {path}: {error}") from error
    return StreamLayout(
        spec, tuple(entry.row for entry in entries), tuple(scales) if set(scales) != {1.0} else ()
    )


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry of the montage, checked."""

    row: int
    source: str
    detector: str
    kind: Kind
    wavelength: float | None
    unit: str
    type: str
    label: str

    @classmethod
    def read(cls, entry: Any, number: int, path: Path) -> Self:
        where = f"Layout file {path}, entry {number} of ChMontage"
        if not isinstance(entry, dict):
            raise StreamError(f"{where} is {entry!r}; expected an object.")
        if lacking := [name for name in ("channel_idx", "source", "detector") if name not in entry]:
            raise StreamError(f"{where} lacks {', '.join(lacking)}.")
        for side in ("source", "detector"):
            if is_absent(str(entry[side])):
                raise StreamError(f"{where} has {side} {entry[side]!r}; expected the name of an optode.")
        row = entry["channel_idx"]
        if isinstance(row, bool) or not isinstance(row, int) or row < 0:
            raise StreamError(f"{where} has channel_idx {row!r}; expected a row of the stream, from 0.")
        kind = kind_of(str(entry.get("kind", "Intensity")))
        if kind is None:
            raise StreamError(
                f"{where} has kind {entry['kind']!r}; expected Intensity, dOD, HbO, HbR or HbT."
            )
        wavelength: Any = entry.get("wavelength")
        if kind in (Kind.INTENSITY, Kind.OPTICAL_DENSITY):
            is_number = isinstance(wavelength, int | float) and not isinstance(wavelength, bool)
            if not is_number or not 0 < wavelength < 1e9:
                raise StreamError(f"{where} has wavelength {wavelength!r}; expected nanometres.")
        else:
            wavelength = None
        return cls(
            row=row,
            source=str(entry["source"]),
            detector=str(entry["detector"]),
            kind=kind,
            wavelength=None if wavelength is None else float(wavelength),
            unit=str(entry.get("unit", "")),
            type=str(entry.get("type", "")),
            label=str(entry.get("label", "")),
        )


def _separations(values: Any, path: Path) -> dict[str, float]:
    """Lengths in metres from ``{"Long": "30 mm"}``."""
    if not isinstance(values, dict):
        raise StreamError(
            f"Layout file {path} has SourceDetectorSeparation {values!r}; expected lengths by type."
        )
    return {
        name: parse_length(text, f"Layout file {path}: SourceDetectorSeparation of {name!r}")
        for name, text in values.items()
    }


def parse_length(text: Any, where: str) -> float:
    """Metres from ``"30 mm"``.

    Parameters
    ----------
    text : object
        What the file says.
    where : str
        Begins the message.

    Raises
    ------
    StreamError
        Where it is no length with its unit.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d*)?)\s*(mm|cm|m)\s*", str(text))
    if match is None:
        raise StreamError(f"{where} is {text!r}; expected a length with its unit, for example '30 mm'.")
    return round(float(match[1]) * LENGTHS[match[2]], 9)
