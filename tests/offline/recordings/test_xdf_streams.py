"""Which stream of an XDF file is meant, what its markers mean, and when all that was."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from models.errors import RecordingError
from offline.recordings import read_recording
from realtime.channels.lsl_description import describe
from realtime.log import Origin
from realtime.signal import Channel, Kind, SignalSpec
from tests.offline.recordings.test_homer import content

SPEC = SignalSpec(
    tuple(
        Channel(name=f"left {nm}", kind=Kind.INTENSITY, unit="V", source=1, detector=1, wavelength=float(nm))
        for nm in (760, 850)
    ),
    10.0,
)
OPENED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp()
"""What the header of `write` says, in UTC."""


def cap(n=50, level=1.0, first=1000.0, **more):
    return {
        "name": "Cap",
        "type": "NIRS",
        "rate": 10.0,
        "values": np.full((n, 2), level),
        "times": first + np.arange(n) / 10,
        "desc": describe(SPEC, Origin()),
        "count": 2,
        **more,
    }


def markers(name, labels, times, **more):
    values = [[label] for label in labels]
    return {"name": name, "type": "Markers", "values": values, "times": times, "format": "string", **more}


def comparisons(first, n=12, offset=0.0, every=5.0):
    """As LabRecorder makes them: first 5 s after it opened the file."""
    return [(first + 5.0 + every * i - offset, offset) for i in range(n)]


@pytest.fixture
def write(tmp_path, write_xdf):
    def write(streams, opened="2026-01-02T03:04:05+0000"):
        return write_xdf(tmp_path / "a.xdf", streams, opened)

    return write


def remarks(recording):
    return " | ".join(recording.notes.get("remarks", []))


def level(recording):
    return recording.data[0, 0]


# ------------------------------------------------------------------- which signal


def test_streams_of_one_name_are_distinguished_by_source_id_uid_and_number(write):
    path = write(
        [
            markers("Exp", ["go"], [1001.0]),
            cap(level=1.0, source_id="bed-1", uid="u-one"),
            cap(level=2.0, source_id="bed-2", uid="u-two"),
        ]
    )
    with pytest.raises(RecordingError, match=r"2 streams fit.*source_id, uid or number.*number 2.*'bed-2'"):
        read_recording(path)
    with pytest.raises(RecordingError, match="2 streams fit"):
        read_recording(path, stream="Cap")
    for stream in ("bed-2", "u-two", "3", 3, "#3", "source_id='bed-2'", "uid='u-two' and name=\"Cap\"",
                   "source_id=bed-2", " uid = u-two"):  # fmt: skip
        assert level(read_recording(path, stream=stream)) == 2.0, stream
    for stream in ("name='no' or source_id='bed-1'", "starts-with(uid, 'u-o') and type='NIRS'"):
        assert level(read_recording(path, stream=stream)) == 1.0, stream
    for stream in ("bed-3", "4", "1", "source_id='bed-3'", "source_id=bed-3", "", "Exp"):
        with pytest.raises(RecordingError, match="no stream is called"):
            read_recording(path, stream=stream)


def test_a_name_goes_before_everything_that_looks_like_it(write):
    path = write([cap(level=1.0, name="2"), cap(level=2.0, name="O'Brien's cap"), cap(level=3.0, name="x")])
    assert level(read_recording(path, stream="2")) == 1.0
    assert level(read_recording(path, stream="O'Brien's cap")) == 2.0
    assert level(read_recording(path, stream='contains(name, "O\'Brien")')) == 2.0
    assert level(read_recording(path, stream="brien")) == 2.0
    for stream in ("name=O'Brien's cap", "name='O'Brien's cap'"):
        assert level(read_recording(path, stream=stream)) == 2.0
    assert level(read_recording(path, stream="name=2")) == 1.0
    assert level(read_recording(path, stream='starts-with(name, "O\'B")')) == 2.0
    with pytest.raises(RecordingError, match="no stream is called") as raised:
        read_recording(path, stream='starts-with(name, "Brien")')
    assert "uid" not in str(raised.value).split("Streams:")[1], "uids are shown where they are needed"


def test_what_a_device_sends_beside_its_signal_does_not_compete(write):
    path = write(
        [
            cap(level=1.0, name="Photon_Cap_C1_STATS"),
            cap(level=2.0, name="Photon_Cap_C1_RAW"),
            cap(0, name="x"),
        ]
    )
    for stream in (None, "photon", "type='NIRS'"):
        assert level(read_recording(path, stream=stream)) == 2.0
    assert level(read_recording(path, stream="Photon_Cap_C1_STATS")) == 1.0


def test_uids_are_listed_where_nothing_else_tells_streams_apart(write):
    with pytest.raises(RecordingError, match=r"uid uid-1, .*uid uid-2, "):
        read_recording(write([cap(), cap()]))


def test_an_empty_stream_does_not_compete(write):
    path = write([cap(0, source_id="dead"), cap(level=2.0, source_id="alive")])
    for stream in (None, "Cap", "type='NIRS'"):
        assert level(read_recording(path, stream=stream)) == 2.0
    with pytest.raises(RecordingError, match="is empty"):
        read_recording(path, stream="dead")


@pytest.mark.parametrize("kind", ["NIRS", "nirsx", "fNIRS", "fnirs_cw_amplitude", "hbo", "hbr", "fnirs_od"])
def test_the_types_that_a_session_takes_are_taken_in_files_too(write, kind):
    path = write([cap(level=1.0, type="EEG"), cap(level=2.0, type=kind)])
    assert level(read_recording(path)) == 2.0


# ------------------------------------------------------------------ which markers


def test_the_markers_of_one_person_can_be_chosen(write):
    path = write(
        [
            cap(),
            markers("Tablet", ["1", "1"], [1001.0, 1003.0], source_id="A"),
            markers("Tablet", ["1"], [1002.0], source_id="B"),
            markers("Tablet", [], [], source_id="C"),
            {"name": "Buttons", "type": "Keys", "values": [[4]], "times": [1004.0], "format": "int32"},
        ]
    )
    recording = read_recording(path)
    assert [event.onset for event in recording.events] == [1001.0, 1002.0, 1003.0]
    assert "events of 2 marker streams were joined: 'Tablet' (2), 'Tablet' (1)" in remarks(recording)
    for events, onsets in (
        ("A", [1001.0, 1003.0]), ("B", [1002.0]), (3, [1002.0]), ("uid='uid-3'", [1002.0]), ("C", []),
        ("Buttons", [1004.0]), ("type='Keys'", [1004.0]),
    ):  # fmt: skip
        chosen = read_recording(path, events=events)
        assert [event.onset for event in chosen.events] == onsets, events
        assert "joined" not in remarks(chosen)
        assert ("the marker stream 'Tablet' holds no event" in remarks(chosen)) == (not onsets)
        assert remarks(chosen).count("holds no event") == (not onsets)
    with pytest.raises(RecordingError, match=r"2 streams fit; choose one with --events"):
        read_recording(path, events="Tablet")
    with pytest.raises(RecordingError, match=r"no marker stream is called 'Phone'"):
        read_recording(path, events="Phone")
    with pytest.raises(RecordingError, match=r"no marker stream is called 'Cap'"):
        read_recording(path, events="Cap")


@pytest.mark.parametrize("kind", ["Markers", "marker", "Event", "events", "Trigger", "triggers", "stim"])
def test_streams_of_numbers_are_markers_by_their_type(write, kind):
    numbers = {"values": [[4], [5]], "times": [1001.0, 1003.0], "format": "int32"}
    path = write([cap(), {"name": "a", "type": kind, **numbers}, {"name": "b", "type": "Gaze", **numbers}])
    recording = read_recording(path)
    assert [(event.onset, event.label) for event in recording.events] == [(1001.0, "4"), (1003.0, "5")]
    assert not remarks(recording).count("marker stream")


def test_a_stream_that_says_the_same_twice_is_one_choice(write):
    path = write([cap(), markers("m", ["a"], [1001.0]), markers("m", ["a"], [1001.0999])])
    assert [event.onset for event in read_recording(path, events="m").events] == [1001.0]
    recording = read_recording(path)
    assert [event.onset for event in recording.events] == [1001.0]
    assert "marker stream 'm' repeats another and was ignored" in remarks(recording)


@pytest.mark.parametrize(
    ("labels", "times"),
    [(["a"], [1001.101]), (["a"], [1000.899]), (["b"], [1001.0]), (["a", "a"], [1001.0, 1002.0])],
)
def test_streams_that_do_not_say_the_same_are_several(write, labels, times):
    path = write([cap(), markers("m", ["a"], [1001.0]), markers("m", labels, times)])
    assert len(read_recording(path).events) == len({(1001.0, "a"), *zip(times, labels, strict=True)})
    longer = [markers("m", ["end", "a"], [999.0, 1001.0]), markers("m", ["end", *labels], [999.0, *times])]
    assert "repeats another" not in remarks(read_recording(write([cap(), *longer])))
    write([cap(), markers("m", ["a"], [1001.0]), markers("m", labels, times)])
    with pytest.raises(RecordingError, match="2 streams fit; choose one with --events"):
        read_recording(path, events="m")


# -------------------------------------------------------------- what a marker means


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    held=st.lists(st.tuples(st.sampled_from([-1, 0, 1]), st.integers(1, 60)), min_size=1, max_size=10),
    form=st.sampled_from(["int32", "float32", "double64"]),
)
def test_a_trigger_line_says_the_same_in_xdf_and_in_nirs(tmp_path, write_xdf, held, form):
    line = np.concatenate([[0], *[np.full(length, code) for code, length in held]])
    n = len(line)
    trigger = {
        "name": "Trigger", "type": "Markers", "rate": 5.0, "values": line[:, None],
        "times": 1000 + np.arange(n) / 5, "format": form,
    }  # fmt: skip
    xdf = read_recording(write_xdf(tmp_path / "line.xdf", [cap(n + 10), trigger]))
    variables = content(
        d=np.ones((n, 4)), t=1000 + np.arange(n)[:, None] / 5, s=line[:, None], aux=None, CondNames=None
    )
    savemat(tmp_path / "line.mat", variables)
    (tmp_path / "line.mat").replace(tmp_path / "line.nirs")
    nirs = read_recording(tmp_path / "line.nirs")
    assert xdf.events == nirs.events
    assert ("rejected" in remarks(xdf)) == ("rejected" in remarks(nirs))


def test_a_line_that_is_up_at_the_start_is_reported(write):
    line = np.repeat([1, 0, 1], [10, 10, 10])[:, None]
    trigger = {
        "name": "T",
        "type": "Markers",
        "rate": 10.0,
        "values": line,
        "times": 1000 + np.arange(30) / 10,
    }
    recording = read_recording(write([cap(), trigger]))
    assert [(event.onset, event.label) for event in recording.events] == [(1002.0, "1")]
    assert "'T' is at '1' at its first sample; when that began is not known" in remarks(recording)


def test_labels_hold_all_values_and_nothing_around_them(write):
    path = write(
        [
            cap(),
            {
                "name": "m", "type": "Markers", "times": [1001.0, 1002.0, 1003.0],
                "values": [["trial", "left\r\n"], [" trial\0", "1.0"], ["\n", " "]],
            },
        ]
    )  # fmt: skip
    assert [event.label for event in read_recording(path).events] == ["trial left", "trial 1"]


# ---------------------------------------------------------------------------- UTC


def first_utc(recording):
    return None if recording.start_utc is None else recording.start_utc + recording.times[0]


def test_utc_hangs_on_the_recorders_own_clock(write):
    """Neither a stray marker nor a device on a clock of its own moves it."""
    clock = comparisons(1000.0)
    strays = [
        markers("stray", ["a", "b"], [3.0, 1002.0], clock=clock),
        markers("unix", ["a"], [1.7e9], clock=clock),
        {
            "name": "belt",
            "type": "PPG",
            "rate": 10.0,
            "values": np.ones((50, 1)),
            "times": np.arange(50) / 10,
        },
    ]
    for others in ([], strays[:1], strays[1:2], strays[2:], strays):
        recording = read_recording(write([cap(clock=clock), *others]))
        assert first_utc(recording) == pytest.approx(OPENED, abs=0.2)
        assert "good to a few seconds" in remarks(recording)


def test_a_device_that_is_started_late_is_not_put_at_the_opening(write):
    clock = comparisons(1000.0, n=60)
    recording = read_recording(
        write([cap(first=1200.0, clock=clock), markers("m", ["a"], [1100.0], clock=clock)])
    )
    assert first_utc(recording) == pytest.approx(OPENED + 200.0, abs=1.0)
    recording = read_recording(write([cap(first=1200.0, clock=clock)]))
    assert first_utc(recording) == pytest.approx(OPENED + 200.0, abs=1.0)


def test_what_came_shortly_before_the_first_comparison_came_when_the_file_was_opened(write):
    early = {
        "name": "x",
        "type": "EEG",
        "rate": 10.0,
        "values": np.ones((50, 1)),
        "times": 997 + np.arange(50) / 10,
    }
    recording = read_recording(write([cap(clock=comparisons(1000.0)), early]))
    assert first_utc(recording) == pytest.approx(OPENED + 3.0, abs=0.2)


def test_without_any_comparison_streams_that_agree_are_believed(write):
    assert first_utc(read_recording(write([cap()]))) == pytest.approx(OPENED, abs=0.2)
    recording = read_recording(write([cap(), markers("m", ["a"], [996.0]), markers("n", ["b"], [1.7e9])]))
    assert first_utc(recording) == pytest.approx(OPENED + 4.0, abs=0.2)
    times = 1000 + np.arange(50) / 10
    times[0] = 3.0
    assert read_recording(write([cap(times=times)])).start_utc == pytest.approx(OPENED - 1000.0, abs=0.2)


def test_a_garbage_comparison_does_not_move_it(write):
    clock = comparisons(1000.0)
    clock[4] = (7.0, -3.0)
    recording = read_recording(
        write([cap(0), cap(200, name="x"), markers("m", ["a"], [1001.0], clock=clock)])
    )
    assert first_utc(recording) == pytest.approx(OPENED, abs=0.2)
    two = [(1005.0, 0.0), (7.0, -3.0)]  # which of them is wrong cannot be known, so neither is believed
    recording = read_recording(write([cap(), markers("m", ["a"], [1001.0], clock=two)]))
    assert first_utc(recording) == pytest.approx(OPENED, abs=0.2)


@pytest.mark.parametrize(
    "streams",
    [
        [cap(first=OPENED), markers("m", ["a"], [1010.0])],
        [cap(first=OPENED, clock=comparisons(1000.0))],
        [cap(first=0.0, clock=comparisons(1000.0))],
        [cap(first=1000.0), markers("m", ["a"], [3.0])],
    ],
    ids=["unix beside LSL", "unix, compared", "from 0, compared", "a stray marker, nothing compared"],
)
def test_what_shares_no_clock_with_the_recorder_has_no_utc(write, streams):
    recording = read_recording(write(streams))
    assert recording.start_utc is None
    assert "UTC is not known" in remarks(recording)


def test_a_header_without_a_zone_or_with_a_placeholder(write):
    recording = read_recording(write([cap()], "2026-01-02T03:04:05"))
    assert recording.start_utc is None
    assert "no time zone" in remarks(recording)
    assert recording.notes["start_local"] == "2026-01-02T03:04:05"
    recording = read_recording(write([cap()], "2000-01-01T00:00:10+0000"))
    assert recording.start_utc is None
    assert "placeholder" in remarks(recording)
    assert read_recording(write([cap()], "noon")).start_utc is None


def test_markers_on_another_clock_are_reported(write):
    recording = read_recording(write([cap(), markers("m", ["a", "b"], [1.7e9, 1.7e9 + 10])]))
    assert "2 of 2 events lie outside the recording (1000 to 1004.9 s" in remarks(recording)
    assert "a clock that the signal does not share" in remarks(recording)
    recording = read_recording(write([cap(), markers("m", ["a", "b"], [1001.0, 1010.0])]))
    assert "1 of 2 events lie outside the recording" in remarks(recording)
    assert "does not share" not in remarks(read_recording(write([cap(), markers("m", ["end"], [1008.0])])))
    assert "outside" not in remarks(read_recording(write([cap(), markers("m", ["a"], [1005.5])])))


# -------------------------------------------------------------- what it describes


@pytest.mark.parametrize(("old", "new"), [("760.0", "760,0"), ("850.0", "about 850"), ("760.0", "0.76 um")])
def test_a_wavelength_that_is_no_number_is_refused_with_its_text(write, old, new):
    desc = describe(SPEC, Origin())
    desc.remove(desc.find("hemostream"))
    for node in desc.iter("wavelength"):
        node.text = new if node.text == old else node.text
    with pytest.raises(RecordingError, match=rf"Channel 'left .*wavelength is '{new}'; expected nanometres"):
        read_recording(write([cap(desc=desc)]))


# ------------------------------------------------------------- what is not known is reported


def test_what_was_found_of_the_markers_clock_is_reported(write):
    wild = comparisons(1000.0)
    wild[4] = (wild[4][0], 1e6)
    signal = cap(600, clock=comparisons(1000.0))
    recording = read_recording(write([signal, markers("m", ["a"], [1030.0], clock=wild)]))
    assert [event.onset for event in recording.events] == pytest.approx([1030.0])
    assert "marker stream 'm': 1 clock offsets contradict the others" in remarks(recording)


@pytest.mark.parametrize("signal_has", [True, False])
def test_a_clock_that_was_not_compared_is_reported(write, signal_has):
    clock = {"clock": comparisons(1000.0, offset=40.0)}
    signal, marking = (clock, {}) if signal_has else ({}, clock)
    recording = read_recording(write([cap(600, **signal), markers("m", ["a"], [1030.0], **marking)]))
    lacking, other = ("m", "Cap") if signal_has else ("Cap", "m")
    assert f"stream {lacking!r} holds no usable clock offset and {other!r} does" in remarks(recording)
    both = write([cap(600, **clock), markers("m", ["a"], [1030.0], **clock)])
    assert "no usable clock offset" not in remarks(read_recording(both))


def test_an_event_that_two_streams_tell_is_one_though_one_of_them_lost_some(write):
    path = write(
        [cap(600), markers("m", ["a", "b", "a"], [1010.0, 1020.0, 1020.05]), markers("n", ["a"], [1010.02])]
    )
    recording = read_recording(path)
    assert [(event.onset, event.label) for event in recording.events] == [
        (1010.0, "a"), (1020.0, "b"), (1020.05, "a"),
    ]  # fmt: skip
    assert "1 of them are in two streams and were taken once" in remarks(recording)


def test_streams_that_look_like_markers_are_named(write):
    numbers = {"values": [[4], [5]], "times": [1001.0, 1003.0]}
    sent = {"name": "codes", "type": "Parallel", "format": "int32", **numbers}
    eye = {"name": "eye", "type": "Gaze", "format": "double64", "rate": 100.0, **numbers}
    recording = read_recording(write([cap(), sent, eye]))
    assert not recording.events
    assert "ignored though they may hold markers: 'codes' (type 'Parallel')" in remarks(recording)
    assert "eye" not in remarks(recording)
    assert len(read_recording(write([cap(), sent, eye]), events="codes").events) == 2


@pytest.mark.parametrize(("rate", "reported"), [(25.0, "25 Hz"), (4.0, "4 Hz"), (10.0, ""), (10.5, "")])
def test_a_rate_that_is_not_the_declared_one_is_reported(write, rate, reported):
    said = remarks(read_recording(write([cap(100, rate=rate)])))
    assert ("declares" in said) == bool(reported)
    assert f"declares {reported}" in said or not reported


def test_lost_samples_are_no_other_rate(write):
    times = 1000.0 + np.delete(np.arange(200), np.arange(50, 120)) / 10
    assert "declares" not in remarks(read_recording(write([cap(130, times=times)])))
