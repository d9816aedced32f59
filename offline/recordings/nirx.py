"""NIRx folders (NIRScout, NIRSport, Aurora) to a `Recording`, through MNE's reader."""

import configparser
import re
import warnings
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import mne
import numpy as np
from scipy.io.matlab import MatReadError

from models.errors import RecordingError, SignalError
from offline.recordings.checks import held_once, in_order, missing_values
from offline.recordings.damage import LOST_SHARE, MISLED
from offline.recordings.dates import start_of
from offline.recordings.plausible import check_channels
from realtime.channels.mne_info import spec_from_info
from realtime.sources.markers import label_of
from realtime.sources.recording import Event, Recording

_MISLED: tuple[type[Exception], ...] = (MatReadError, configparser.Error, SignalError, *MISLED)
_MNES_DATE = datetime(2000, 1, 1)
"""What MNE puts in for a date that it does not understand; it warns of that."""


def read_nirx(path: Path) -> Recording:
    """Read a NIRx folder, or that of a ``.hdr`` file: intensities, with positions in MNE's head frame.

    NIRx files hold no stamps: times are those of the declared rate, as MNE gives them.  Saturated
    samples (NaN in the file) are missing.  A RecordingError where files are absent or not understood.
    """
    folder = path if path.is_dir() else path.parent
    if not list(folder.glob("*.hdr")):
        found = sorted(entry.name for entry in folder.iterdir())[:5]
        raise RecordingError(
            f"{folder} holds no .hdr file, so it is no NIRx recording; it holds "
            f"{', '.join(found) or 'nothing'}."
        )
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            raw = mne.io.read_raw_nirx(folder, saturated="nan", preload=True, verbose="warning")
        spec = spec_from_info(raw.info)
    except _MISLED as error:
        why = _cut_off(_lengths(folder)) or _words_of(error)
        raise RecordingError(f"{folder} cannot be read as a NIRx recording: {why}") from error
    remarks = sorted({words for warning in caught if (words := _in_our_words(str(warning.message)))})
    # NIRx's own units are fixed, and MNE has moved the positions into the head frame.
    check_channels(spec, folder, "m", correctable=False)
    data = np.asarray(raw.get_data(), dtype=np.float64)
    # The files hold no durations; those that MNE gives, 1 s each, are of its own making.
    # A row of zeros is a line that went back to rest.
    marks = [Event(float(note["onset"]), label_of([note["description"]])) for note in raw.annotations]
    begun, held = held_once([mark for mark in marks if mark.label != "0"], raw.times)
    events, repeated = in_order(begun)
    remarks += [*repeated, *held]
    notes: dict[str, Any] = {"format": "NIRx"}
    lengths = _lengths(folder)
    if cut := _cut_off(lengths):  # MNE reads as far as all go
        remarks.append(f"{cut}, and {len(raw.times)} were read")
        notes[LOST_SHARE] = 1 - len(raw.times) / max(lengths.values())
    # The header holds the recorder's wall clock; MNE takes it for UTC, and 2000-01-01 where it is not read.
    start = raw.info["meas_date"]
    if start is not None and start.replace(tzinfo=None) != _MNES_DATE:
        _, unknown, local = start_of(start.replace(tzinfo=None))
        remarks += unknown
        notes |= local
    times = np.asarray(raw.times, dtype=np.float64)
    missing = missing_values(spec, data)
    return Recording(folder.name, spec, data, times, missing, events, None, notes).remarked(remarks)


def _lengths(folder: Path) -> dict[str, int]:
    """Samples in the file of each wavelength."""
    lengths = {}
    for path in sorted(folder.glob("*wl[0-9]")):
        with path.open("rb") as file:
            lengths[path.name] = sum(1 for line in file if line.strip())
    return lengths


def _cut_off(lengths: Mapping[str, int]) -> str:
    """In words that one wavelength's file is shorter than another's; empty where all are of one length."""
    if not lengths or min(lengths.values()) == max(lengths.values()):
        return ""
    short, long = (by(lengths, key=lambda name: lengths[name]) for by in (min, max))
    return f"{short} has {lengths[short]} samples, {long} {lengths[long]}: it is cut off"


def _in_our_words(warning: str) -> str:
    """A warning of MNE's; empty of one that follows from what it puts in itself."""
    if re.match(r"Limited \d+ annotation", warning):
        return ""  # the durations that it gave them
    if found := re.search(r"date from NIRX file failed.*instead of (.*?)\.?$", warning, re.DOTALL):
        return f"the start {found[1]} is not understood, so UTC is not known"
    if found := re.match(r"Omitted (\d+) annotation", warning):
        return f"{found[1]} events lie outside the recording; ignored"
    return warning


def _words_of(error: BaseException) -> str:
    """What an error says, with its name where that is all that it says (a key, an index)."""
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__
