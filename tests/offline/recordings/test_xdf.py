"""XDF files: stamps as they were made, on one clock; markers once; the stream that was meant."""

import contextlib

import numpy as np
import pytest

from models.errors import RecordingError
from offline.recordings import read_recording
from realtime.channels.lsl_description import describe
from realtime.log import Origin, OriginKind
from realtime.signal import Channel, Kind, SignalSpec

SPEC = SignalSpec(
    tuple(
        Channel(
            name=f"left {nm}",
            kind=Kind.INTENSITY,
            unit="V",
            source=1,
            detector=2,
            wavelength=float(nm),
            distance=0.1 / 3,
        )
        for nm in (760, 850)
    ),
    50 / 7,
)
ORIGIN = Origin(OriginKind.SIMULATED, 4.0, 12.5)


def nirs(n=50, **more):
    rng = np.random.default_rng(0)
    return {
        "name": "Cap",
        "type": "NIRS",
        "rate": 50 / 7,
        "values": rng.uniform(0.5, 1, (n, 2)),
        "times": 1000 + np.arange(n) * 0.14,
        "desc": describe(SPEC, ORIGIN),
        **more,
    }


def markers(name, labels, times):
    return {"name": name, "type": "Markers", "values": [[label] for label in labels], "times": times}


@pytest.fixture
def cap(data_dir):
    return data_dir / "fnirs/lsl_tapping_xdf/sub-001_task-fingertapping_recording.xdf"


@pytest.fixture
def side(data_dir):
    return data_dir / "fnirs/lsl_tapping_xdf/sub-001_task-fingertapping_nirs.json"


def test_the_cortivision_recording(cap, side):
    recording = read_recording(cap, layout=side, stream="Photon_Cap_C2022044_RAW")
    assert recording.data.shape == (36, 10079)
    assert recording.spec.rate == pytest.approx(7.8837, abs=1e-4), "as declared, which is not true"
    steps = np.diff(recording.times)
    assert 1 / np.mean(steps) == pytest.approx(9.13, abs=0.01)
    assert 0.005 < steps.min() < 0.010
    assert 0.230 < steps.max() < 0.240, "gaps are left as they are"
    assert not recording.missing.any()
    assert [event.label for event in recording.events[:3]] == ["LEFT", "RIGHT", "NOTHING"]
    assert len(recording.events) == 36, "the second marker stream says the same"
    apart = np.diff([event.onset for event in recording.events])
    np.testing.assert_allclose(apart, 30, atol=0.5)
    remarks = " ".join(recording.notes["remarks"])
    assert "repeats another" in remarks
    assert "6 of 42 rows are auxiliary" in remarks


def test_the_cap_s_statistics_do_not_compete_with_its_signal(cap, side):
    assert read_recording(cap, layout=side).notes["stream"] == "Photon_Cap_C2022044_RAW"
    with pytest.raises(RecordingError, match="statistics"):
        read_recording(cap, stream="Photon_Cap_C2022044_STATS")


def test_several_streams_of_type_nirs_are_listed(tmp_path, write_xdf):
    path = write_xdf(tmp_path / "a.xdf", [nirs(), {**nirs(), "name": "Other"}])
    with pytest.raises(RecordingError, match=r"2 streams fit.*\(type NIRS, .*'Other' \(type NIRS"):
        read_recording(path)


def test_a_stream_without_description_asks_for_a_layout(cap):
    with pytest.raises(RecordingError, match=r"does not describe its 42 channels; a layout file"):
        read_recording(cap, stream="raw")


def test_a_name_that_no_stream_has_lists_them(cap):
    with pytest.raises(RecordingError, match=r"no stream is called 'Aurora'.*'eeg_markers'"):
        read_recording(cap, stream="Aurora")


@pytest.mark.parametrize("name", ["a.xdf", "a.xdf.gz"])
def test_a_recorded_replay_reads_back_whole(tmp_path, write_xdf, name):
    stream = nirs()
    recording = read_recording(write_xdf(tmp_path / name, [stream]))
    assert recording.name == "a"
    assert recording.spec == SPEC
    np.testing.assert_array_equal(recording.data, stream["values"].T)
    np.testing.assert_array_equal(recording.times, stream["times"])
    assert recording.notes["origin"] == "simulated"
    assert recording.start_utc == pytest.approx(1767319445 - 1000)


def test_clock_offsets_bring_stamps_and_markers_to_the_recorders_clock(tmp_path, write_xdf):
    clock = [(1000.0 + 2 * k, 5.0 + 2e-5 * k) for k in range(4)]
    stream = nirs(clock=clock)
    events = markers("m", ["go"], [2000.0]) | {"clock": [(2000.0, -995.0)]}
    recording = read_recording(write_xdf(tmp_path / "a.xdf", [stream, events]))
    expected = stream["times"] + 5.0 + 1e-5 * (stream["times"] - 1000.0)
    np.testing.assert_allclose(recording.times, expected, rtol=0, atol=1e-4)  # a chunk moves as one
    assert recording.pushed
    assert 0 < np.max(recording.time_uncertainty_s) < 5e-3
    assert [event.onset for event in recording.events] == [1005.0]


def test_a_gap_stays_a_gap(tmp_path, write_xdf):
    stream = nirs()
    stream["times"] = stream["times"].copy()
    stream["times"][25:] += 5.0
    recording = read_recording(write_xdf(tmp_path / "a.xdf", [stream]))
    np.testing.assert_array_equal(recording.times, stream["times"])


def test_markers_of_two_streams_are_joined_and_repeats_dropped(tmp_path, write_xdf):
    streams = [
        nirs(),
        markers("one", ["a", "b"], [1001.0, 1002.0]),
        markers("mirror", ["a", "b"], [1001.01, 1002.01]),
        markers("other", ["c"], [1001.5]),
        {"name": "counts", "type": "Markers", "values": [[7.0]], "times": [1003.0]},
        {"name": "empty", "type": "Markers", "values": [], "times": [], "format": "string"},
    ]
    recording = read_recording(write_xdf(tmp_path / "a.xdf", streams))
    assert [event.label for event in recording.events] == ["a", "c", "b", "7"]


def test_values_that_are_none_are_missing(tmp_path, write_xdf):
    stream = nirs()
    stream["values"][3, 0] = np.nan
    stream["values"][4, 1] = -0.1
    recording = read_recording(write_xdf(tmp_path / "a.xdf", [stream]))
    assert np.argwhere(recording.missing).tolist() == [[0, 3], [1, 4]]


def test_an_empty_stream(tmp_path, write_xdf):
    stream = nirs(0, count=2)
    with pytest.raises(RecordingError, match=r"'Cap' .*0 samples\) is empty"):
        read_recording(write_xdf(tmp_path / "a.xdf", [stream]))


def test_no_haemodynamic_stream(tmp_path, write_xdf):
    with pytest.raises(RecordingError, match=r"no stream has type NIRS. Streams: 'm'"):
        read_recording(write_xdf(tmp_path / "a.xdf", [markers("m", ["a"], [1.0])]))


def test_a_layout_of_another_device(tmp_path, write_xdf, side):
    with pytest.raises(RecordingError, match=r"names row 35 .* has 2 rows"):
        read_recording(write_xdf(tmp_path / "a.xdf", [nirs()]), layout=side)


def test_a_missing_wavelength_is_named(tmp_path, write_xdf):
    more = Channel(name="x", kind=Kind.INTENSITY, unit="V", source=3, detector=2, wavelength=760.0)
    spec = SignalSpec((*SPEC.channels, more), 10.0)
    stream = nirs(values=np.ones((50, 3)), desc=describe(spec, ORIGIN))
    with pytest.raises(RecordingError, match="source 3 and detector 2 lack the wavelength 850 nm"):
        read_recording(write_xdf(tmp_path / "a.xdf", [stream]))


def test_cut_off_files_give_what_they_hold_or_say_so(tmp_path, write_xdf):
    whole = write_xdf(tmp_path / "a.xdf", [nirs()]).read_bytes()
    file = tmp_path / "cut.xdf"
    read = 0
    for length in range(0, len(whole), 7):
        file.write_bytes(whole[:length])
        with contextlib.suppress(RecordingError):
            read += len(read_recording(file).times) > 0
    assert read > 100, "what came before the cut is not lost"


@pytest.mark.parametrize("name", ["a.xdf", "a.xdf.gz", "a.xdfz"])
def test_garbage(tmp_path, name):
    rng = np.random.default_rng(0)
    for content in (b"", b"XDF:", b"\x1f\x8b\x08", rng.bytes(500), b"XDF:" + rng.bytes(500)):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(RecordingError, match=r"a\.xdf"):
            read_recording(tmp_path / name)


def test_damaged_bytes_give_only_errors_of_ours(tmp_path, write_xdf):
    whole = bytearray(write_xdf(tmp_path / "a.xdf", [nirs(10)]).read_bytes())
    rng = np.random.default_rng(1)
    file = tmp_path / "damaged.xdf"
    for _ in range(300):
        damaged = whole.copy()
        for at in rng.integers(4, len(whole), 3):
            damaged[at] = rng.integers(256)
        file.write_bytes(damaged)
        with contextlib.suppress(RecordingError):
            read_recording(file)
