"""The events of a SNIRF file: its ``stim`` groups, of which a condition each.

Onsets and durations are seconds, whatever ``TimeUnit`` says of the stamps (SNIRF specification;
fNIRS/snirf#111).  Homer3 writes what a person or a rule rejected as value -1 or -2, or in a field of its own,
``states``: rows of time and state.
"""

from typing import NamedTuple

import h5py
import numpy as np

from models.arrays import Bools, Floats
from offline.recordings import hdf5
from realtime.sources.markers import duration_of, label_of
from realtime.sources.recording import Event

_VALUES = ("", "amplitude", "amp", "value", "values", "magnitude", "weight", "height", "strength")
"""What writers call the third column, of amplitudes."""
_MOST_OF_ONE = 3
"""Numbers that stand in one row: more of them could be a row or onsets."""
_ONSETS, _DURATIONS = ("onset", "onsets", "starttime", "start", "time"), ("duration", "durations")
"""What they call the first two."""
STATES, REJECTED = ("state", "states"), ("rejected", "reject", "excluded")
"""What they call one that marks rejected onsets (below 0; not 0)."""


class Stimuli(NamedTuple):
    """What the ``stim`` groups hold: the events that count, and remarks on what was ignored."""

    events: list[Event]
    remarks: list[str]


def read_stimuli(nirs: h5py.Group, origin: float) -> Stimuli:
    """Read all conditions of a measurement; `origin`, in s, is added to the file's times."""
    found = Stimuli([], [])
    n_rejected = n_untimed = 0
    for group in hdf5.numbered(nirs, "stim"):
        if "data" not in group:
            continue
        data = hdf5.numbers(group, "data")
        if data.size <= 1:
            continue  # Homer3 writes a condition without events as a single 0
        label = label_of(hdf5.texts(group, "name")[:1]) or str(group.name).split("/")[-1]
        rows = np.atleast_2d(data)
        if rows.ndim > 2 or rows.shape[1] < 2 or (data.ndim == 1 and data.size > _MOST_OF_ONE):
            found.remarks.append(
                f"stimulus {label!r} has data of shape {data.shape}; expected onsets by 3 (onset, duration, "
                "value); ignored"
            )
            continue
        if disorder := _out_of_order(group, rows):
            found.remarks.append(f"stimulus {label!r} {disorder}; ignored")
            continue
        rejected = _rejected(group, rows)
        untimed = ~np.isfinite(rows[:, 0]) & ~rejected
        n_rejected += int(np.count_nonzero(rejected))
        n_untimed += int(np.count_nonzero(untimed))
        for onset, duration in rows[~rejected & ~untimed, :2]:
            found.events.append(Event(float(onset) + origin, label, duration_of(duration)))
    if n_rejected:
        found.remarks.append(f"{n_rejected} onsets are marked as rejected; ignored")
    if n_untimed:
        found.remarks.append(f"{n_untimed} events have no onset; ignored")
    return found


def _labels(group: h5py.Group) -> list[str]:
    """What the file calls the columns, in lower case."""
    return [text.strip().lower() for text in hdf5.texts(group, "dataLabels")]


def _out_of_order(group: h5py.Group, rows: Floats) -> str:
    """What is wrong where rows (n_onsets, 2 or more) are no onset, duration, value; empty where they are."""
    labels = _labels(group)
    for column, names in enumerate((_ONSETS, _DURATIONS)):
        found = next((other for other, label in enumerate(labels) if label in names), column)
        if found != column:
            return f"has {labels[found]!r} in column {found + 1}, where SNIRF has it in column {column + 1}"
    three, columns = len(rows) == _MOST_OF_ONE, rows.shape[1]
    if three and columns > _MOST_OF_ONE and len(labels) != columns and np.all(np.diff(rows[0]) > 0):
        return f"has data of shape {rows.shape}, whose first row advances as onsets do; turn it round"
    return ""


def _rejected(group: h5py.Group, rows: Floats) -> Bools:
    """Which rows (n_onsets, 2 or more) are marked as rejected, by whichever way the file has."""
    out: Bools = np.zeros(len(rows), dtype=bool)
    labels = _labels(group)
    for column, values in enumerate(rows.T):
        called = labels[column] if column < len(labels) else ""
        if (column == 2 and called in _VALUES) or called in STATES:
            out |= values < 0
        elif called in REJECTED:
            out |= np.nan_to_num(values) != 0
    if "states" in group:
        states = np.atleast_2d(hdf5.numbers(group, "states"))
        if states.ndim == 2 and states.shape[1] == 2:
            gone = states[states[:, 1] < 0, 0]
            out |= (np.abs(rows[:, :1] - gone) < 1e-6).any(axis=1)
    return out
