"""Homer2 and Homer3 ``.nirs`` files (MATLAB) to a `Recording`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.io import loadmat
from scipy.io.matlab import MatReadError

from models.arrays import Floats
from models.errors import RecordingError
from offline.recordings.bad_marks import CHANNELS, SAMPLES, without_marked
from offline.recordings.checks import check_times, in_order, is_regular, missing_values, nominal_rate
from offline.recordings.damage import MISLED
from offline.recordings.plausible import check_channels, check_steps, length_factor
from realtime.channels.optodes import between, positions_of, standard_name
from realtime.signal import Channel, Kind, Position, SignalSpec
from realtime.sources.markers import Marks, label_of
from realtime.sources.recording import Event, Recording

_COUNTS = {"Src": "nSrcs", "Det": "nDets"}
_MISLED: tuple[type[Exception], ...] = (MatReadError, *MISLED)


def read_homer(path: Path, *, length_unit: str | None = None) -> Recording:
    """Read a ``.nirs`` file: intensities in arbitrary units, for the unit is not in the file.

    Its variables: ``d`` intensities (samples by channels), ``t`` seconds, ``s`` onsets (samples by
    conditions, above 0 where one begins; Homer marks onsets that were rejected with -1), ``SD``
    probe, optionally ``aux`` and ``CondNames``.  Durations are not in the file.

    A RecordingError or SignalError where the file is damaged, lacks a variable, or a pair lacks a wavelength.
    """
    content = _load(path)
    probe = _probe(content, path)
    data = _real(content, "d", path)
    times = _real(content, "t", path).ravel()
    check_times(times, path)
    check_steps(times, path, "Homer keeps seconds")
    measured = np.atleast_2d(_real(probe, "MeasList", path, "SD.MeasList"))
    if data.ndim != 2 or len(data) != len(times) or data.shape[1] != len(measured):
        raise RecordingError(
            f"{path}: d has shape {data.shape}; expected {len(times)} samples (as t has) by "
            f"{len(measured)} channels (as SD.MeasList has)."
        )
    # Homer takes an empty unit for mm.
    declared = label_of(np.ravel(probe.get("SpatialUnit", "mm")).tolist()) or "mm"
    unit, factor = length_factor(declared, length_unit, path)
    channels = _channels(probe, measured, factor, path)
    spec = SignalSpec(channels, nominal_rate(times))
    check_channels(spec, path, unit)
    events, remarks = _events(content, times, path)
    notes: dict[str, Any] = {"format": "Homer .nirs", "length_unit": unit}
    auxiliary = content.get("aux")
    if isinstance(auxiliary, np.ndarray) and auxiliary.size:
        notes["auxiliary_channels"] = 1 if auxiliary.ndim < 2 else int(auxiliary.shape[1])
    if not is_regular(times):
        remarks.append("steps in time are not equal")
    rows = np.ascontiguousarray(data.T)
    read = Recording(path.stem, spec, rows, times, missing_values(spec, rows), events, None, notes)
    flags = {f"SD.{name}": value for name, value in probe.items() if name.lower() in CHANNELS}
    flags |= {name: value for name, value in content.items() if name.lower() in CHANNELS | SAMPLES}
    return without_marked(read.remarked(remarks), flags, range(len(channels)), len(channels))


def _load(path: Path) -> Mapping[str, Any]:
    try:
        return loadmat(path, appendmat=False, struct_as_record=False, squeeze_me=True)
    except NotImplementedError as error:
        raise RecordingError(
            f"{path} is a MATLAB 7.3 file; save it again with save(..., '-v7'), or as SNIRF."
        ) from error
    except (MemoryError, OverflowError) as error:
        raise RecordingError(f"{path} is damaged: it claims an impossible size.") from error
    except _MISLED as error:
        raise RecordingError(
            f"{path} is damaged, cut off, or no MATLAB file: it cannot be read ({error})."
        ) from error


def _probe(content: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    probe = content.get("SD")
    names = getattr(probe, "_fieldnames", None)
    if names is None:
        raise RecordingError(f"{path} has no probe 'SD'; expected the variables d, t, s and SD of Homer.")
    return {name: getattr(probe, name) for name in names}


def _real(values: Mapping[str, Any], name: str, path: Path, shown: str = "") -> Floats:
    """A variable as an array of real numbers."""
    shown = shown or name
    if name not in values:
        raise RecordingError(f"{path} has no {shown}; expected the variables d, t, s and SD of Homer.")
    found: npt.NDArray[Any] = np.asarray(values[name])
    if found.dtype.kind not in "fiub":
        what = "complex numbers (frequency domain?)" if found.dtype.kind == "c" else str(found.dtype)
        raise RecordingError(f"{path}: {shown} holds {what}; expected real numbers.")
    return found.astype(np.float64)


def _channels(probe: Mapping[str, Any], measured: Floats, factor: float, path: Path) -> tuple[Channel, ...]:
    """Channels by the measurement list: source, detector, (weight), wavelength, all from 1."""
    wavelengths = _real(probe, "Lambda", path, "SD.Lambda").ravel()
    positions = _positions(probe, factor, path)
    if np.any(odd := measured != np.round(measured)):  # NaN too
        raise RecordingError(
            f"{path}: SD.MeasList holds {float(measured[odd][0]):g}; expected whole numbers of sources, "
            "detectors and wavelengths."
        )
    sources, detectors = positions["SrcPos"], positions["DetPos"]
    channels = []
    for row in measured.astype(int):
        source, detector, index = int(row[0]), int(row[1]), int(row[-1])
        for what, number, field, known in (
            ("wavelength", index, "Lambda", wavelengths),
            ("source", source, "SrcPos", sources),
            ("detector", detector, "DetPos", detectors),
        ):
            if not 1 <= number <= len(known):
                raise RecordingError(
                    f"{path}: SD.MeasList names {what} {number}; SD.{field} has {len(known)}."
                )
        wavelength = float(wavelengths[index - 1])
        name = standard_name(source, detector, Kind.INTENSITY, wavelength)
        channel = Channel(
            name=name,
            kind=Kind.INTENSITY,
            unit="a.u.",
            source=source,
            detector=detector,
            wavelength=wavelength,
        )
        channels.append(between(channel, sources[source - 1], detectors[detector - 1]))
    return tuple(channels)


def _positions(probe: Mapping[str, Any], factor: float, path: Path) -> dict[str, list[Position | None]]:
    """Positions (m) of both sides, in the first space that was not filled in with noughts."""
    sides = ("SrcPos", "DetPos")
    spaces = ["", "3D"] if all(f"{side}3D" in probe for side in sides) else [""]
    found = [{side: _side(probe, f"{side}{space}", factor, path) for side in sides} for space in spaces]
    for positions in found:
        # One optode may be the origin; of several, all there were filled in.
        known = [any(any(position) for position in own if position) for own in positions.values()]
        lone = [len(own) == 1 for own in positions.values()]
        if any(known) and all(np.logical_or(known, lone)):
            return positions
    return {side: [None] * len(own) for side, own in found[0].items()}


def _side(probe: Mapping[str, Any], side: str, factor: float, path: Path) -> list[Position | None]:
    """Positions of one side's optodes in metres; None where one is not finite."""
    values = np.atleast_2d(_real(probe, side, path, f"SD.{side}"))
    count = probe.get(_COUNTS[side[:3]])
    if len(values) == 3 != count == values.shape[1]:
        raise RecordingError(
            f"{path}: SD.{side} has shape {values.shape}; expected {count} optodes by 3. Turn it round."
        )
    if values.shape[1] not in (2, 3):
        raise RecordingError(f"{path}: SD.{side} has shape {values.shape}; expected optodes by 3.")
    return positions_of(values, factor)


def _events(content: Mapping[str, Any], times: Floats, path: Path) -> tuple[tuple[Event, ...], list[str]]:
    """Onsets where a column of s rises above 0, and remarks on what was ignored."""
    if "s" not in content or not np.size(content["s"]):
        return (), []
    onsets = np.atleast_1d(_real(content, "s", path))
    onsets = onsets[:, None] if onsets.ndim == 1 else onsets
    if onsets.ndim != 2 or len(onsets) != len(times):
        raise RecordingError(
            f"{path}: s has shape {onsets.shape}, t has {len(times)} samples; expected as many samples by "
            "conditions."
        )
    # An empty text of MATLAB's comes as an array without elements.
    cells = np.atleast_1d(content.get("CondNames", [])).tolist()
    names = [label_of(np.ravel(cell).tolist()) for cell in cells]
    events = []
    rejected = 0
    for column, values in enumerate(onsets.T):
        label = (names[column] if column < len(names) else "") or str(column + 1)
        # The height of a mark is its amplitude, no code of another condition.
        marks = Marks(nominal_rate(times) or 1.0, from_rest=True)
        events += [Event(onset, label) for onset, _ in marks.take(np.sign(values)[:, None], times)]
        rejected += marks.rejected
    ordered, remarks = in_order(events)
    if rejected:
        remarks.append(f"{rejected} onsets are marked as rejected; ignored")
    return ordered, remarks
