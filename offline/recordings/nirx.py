"""NIRx folders (NIRScout, NIRSport, Aurora) to a `Recording`, through MNE's reader."""

import configparser
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from models.errors import RecordingError, SignalError
from offline.recordings.checks import (
    check_distances,
    check_pairs,
    in_order,
    length_factor,
    missing_values,
    rescaled,
)
from realtime.mne_info import spec_from_info
from realtime.sources.recording import Event, Recording
from realtime.units import LENGTHS


def read_nirx(path: Path, *, length_unit: str | None = None) -> Recording:
    """Read a NIRx recording.

    NIRx files hold no stamps: times are those of the declared rate, as MNE gives them.  Saturated
    samples (NaN in the file) are missing.

    Parameters
    ----------
    path : Path
        The folder, or its ``.hdr`` file.
    length_unit : str or None
        What MNE's metres really are, where the probe file is in another unit than NIRx writes.

    Returns
    -------
    Recording
        Intensities; positions in MNE's head frame.

    Raises
    ------
    RecordingError
        Where files are absent or not understood.
    """
    import mne

    path = Path(path)
    folder = path if path.is_dir() else path.parent
    if not list(folder.glob("*.hdr")):
        found = sorted(entry.name for entry in folder.iterdir())[:5]
        raise RecordingError(
            f"{folder} holds no .hdr file, so it is no NIRx recording; it holds "
            f"{', '.join(found) or 'nothing'}."
        )
    remarks: list[str] = []
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            raw = mne.io.read_raw_nirx(folder, saturated="nan", preload=True, verbose="error")
        spec = spec_from_info(raw.info)
    except (
        OSError,
        RuntimeError,
        ValueError,
        KeyError,
        IndexError,
        TypeError,
        NotImplementedError,
        configparser.Error,
        SignalError,
    ) as error:
        # MNE gives a damaged recording no error of its own: these are what its parsing runs into.
        raise RecordingError(f"{folder} cannot be read as a NIRx recording: {_said(error)}") from error
    remarks += sorted({str(warning.message) for warning in caught})
    unit, factor = length_factor("m", length_unit, folder)
    spec = rescaled(spec, factor / LENGTHS["m"]) if length_unit else spec
    check_distances(spec, folder, unit)
    check_pairs(spec.channels, folder)
    data = np.asarray(raw.get_data(), dtype=np.float64)
    events, _ = in_order(
        [
            Event(float(note["onset"]), str(note["description"]), float(note["duration"]))
            for note in raw.annotations
        ]
    )
    start = raw.info["meas_date"]
    notes: dict[str, Any] = {"format": "NIRx"}
    if remarks:
        notes["remarks"] = remarks
    return Recording(
        folder.name,
        spec,
        data,
        np.asarray(raw.times, dtype=np.float64),
        missing_values(spec, data),
        events,
        None if start is None else start.timestamp(),
        notes,
    )


def _said(error: BaseException) -> str:
    """What an error says, with its name where that is all that it says (a key, an index)."""
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__
