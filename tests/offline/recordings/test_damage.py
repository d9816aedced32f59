"""A damaged file gives what is left of it, says so, and is refused where that is too little."""

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from scipy.io import loadmat, savemat

from models.errors import RecordingError
from offline.recordings import read_recording
from offline.recordings.damage import LOST_SHARE, MOST_LOST
from offline.recordings.xdf_chunks import whole_chunks
from tests.offline.recordings.test_xdf import markers, nirs
from tests.offline.support import write_homer

N = 300


def read(path):
    return read_recording(path, allow_damaged=True)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    place=st.floats(0.15, 0.95),
    length=st.integers(1, 400),
    filling=st.sampled_from([b"\xff", b"\0", b"\x01", b"\x04", None]),
)
@example(place=0.8761088113403449, length=1, filling=b"\0")
def test_a_stretch_that_was_overwritten_costs_only_itself_and_is_reported(
    write_xdf, tmp_path, place, length, filling
):
    path = write_xdf(tmp_path / "a.xdf", [nirs(N), markers("Exp", ["go", "stop"], [1010.0, 1020.0])])
    whole = path.read_bytes()
    content = bytearray(whole)
    at = int(place * len(content))
    junk = np.random.default_rng(length).bytes(length) if filling is None else filling * length
    content[at : at + length] = junk[: len(content) - at]
    path.write_bytes(content)
    changed = bytes(content) != whole
    try:
        recording = read(path)
    except RecordingError:
        return  # a header that cannot be understood
    lost = N - len(recording.times)
    # A sample's chunk has some 36 bytes: those that were touched, and one to either side.
    assert lost <= (length / 36 + 3 if at + length < 0.97 * len(whole) else N)
    if lost and changed:
        # A chunk whose count became 0 is whole, and only the footer tells.
        assert any("damaged" in remark or "could be read" in remark for remark in recording.remarks)
        assert recording.notes[LOST_SHARE] > 0


def test_nothing_is_said_of_a_whole_file(write_xdf, tmp_path):
    recording = read_recording(write_xdf(tmp_path / "a.xdf", [nirs(N)]))
    assert LOST_SHARE not in recording.notes
    assert not any("damaged" in remark or "footer" in remark for remark in recording.remarks)


def test_a_file_of_which_much_is_lost_is_refused_unless_that_is_allowed(write_xdf, tmp_path):
    path = write_xdf(tmp_path / "a.xdf", [nirs(N)])
    content = bytearray(path.read_bytes())
    first, last = int(0.3 * len(content)), int(0.9 * len(content))
    content[first:last] = b"\xff" * (last - first)
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=r"6\d% of what.*--allow-damaged.*allow_damaged = true"):
        read_recording(path)
    recording = read(path)
    assert recording.notes[LOST_SHARE] > MOST_LOST
    assert f"{len(recording.times)} of the {N} samples that stream 'Cap' declares" in " ".join(
        recording.remarks
    )
    assert 0 < len(recording.times) < 0.5 * N


def test_a_file_that_was_cut_off_says_that_its_end_is_not_known(write_xdf, tmp_path):
    path = write_xdf(tmp_path / "a.xdf", [nirs(N)])
    path.write_bytes(path.read_bytes()[: -int(0.5 * path.stat().st_size)])
    recording = read_recording(path)
    assert any("has no footer" in remark for remark in recording.remarks)


def test_a_chunk_that_is_none_is_passed_over_and_reported(write_xdf, tmp_path):
    path = write_xdf(tmp_path / "a.xdf", [nirs(N)])
    content = path.read_bytes()
    other = b"\x04\x06\0\0\0\x63\0abcd"
    found = whole_chunks(b"XDF:" + other + b"garbage" + content[4:])
    assert found.damage == ["at byte 4 a chunk has the unknown tag 99"]
    assert found.lost == len(other + b"garbage")
    assert found.content == content


def homer(folder, **changes):
    path = write_homer(folder / "a.nirs", seed=0)
    content = {name: loadmat(path)[name] for name in ("d", "t", "s", "SD")}
    savemat(path.with_suffix(".mat"), content | changes)
    return path.with_suffix(".mat").replace(path), content


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_a_stretch_without_a_signal_is_reported_in_any_format(tmp_path, value):
    path, content = homer(tmp_path)
    light = content["d"].copy()
    light[200:] = value
    path, _ = homer(tmp_path, d=light)
    assert "67% of its samples hold a value in no channel" in read_recording(path).remarks


def test_gaps_are_reported(tmp_path):
    path, content = homer(tmp_path)
    times = content["t"].copy()
    times[300:] += 60.0
    path, _ = homer(tmp_path, t=times)
    assert "60 of its 180 s have no samples, in 1 gap" in read_recording(path).remarks


def test_samples_whose_times_were_never_written_are_lost(tmp_path):
    path, content = homer(tmp_path)
    times = content["t"].copy()
    times[570:] = 0.0
    path, _ = homer(tmp_path, t=times)
    recording = read_recording(path)
    assert "30 of its 600 samples have times that do not advance" in recording.remarks
    assert recording.notes[LOST_SHARE] == 0.05
    times[300:] = 0.0
    path, _ = homer(tmp_path, t=times)
    with pytest.raises(RecordingError, match=r"50% of what .*300 of its 600 samples have times"):
        read_recording(path)


def test_a_device_that_restarted_lost_nothing(write_xdf, tmp_path):
    its = nirs(N)
    again = {**its, "times": np.concatenate([its["times"][:150], its["times"][:150] - 500])}
    recording = read_recording(write_xdf(tmp_path / "a.xdf", [again]))
    assert LOST_SHARE not in recording.notes
    assert "time does not advance at 1 samples" in recording.remarks


def test_lost_markers_are_a_loss_of_the_recording(write_xdf, tmp_path):
    path = write_xdf(tmp_path / "a.xdf", [nirs(N), markers("Exp", ["go", "stop"], [1010.0, 1020.0])])
    content = path.read_bytes()
    kept = bytearray(content[:4])
    at = 4
    while at < len(content):
        size = content[at]
        end = at + 1 + size + int.from_bytes(content[at + 1 : at + 1 + size], "little")
        tag, stream = content[at + 1 + size : at + 3 + size], content[at + 3 + size : at + 7 + size]
        if not (tag == b"\x03\0" and stream == b"\x02\0\0\0"):
            kept += content[at:end]
        at = end
    path.write_bytes(kept)
    with pytest.raises(RecordingError, match=r"0 of the 2 samples that stream 'Exp' declares"):
        read_recording(path)
    assert len(read(path).times) == N


def test_intensities_that_tell_of_no_light_are_reported(tmp_path):
    path = tmp_path / "a.nirs"
    write_homer(path, seed=0)
    said = "of its intensities are zero or below"
    assert not any(said in remark for remark in read_recording(path).remarks)
    content = loadmat(path)
    content["d"] = np.log(content["d"] / content["d"].mean(axis=0))  # somebody saved optical density
    savemat(tmp_path / "b.mat", {name: content[name] for name in ("d", "t", "s", "SD")})
    (tmp_path / "b.mat").rename(path)
    assert any(said in remark for remark in read_recording(path).remarks)
