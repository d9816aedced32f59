"""A journal as a recording: what a session received, with the times it went by.

Everything the stream sent is there, whether or not windows were classified: raw values of the channels
as they were understood, stamps put on the local clock by the offsets that were measured, events, and
the date.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from models.arrays import Floats
from models.errors import RecordingError
from offline.recordings.checks import check_times, in_order, missing_values
from offline.recordings.damage import LOST_SHARE
from realtime.channels.layout import StreamLayout
from realtime.devices import usual
from realtime.log import (
    ClockMeasured,
    Entry,
    EventReceived,
    Origin,
    Received,
    SessionStarted,
    StreamOpened,
    StreamReset,
)
from realtime.sinks.journal.journal import journal_runs, read_journal_entries, read_losses
from realtime.sources.markers import label_of
from realtime.sources.recording import Event, Recording


@dataclass
class _Gathered:
    """What one run's log holds of its signal."""

    started: SessionStarted | None = None
    opened: StreamOpened | None = None
    offset: float = 0.0
    resets: int = 0
    clock: ClockMeasured | None = None  # The first: its UTC is nearest to the first sample.
    entries: int = 0
    clock_offset: float = 0.0  # The offset in force when the first samples came.
    data: list[Floats] = field(default_factory=list)
    times: list[Floats] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)


def read_journal(path: Path | str, run: int | None = None) -> Recording:
    """Read one run of a journal as a recording.

    Parameters
    ----------
    path : path
        The journal; it may be in use, or cut short by a crash.
    run : int or None
        Which run; None where there is only one.

    Returns
    -------
    Recording
        ``times`` are the source's stamps on the stream's clock, not dejittered; ``notes`` hold session,
        run, origin, and what the journal declares not to hold.

    Raises
    ------
    JournalError
        The file is not a journal, is damaged, or has no such run.
    RecordingError
        The journal holds several runs and none was named, no samples, or streams that do not
        make one recording.
    """
    path = Path(path)
    runs = journal_runs(path)
    if run is None and len(runs) > 1:
        listed = ", ".join(str(one.run) for one in runs)
        raise RecordingError(f"{path} holds {len(runs)} runs: {listed}. Say which with --run.")
    gathered = _gather(read_journal_entries(path, run), path)
    opened = gathered.opened
    if opened is None or not gathered.times:
        raise RecordingError(f"{path} holds no samples: no stream was connected in this run.")
    times = np.concatenate(gathered.times)
    check_times(times, path)
    data = np.concatenate(gathered.data, axis=1)
    events, repeated = in_order(gathered.events)
    started = gathered.started
    losses = read_losses(path, run)
    notes: dict[str, Any] = {
        "session": started.session if started else "",
        "run": started.run if started else 0,
        "stream": opened.name,
        "origin": str(opened.origin.kind),
        "speed": opened.origin.speed,
        "resets": gathered.resets,
        "lost": [list(loss) for loss in losses],
    }
    remarks = []
    if missing := sum(loss.missing for loss in losses):
        notes[LOST_SHARE] = missing / (missing + gathered.entries)
        remarks.append(
            f"the journal lacks {missing} entries that could not be kept, by its own account "
            f"({notes[LOST_SHARE]:.0%} of this run's)"
        )
    if gathered.resets:
        remarks.append(f"the stream's clock was set anew {gathered.resets} times")
    return Recording(
        name=path.stem if len(runs) < 2 else f"{path.stem}-run{run}",
        spec=opened.spec,
        data=data,
        times=times,
        missing=missing_values(opened.spec, data),
        events=events,
        start_utc=_start_utc(gathered, opened, float(times[0])),
        notes=notes,
    ).remarked([*remarks, *repeated])


def _gather(entries: Iterable[Entry], path: Path) -> _Gathered:
    found = _Gathered()
    for entry in entries:
        found.entries += 1
        match entry:
            case Received():
                _take(found, entry, path)
            case ClockMeasured():
                found.offset = entry.offset
                if found.clock is None and entry.utc_offset is not None:
                    found.clock = entry
            case StreamOpened():
                found.opened = _same_stream(found.opened, _usual(entry), path)
            case EventReceived(_, stamp, label):
                if label := label_of([label]):  # earlier sessions wrote it down as it came
                    found.events.append(Event(stamp, label))
            case StreamReset():
                found.resets += 1
            case SessionStarted():
                found.started = entry
            case _:
                pass  # readings of the clock are no part of the signal
    return found


def _take(found: _Gathered, entry: Received, path: Path) -> None:
    opened = found.opened
    if opened is None:
        raise RecordingError(f"{path} holds samples before any stream was opened.")
    rows = list(opened.rows) or list(range(len(opened.spec)))
    if any(not 0 <= row < len(entry.data) for row in rows):
        raise RecordingError(
            f"{path} holds samples of {len(entry.data)} rows at {entry.local} s, but the stream's "
            f"description names row {max(rows, key=abs)}."
        )
    if len(rows) != len(opened.spec) or len(opened.scales) not in (0, len(rows)):
        raise RecordingError(
            f"{path} describes a stream of {len(opened.spec)} channels by {len(rows)} rows and "
            f"{len(opened.scales)} scales; it is damaged."
        )
    if not found.times:
        found.clock_offset = found.offset
    data = entry.data[rows].astype(np.float64)
    found.data.append(data * np.array(opened.scales)[:, np.newaxis] if opened.scales else data)
    found.times.append(entry.stamps + found.offset)


def _usual(opened: StreamOpened) -> StreamOpened:
    """Without what a device computed of its own light: a recording that held both would hold all twice."""
    if not opened.device or {len(opened.rows), len(opened.scales)} != {len(opened.spec)}:
        return opened
    layout = usual(StreamLayout(opened.spec, opened.rows, opened.scales, opened.device))
    return replace(opened, spec=layout.spec, rows=layout.rows, scales=layout.scales)


def _same_stream(before: StreamOpened | None, now: StreamOpened, path: Path) -> StreamOpened:
    """A stream that came back is the same recording; another one is not."""
    if before is None:
        return now
    was, now_is = before.origin, now.origin
    if (before.spec, was.kind, was.speed) != (now.spec, now_is.kind, now_is.speed):
        raise RecordingError(
            f"{path}: in one run stream {before.name!r} ({len(before.spec)} channels, {was.kind}, speed "
            f"{was.speed:g}) was followed by {now.name!r} ({len(now.spec)} channels, {now_is.kind}, speed "
            f"{now_is.speed:g}). They do not make one recording."
        )
    return now


def _start_utc(found: _Gathered, opened: StreamOpened, first: float) -> float | None:
    """UTC (s since 1970) at time 0, such that the first sample (s) has the UTC at which it was sent."""
    if found.clock is None or found.clock.utc_offset is None:
        return None
    # A replay's clock agreed with the local one at its anchor, which is on the sender's clock.
    kind, speed, anchor = opened.origin.kind, opened.origin.speed, opened.origin.anchor
    local = Origin(kind, speed, anchor + found.clock_offset).local_time(first)
    return local + found.clock.utc_offset - first
