"""XDF files (LabRecorder) to a `Recording`.

Read through pyxdf, without its dejitter, which joins across gaps of fewer than 500 samples (50 s
at 10 Hz), and without its one straight line through all clock measurements: stamps stay as they
were sent, brought to the recorder's clock by the measurements around each of them.
"""

import io
import logging
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import numpy.typing as npt
import pyxdf

from models.errors import RecordingError, SignalError, StreamError
from offline.recordings.checks import (
    check_distances,
    check_pairs,
    check_times,
    in_order,
    length_factor,
    missing_values,
    rescaled,
)
from offline.recordings.damage import LOST_SHARE
from offline.recordings.xdf_chunks import content_of, whole_chunks
from realtime.description import element_of, read_origin
from realtime.devices import layout_of, usual
from realtime.layout import StreamLayout
from realtime.log import OriginKind
from realtime.side_file import read_side_file
from realtime.signal import Floats, SignalSpec
from realtime.sources.recording import Event, Recording
from realtime.units import LENGTHS

_TYPES = ("nirs", "nirsx", "fnirs", "fmri")
_MARKERS = ("markers", "marker", "event", "events")
_SAME_EVENT_S = 0.1
"""Two marker streams that say the same within this time are one, sent twice."""
_OTHER_CLOCK_S = 1.0
"""A jump of the measured offset above this is another clock, not drift."""


@dataclass(frozen=True, eq=False)
class _Stream:
    """One stream of a file.

    Parameters
    ----------
    name, kind : str
        Its name and LSL content type.
    info : Element
        Header with description.
    values : (n_samples, n_channels) array, or list of list of str
        As sent.
    times : (n_samples,) float64
        Seconds on the recorder's clock.
    declared : int or None
        Samples that its footer says there are; None where it has no footer.
    """

    name: str
    kind: str
    info: ET.Element
    values: Any
    times: Floats
    declared: int | None = None

    @property
    def lost(self) -> int:
        """Samples that the footer declares and the file does not give."""
        return max(0, (self.declared or 0) - len(self.times))

    @property
    def shown(self) -> str:
        rows, rate = self.info.findtext("channel_count", "?"), self.info.findtext("nominal_srate", "0")
        return (
            f"{self.name!r} (type {self.kind}, {rows} channels, {float(rate):.4g} Hz, "
            f"{len(self.times)} samples)"
        )


def read_xdf(
    path: Path, *, layout: Path | None = None, stream: str | None = None, length_unit: str | None = None
) -> Recording:
    """Read one haemodynamic stream of an XDF file, with the markers of all marker streams.

    Parameters
    ----------
    path : Path
        The file; ``.xdf.gz`` and ``.xdfz`` are compressed.
    layout : Path or None
        Side file for a stream that does not describe itself (`realtime.montage`).
    stream : str or None
        The stream's name, or a part that only its name has; needed where several streams have
        type NIRS.
    length_unit : str or None
        What optode locations are really in, where they are not in millimetres.

    Returns
    -------
    Recording
        Stamps are those of the recorder's LSL clock, raw but for the measured offset.

    Raises
    ------
    RecordingError
        Where the file is damaged, no stream or several fit, or the stream is empty or not described.
    """
    path = Path(path)
    streams, started, remarks, lost_bytes = _load(path)
    chosen = _choose(streams, stream, path)
    if not len(chosen.times):
        raise RecordingError(f"{path}: stream {chosen.shown} is empty. Streams: {_list(streams)}.")
    check_times(chosen.times, path)
    try:
        arranged = _arranged(chosen, layout)
        spec = SignalSpec(arranged.spec.channels, _rate(chosen, arranged))
        data = arranged.take(np.asarray(chosen.values).T)
        origin = read_origin(chosen.info)
    except (StreamError, SignalError) as error:
        raise RecordingError(f"{path}: {error}") from error
    unit, factor = length_factor("mm", length_unit, path)
    if length_unit is not None:
        spec = rescaled(spec, factor / LENGTHS["mm"])
    check_distances(spec, path, unit)
    check_pairs(spec.channels, path)
    n_rows = int(chosen.info.findtext("channel_count", "0"))
    if left := n_rows - len(spec):
        remarks.append(f"{left} of {n_rows} rows are auxiliary and were left aside")
    if back := int(np.count_nonzero(np.diff(chosen.times) <= 0)):
        remarks.append(f"time does not advance at {back} samples")
    events, said = _events([one for one in streams if one is not chosen])
    remarks += said
    start = None
    if started is not None:
        # The file's date is that of its opening, with a resolution of a second: the earliest
        # stamp of any stream is the nearest thing to that on the LSL clock.
        start = started - min(float(one.times[0]) for one in streams if len(one.times))
        remarks.append("UTC is good to a few seconds: XDF holds only when the file was opened")
    remarks += [
        f"{len(one.times)} of the {one.declared} samples that stream {one.name!r} declares could be read"
        for one in streams
        if one.lost
    ]
    if chosen.declared is None:
        remarks.append(
            f"stream {chosen.name!r} has no footer: the recorder stopped before its end, or the file is "
            "cut off; what is missing behind its last sample is not known"
        )
    notes: dict[str, Any] = {"format": "XDF", "stream": chosen.name}
    if share := max(lost_bytes, chosen.lost / max(1, chosen.declared or 0)):
        notes[LOST_SHARE] = share
    if origin.kind is not OriginKind.LIVE:
        notes["origin"] = origin.kind.value
        notes["speed"] = origin.speed
    if remarks:
        notes["remarks"] = remarks
    name = path.name.split(".xdf")[0]
    return Recording(name, spec, data, chosen.times, missing_values(spec, data), events, start, notes)


def on_recorder_clock(stamps: Floats, measured_at: Floats, offsets: Floats) -> Floats:
    """Bring a sender's stamps to the recorder's clock.

    Between two measurements the offset is interpolated, beyond them it stays.  Where the sender's
    clock was set anew (the offset jumps), each stamp is judged by the clock it was made on.

    Parameters
    ----------
    stamps : (n_samples,) float64
        Seconds on the sender's clock, in the order of arrival.
    measured_at, offsets : (n_measurements,) float64
        Seconds on the sender's clock, and what to add there to get the recorder's.

    Returns
    -------
    (n_samples,) float64
        Seconds on the recorder's clock.
    """
    if not len(offsets) or not len(stamps):
        return stamps
    jumps = (np.abs(np.diff(offsets)) > _OTHER_CLOCK_S) | (np.diff(measured_at) <= 0)
    bounds = [0, *(np.flatnonzero(jumps) + 1).tolist(), len(offsets)]
    best = np.full(len(stamps), np.inf)
    out = stamps.copy()
    for begin, end in pairwise(bounds):
        at, offset = measured_at[begin:end], offsets[begin:end]
        away = np.maximum(0, np.maximum(at[0] - stamps, stamps - at[-1]))
        mine = away < best
        out[mine] = stamps[mine] + np.interp(stamps[mine], at, offset)
        best[mine] = away[mine]
    return out


def _load(path: Path) -> tuple[list[_Stream], float | None, list[str], float]:
    """All streams, UTC of the file's opening (s since 1970), what is damaged, and the share of the bytes."""
    try:
        content = content_of(path)
        chunks = whole_chunks(content)
        with _complaints() as said:
            found, header = pyxdf.load_xdf(
                io.BytesIO(chunks.content),
                synchronize_clocks=False,
                handle_clock_resets=False,
                dejitter_timestamps=False,
            )
    except (OSError, EOFError, struct.error, ET.ParseError, zlib.error) as error:
        raise RecordingError(f"{path} is damaged, cut off, or no XDF file ({error}).") from error
    except (KeyError, ValueError, TypeError, IndexError, OverflowError, RecursionError) as error:
        # Headers that are not what pyxdf supposes.
        raise RecordingError(f"{path} is damaged: pyxdf stops at {type(error).__name__} {error}.") from error
    streams = [_stream(one) for one in found]
    if not streams:
        raise RecordingError(f"{path} holds no stream; it is empty or cut off.")
    said = [*chunks.damage, *said]
    share = chunks.lost / max(1, len(content))
    remarks = []
    if said:
        places = "1 place" if len(said) == 1 else f"{len(said)} places"
        remarks.append(f"the file is damaged in {places}, {share:.2%} of it was left aside: {said[0]}")
    return streams, _opened(header), remarks, share


def _stream(found: Mapping[str, Any]) -> _Stream:
    info = element_of("info", found["info"])
    times = on_recorder_clock(
        np.asarray(found["time_stamps"], dtype=np.float64),
        np.asarray(found["clock_times"], dtype=np.float64),
        np.asarray(found["clock_values"], dtype=np.float64),
    )
    name, kind = info.findtext("name", ""), info.findtext("type", "")
    return _Stream(name, kind, info, found["time_series"], times, _declared(found))


def _declared(found: Mapping[str, Any]) -> int | None:
    """Samples by the footer; None where there is none, or it does not say."""
    try:
        return int(found["footer"]["info"]["sample_count"][0])
    except (KeyError, IndexError, TypeError, ValueError):
        return None  # the footer is free text of the recorder's


def _opened(header: Any) -> float | None:
    try:
        text = header["info"]["datetime"][0]
        opened = datetime.fromisoformat(text)
    except (KeyError, IndexError, TypeError, ValueError):
        return None  # the header is free text of the recorder's
    return (opened if opened.tzinfo else opened.replace(tzinfo=UTC)).timestamp()


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """What pyxdf logs as errors while it reads on; it raises nothing for damaged chunks."""
    said: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.levelno >= logging.ERROR:
                said.append(record.getMessage())

    logger = logging.getLogger("pyxdf")
    handler, before = Keep(), logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield said
    finally:
        logger.removeHandler(handler)
        logger.propagate = before


def _choose(streams: Sequence[_Stream], wanted: str | None, path: Path) -> _Stream:
    numeric = [one for one in streams if one.info.findtext("channel_format") != "string"]
    if wanted is not None:
        fits = [one for one in numeric if one.name == wanted]
        fits = fits or [one for one in numeric if wanted.lower() in one.name.lower()]
        sought = f"is called {wanted!r}"
    else:
        fits = [one for one in numeric if one.kind.lower() in _TYPES]
        sought = "has type NIRS"
    if len(fits) == 1:
        return fits[0]
    if not fits:
        raise RecordingError(f"{path}: no stream {sought}. Streams: {_list(streams)}.")
    raise RecordingError(
        f"{path}: {len(fits)} streams fit; choose one by its name with --stream. They are {_list(fits)}."
    )


def _list(streams: Sequence[_Stream]) -> str:
    return ", ".join(one.shown for one in streams)


def _arranged(chosen: _Stream, layout: Path | None) -> StreamLayout:
    """What a person says about the rows goes before what the stream says."""
    if layout is None:
        return usual(layout_of(chosen.info))
    return layout_of(chosen.info, read_side_file(layout))


def _rate(chosen: _Stream, arranged: StreamLayout) -> float:
    """The stream's nominal rate, or else the layout's (Hz)."""
    declared = float(chosen.info.findtext("nominal_srate", "0"))
    if abs(arranged.spec.rate - declared) <= 1e-9 * declared:
        return arranged.spec.rate  # the same, with all its digits
    return declared or arranged.spec.rate


def _events(streams: Sequence[_Stream]) -> tuple[tuple[Event, ...], list[str]]:
    """Markers of all marker streams; a stream that repeats another is left aside."""
    kept: list[list[Event]] = []
    said: list[str] = []
    for one in streams:
        if one.info.findtext("channel_format") != "string" and one.kind.lower() not in _MARKERS:
            continue
        events = _labelled(one)
        if not events:
            continue
        if any(_same(events, others) for others in kept):
            said.append(f"marker stream {one.name!r} repeats another and was left aside")
            continue
        kept.append(events)
    return in_order([event for events in kept for event in events])[0], said


def _labelled(one: _Stream) -> list[Event]:
    rows: npt.NDArray[Any] | list[list[str]] = one.values
    labels = [" ".join(str(value) for value in row if str(value)) for row in rows]
    return [Event(float(time), label) for time, label in zip(one.times, labels, strict=True) if label]


def _same(events: Sequence[Event], others: Sequence[Event]) -> bool:
    return len(events) == len(others) and all(
        a.label == b.label and abs(a.onset - b.onset) <= _SAME_EVENT_S
        for a, b in zip(events, others, strict=True)
    )
