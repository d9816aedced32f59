"""What the ``stim`` groups of a SNIRF file say, group by group and row by row."""

import io

import h5py
import numpy as np
import pytest

from offline.recordings.snirf_events import Stimuli, read_stimuli
from realtime.sources.recording import Event


def read(*groups, origin=0.0, names=None) -> Stimuli:
    """Read groups of fields, called stim1, stim2 ... where no names are given."""
    with h5py.File(io.BytesIO(), "w") as file:
        nirs = file.create_group("nirs")
        for i, fields in enumerate(groups, start=1):
            group = nirs.create_group(names[i - 1] if names else f"stim{i}")
            for field, value in fields.items():
                group[field] = value
        return read_stimuli(nirs, origin)


ROWS = [[5.0, 2.0, 1.0], [9.0, 3.0, 1.0]]
BOTH = [Event(5.0, "tap", 2.0), Event(9.0, "tap", 3.0)]


def test_conditions_one_after_the_other_and_times_behind_the_origin():
    found = read(
        {"name": "b", "data": ROWS}, {"name": np.bytes_(b"a \r\n"), "data": [[1.0, 0.5, 1.0]]}, origin=100.0
    )
    assert found.events == [Event(105.0, "b", 2.0), Event(109.0, "b", 3.0), Event(101.0, "a", 0.5)]
    assert found.remarks == []


def test_a_condition_without_events_or_of_another_shape_is_none():
    others = [{"name": "x"}, {"name": "x", "data": 0.0}, {"name": "x", "data": np.zeros((0, 3))}]
    empty = read(*others, {"name": "tap", "data": ROWS})
    assert (empty.events, empty.remarks) == (BOTH, [])
    others = [{"name": "x", "data": data} for data in ([[1.0], [2.0]], np.ones((2, 3, 4)), [1.0, 2, 3, 4])]
    odd = read(*others, {"name": "tap", "data": ROWS})
    assert odd.events == BOTH
    assert [text.split(";")[0] for text in odd.remarks] == [
        f"stimulus 'x' has data of shape {shape}" for shape in ("(2, 1)", "(2, 3, 4)", "(4,)")
    ]
    assert read({"name": "tap", "data": [5.0, 2.0, 1.0]}).events == [Event(5.0, "tap", 2.0)]
    assert read({"name": "tap", "data": [5.0, 2.0, -1.0]}).events == []
    assert read({"name": "tap", "data": [5.0, 2.0]}).events == [Event(5.0, "tap", 2.0)], (
        "two columns are enough"
    )


@pytest.mark.parametrize(
    ("name", "label"), [("tap", "tap"), (["tap", "more"], "tap"), (2.0, "2"), (" \n", "stim"), (None, "stim")]
)
def test_a_condition_is_called_by_its_name_or_else_by_its_group(name, label):
    fields = {"data": ROWS} | ({} if name is None else {"name": name})
    assert {event.label for event in read(fields, names=["stim"]).events} == {label}


@pytest.mark.parametrize("duration", [0.0, -1.0, np.nan, np.inf])
def test_a_duration_that_is_none_is_0(duration):
    assert read({"name": "tap", "data": [[5.0, duration, 1.0]]}).events == [Event(5.0, "tap", 0.0)]


def test_onsets_that_are_none_are_counted():
    found = read(
        {"name": "tap", "data": [*ROWS, [np.nan, 1.0, 1.0]]},
        {"name": "x", "data": [[np.inf, 1.0, 1.0], [np.nan, 1.0, -1.0]]},
    )
    assert found.events == BOTH
    assert found.remarks == [
        "1 onsets are marked as rejected; ignored",
        "2 events have no onset; ignored",
    ]


@pytest.mark.parametrize(
    ("labels", "column", "values", "rejected"),
    [
        (None, 2, [-1.0, -2.0], 2),
        (None, 2, [-0.5, 0.0], 1),
        (None, 2, [0.0, np.nan], 0),
        (["onset", "duration", " Amplitude "], 2, [-1.0, 1.0], 1),
        (["onset", "duration", "value"], 2, [-1.0, 1.0], 1),
        (["onset", "duration", "values"], 2, [-1.0, 1.0], 1),
        (["onset", "duration", ""], 2, [-1.0, 1.0], 1),
        (["onset", "duration"], 2, [-1.0, 1.0], 1),
        (["onset", "duration", "valence"], 2, [-1.0, 1.0], 0),
        (["onset", "duration", "amplitude", "value"], 3, [-1.0, -1.0], 0),
        (None, 3, [-1.0, -1.0], 0),
        (["onset", "duration", "amplitude", "state"], 3, [-1.0, 0.0], 1),
        (["onset", "duration", "states"], 2, [-1.0, 1.0], 1),
        (["onset", "duration", "amplitude", "Rejected"], 3, [1.0, 0.0], 1),
        (["onset", "duration", "amplitude", "reject"], 3, [-1.0, np.nan], 1),
        (["onset", "duration", "excluded"], 2, [0.5, 0.0], 1),
    ],
)
def test_columns_that_mark_rejected_onsets(labels, column, values, rejected):
    rows = np.column_stack([np.array(ROWS), np.ones((2, 2))])[:, : column + 1]
    rows[:, column] = values
    fields = {"name": "tap", "data": rows} | ({} if labels is None else {"dataLabels": labels})
    found = read(fields)
    assert found.events == BOTH[rejected:]
    assert found.remarks == ([f"{rejected} onsets are marked as rejected; ignored"] if rejected else [])


def test_a_negative_onset_or_a_first_column_called_otherwise_rejects_nothing():
    rows = [[-5.0, 2.0, 1.0], [9.0, 3.0, 1.0]]
    for labels in (["value", "value", "amplitude"], ["onset", "duration", "amplitude"]):
        found = read({"name": "tap", "data": rows, "dataLabels": labels})
        assert [event.onset for event in found.events] == [-5.0, 9.0]


@pytest.mark.parametrize(
    ("states", "kept"),
    [
        ([[5.0, -1.0], [9.0, 1.0]], [9.0]),
        ([[5.0, 0.0], [9.0, -2.0]], [5.0]),
        ([[9.0 + 9e-7, -1.0]], [5.0]),
        ([[9.0 - 9e-7, -1.0]], [5.0]),
        ([[9.0 + 1.2e-6, -1.0]], [5.0, 9.0]),
        ([[7.0, -1.0]], [5.0, 9.0]),
        ([9.0, -1.0], [5.0]),
        ([[9.0, -1.0, 0.0]], [5.0, 9.0]),
        ([[9.0], [-1.0]], [5.0, 9.0]),
        (0.0, [5.0, 9.0]),
        (-np.ones((2, 2, 2)), [5.0, 9.0]),
        ([[5.0, -1.0], [9.0, -1.0]], []),
    ],
)
def test_homers_own_field_of_states_rejects_the_onsets_that_it_names(states, kept):
    found = read({"name": "tap", "data": ROWS, "states": states})
    assert [event.onset for event in found.events] == kept


def test_one_way_of_rejecting_does_not_undo_another():
    rows = [[5.0, 2.0, -1.0, 0.0], [9.0, 3.0, 1.0, 1.0], [11.0, 1.0, 1.0, 0.0], [12.0, 1.0, 1.0, 0.0]]
    labels = ["onset", "duration", "amplitude", "rejected"]
    states = [[5.0, 1.0], [11.0, -1.0]]
    found = read({"name": "tap", "data": rows, "dataLabels": labels, "states": states})
    assert found.events == [Event(12.0, "tap", 1.0)]
    assert found.remarks == ["3 onsets are marked as rejected; ignored"]


def test_columns_in_another_order_are_left_aside_and_reported():
    turned = {"name": "tap", "data": np.array([*ROWS, [20.0, 2.0, 1.0], [30.0, 2.0, 1.0]]).T}
    swapped = {"name": "rest", "data": ROWS, "dataLabels": ["Duration", "Onset", "Value"]}
    found = read(turned, swapped)
    assert found.events == []
    assert found.remarks == [
        "stimulus 'tap' has data of shape (3, 4), whose first row advances as "
        "onsets do; turn it round; ignored",
        "stimulus 'rest' has 'onset' in column 2, where SNIRF has it in column 1; ignored",
    ]
    more = {
        "name": "tap",
        "data": [[*row, 7.0] for row in ROWS],
        "dataLabels": ["Onset", "Duration", "Value", "RT"],
    }
    assert read(more).events == BOTH
