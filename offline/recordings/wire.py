"""A recording as bytes between two processes of ours: a line of JSON, then the arrays as they are."""

import json
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from realtime.signal import SignalSpec
from realtime.sources.recording import Event, Recording


def send(recording: Recording, into: BinaryIO) -> None:
    """Write a recording.

    Parameters
    ----------
    recording : Recording
        Its notes hold JSON types only.
    into : binary file
        Where to.
    """
    head = {
        "name": recording.name,
        "spec": recording.spec.to_json(),
        "samples": len(recording.times),
        "events": [[event.onset, event.label, event.duration] for event in recording.events],
        "start_utc": recording.start_utc,
        "notes": dict(recording.notes),
        "pushed": recording.pushed,
        "claims": np.size(recording.time_uncertainty_s),
    }
    into.write(json.dumps(head).encode() + b"\n")
    for values, dtype in (
        (recording.data, np.float64),
        (recording.times, np.float64),
        (recording.missing, np.bool_),
        (recording.time_uncertainty_s, np.float64),
    ):
        into.write(np.ascontiguousarray(values, dtype=dtype).data)


def receive(source: BinaryIO) -> Recording:
    """Undo `send`.

    Parameters
    ----------
    source : binary file
        Where from.

    Raises
    ------
    EOFError
        The sender ended before it was done.
    """
    line = source.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    head = json.loads(line)
    spec = SignalSpec.from_json(head["spec"])
    samples = int(head["samples"])
    data = _array(source, (len(spec), samples), np.float64)
    times = _array(source, (samples,), np.float64)
    missing = _array(source, (len(spec), samples), np.bool_)
    events = tuple(Event(onset, label, duration) for onset, label, duration in head["events"])
    claims = _array(source, (int(head["claims"]),), np.float64)
    return Recording(
        head["name"],
        spec,
        data,
        times,
        missing,
        events,
        head["start_utc"],
        head["notes"],
        # One for all samples, or one each: of a single sample it is the same.
        time_uncertainty_s=float(claims[0]) if len(claims) == 1 else claims,
        pushed=bool(head["pushed"]),
    )


def _array(source: BinaryIO, shape: tuple[int, ...], dtype: Any) -> npt.NDArray[Any]:
    out = np.empty(shape, dtype=dtype)
    if out.size:
        rest = out.data.cast("B")
        while len(rest):
            # A buffered pipe gives at once all that it has been asked for, or ends.
            if not (got := source.readinto(rest)):  # type: ignore[attr-defined]
                raise EOFError
            rest = rest[got:]
    return out
