"""fMRI region series (``.1D`` or a table of text) to a `Recording` of kind BOLD."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from models.errors import RecordingError
from realtime.signal import Channel, Floats, Kind, SignalSpec
from realtime.sources.recording import Recording


def read_series(path: Path, *, repetition_time: float | None = None) -> Recording:
    """Read one person's region signals: a row for each volume, a column for each region.

    The first line may name the regions (``.1D`` files of C-PAC begin it with ``#``, and every name
    too: names are kept as they stand); otherwise they are called by their column.  Columns stand
    apart by tabs, commas, semicolons or spaces.

    Parameters
    ----------
    path : Path
        The file.
    repetition_time : float or None
        Seconds between volumes; without it a side file of the same name ending in ``.json`` must
        have ``RepetitionTime``, as in BIDS.

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
    path = Path(path)
    names, data = _table(path)
    seconds, told_by = _repetition_time(path, repetition_time)
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise RecordingError(f"{path} calls two regions {twice!r}; names must be unique.")
    spec = SignalSpec(tuple(Channel(name=name, kind=Kind.BOLD, unit="a.u.") for name in names), 1 / seconds)
    missing = ~np.isfinite(data)
    held = np.where(missing, np.nan, data)
    constant = np.array([np.unique(row[~np.isnan(row)]).size < 2 for row in held], dtype=bool)
    missing |= constant[:, None]
    notes: dict[str, Any] = {"format": "region series", "repetition_time": seconds, "told_by": told_by}
    if constant.any():
        count = int(constant.sum())
        notes["remarks"] = [f"{count} of {len(names)} regions never change and are missing"]
    times = np.arange(data.shape[1], dtype=np.float64) * np.float64(seconds)
    return Recording(path.stem, spec, data, times, missing, notes=notes)


def _repetition_time(path: Path, given: float | None) -> tuple[float, str]:
    """Seconds between volumes, and who says so."""
    seconds: Any = given
    told_by = "the caller"
    if seconds is None:
        side = path.with_suffix(".json")
        told_by = side.name
        if not side.is_file():
            raise RecordingError(
                f"The repetition time of {path} is not known; say it with --repetition-time SECONDS "
                f"(repetition_time), or put RepetitionTime into {side}."
            )
        try:
            values = json.loads(side.read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            raise RecordingError(f"Side file {side} is no JSON text: {error}.") from error
        seconds = values.get("RepetitionTime") if isinstance(values, dict) else None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < 1e9:
        raise RecordingError(
            f"The repetition time of {path} is {seconds!r} (from {told_by}); expected seconds."
        )
    if seconds > 100:
        raise RecordingError(
            f"The repetition time of {path} is {seconds:g} s (from {told_by}); is it in milliseconds?"
        )
    return float(seconds), told_by


def _table(path: Path) -> tuple[list[str], Floats]:
    """Names and (n_regions, n_volumes) float64 of a table of text."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise RecordingError(f"{path} is no text; expected a table of region signals.") from error
    except OSError as error:
        raise RecordingError(f"{path} cannot be read: {error.strerror}.") from error
    rows = [(number, _cells(line)) for number, line in enumerate(lines, start=1) if line.strip()]
    header: list[str] = []
    if rows and not all(_is_number(cell) for cell in rows[0][1]):
        header = rows.pop(0)[1]
    # Comments of AFNI stand before the table as well as in it.
    rows = [(number, cells) for number, cells in rows if not cells[0].startswith("#")]
    if not rows:
        raise RecordingError(f"{path} holds no volumes; expected a table of region signals.")
    width = len(rows[0][1])
    if header[:1] == ["#"] and len(header) == width + 1:
        header = header[1:]
    if header and len(header) != width:
        raise RecordingError(f"{path} names {len(header)} regions and has {width} columns.")
    data = np.empty((width, len(rows)))
    for volume, (number, cells) in enumerate(rows):
        if len(cells) != width:
            raise RecordingError(
                f"{path}, line {number} has {len(cells)} columns; expected {width} (is it cut off?)."
            )
        for region, cell in enumerate(cells):
            if not _is_number(cell):
                raise RecordingError(
                    f"{path}, line {number}, column {region + 1} is {cell!r}; expected a number."
                )
            data[region, volume] = float(cell) if cell.lower() not in _ABSENT else np.nan
    return header or [f"region {number}" for number in range(1, width + 1)], data


_ABSENT = ("n/a", "na", "")


def _cells(line: str) -> list[str]:
    for separator in ("\t", ",", ";"):
        if separator in line:
            cells = [cell.strip() for cell in line.rstrip("\n\r").split(separator)]
            return cells[:-1] if cells[-1] == "" else cells
    return line.split()


def _is_number(cell: str) -> bool:
    return cell.lower() in _ABSENT or bool(_NUMBER.fullmatch(cell))


_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(nan|inf)", re.IGNORECASE)
