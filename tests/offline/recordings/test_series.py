"""Region series: names kept, constant regions missing, time from the repetition time."""

import json

import numpy as np
import pytest

from models.errors import RecordingError
from offline.recordings import read_recording
from realtime.signal import Kind


@pytest.fixture
def table(tmp_path):
    def write(text, name="x.tsv", side=None):
        (tmp_path / name).write_text(text)
        if side is not None:
            (tmp_path / name).with_suffix(".json").write_text(side)
        return tmp_path / name

    return write


def test_an_abide_person(data_dir):
    file = data_dir / "abide/ABIDE_pcp/cpac/nofilt_noglobal/NYU_0051030_rois_cc200.1D"
    recording = read_recording(file, repetition_time=2.0)
    assert recording.data.shape == (200, 176)
    assert recording.spec.kinds == (Kind.BOLD,)
    assert recording.spec.names[:2] == ("#1", "#2")
    assert recording.spec.rate == 0.5
    np.testing.assert_array_equal(recording.times, 2.0 * np.arange(176))
    np.testing.assert_array_equal(recording.data, np.loadtxt(file).T)


def test_regions_that_never_change_are_missing(data_dir):
    file = data_dir / "abide/ABIDE_pcp/cpac/nofilt_noglobal/CMU_b_0050643_rois_cc200.1D"
    recording = read_recording(file, repetition_time=2.0)
    constant = np.ptp(recording.data, axis=1) == 0
    assert constant.sum() == 6
    np.testing.assert_array_equal(recording.missing.all(axis=1), constant)
    assert not recording.missing[~constant].any()
    assert recording.notes["remarks"] == ["6 of 200 regions never change and are missing"]


@pytest.mark.parametrize(
    "text", ["a\tb\n1\t2\n3\t5\n", "a,b\n1,2\n3,5\n", "# a b\n1 2\n 3  5\n", "a;b\n\n1;2\n3;5"]
)
def test_separators(table, text):
    recording = read_recording(table(text), repetition_time=1)
    assert recording.spec.names == ("a", "b")
    assert recording.data.tolist() == [[1, 3], [2, 5]]


def test_without_names_columns_are_counted(table):
    assert read_recording(table("1\t2\n3\t5\n"), repetition_time=1).spec.names == ("region 1", "region 2")


def test_values_that_are_none_are_missing(table):
    recording = read_recording(table("a\tb\n1\tn/a\n3\tnan\n4\t5\n5\t7"), repetition_time=1)
    assert recording.missing.tolist() == [[False] * 4, [True, True, False, False]]


def test_a_side_file_tells_the_repetition_time_and_the_caller_goes_before_it(table):
    file = table("1\t2\n3\t5\n", side=json.dumps({"RepetitionTime": 1.5}))
    assert read_recording(file).times.tolist() == [0, 1.5]
    assert read_recording(file, repetition_time=3).times.tolist() == [0, 3]


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("1\t2\n", {}, "repetition time of .* is not known; say it with --repetition-time"),
        ("1\t2\n", {"repetition_time": 2000}, "2000 s .*milliseconds"),
        ("1\t2\n", {"repetition_time": 0}, "is 0"),
        ("1\t2\n3\n", {"repetition_time": 1}, "line 2 has 1 columns; expected 2"),
        ("1\t2\n3\tx\n", {"repetition_time": 1}, "line 2, column 2 is 'x'"),
        ("a\tb\tc\n1\t2\n", {"repetition_time": 1}, "names 3 regions and has 2 columns"),
        ("a\ta\n1\t2\n", {"repetition_time": 1}, "two regions 'a'"),
        ("", {"repetition_time": 1}, "no volumes"),
        ("a\tb\n", {"repetition_time": 1}, "no volumes"),
    ],
)
def test_an_invalid_table_is_refused_with_the_value(table, text, options, message):
    with pytest.raises(RecordingError, match=message):
        read_recording(table(text), **options)


def test_side_files_that_are_wrong(table):
    with pytest.raises(RecordingError, match="no JSON"):
        read_recording(table("1\t2\n", side="{"))
    with pytest.raises(RecordingError, match="is None"):
        read_recording(table("1\t2\n", side="[]"))


def test_no_text(tmp_path):
    (tmp_path / "x.1D").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RecordingError, match="no text"):
        read_recording(tmp_path / "x.1D", repetition_time=1)
