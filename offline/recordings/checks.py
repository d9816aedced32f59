"""What every reader of recordings looks at before it hands a recording on."""

from collections.abc import Sequence
from math import inf
from pathlib import Path

import numpy as np

from models.arrays import Bools, Floats
from models.errors import RecordingError
from realtime.signal import Kind, SignalSpec
from realtime.sources.recording import Event

FREE, MOST_PACKED = 2**20, 200
"""Bytes that a file's content may have anyway, and for each byte it has packed.  Measured signals pack to
a half or a tenth; what claims more is damage, or made to fill the memory of who reads it."""
LIGHT = (Kind.INTENSITY, Kind.OPTICAL_DENSITY)
HAEMOGLOBIN = (Kind.HBO, Kind.HBR, Kind.HBT)
_NEXT_SAMPLE = 1.5
"""Sample periods within which an onset is one of the next sample."""


def missing_values(spec: SignalSpec, data: Floats) -> Bools:
    """Which (n_channels, n_samples) float64 values are not finite, or intensities not above zero."""
    missing: Bools = ~np.isfinite(data)
    rows = [i for i, channel in enumerate(spec.channels) if channel.kind is Kind.INTENSITY]
    missing[rows] |= ~(data[rows] > 0)
    return missing


def nominal_rate(times: Floats) -> float:
    """Hz that stamps, (n_samples,) float64 s, claim: 1 over the typical step, 0 where there is none."""
    steps = np.diff(times)
    typical = float(np.median(steps)) if len(steps) else 0.0
    if not typical > 0:
        return 0.0
    return float(len(steps) / (times[-1] - times[0])) if is_regular(times) else 1.0 / typical


def is_regular(times: Floats) -> bool:
    """Whether no step of stamps, (n_samples,) float64, differs from the typical one by more than 1 %."""
    steps = np.diff(times)
    typical = np.median(steps) if len(steps) else 0.0
    return bool(np.all(np.abs(steps - typical) <= 0.01 * abs(typical)))


def check_times(times: Floats, path: Path) -> None:
    """Refuse a recording without samples, or with stamps, (n_samples,) float64, that are NaN or infinite."""
    if not len(times):
        raise RecordingError(f"{path} holds no samples.")
    if bad := int(np.count_nonzero(~np.isfinite(times))):
        raise RecordingError(f"{path} has {bad} time stamps that are no numbers, of {len(times)}.")


def in_order(events: Sequence[Event]) -> tuple[tuple[Event, ...], list[str]]:
    """Events by onset, each once; and a remark on those that stood there more often."""
    distinct = dict.fromkeys(events)
    repeated = len(events) - len(distinct)
    remarks = [f"{repeated} events stand in the file twice; each was taken once"] if repeated else []
    return tuple(sorted(distinct, key=lambda event: event.onset)), remarks


def held_once(events: Sequence[Event], times: Floats) -> tuple[list[Event], list[str]]:
    """Events without those that only repeat that a trigger is still up, and a remark on these.

    A file that lists every sample, at `times` (n_samples,) float64 s, at which a trigger line is up, as
    Homer's converters and event files of amplifiers do, has a row a sample: what follows the same label by no
    more than a sample is held, not sent anew.
    """
    rate = nominal_rate(times)
    if not rate:
        return list(events), []
    kept: list[Event] = []
    before: dict[str, float] = {}
    for event in sorted(events, key=lambda event: event.onset):
        since = event.onset - before.get(event.label, -inf)
        before[event.label] = event.onset
        if since == 0 or since > _NEXT_SAMPLE / rate:
            kept.append(event)
    held = len(events) - len(kept)
    remark = f"{held} events repeat the one a sample before, as a trigger that is held; ignored"
    return kept, [remark] if held else []
