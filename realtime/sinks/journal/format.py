"""The journal's file: its tables, and log entries as rows and back.

A journal is one SQLite database, for one session and all of its runs.  Everything that was
written has one number in one order (``id``), whichever table holds it, so the order of the
log, of decisions among it and of declared losses is kept exactly.  Arrays are little-endian blobs
with their type and shape; everything else is JSON.
"""

import json
import sqlite3
import sys
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from models.decode import decode as decode_record
from models.errors import JournalError, SignalError
from realtime.log import (
    AlarmChanged,
    ClockMeasured,
    Entry,
    EventReceived,
    Produced,
    Received,
    SessionStarted,
    SourceTrouble,
    StreamLost,
    StreamOpened,
    StreamReset,
)

APPLICATION_ID = 0x48454D4F  # "HEMO": distinguishes a journal from any other SQLite file.
VERSION = 3

TABLES = """
CREATE TABLE runs (first INTEGER PRIMARY KEY, run INTEGER NOT NULL, session TEXT NOT NULL);
CREATE TABLE entries (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, local REAL NOT NULL, body TEXT NOT NULL,
    stamps BLOB, data BLOB
);
CREATE TABLE decisions (
    id INTEGER PRIMARY KEY, run INTEGER NOT NULL, sequence INTEGER NOT NULL, body TEXT NOT NULL
);
CREATE TABLE lost (
    id INTEGER PRIMARY KEY, missing INTEGER NOT NULL, first REAL NOT NULL, last REAL NOT NULL
);
CREATE TABLE synced (one INTEGER PRIMARY KEY CHECK (one = 1), id INTEGER NOT NULL);
CREATE TABLE spool (
    run INTEGER NOT NULL, sequence INTEGER NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (run, sequence)
) WITHOUT ROWID;
"""
"""``runs.first`` is the id of the run's first entry; ``lost`` counts the entries that did not fit
into the queue there; ``synced`` is the last id that was forced onto the disk; ``spool`` names
the decisions (and their rows) that the broker has not acknowledged."""
UPGRADES = {1: TABLES[TABLES.index("CREATE TABLE spool") :], 2: ""}
"""What makes a journal of a version one of the next; an old journal's decisions count as acknowledged.
Version 3 has alarms among its entries, which an older hemostream could not read."""


class EntryRow(NamedTuple):
    """A log entry as a row of ``entries``, without its id."""

    kind: str
    local: float
    body: str
    stamps: bytes | None = None
    data: bytes | None = None


class Loss(NamedTuple):
    """Entries and decisions that could not be kept: how many, and the local times (s) around them."""

    missing: int
    first: float
    last: float


def encode(entry: Entry) -> EntryRow:
    """A log entry as a row; its arrays are copied, so the caller may reuse them.

    Raises
    ------
    JournalError
        The samples are neither floats nor integers.
    """
    if isinstance(entry, Received):  # The one that comes with every chunk: kept short.
        data, stamps = entry.data, entry.stamps
        dtype = _LITTLE.get(data.dtype) or _little(data.dtype)
        if sys.byteorder == "big" or data.dtype.byteorder == ">" or stamps.dtype != np.float64:
            data, stamps = data.astype(dtype), stamps.astype("<f8")
        rows, columns = data.shape
        body = f'{{"dtype":"{dtype}","shape":[{rows},{columns}]}}'
        return EntryRow("samples", float(entry.local), body, stamps.tobytes(), data.tobytes())
    values = _stream_values(entry) if isinstance(entry, StreamOpened) else asdict(entry)
    local = float(values.pop("local"))
    return EntryRow(KINDS[type(entry)], local, json.dumps(values, separators=(",", ":")))


_LITTLE: dict[np.dtype[Any], str] = {}


def _little(dtype: np.dtype[Any]) -> str:
    """The little-endian name of a type of samples."""
    if dtype.kind not in "fiu":
        raise JournalError(f"Samples are of type {dtype}; a journal keeps floats and integers.")
    return _LITTLE.setdefault(dtype, dtype.newbyteorder("<").str)


def _stream_values(entry: StreamOpened) -> dict[str, Any]:
    values = {field.name: getattr(entry, field.name) for field in fields(entry)}
    return {**values, "spec": entry.spec.to_json(), "origin": asdict(entry.origin)}


KINDS: dict[type[Any], str] = {
    SessionStarted: "session",
    StreamOpened: "stream",
    StreamLost: "lost stream",
    SourceTrouble: "trouble",
    ClockMeasured: "clock",
    Received: "samples",
    StreamReset: "reset",
    EventReceived: "event",
    AlarmChanged: "alarm",
    Produced: "produced",
}
"""What the entries are called in the file; the names of classes may change, these may not."""
_BY_NAME: dict[str, type[Any]] = {name: kind for kind, name in KINDS.items() if kind is not Received}
DAMAGED = "It is damaged or not hemostream's."


def decode(row: EntryRow) -> Entry:
    """Undo `encode`, bit for bit.

    Raises
    ------
    JournalError
        The row does not hold what its kind must.
    """
    what = f"The journal's entry of kind {str(row.kind)[:20]!r} at {str(row.local)[:20]} s cannot be read"
    try:
        decode_record(EntryRow, row, error=JournalError, what=what)
        values: dict[str, Any] = json.loads(row.body)
        if row.kind == "samples":
            return _samples(row, np.dtype(values["dtype"]), values["shape"])
        entry = {**values, "local": row.local}
        return decode_record(_BY_NAME[row.kind], entry, error=JournalError, what=what, advice=DAMAGED)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, SignalError) as error:
        raise JournalError(f"{what} ({type(error).__name__}: {error}). {DAMAGED}") from error


def _samples(row: EntryRow, dtype: np.dtype[Any], shape: list[int]) -> Received:
    if dtype.kind not in "fiu":
        raise ValueError(f"samples of type {dtype}")
    # Fresh, writable arrays in this machine's byte order, as the live session had them.
    data = np.frombuffer(row.data or b"", dtype).reshape(shape).astype(dtype.newbyteorder("="))
    stamps = np.frombuffer(row.stamps or b"", "<f8").astype(np.float64)
    if data.ndim != 2 or len(stamps) != data.shape[1]:
        raise ValueError(f"samples of shape {data.shape} with {len(stamps)} stamps")
    return Received(row.local, stamps, data)


def check_identity(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a file that is not a journal, or one of a later hemostream.

    Raises
    ------
    JournalError
        Says which of the two.
    """
    try:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.DatabaseError as error:
        raise JournalError(f"{path} cannot be read as a journal: {error}.") from error
    if application != APPLICATION_ID:
        raise JournalError(
            f"{path} is not a hemostream journal (application id {application:#x}, expected "
            f"{APPLICATION_ID:#x}). Name another file."
        )
    if version > VERSION:
        raise JournalError(
            f"{path} was written by a later hemostream (journal version {version}; this one reads up "
            f"to {VERSION}). Update hemostream."
        )


def uri(path: Path, **options: str) -> str:
    """The file as SQLite's URI, which can say how to open it."""
    query = "&".join(f"{name}={value}" for name, value in options.items())
    return f"{path.resolve().as_uri()}?{query}"
