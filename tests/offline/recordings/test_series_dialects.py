"""Whatever program wrote a table of regions: what was in it comes out, or the table is refused by name."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.errors import RecordingError
from offline.recordings import read_recording
from offline.recordings.plain_series import read_region_table
from offline.recordings.series_table import read_table

TR = 2.0


@st.composite
def dialects(draw):
    """A table of measured signals, and how a program writes it."""
    regions, volumes = draw(st.integers(1, 5)), draw(st.integers(8, 30))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    scale, digits = draw(st.sampled_from([(1.0, 4), (1.0, 12), (40.0, 3), (1e-3, 8)]))
    return {
        "data": np.round(rng.normal(draw(st.sampled_from([0.0, 100.0])), scale, (volumes, regions)), digits),
        "header": draw(st.sampled_from(["none", "names", "numbers", "labels", "marked", "comment"])),
        "first": draw(st.sampled_from(["none", "index", "index1", "time", "named time", "milliseconds"])),
        "sep": draw(st.sampled_from([",", ";", "\t", " "])),
        "decimal": draw(st.sampled_from([".", ","])),
        "comments": draw(st.integers(0, 2)),
        "closed": draw(st.booleans()),
    }


def text_of(how):
    data = how["data"]
    volumes, regions = data.shape
    names = {
        "names": [f"ROI_{k}" for k in "abcde"[:regions]],
        "numbers": [str(k) for k in range(regions)],
        "labels": [str(2001 + 10 * k) for k in range(regions)],
        "marked": [f"#{k + 1}" for k in range(regions)],
    }.get(how["header"])
    first = {
        "index": ("", [str(i) for i in range(volumes)]),
        "index1": ("volume", [str(i + 1) for i in range(volumes)]),
        "time": ("", [f"{i * TR:.1f}" for i in range(volumes)]),
        "named time": ("time", [f"{i * TR:.1f}" for i in range(volumes)]),
        "milliseconds": ("Time", [f"{i * TR * 1000:.0f}" for i in range(volumes)]),
    }.get(how["first"])
    rows = [[repr(float(cell)) for cell in row] for row in data]
    if first:
        rows = [[cell, *row] for cell, row in zip(first[1], rows, strict=True)]
        names = names and [first[0], *names]
    sep, end = how["sep"], how["sep"] if how["closed"] and how["sep"] != " " else ""
    lines = [f"# made by a program on 2026-01-0{i + 1}, run {i}" for i in range(how["comments"])]
    if names:
        quoted = [f'"{name}"' if sep == " " else name for name in names]
        lines.append(sep.join(quoted) + end)
    lines += [sep.join(row).replace(".", how["decimal"]) + end for row in rows]
    return "\n".join(lines) + "\n"


@settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(dialects())
def test_what_was_written_comes_out_or_is_refused(tmp_path, how):
    file = tmp_path / "x.csv"
    file.write_text(text_of(how))
    try:
        recording = read_recording(file, repetition_time=TR)
    except RecordingError as error:
        # Only what could mean two things, or has lost what kept its numbers apart, is refused.
        lost = how["decimal"] == "," and how["sep"] in ", "
        single = how["data"].shape[1] == 1
        unclear = single and (how["header"] in ("numbers", "labels") or how["decimal"] == ",")
        if "x.csv" in str(error) and (lost or unclear):
            return
        raise
    assert recording.data.shape == how["data"].T.shape
    np.testing.assert_array_equal(recording.data, how["data"].T)
    np.testing.assert_array_equal(read_region_table(file).data, how["data"].T)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(1, 5), st.booleans(), st.booleans(), st.sampled_from([",", ";", "\t"]), st.integers(0, 2**32)
)
def test_tables_of_pandas(tmp_path, regions, named, index, sep, seed):
    data = np.random.default_rng(seed).normal(size=(20, regions))
    frame = pd.DataFrame(data, columns=[f"R{k}" for k in range(regions)] if named else None)
    frame.to_csv(tmp_path / "x.csv", sep=sep, index=index, decimal="," if sep == ";" else ".")
    try:
        recording = read_recording(tmp_path / "x.csv", repetition_time=TR)
    except RecordingError:
        if regions == 1 and not named:
            return  # the header 0 could be a volume
        raise
    np.testing.assert_allclose(recording.data, data.T, rtol=1e-12)
    if named:
        assert recording.spec.names == tuple(f"R{k}" for k in range(regions))


@pytest.fixture
def table(tmp_path):
    def write(text):
        (tmp_path / "x.csv").write_text(text)
        return tmp_path / "x.csv"

    return write


SIGNAL = [0.31, -0.12, 0.44, 0.08, -0.57, 0.21, 0.93, -0.36]


def rows_of(form):
    return "".join(form.format(i=i, t=2.0 * i, x=x, y=-x / 3) + "\n" for i, x in enumerate(SIGNAL))


def test_what_is_left_aside_is_said(table):
    recording = read_recording(table("time,LPFC\n" + rows_of("{t},{x}")), repetition_time=2)
    assert recording.spec.names == ("LPFC",)
    assert recording.notes["remarks"] == ["column 'time' tells the times of volumes and was ignored"]
    recording = read_recording(table(rows_of("{i},{x:.2f},{y:.3f}")), repetition_time=2)
    assert recording.notes["remarks"] == ["column 1 counts the volumes and was ignored"]


def test_names_of_rows_as_r_writes_them(table):
    text = '"V1" "V2"\n' + "".join(f'"{i + 1}" {x} {-x}\n' for i, x in enumerate(SIGNAL))
    recording = read_recording(table(text), repetition_time=2)
    assert recording.spec.names == ("V1", "V2")
    assert recording.data[0].tolist() == SIGNAL


def test_a_volume_that_was_censored_is_no_header(table):
    recording = read_recording(table("n/a\tNA\n" + rows_of("{x}\t{y}")), repetition_time=2)
    assert recording.data.shape == (2, 9)
    assert recording.missing[:, 0].all()
    assert not recording.missing[:, 1:].any()


def test_an_empty_last_cell_is_a_value_that_is_not_known(table):
    recording = read_recording(table("a,b\n1.5,2.5\n3.5,\n4.5,1.5\n"), repetition_time=2)
    assert recording.missing.tolist() == [[False] * 3, [False, True, False]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("time,LPFC\n" + rows_of("{t},{x}"), r"column of times advances by 2 to 2; expected .* 1.5 s"),
        ("time,LPFC\n0,1.5\n1.5,2.5\n4.5,3.5\n", "advances by 1.5 to 3; expected"),
        ("time,LPFC\n0,1.5\n3,2.5\n1.5,3.5\n", "'time' does not advance"),
        (",LPFC\n7,1.5\n3,2.5\n1,3.5\n", "column 1 has no name and does not count"),
        ("LPFC,PCC\n" + rows_of("{i},{x}"), "'LPFC' counts the volumes, which no region does"),
        ("0\n" + rows_of("{x}"), "line 1 is 0: it could number the regions or be a volume"),
        ("0\t1\t2\n5\t4\t3\n1\t2\t2\n7\t8\t9\n", "line 1 is 0, 1, 2: it could number the regions"),
        ("0,126\n0,64\n1,5\n", "'0,126': it could be a number with a decimal comma"),
        ("LPFC,PCC\n0,1,0,3\n1,2,0,4\n", "names 2 regions and has 4 columns. Are there decimal commas"),
        ("a;b\n0,5;0.5\n1,5;2,5\n", "'0,5' with a decimal comma, and other numbers with a point"),
        ("a;b\n0.5;1.234,5\n1.5;2.5\n", "line 2, column 2 is '1.234,5'; expected a number"),
        ("index\n1\n2\n3\n", "no column of a region"),
        ("time,LPFC\n0,1.5\nn/a,2.5\n3,3.5\n", r"'time' does not advance \(nan after 0\)"),
        ("volume,LPFC\n0,1.5\n1,2.5\n0,3.5\n", r"'volume' does not advance \(0 after 1\)"),
        ("volume,LPFC\n4,1.5\n5,2.5\n9,3.5\n", "'volume' goes from 5 to 9, so volumes were taken out"),
        ("a\tb\n1,234\t2000\n985\t2100\n", "'1,234', which could be .* a decimal comma, or thousands"),
        ("made by x 1\n1.5 2.5 3.5\n", r"line 1 \('made by x 1'\) names 4 regions and has 3 columns"),
    ],
)
def test_what_could_mean_two_things_is_named(table, text, message):
    with pytest.raises(RecordingError, match=message):
        read_recording(table(text), repetition_time=1.5)


@pytest.mark.parametrize("late", [0.0, 0.05])
def test_times_at_the_end_of_a_row_are_times(tmp_path, late):
    X = np.random.default_rng(0).normal(size=(40, 2))
    times = 2.0 * np.arange(40) + late * np.random.default_rng(1).uniform(size=40)
    path = tmp_path / "a.tsv"
    np.savetxt(path, np.column_stack([X, times]), delimiter="\t")
    found = read_recording(path, repetition_time=2.0)
    np.testing.assert_allclose(found.data, X.T)
    assert "column 3 tells the times of volumes and was ignored" in found.remarks


def test_a_region_that_advances_with_every_volume_is_refused_by_its_name(tmp_path):
    X = np.random.default_rng(0).normal(size=(40, 2))
    table = np.column_stack([X[:, 0], 0.8 * np.arange(40), X[:, 1]])
    for header in ("a\tacquired\tb", ""):
        path = tmp_path / "a.tsv"
        np.savetxt(path, table, delimiter="\t", header=header, comments="")
        with pytest.raises(RecordingError, match=r"column (2|'acquired') advances with every volume"):
            read_recording(path, repetition_time=0.8)


def test_a_count_or_time_of_volumes_of_which_some_were_taken_out_is_no_region(tmp_path):
    X = np.random.default_rng(0).normal(size=(30, 2))
    count = np.delete(np.arange(33), [10, 11, 20])
    path = tmp_path / "a.tsv"
    for header in ("", "stamp\ta\tb"):
        np.savetxt(path, np.column_stack([count, X]), delimiter="\t", header=header, comments="")
        with pytest.raises(RecordingError, match=r"column of times advances by 1 to 3|'stamp' advances with"):
            read_recording(path, repetition_time=1.0)


@pytest.mark.parametrize(
    "comment",
    ["# TR = 2", "#  labels = a;b;c", "# TR: 2.0 s", "# subject 07 rest", "% made by x now", "// by x"],
)
def test_words_of_a_comment_that_tell_something_else_name_no_regions(table, comment):
    text = comment + "\n" + rows_of("{x} {y} {x}1")
    assert read_recording(table(text), repetition_time=2).spec.names == ("region 1", "region 2", "region 3")


def test_names_that_stand_in_a_comment_are_reported(table):
    recording = read_recording(table("% LPFC PCC\n" + rows_of("{x} {y}")), repetition_time=2)
    assert recording.spec.names == ("LPFC", "PCC")
    assert recording.remarks == ("names of regions were taken from a comment: LPFC, PCC",)


def test_codes_of_what_is_not_known_are_missing_and_reported(table):
    recording = read_recording(table("a,b\n-9999,2.5\n3.5,-999\n4.5,1.5\n"), repetition_time=2)
    assert recording.missing.tolist() == [[True, False, False], [False, True, False]]
    assert "2 cells are -999 or -9999, as not known is coded; missing" in recording.remarks


def test_a_scan_in_the_scanner_s_units_may_come_by_minus_999(table):
    """As one of ABIDE does: region 39 of UM_1_0050299 at its 58th volume."""
    recording = read_recording(
        table("a,b\n67.4,207\n-999,-32.5\n-144,-999\n881,412\n-700,-650\n"), repetition_time=2
    )
    assert not recording.missing.any()
    assert not any("999" in remark for remark in recording.remarks)


def test_the_quick_way_and_the_other_find_the_same(tmp_path):
    X = np.random.default_rng(0).normal(size=(20, 2))
    X[3, 1] = -9999
    path = tmp_path / "a.1D"
    for first, second in (("#time", 2.0 * np.arange(20)), ("#index", np.arange(20.0))):
        np.savetxt(path, np.column_stack([second, X]), header=f"{first} #1 #2", comments="")
        quick, slow = read_region_table(path), read_table(path)
        assert quick.names == slow.names == ("#1", "#2")
        assert quick.remarks == slow.remarks
        np.testing.assert_array_equal(quick.data, slow.data)
