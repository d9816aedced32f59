"""What a file itself marks as bad: channels and stretches of time that a person, or Homer, took out.

What is so marked is missing, and a remark says how much.  Marks of another number than there are channels (or
samples), and marks that leave nothing at all (fields that were never set are zeros), are only remarked on.

Homer keeps channels in ``SD.MeasListAct`` (``mlActMan``) and stretches in ``tIncMan`` and ``tIncAuto``;
converters to SNIRF write them next to the data or the probe.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from models.arrays import Bools
from realtime.sources.recording import Recording

CHANNELS = frozenset({"measlistact", "measlistactman", "measlistactauto", "mlact", "mlactman", "mlactauto"})
"""Names of flags of channels, in lower case: 1 is good."""
SAMPLES = frozenset({"tinc", "tincman", "tincauto"})
"""Names of flags of samples, in lower case: 1 is good."""
_ACTIVE = 2
"""Column of a table (source, detector, active, wavelength), as Homer3 keeps it."""
_SHOWN = 8


def without_marked(
    recording: Recording, flags: Mapping[str, npt.NDArray[Any]], columns: Sequence[int], n_columns: int
) -> Recording:
    """The recording with what its file marks as bad missing.

    Flags, (n,) array, stand under the names of `CHANNELS` and `SAMPLES`, however they are written: 0 is bad.
    Of each channel `columns` is the file's column, of `n_columns` that it has.
    """
    for name, values in flags.items():
        of_samples = name.lower() in SAMPLES
        bad = _bad(values, of_samples)
        what, expected = ("samples", len(recording.times)) if of_samples else ("channels", n_columns)
        if bad is None or len(bad) != expected:
            remark = f"{name} has shape {np.shape(values)} for {expected} {what}; it was not obeyed"
            recording = recording.remarked([remark])
        elif bad.all():
            remark = f"{name} marks all {what} as bad, as if it had never been set; it was not obeyed"
            recording = recording.remarked([remark])
        elif not of_samples:
            recording = without_channels(recording, np.flatnonzero(bad[list(columns)]).tolist(), name)
        elif bad.any():
            share = 100.0 * np.count_nonzero(bad) / len(bad)
            remark = f"{name} marks {share:.3g} % of the time as bad; it is missing"
            recording = replace(recording, missing=recording.missing | bad).remarked([remark])
    return recording


def without_channels(recording: Recording, rows: Sequence[int], by: str) -> Recording:
    """The recording with these channels missing, which marks that stand in `by` call bad."""
    if not rows:
        return recording
    missing = recording.missing.copy()
    missing[list(rows)] = True
    more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    names = ", ".join(recording.spec.names[row] for row in rows[:_SHOWN])
    remark = f"{by} marks {len(rows)} channels as bad, they are missing: {names}{more}"
    return replace(recording, missing=missing).remarked([remark])


def _bad(values: npt.NDArray[Any], of_samples: bool) -> Bools | None:
    """Which are 0, (n,) bool; None where the shape is another."""
    flags = np.squeeze(np.asarray(values))
    if flags.dtype.kind not in "fiub":
        return None
    if flags.ndim == 2 and not of_samples and flags.shape[1] > _ACTIVE:
        flags = flags[:, _ACTIVE]
    return np.asarray(np.atleast_1d(flags) == 0) if flags.ndim < 2 else None
