"""XDF files (LabRecorder) to a `Recording`.

Read through pyxdf, without its dejitter, which joins across gaps of fewer than 500 samples (50 s
at 10 Hz), and without its one straight line through all clock measurements: stamps stay as they
were sent, brought to the recorder's clock by `offline.recordings.xdf_clock`.
"""

import io
import logging
import struct
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from logging.handlers import BufferingHandler
from pathlib import Path
from typing import Any, TypeVar
from xml.etree import ElementTree as ET

import numpy as np
import pyxdf

from models.errors import RecordingError
from offline.recordings.checks import check_times, missing_values
from offline.recordings.damage import LOST_SHARE
from offline.recordings.plausible import check_channels, length_factor, rescaled
from offline.recordings.xdf_chunks import content_of, whole_chunks
from offline.recordings.xdf_clock import on_recorder_clock
from offline.recordings.xdf_events import read_events, unread
from offline.recordings.xdf_remarks import of_clocks, of_rate
from offline.recordings.xdf_streams import XdfStream, choose_signal
from offline.recordings.xdf_utc import start_of
from realtime.channels.layout import StreamLayout
from realtime.channels.lsl_description import element_of, read_origin
from realtime.channels.side_file import OF_BUNDLE, read_side_file, side_file_of
from realtime.channels.units import LENGTHS
from realtime.devices import layout_of, usual
from realtime.log import OriginKind
from realtime.signal import SignalSpec
from realtime.sources.recording import Recording

T = TypeVar("T")


def read_xdf(
    path: Path,
    *,
    layout: Path | Mapping[str, Any] | None = None,
    stream: str | None = None,
    events: str | None = None,
    length_unit: str | None = None,
) -> Recording:
    """Read one haemodynamic stream of an XDF file, with the markers of its marker streams.

    Options are those of `read_recording`; by default the one stream of type NIRS, and all marker streams
    (`offline.recordings.xdf_streams`).  Stamps are those of the recorder's LSL clock, raw but for the offset.

    A RecordingError, SignalError or StreamError where the file is damaged, no stream or several fit, or the
    stream is empty or not described.
    """
    streams, opened, remarks, lost_bytes = _load(path)
    chosen = choose_signal(streams, stream, path)
    check_times(chosen.times, path)
    arranged = _arranged(chosen, layout)
    spec = SignalSpec(arranged.spec.channels, _rate(chosen, arranged))
    data = arranged.take(np.asarray(chosen.values).T)
    origin = read_origin(chosen.info)
    unit, factor = length_factor("mm", length_unit, path)
    if length_unit is not None:
        spec = rescaled(spec, factor / LENGTHS["mm"])
    check_channels(spec, path, unit)
    n_rows = int(chosen.info.findtext("channel_count", "0"))
    if left := n_rows - len(spec):
        remarks.append(f"{left} of {n_rows} rows are auxiliary and were ignored")
    if back := int(np.count_nonzero(np.diff(chosen.times) <= 0)):
        remarks.append(f"time does not advance at {back} samples")
    others = [one for one in streams if one is not chosen]
    found, marking, more = read_events(others, events, path)
    remarks += [*of_clocks(chosen, marking), *of_rate(chosen), *more]
    if events is None:
        remarks += unread([one for one in others if one not in marking])
    start, more, local = start_of(opened, chosen, streams)
    remarks += more
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
    notes: dict[str, Any] = {"format": "XDF", "stream": chosen.name, **local}
    if share := max([lost_bytes, *(one.lost / max(1, one.declared or 0) for one in (chosen, *marking))]):
        notes[LOST_SHARE] = share
    if origin.kind is not OriginKind.LIVE:
        notes["origin"] = origin.kind.value
        notes["speed"] = origin.speed
    return Recording(
        path.name.split(".xdf")[0],
        spec,
        data,
        chosen.times,
        missing_values(spec, data),
        found,
        start,
        notes,
        time_uncertainty_s=chosen.uncertainty,
        pushed=True,
    ).remarked(remarks)


def _load(path: Path) -> tuple[list[XdfStream], datetime | None, list[str], float]:
    """All streams, when the file was opened, what is damaged, and the share of the bytes."""
    try:
        content = content_of(path)
        chunks = whole_chunks(content)
        with _complaints() as complaints:
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
    streams = [_stream(one, chunks.compared_after) for one in found]
    if not streams:
        raise RecordingError(f"{path} holds no stream; it is empty or cut off.")
    complaints = [*chunks.damage, *complaints]
    share = chunks.lost / max(1, len(content))
    remarks = []
    if complaints:
        count = "1 place" if len(complaints) == 1 else f"{len(complaints)} places"
        remarks.append(f"the file is damaged in {count}, {share:.2%} of it was ignored: {complaints[0]}")
    return streams, _field(header, "datetime", datetime.fromisoformat), remarks, share


def _stream(found: Mapping[str, Any], compared_after: Mapping[int, list[int]]) -> XdfStream:
    info = element_of("info", found["info"])
    measured_at = np.asarray(found["clock_times"], dtype=np.float64)
    offsets = np.asarray(found["clock_values"], dtype=np.float64)
    positions = compared_after.get(found["info"]["stream_id"], [])[: len(offsets)]  # pyxdf may drop the last
    on_clock = on_recorder_clock(
        np.asarray(found["time_stamps"], dtype=np.float64),
        measured_at,
        offsets,
        positions if len(positions) == len(offsets) else None,
        float(info.findtext("nominal_srate", "0")),
    )
    with np.errstate(invalid="ignore"):  # a wrong comparison may be infinite, both ways
        compared = measured_at + offsets
    declared = _field(found.get("footer"), "sample_count", int)
    return XdfStream(
        info,
        found["time_series"],
        on_clock.times,
        compared,
        on_clock.uncertainty,
        on_clock.remarks,
        declared,
    )


def _field(content: Any, name: str, form: Callable[[str], T]) -> T | None:
    """A field of a header or a footer, which are free text of the recorder's; None where it is not there."""
    try:
        return form(content["info"][name][0])
    except (KeyError, IndexError, TypeError, ValueError):
        return None


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """What pyxdf logs as errors while it reads on; it raises nothing for damaged chunks."""
    logger, handler, complaints = logging.getLogger("pyxdf"), BufferingHandler(sys.maxsize), list[str]()
    handler.setLevel(logging.ERROR)
    before, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield complaints
    finally:
        logger.removeHandler(handler)
        logger.propagate = before
        complaints += [record.getMessage() for record in handler.buffer]


def _arranged(chosen: XdfStream, layout: Path | Mapping[str, Any] | None) -> StreamLayout:
    """What the user states about the rows goes before what the stream says."""
    if layout is None:
        return usual(layout_of(chosen.info))
    side = read_side_file(layout) if isinstance(layout, Path) else side_file_of(layout, OF_BUNDLE)
    return layout_of(chosen.info, side)


def _rate(chosen: XdfStream, arranged: StreamLayout) -> float:
    """The stream's nominal rate, or else the layout's (Hz)."""
    declared = float(chosen.info.findtext("nominal_srate", "0"))
    if abs(arranged.spec.rate - declared) <= 1e-9 * declared:
        return arranged.spec.rate  # the same, with all its digits
    return declared or arranged.spec.rate
