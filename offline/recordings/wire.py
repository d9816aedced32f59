"""A recording as bytes between two processes of ours: a line of JSON, then the arrays as they are."""

import json
from collections.abc import Sequence
from typing import Any, BinaryIO

import numpy as np

from realtime.signal import SignalSpec
from realtime.sources.recording import Event, Recording

_ARRAYS = {"data": "float64", "times": "float64", "missing": "bool", "time_uncertainty_s": "float64"}


def send(recording: Recording, into: BinaryIO) -> None:
    """Write a recording, whose notes hold JSON types only."""
    arrays = [np.asarray(getattr(recording, name), dtype) for name, dtype in _ARRAYS.items()]
    head = {
        "name": recording.name,
        "spec": recording.spec.to_json(),
        "shapes": [values.shape for values in arrays],
        "events": [[event.onset, event.label, event.duration] for event in recording.events],
        "start_utc": recording.start_utc,
        "notes": dict(recording.notes),
        "pushed": recording.pushed,
    }
    into.write(json.dumps(head).encode() + b"\n")
    for values in arrays:
        into.write(np.ascontiguousarray(values).data)


def receive(source: BinaryIO) -> Recording:
    """Undo `send`; EOFError where the sender ended before it was done."""
    line = source.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    head = json.loads(line)
    shapes = zip(_ARRAYS.items(), head.pop("shapes"), strict=True)
    arrays = {name: _array(source, shape, dtype) for (name, dtype), shape in shapes}
    spec = SignalSpec.from_json(head.pop("spec"))
    events = tuple(Event(*event) for event in head.pop("events"))
    return Recording(**head, **arrays, spec=spec, events=events)


def _array(source: BinaryIO, shape: Sequence[int], dtype: str) -> Any:
    out = np.empty(shape, dtype=dtype)
    rest = out.reshape(-1).view(np.uint8).data
    while len(rest):
        # A buffered pipe gives at once all that it has been asked for, or ends.
        if not (got := source.readinto(rest)):  # type: ignore[attr-defined]
            raise EOFError
        rest = rest[got:]
    return out if shape else out.item()
