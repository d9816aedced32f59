"""Stretches that a person annotated as bad are missing, in whatever file the annotation stands."""

from dataclasses import replace

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline.recordings import read_recording
from realtime.signal import Channel, Kind, SignalSpec
from realtime.sources.bad_spans import without_bad_spans
from realtime.sources.recording import Event, Recording
from tests.offline.recordings.test_same_events import RATE, write_snirf

TIMES = np.arange(100) / RATE


def some_recording(spec: SignalSpec, events: list[Event]) -> Recording:
    shape = (len(spec.channels), len(TIMES))
    return Recording("a", spec, np.ones(shape), TIMES, np.zeros(shape, dtype=bool), tuple(events))


@pytest.fixture
def spec(tmp_path):
    return read_recording(write_snirf(tmp_path / "any.snirf", TIMES, [])).spec


def remarks(recording):
    return " | ".join(recording.notes.get("remarks", []))


@pytest.mark.parametrize("label", ["BAD_motion", "BAD", "BAD cough", "BAD_", "bad_segment", "bad motion"])
def test_what_lies_in_a_bad_span_is_missing_and_the_span_is_no_event(tmp_path, label):
    path = write_snirf(tmp_path / "a.snirf", TIMES, [])
    with h5py.File(path, "a") as file:
        file["nirs/stim2/name"], file["nirs/stim2/data"] = label, [[4.0, 2.0, 1.0]]
        file["nirs/stim3/name"], file["nirs/stim3/data"] = "tap", [[5.0, 2.0, 1.0]]
    found = read_recording(path)
    inside = (TIMES >= 4.0) & (TIMES <= 6.0)
    assert np.array_equal(found.missing, np.tile(inside, (2, 1)))
    assert [event.label for event in found.events] == ["tap"]
    assert label.strip() in remarks(found)


def test_so_is_it_of_a_table_next_to_the_file(tmp_path):
    path = write_snirf(tmp_path / "a_nirs.snirf", TIMES, [])
    (tmp_path / "a_events.tsv").write_text(
        "onset\tduration\ttrial_type\n4.0\t2.0\tBAD_motion\n5.0\t2.0\ttap\n"
    )
    found = read_recording(path)
    assert found.missing.any(axis=0).sum() == 11
    assert [event.label for event in found.events] == ["tap"]


@pytest.mark.parametrize("label", ["badge", "BADMINTON", "bad", "not BAD_", "good"])
def test_other_labels_are_events_like_any(spec, label):
    before = some_recording(spec, [Event(4.0, label, 2.0)])
    assert without_bad_spans(before) is before


def test_a_mark_without_a_duration_marks_no_stretch(spec):
    before = some_recording(spec, [Event(4.0, "BAD_motion")])
    assert without_bad_spans(before) is before


def test_marks_that_leave_nothing_are_not_obeyed_and_that_is_reported(spec):
    found = without_bad_spans(some_recording(spec, [Event(0.0, "BAD_all", 1e6)]))
    assert not found.missing.any()
    assert "not obeyed" in remarks(found)
    assert [event.label for event in found.events] == ["BAD_all"]


@given(spans=st.lists(st.tuples(st.floats(-5.0, 25.0), st.floats(0.01, 5.0)), min_size=1, max_size=4))
def test_missing_is_exactly_what_some_span_covers(spans):
    base = Recording(
        "a", _one_channel(), np.ones((1, len(TIMES))), TIMES, np.zeros((1, len(TIMES)), dtype=bool)
    )
    events = tuple(Event(onset, f"BAD_{i}", duration) for i, (onset, duration) in enumerate(spans))
    found = without_bad_spans(replace(base, events=events))
    expected = np.array([any(a <= t <= a + d for a, d in spans) for t in TIMES])
    assert np.array_equal(found.missing[0], expected)
    assert found.events == ()


def _one_channel() -> SignalSpec:
    return SignalSpec((Channel(name="ROI", kind=Kind.BOLD, unit="a.u."),), RATE)
