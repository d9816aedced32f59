"""A recording as MNE's ``Raw``, and back.

Raw has one rate and no stamps; so only a recording whose stamps lie on a grid becomes one.  What is missing
is NaN there, and what annotations or ``info["bads"]`` mark as bad is missing here.
"""

import mne
import numpy as np

from models.arrays import Floats
from models.errors import RecordingError
from realtime.channels.mne_info import info_from_spec, rows_of_signal, spec_from_info
from realtime.sources.bad_spans import without_bad_spans
from realtime.sources.recording import Event, Recording

OFF_GRID = 0.5
"""Share of a period by which a stamp may lie off the grid."""


def to_raw(recording: Recording) -> mne.io.RawArray:
    """Make MNE's ``Raw`` of a recording.

    Parameters
    ----------
    recording : Recording
        Of one rate, without gaps in time.

    Returns
    -------
    mne.io.RawArray
        In the same units; NaN where samples are missing; events are annotations from the first sample on.

    Raises
    ------
    RecordingError
        Its stamps lie on no grid; the message says where.
    """
    rate = _rate(recording)
    data = np.where(recording.missing, np.nan, recording.data)
    raw = mne.io.RawArray(data, info_from_spec(recording.spec.with_rate(rate)), verbose="error")
    start = float(recording.times[0])
    if recording.start_utc is not None:
        raw.set_meas_date(recording.start_utc + start)
    events = recording.events
    raw.set_annotations(
        mne.Annotations(
            [event.onset - start for event in events],
            [event.duration for event in events],
            [event.label for event in events],
        )
    )
    return raw


def from_raw(raw: mne.io.BaseRaw, *, name: str = "raw") -> Recording:
    """Make a recording of MNE's ``Raw``.

    Parameters
    ----------
    raw : mne.io.BaseRaw
        With channels of continuous-wave fNIRS; others are ignored.
    name : str
        For messages.

    Returns
    -------
    Recording
        Its times begin at 0.  NaN, bad channels and stretches annotated as bad are missing.

    Raises
    ------
    SignalError
        Raw has no such channel.
    """
    spec, rows = spec_from_info(raw.info), rows_of_signal(raw.info)
    data = raw.get_data(picks=rows)
    bad = np.array([raw.ch_names[row] in raw.info["bads"] for row in rows], dtype=bool)
    date = raw.info["meas_date"]
    # With a date onsets count from it, and the first sample need not lie there.
    first = raw.first_time if raw.annotations.orig_time is not None else 0.0
    events = tuple(
        Event(float(note["onset"]) - first, str(note["description"]), float(note["duration"]))
        for note in raw.annotations
    )
    recording = Recording(
        name=name,
        spec=spec,
        data=data,
        times=np.asarray(raw.times, dtype=np.float64),
        missing=~np.isfinite(data) | bad[:, np.newaxis],
        events=tuple(sorted(events, key=lambda event: event.onset)),
        start_utc=None if date is None else date.timestamp() + raw.first_time,
    )
    return without_bad_spans(recording)


def _rate(recording: Recording) -> float:
    times: Floats = recording.times
    if len(times) < 2:
        raise RecordingError(f"Recording {recording.name!r} has {len(times)} samples; expected two or more.")
    steps = np.arange(len(times))
    mean = float(times[-1] - times[0]) / (len(times) - 1)
    declared = 1.0 / recording.spec.rate if recording.spec.rate > 0.0 else mean
    for period in (declared, mean):
        off = np.abs(times - times[0] - period * steps)
        if off.max() <= OFF_GRID * period:
            return 1.0 / period
    at = int(np.argmax(off > OFF_GRID * mean))
    raise RecordingError(
        f"Recording {recording.name!r}: sample {at} lies {off[at]:.3g} s off a grid of {mean:.3g} s; "
        "expected one rate without gaps, as MNE's Raw has no stamps. Cut the recording there."
    )
