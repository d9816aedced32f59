"""Tables that BIDS puts next to a SNIRF file: they go before what stands in it.

``sub-01_task-tap_events.tsv`` holds the events and ``..._channels.tsv`` which channels are bad; people
correct these tables and leave the file as the device wrote it.  Onsets count from the first sample.

BIDS 1.10, "Near-Infrared Spectroscopy" and "Events".
"""

import csv
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from models.errors import RecordingError
from offline.recordings.bad_marks import without_channels
from offline.recordings.checks import held_once, in_order
from offline.recordings.snirf import read_snirf
from offline.recordings.snirf_events import REJECTED, STATES
from realtime.channels.match import SAME_LIGHT_NM
from realtime.channels.optodes import optode_of
from realtime.channels.text_values import ABSENT_NUMBERS, is_absent, is_number, number_in
from realtime.signal import Kind
from realtime.sources.markers import duration_of, label_of
from realtime.sources.recording import Event, Recording

_VALUES = ("value", "amplitude")
LARGEST = 64 * 2**20
"""Bytes that a table may have."""
_PAIR = re.compile(
    r"(S\w*?)[_-](D\w*?)(?:[ _]+([0-9]{3,4}(?:\.[0-9]+)?)(?: ?nm)?)?(?:$|(?=\W))", re.IGNORECASE
)
"""A name that tells source, detector, and perhaps the wavelength (nm): S1-D2, S1_D2 760, S1_D2 760.0."""
_KINDS = (Kind.HBO, Kind.HBR)
_LABELS = ("trial_type", "value")
"""Columns that tell what happened, the better one first."""


def read_with_tables(path: Path, **options: str | None) -> Recording:
    """Read a SNIRF file, with the events and the bad channels of the tables next to it.

    Raises
    ------
    RecordingError
        As `read_snirf`, whose options it takes; and where a table cannot be read, or holds in place of a
        number what is none: the message names the line.
    """
    recording = read_snirf(path, **options)
    stem = path.name[: -len(path.suffix)].removesuffix("_nirs")
    for kind, with_table in (("channels", _with_channels), ("events", with_events)):
        if (table := path.with_name(f"{stem}_{kind}.tsv")).is_file():
            recording = with_table(recording, table)
    return recording


def with_events(recording: Recording, table: Path) -> Recording:
    """The recording with the events of a BIDS table in place of its own; its own where the table has none."""
    columns, rows = _rows(table)
    first = float(recording.times[0]) if len(recording.times) else 0.0
    if "onset" not in columns or not set(columns) & set(_LABELS):
        return recording.remarked(
            [f"{table.name} has no columns 'onset' and 'trial_type' (or 'value'); its events were not read"],
        )
    listed, incomplete, rejected = [], 0, 0
    for line, cells in rows:
        onset = _number(table, line, cells, "onset")
        label = next((c for name in _LABELS if not is_absent(c := label_of([cells.get(name, "")]))), "")
        if onset is None or not label:
            incomplete += 1
            continue
        if _is_rejected(cells):
            rejected += 1
            continue
        duration = _number(table, line, cells, "duration") or 0.0
        listed.append(Event(first + onset, label, duration_of(duration)))
    events, held = held_once(listed, recording.times)
    remarks = [f"the {len(events)} events are those of {table.name}"]
    if recording.events:
        remarks[0] += f", and the {len(recording.events)} in the file itself were ignored"
    if rejected:
        remarks.append(f"{rejected} onsets are marked as rejected; ignored")
    remarks += held
    if incomplete:
        remarks.append(f"{incomplete} rows of {table.name} have no onset or no trial_type and were ignored")
    ordered, repeated = in_order(events)
    return replace(recording, events=ordered).remarked([*remarks, *repeated])


def _is_rejected(cells: Mapping[str, str]) -> bool:
    """Whether a row's onset is marked as rejected: by its status, or by a number as in a SNIRF file."""
    if cells.get("status", "").lower() == "bad":
        return True
    for column, text in cells.items():
        if not is_number(text) or (value := float(text)) in ABSENT_NUMBERS:
            continue
        # Homer writes -1 or -2 for an onset that was rejected.
        if (column in (*_VALUES, *STATES) and value < 0) or (column in REJECTED and value != 0):
            return True
    return False


def _with_channels(recording: Recording, table: Path) -> Recording:
    bad: list[int] = []
    unknown: list[str] = []
    columns, listed = _rows(table)
    if "name" not in columns and not {"source", "detector"} <= set(columns):
        return recording.remarked([f"{table.name} has no column 'name'; its marks were not read"])
    for line, cells in listed:
        status = cells.get("status", "").lower()
        if status not in ("good", "bad") and not is_absent(status):
            raise RecordingError(f"{table}, line {line}: status is {status!r}; expected good, bad or n/a.")
        kind = cells.get("type", "")
        if status != "bad" or not (is_absent(kind) or kind.upper().startswith("NIRS")):
            continue  # not marked, or no channel of light or haemoglobin (motion, physiology)
        bad += (rows := _meant(recording, table, line, cells))
        if not rows:
            unknown.append(cells.get("name", "") or f"line {line}")
    recording = without_channels(recording, sorted(set(bad)), table.name)
    remark = f"{table.name} marks {', '.join(unknown[:8])} as bad, which the file does not have"
    return recording.remarked([remark] if unknown else [])


def _meant(recording: Recording, table: Path, line: int, cells: Mapping[str, str]) -> list[int]:
    """Which channels a row speaks of: by source, detector and wavelength, or else by its name."""
    spec = recording.spec
    if (name := cells.get("name", "")) in spec.names:
        return [spec.names.index(name)]
    source, detector = cells.get("source", ""), cells.get("detector", "")
    pair = _PAIR.match(name)
    if is_absent(source) or is_absent(detector):
        if not pair:
            return []
        source, detector = pair[1], pair[2]
    wavelength = _number(table, line, cells, "wavelength_nominal")
    if wavelength is None and pair and pair[3]:
        wavelength = float(pair[3])
    kind = next((k for k in _KINDS if cells.get("type", "").upper().endswith(str(k).upper())), None)
    return [
        row
        for row, channel in enumerate(spec.channels)
        if _is_optode(source, channel.source_name, channel.source)
        and _is_optode(detector, channel.detector_name, channel.detector)
        and (kind is None or channel.kind is kind)
        and (
            wavelength is None or channel.colour is None or abs(channel.colour - wavelength) <= SAME_LIGHT_NM
        )
    ]


def _is_optode(value: str, name: str | None, number: int | None) -> bool:
    one, other = optode_of(value, None), optode_of(name, number)
    return one is not None and other is not None and one.agrees(other)


def _number(table: Path, line: int, cells: Mapping[str, str], column: str) -> float | None:
    try:
        return number_in(cells.get(column))
    except ValueError as error:
        raise RecordingError(f"{table}, line {line}: {column} {error}.") from error


def _rows(table: Path) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """The columns of a table, and line and cells by column of each row."""
    try:
        if (size := table.stat().st_size) > LARGEST:
            raise RecordingError(f"{table} has {size} bytes; expected a table of at most {LARGEST}.")
        lines = table.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise RecordingError(
            f"{table} is not UTF-8 text ({error.reason}); save the table as UTF-8."
        ) from error
    except OSError as error:
        raise RecordingError(f"{table} cannot be read: {error.strerror}.") from error
    reader = csv.reader(lines, delimiter="\t", strict=True)
    try:
        names = [name.strip().lower() for name in next(reader, [])]  # Onset, Status: people's own tables
        if twice := next((name for name in names if name and names.count(name) > 1), ""):
            raise RecordingError(f"{table} has column {twice!r} twice; expected each once.")
        rows = []
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(names):
                raise RecordingError(
                    f"{table}, line {reader.line_num}: {len(cells)} cells, but {len(names)} columns; "
                    "expected one a column, separated by tabs."
                )
            row = dict(zip(names, (cell.strip() for cell in cells), strict=True))
            rows.append((reader.line_num, row))
    except csv.Error as error:
        raise RecordingError(f"{table}, line {reader.line_num}: {error}.") from error
    return names, rows
