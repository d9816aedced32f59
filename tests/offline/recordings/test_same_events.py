"""One trigger line, in every format that can hold it and live: the same events and rejected onsets."""

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from offline.recordings import read_recording
from offline.recordings.checks import held_once, in_order
from realtime.log import EventReceived, SourceTrouble
from realtime.sources.lsl.events import Markers
from realtime.sources.lsl.trouble import Troubles
from realtime.sources.recording import Event
from tests.offline.recordings.test_homer import content
from tests.offline.recordings.test_nirx import folder  # noqa: F401 - a fixture
from tests.offline.recordings.test_xdf import markers, nirs
from tests.offline.recordings.test_xdf_streams import cap

RATE = 5.0


def of_xdf(path, write_xdf, line, times):
    trigger = {"name": "T", "type": "Markers", "rate": RATE, "values": line[:, None], "times": times}
    streams = [cap(len(line), times=times, rate=RATE), trigger]
    return read_recording(write_xdf(path / "a.xdf", streams))


def of_homer(path, line, times):
    bare = content(d=np.ones((len(line), 4)), t=times[:, None], s=line[:, None], aux=None, CondNames=None)
    savemat(path / "a.mat", bare)
    return read_recording((path / "a.mat").rename(path / "a.nirs"))


def write_snirf(path, times, rows):
    """As converters make it of a line: a row for each sample that is not at rest."""
    with h5py.File(path, "w") as file:
        file["formatVersion"] = "1.1"
        nirs = file.create_group("nirs")
        nirs["metaDataTags/TimeUnit"], nirs["metaDataTags/LengthUnit"] = "s", "mm"
        nirs["data1/time"], nirs["data1/dataTimeSeries"] = times, np.ones((len(times), 2))
        nirs["probe/wavelengths"] = [760.0, 850.0]
        for i in (1, 2):
            one = nirs.create_group(f"data1/measurementList{i}")
            for name, value in {"sourceIndex": 1, "detectorIndex": 1, "wavelengthIndex": i}.items():
                one[name] = value
            one["dataType"] = 1
        nirs["stim1/name"], nirs["stim1/data"] = "1.0", rows if len(rows) else np.zeros(1)
    return path


def rows_of(line, times):
    up = np.flatnonzero(line)
    return np.column_stack([times[up], np.zeros(len(up)), line[up]])


def of_snirf(path, line, times):
    return read_recording(write_snirf(path / "a_nirs.snirf", times, rows_of(line, times)))


def of_bids(path, line, times):
    rows = [f"{onset - times[0]}\tn/a\t 1.0\0\t{value:g}" for onset, _, value in rows_of(line, times)]
    table = path / "b_events.tsv"
    table.write_text("\n".join(["onset\tduration\ttrial_type\tvalue", *rows, ""]))
    return read_recording(write_snirf(path / "b_nirs.snirf", times, []))


def live(line, times):
    log = []
    troubles = Troubles(log.append, clock=lambda: 0.0)
    Markers(log.append, troubles, RATE).take(line[:, None], times, 0.0)
    troubles.report(all_of_it=True)
    reported = [entry.reason for entry in log if isinstance(entry, SourceTrouble)]
    assert bool(reported) == bool((line < 0).any()), "remarks on what was ignored is reported"
    return [Event(entry.stamp, entry.label) for entry in log if isinstance(entry, EventReceived)]


def remarks(recording):
    return " | ".join(recording.notes.get("remarks", []))


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from([-2, -1, 0, 1]), st.integers(1, 60)), min_size=1, max_size=8))
def test_a_held_line_is_one_event_where_it_rises_whoever_tells_it(tmp_path, write_xdf, held):
    line = np.concatenate([[0, 0], *[np.full(length, code) for code, length in held], [0]]).astype(float)
    times = 1000.0 + np.arange(len(line)) / RATE
    found = {
        "xdf": of_xdf(tmp_path, write_xdf, line, times),
        "homer": of_homer(tmp_path, line, times),
        "snirf": of_snirf(tmp_path, line, times),
        "bids": of_bids(tmp_path, line, times),
    }
    rises = [i for i in range(1, len(line)) if line[i] > 0 and line[i] > line[i - 1]]
    expected = [(pytest.approx(times[i]), "1", 0.0) for i in rises]
    for source, recording in found.items():
        said = [(event.onset, event.label, event.duration) for event in recording.events]
        assert said == expected, source
        assert ("rejected" in remarks(recording)) == bool((line < 0).any()), source
    assert [(event.onset, event.label, event.duration) for event in live(line, times)] == expected


def test_a_row_for_every_frame_of_a_trigger_is_one_event_of_nirx(folder):  # noqa: F811
    lines = {25: 1, 26: 1, 27: 1, 28: 3, 29: 0, 40: 1, 42: 1}
    rows = [f"{frame}\t" + "\t".join(f"{code:08b}"[::-1]) for frame, code in lines.items()]
    next(folder.glob("*.evt")).write_text("\n".join([*rows, ""]))
    recording = read_recording(folder)
    reported = [(round(event.onset * 12.5), event.label) for event in recording.events]
    assert reported == [(25, "1"), (28, "3"), (40, "1"), (42, "1")]
    assert "2 events repeat the one a sample before" in remarks(recording)


def test_events_are_in_order_and_reported_once():
    events = [Event(2.0, "a"), Event(1.0, "b"), Event(2.0, "a"), Event(2.0, "a", 1.0), Event(1.0, "a")]
    ordered, repeated = in_order(events)
    assert ordered == (Event(1.0, "b"), Event(1.0, "a"), Event(2.0, "a"), Event(2.0, "a", 1.0))
    assert repeated == ["1 events stand in the file twice; each was taken once"]


def test_what_follows_a_sample_later_is_held_and_what_comes_at_once_or_later_is_not():
    times = np.arange(100) / 10.0
    onsets = [1.0, 1.1, 1.2, 1.36, 1.36, 5.0, 5.149, 5.301]
    events = [Event(onset, "a") for onset in onsets] + [Event(1.1, "b")]
    kept, held = held_once(events[::-1], times)
    assert [(event.onset, event.label) for event in kept] == [
        (1.0, "a"), (1.1, "b"), (1.36, "a"), (1.36, "a"), (5.0, "a"), (5.301, "a"),
    ]  # fmt: skip
    assert held == ["3 events repeat the one a sample before, as a trigger that is held; ignored"]
    assert held_once(events, times[:1]) == (events, []), "without a rate there is no next sample"


def test_what_a_table_of_bids_tells_row_by_row(tmp_path):
    path = write_snirf(tmp_path / "x_nirs.snirf", np.arange(100) / RATE, [[1.0, 2.0, 1.0]])
    (tmp_path / "x_events.tsv").write_text(
        "onset\tduration\ttrial_type\tvalue\n"
        "n/a\t0\ttap\t1\n1\tn/a\ttap\t-1\n3\t-2\ttap\t-999\n3.2\t2\ttap\tn/a\n5\t2\ttap\t0\n"
        "6\t0\tn/a\tn/a\n7\t0\tn/a\t-2\n9\t0\tn/a\t4.0\n11\t0\ttap\tS  1\n13\t0.5\ttap\t0.5\n"
    )
    recording = read_recording(path)
    reported = [(event.onset, event.label, event.duration) for event in recording.events]
    assert reported == [
        (3.0, "tap", 0.0), (5.0, "tap", 2.0), (9.0, "4", 0.0), (11.0, "tap", 0.0), (13.0, "tap", 0.5),
    ], "a code for what is not known rejects nothing"  # fmt: skip
    assert recording.notes["remarks"] == [
        "the 5 events are those of x_events.tsv, and the 1 in the file itself were ignored",
        "2 onsets are marked as rejected; ignored",
        "1 events repeat the one a sample before, as a trigger that is held; ignored",
        "2 rows of x_events.tsv have no onset or no trial_type and were ignored",
    ]


NO_COLUMNS = "x_events.tsv has no columns 'onset' and 'trial_type' (or 'value'); its events were not read"


@pytest.mark.parametrize(
    ("table", "n_events", "said"),
    [
        ("onset\tvalue\n1\t5\n", 1, "the 1 events are those of x_events.tsv"),
        ("onset\ttrial_type\n", 0, "the 0 events are those of x_events.tsv"),
        ("onset\tresponse\n1\tyes\n", 0, NO_COLUMNS),
        ("time\tvalue\n1\t5\n", 0, NO_COLUMNS),
    ],
)
def test_which_columns_make_a_table_of_bids_one_of_events(tmp_path, table, n_events, said):
    path = write_snirf(tmp_path / "x_nirs.snirf", 50.0 + np.arange(100) / RATE, [])
    (tmp_path / "x_events.tsv").write_text(table)
    recording = read_recording(path)
    assert recording.notes["remarks"] == [said]
    assert recording.events == (Event(51.0, "5"),)[:n_events]


def test_what_an_xdf_file_tells_twice_without_a_time_or_as_noise_is_reported(write_xdf, tmp_path):
    twice = markers("M", ["a", "a", "b", "c"], [1001.0, 1001.0, 1003.0, np.nan])
    noise = np.abs(np.random.default_rng(0).normal(0, 0.01, (100, 1)))
    line = {
        "name": "ADC",
        "type": "Trigger",
        "rate": 10.0,
        "values": noise,
        "times": 1005 + np.arange(100) / 10,
    }
    recording = read_recording(write_xdf(tmp_path / "a.xdf", [nirs(300), twice, line]))
    assert "1 events stand in the file twice; each was taken once" in remarks(recording)
    assert "1 markers of 'M' have no time; ignored" in remarks(recording)
    assert "'ADC' has values that are not whole, as noise has and no trigger" in remarks(recording)
