"""fMRI region series (``.1D`` or a table of text) to a `Recording` of kind BOLD."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from models.arrays import Floats
from models.errors import RecordingError
from offline.recordings.plain_series import read_region_table
from realtime.signal import Channel, Kind, SignalSpec
from realtime.sources.recording import Recording

UNEVEN = 0.05
"""Part of the repetition time by which a step in a column of times may differ from it."""


def read_series(path: Path, *, repetition_time: float | None = None) -> Recording:
    """Read one person's region signals: a row for each volume, a column for each region.

    The first line may name the regions (``.1D`` files of C-PAC begin it with ``#``, and every name
    too: names are kept as they stand); otherwise they are called by their column.  Which dialects of
    tables are understood, and which are refused, is `offline.recordings.series_table`.

    Without a repetition time (s) a side file of the same name ending in ``.json`` must have
    ``RepetitionTime``, as in BIDS.

    Returns
    -------
    Recording
        Stamps are whole multiples of the repetition time.  A region that never changes holds no
        signal and is missing throughout.

    Raises
    ------
    RecordingError
        Where the repetition time is not known or the table is not one of numbers.
    """
    names, data, column_of_times, remarks = read_region_table(path)
    seconds, stated_by = _repetition_time(path, repetition_time)
    if column_of_times is not None:
        check_times_of_volumes(path, column_of_times, seconds)
    spec = SignalSpec(tuple(Channel(name=name, kind=Kind.BOLD, unit="a.u.") for name in names), 1 / seconds)
    missing = ~np.isfinite(data)
    held = np.where(missing, np.nan, data)
    constant = np.array([np.unique(row[~np.isnan(row)]).size < 2 for row in held], dtype=bool)
    missing |= constant[:, None]
    notes: dict[str, Any] = {"format": "region series", "repetition_time": seconds, "stated_by": stated_by}
    if count := int(constant.sum()):
        remarks.append(f"{count} of {len(names)} regions never change and are missing")
    times = np.arange(data.shape[1], dtype=np.float64) * np.float64(seconds)
    return Recording(path.stem, spec, data, times, missing, notes=notes).remarked(remarks)


def _repetition_time(path: Path, given: float | None) -> tuple[float, str]:
    """Seconds between volumes, and who says so."""
    side = path.with_suffix(".json")
    if given is None and not side.is_file():
        raise RecordingError(
            f"The repetition time of {path} is not known; say it with --repetition-time SECONDS "
            f"(repetition_time), or put RepetitionTime into {side}."
        )
    stated_by = side.name if given is None else "the caller"
    seconds = side_file_seconds(path) if given is None else given
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < 1e9:
        raise RecordingError(
            f"The repetition time of {path} is {seconds!r} (from {stated_by}); expected seconds."
        )
    if seconds > 100:
        raise RecordingError(
            f"The repetition time of {path} is {seconds:g} s (from {stated_by}); is it in milliseconds?"
        )
    return float(seconds), stated_by


def side_file_seconds(path: Path) -> Any:
    """What the side file of a series has for a repetition time, s, or None; an error where it is no JSON."""
    side = path.with_suffix(".json")
    try:
        values = json.loads(side.read_text(encoding="utf-8")) if side.is_file() else None
    except (ValueError, RecursionError) as error:
        raise RecordingError(f"Side file {side} is no JSON text: {error}.") from error
    return values.get("RepetitionTime") if isinstance(values, dict) else None


def check_times_of_volumes(path: Path, times: Floats, seconds: float) -> None:
    """Refuse a column of times that contradicts the repetition time: stamps would be wrong.

    Times, (n_volumes,) float64, are in s or ms; the repetition time, s, is NaN where it is not known, and
    only gaps can be found.
    """
    steps = np.diff(times)
    if not len(steps):
        return
    if np.isnan(seconds):
        seconds = float(np.median(steps))
    if any(np.all(np.abs(steps * unit - seconds) <= UNEVEN * seconds) for unit in (1.0, 1e-3)):  # s, ms
        return
    raise RecordingError(
        f"{path}: its column of times advances by {steps.min():.6g} to {steps.max():.6g}; expected the "
        f"repetition time of {seconds:g} s (or {seconds * 1000:g} ms) throughout. Correct that, "
        "or fill in the volumes that are lost."
    )
