"""Homer .nirs files: true units, pairs by their list, onsets that were not rejected."""

import contextlib

import numpy as np
import pytest
from scipy.io import savemat

from models.errors import RecordingError
from offline.recordings import read_recording

N = 20


def content(**change):
    probe = {
        "Lambda": [690.0, 830.0],
        "SrcPos": [[0.0, 0, 0], [60, 0, 0]],
        "DetPos": [[30.0, 0, 0]],
        # All of one wavelength, then all of the other, in another order.
        "MeasList": [[1, 1, 1, 1], [2, 1, 1, 1], [2, 1, 1, 2], [1, 1, 1, 2]],
        "SpatialUnit": "mm",
    }
    s = np.zeros((N, 2))
    s[[4, 5, 6, 12], 0] = 1
    s[8, 1] = 1
    s[9, 1] = -1
    variables = {
        "d": np.arange(1.0, 4 * N + 1).reshape(N, 4),
        "t": np.arange(N)[:, None] * 0.2,
        "s": s,
        "SD": probe,
        "aux": np.zeros((N, 3)),
        "CondNames": np.array(["tap", "rest"], dtype=object),
    }
    probe.update({key[3:]: value for key, value in change.items() if key.startswith("SD_")})
    variables.update({key: value for key, value in change.items() if not key.startswith("SD_")})
    return {key: value for key, value in variables.items() if value is not None}


@pytest.fixture
def read(tmp_path):
    def read(length_unit=None, compressed=True, **change):
        savemat(tmp_path / "x.mat", content(**change), do_compression=compressed)
        (tmp_path / "x.mat").rename(tmp_path / "x.nirs")
        return read_recording(tmp_path / "x.nirs", length_unit=length_unit)

    return read


def test_what_the_file_says(read):
    recording = read()
    assert recording.spec.names == ("S1_D1 690", "S2_D1 690", "S2_D1 830", "S1_D1 830")
    assert [channel.distance for channel in recording.spec.channels] == pytest.approx([0.03] * 4)
    np.testing.assert_array_equal(recording.data[2], np.arange(3.0, 4 * N + 1, 4))
    assert recording.spec.rate == pytest.approx(5)
    reported = [(event.onset, event.label) for event in recording.events]
    assert reported == [
        (pytest.approx(0.8), "tap"),
        (pytest.approx(1.6), "rest"),
        (pytest.approx(2.4), "tap"),
    ]
    assert recording.notes["auxiliary_channels"] == 3
    assert recording.notes["remarks"] == ["1 onsets are marked as rejected; ignored"]


def test_conditions_without_names_are_numbered(read):
    assert {event.label for event in read(CondNames=None).events} == {"1", "2"}


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (["", " rest\n"], ["1", "rest"]),
        (["only"], ["only", "2"]),
        ("only", ["only", "2"]),
        ([1.0, 2.0], ["1", "2"]),
        ([["tap", "left"], "rest"], ["tap left", "rest"]),
        ([], ["1", "2"]),
    ],
)
def test_conditions_that_are_called_by_nothing_have_their_number(read, names, labels):
    cells = names if isinstance(names, str) else np.array([*names, None], dtype=object)[:-1]
    reported = [event.label for event in read(CondNames=cells).events]
    assert reported == [labels[0], labels[1], labels[0]]


@pytest.mark.parametrize("s", [None, np.zeros((0, 0)), np.zeros((N, 1))])
def test_a_file_without_onsets_has_no_events(read, s):
    recording = read(s=s)
    assert recording.events == ()
    assert "remarks" not in recording.notes


def test_a_mark_is_held_at_any_rate(read):
    s = np.zeros((N, 1))
    s[[0, 5, 6, 7], 0] = 1
    recording = read(s=s, t=np.arange(N)[:, None] * 5.0)
    assert [event.onset for event in recording.events] == [0.0, 25.0]


def test_a_rejected_mark_that_is_held_is_one(read):
    s = np.zeros((N, 1))
    s[[0, 6, 7], 0], s[10:15, 0], s[16, 0] = 1, -2, 0.5
    recording = read(s=s, CondNames=np.array(["tap \0"], dtype=object))
    reported = [(round(event.onset, 3), event.label, event.duration) for event in recording.events]
    assert reported == [(0.0, "tap", 0.0), (1.2, "tap", 0.0), (3.2, "tap", 0.0)], (
        "s marks onsets, the first too"
    )
    assert recording.notes["remarks"] == ["1 onsets are marked as rejected; ignored"]


def test_intensities_that_are_none_are_missing_and_kept_as_they_were(read):
    d = content()["d"]
    d[3, 0], d[4, 1], d[5, 2] = 0, -2, np.nan
    recording = read(d=d)
    assert np.argwhere(recording.missing).tolist() == [[0, 3], [1, 4], [2, 5]]
    assert recording.data[1, 4] == -2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"SD": None}, "no probe 'SD'"),
        ({"d": None}, "has no d"),
        ({"d": np.ones((N, 3))}, r"d has shape \(20, 3\)"),
        ({"d": np.ones((N, 4)) + 1j}, "d holds complex numbers"),
        ({"t": np.zeros((0, 1)), "d": np.zeros((0, 4))}, "no samples"),
        ({"t": np.full(N, np.nan)}, "20 time stamps that are no numbers"),
        ({"s": np.zeros((3, 1))}, r"s has shape \(3, 1\), t has 20"),
        ({"SD_MeasList": [[1, 1, 1, 1], [2, 1, 1, 1], [2, 1, 1, 3], [1, 1, 1, 2]]}, "names wavelength 3"),
        ({"SD_MeasList": [[1, 1, 1, 1], [2, 1, 1, 1], [5, 1, 1, 2], [1, 1, 1, 2]]}, "names source 5"),
        ({"SD_MeasList": [[1, 1, 1, 1], [1, 1, 1, 1], [2, 1, 1, 1], [2, 1, 1, 2]]}, "called 'S1_D1 690'"),
        (
            {"d": np.ones((N, 3)), "SD_MeasList": [[1, 1, 1, 1], [2, 1, 1, 1], [2, 1, 1, 2]]},
            "source 1 and detector 1 lack the wavelength 830 nm",
        ),
        ({"SD_SrcPos": [[0.0, 0, 0, 0]] * 2}, r"SD.SrcPos has shape \(2, 4\)"),
        ({"SD_SpatialUnit": "inch"}, "unit of length 'inch'"),
        ({"SD_SpatialUnit": "cm"}, r"30 in the declared unit 'cm', that is 300 mm.*--length-unit mm"),
    ],
)
def test_an_invalid_homer_file_is_refused_with_the_field(read, change, message):
    with pytest.raises(RecordingError, match=message):
        read(**change)


def test_a_unit_of_length_that_is_none(read):
    with pytest.raises(RecordingError, match=r"--length-unit is 'ft'; expected m, cm or mm"):
        read(length_unit="ft")


def test_the_tapping_recordings(data_dir):
    files = sorted((data_dir / "fnirs/homer3_tapping").rglob("*.nirs"))
    assert len(files) == 6
    for file in files:
        recording = read_recording(file)
        assert len(recording.spec) == 102
        assert recording.spec.rate == pytest.approx(5, abs=0.01)
        assert {channel.wavelength for channel in recording.spec.channels} == {690.0, 830.0}
        assert len(recording.events) in (12, 13)
        assert recording.events[0].onset == pytest.approx(31.2, abs=0.01)
        assert not recording.missing.any()


def test_centimetres_declared_as_millimetres(data_dir):
    files = sorted((data_dir / "fnirs/homer3_two_conditions/nirs").rglob("*.nirs"))
    assert len(files) == 10
    for file in files:
        with pytest.raises(RecordingError, match=r"is 2 in the declared unit 'mm'.*say --length-unit cm"):
            read_recording(file)
        recording = read_recording(file, length_unit="cm")
        distances = [channel.distance for channel in recording.spec.channels]
        assert 0.0199 < min(distances) <= max(distances) < 0.0225
        if file.stem in ("neuro_run02", "neuro_run03"):
            assert recording.missing.sum() > 2000


@pytest.mark.parametrize("compressed", [True, False])
def test_cut_off_files_give_only_errors_of_ours(read, tmp_path, compressed):
    read(compressed=compressed)
    file = tmp_path / "x.nirs"
    whole = file.read_bytes()
    for length in range(0, len(whole), 20):
        file.write_bytes(whole[:length])
        # A cut between two variables leaves a file that is whole but for the last of them.
        with contextlib.suppress(RecordingError):
            assert len(read_recording(file).spec) == 4


def test_damaged_files_give_only_errors_of_ours(read, tmp_path):
    # Compressed, as MATLAB writes them: checksums find the damage.  (On damaged files without
    # compression scipy's parser can bring the whole process down.)
    read()
    file = tmp_path / "x.nirs"
    whole = file.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(200):
        damaged = bytearray(whole)
        for at in rng.integers(136, len(whole), 3):
            damaged[at] = rng.integers(256)
        file.write_bytes(damaged)
        with contextlib.suppress(RecordingError):
            read_recording(file)


def test_matlab_73_says_how_to_save_it(tmp_path):
    head = b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM"
    (tmp_path / "x.nirs").write_bytes(head + bytes(400))
    with pytest.raises(RecordingError, match="-v7"):
        read_recording(tmp_path / "x.nirs")


def test_what_homer_marks_as_bad_is_missing_and_said(read):
    good = np.ones(N)
    good[15:] = 0
    recording = read(SD_MeasListAct=[[1], [0], [0], [1]], tIncMan=good)
    assert recording.missing[1:3].all()
    assert recording.missing[:, 15:].all()
    assert not recording.missing[[0, 3]][:, :15].any()
    remarks = " | ".join(recording.notes["remarks"])
    assert "SD.MeasListAct marks 2 channels as bad, they are missing: S2_D1 690, S2_D1 830" in remarks
    assert "tIncMan marks 25 % of the time as bad" in remarks
    assert read(tIncAuto=good).missing[:, 15:].all()
    # A table (source, detector, active, wavelength), as Homer3 keeps it.
    active = [[1, 1, 1, 1], [2, 1, 1, 1], [2, 1, 0, 2], [1, 1, 1, 2]]
    assert np.flatnonzero(read(mlActMan=active).missing.all(axis=1)).tolist() == [2]
    assert not read(SD_MeasListAct=[0, 0, 0, 0]).missing.any()


def test_a_place_at_the_origin_and_places_of_noughts(read):
    origin = read(SD_SrcPos=[[30.0, 0], [35, 0]], SD_DetPos=[[0.0, 0], [1, 0]])
    assert [c.distance for c in origin.spec.channels] == pytest.approx([0.03, 0.035, 0.035, 0.03])
    noughts = {"SD_SrcPos": np.zeros((2, 3)), "SD_DetPos": np.zeros((2, 3))}
    assert read(**noughts).spec.channels[0].distance is None
    other = {"SD_SrcPos3D": [[30.0, 0, 1], [35, 0, 1]], "SD_DetPos3D": [[0.0, 0, 1], [9, 0, 1]]}
    assert read(**noughts, **other).spec.channels[0].distance == pytest.approx(0.03)


def test_a_side_that_was_filled_in_with_noughts_has_no_places(read):
    probe = content()["SD"]
    flat = {**probe, "SrcPos": np.zeros((2, 3))}
    assert {channel.distance for channel in read(SD=flat).spec.channels} == {None}
    deep = {**flat, "SrcPos3D": probe["SrcPos"], "DetPos3D": probe["DetPos"]}
    assert {channel.distance for channel in read(SD=deep).spec.channels} == {0.03}
    one = {**probe, "SrcPos": [[30.0, 0, 0], [-30, 0, 0]], "DetPos": np.zeros((1, 3))}
    assert {channel.distance for channel in read(SD=one).spec.channels} == {0.03}, "one may be the origin"


def test_places_that_lie_on_their_side_are_refused(read):
    probe = {**content()["SD"], "nSrcs": 2, "nDets": 1}
    assert {channel.distance for channel in read(SD=probe).spec.channels} == {0.03}
    with pytest.raises(
        RecordingError, match=r"SD.SrcPos has shape \(3, 2\); expected 2 optodes by 3. Turn it"
    ):
        read(SD={**probe, "SrcPos": np.transpose(probe["SrcPos"])})


@pytest.mark.parametrize("unit", ["", " mm "])
def test_a_unit_of_length_is_read_without_what_is_around_it(read, unit):
    assert read(SD_SpatialUnit=unit).notes["length_unit"] == "mm"


@pytest.mark.parametrize(("number", "shown"), [(1.5, "1.5"), (np.nan, "nan")])
def test_an_optode_has_a_whole_number(read, number, shown):
    probe = content()["SD"]
    listed = np.array(probe["MeasList"], dtype=float)
    listed[0, 0] = number
    with pytest.raises(RecordingError, match=f"MeasList holds {shown}; expected whole numbers"):
        read(SD={**probe, "MeasList": listed})
