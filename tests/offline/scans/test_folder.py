"""A user's own folder: what is known by shape, and what is wrong reported by file, line and value."""

import json

import numpy as np
import pytest

from models.errors import RecipeError, RecordingError
from offline.scans.folder import read_folder

N, REGIONS, TIMES = 6, 5, 140


@pytest.fixture
def folder(tmp_path):
    """Write six people's files, and a table with these changes of cells."""

    def write(write_one, changed=None, ending=".tsv", separator="\t", name="phenotypes"):
        rows = []
        for i in range(N):
            file = write_one(tmp_path / f"p{i}", i)
            row = {
                "person": f"p{i}",
                "file": file.name,
                "diagnosis": ("control", "ADHD")[i % 2],
                "site": "AB"[i // 3],
                "age": str(8 + i),
                "sex": ("M", "female")[i % 2],
                "motion": "0.2",
                "repetition_time": "2.5",
                "severity": "n/a" if i == 0 else str(i),
            }
            row.update((changed or {}).get(i, {}))
            rows.append(row)
        columns = list(dict.fromkeys(column for row in rows for column in row))
        lines = [separator.join(columns)]
        lines += [separator.join(row.get(column, "") for column in columns) for row in rows]
        (tmp_path / f"{name}{ending}").write_text("\n".join(lines) + "\n")
        return tmp_path

    return write


def series(i):
    return np.random.default_rng(i).normal(size=(TIMES - i, REGIONS))


def as_npy(path, i):
    file = path.with_suffix(".npy")
    np.save(file, series(i))
    return file


def as_text(path, i, ending=".1D", separator="\t", header=True):
    file = path.with_suffix(ending)
    head = separator.join(f"#{k}" for k in range(REGIONS)) if header else ""
    np.savetxt(file, series(i), delimiter=separator, header=head, comments="")
    return file


def as_matrix(path, i, ending=".npy"):
    file = path.with_suffix(ending)
    matrix = np.corrcoef(series(i).T)
    if ending == ".npy":
        np.save(file, matrix)
    else:
        np.savetxt(file, matrix, delimiter=",")
    return file


@pytest.mark.parametrize("ending", [".1D", ".tsv", ".csv", ".npy"])
def test_series(folder, ending):
    def one(path, i):
        if ending == ".npy":
            return as_npy(path, i)
        return as_text(path, i, ending, "," if ending == ".csv" else "\t", header=ending != ".csv")

    scans = read_folder(folder(one))
    assert scans.X.shape == (N, REGIONS, TIMES)
    assert scans.n_times.tolist() == [TIMES - i for i in range(N)]
    np.testing.assert_allclose(scans.X[1, :, :139], series(1).T, rtol=1e-5)
    assert scans.labels == ("control", "ADHD")
    assert scans.y.tolist() == [0, 1] * 3
    assert scans.sex.tolist() == ["M", "F"] * 3
    assert scans.site.tolist() == ["A"] * 3 + ["B"] * 3
    assert scans.table.stop == pytest.approx(scans.n_times * 2.5)
    assert scans.scores["severity"] == pytest.approx([np.nan, 1, 2, 3, 4, 5], nan_ok=True)
    assert scans.names[0] == ("#0" if ending in (".1D", ".tsv") else "region 1")


@pytest.mark.parametrize("ending", [".npy", ".csv"])
def test_connectivity_becomes_its_upper_triangle(folder, ending):
    scans = read_folder(folder(lambda path, i: as_matrix(path, i, ending)))
    assert scans.X.shape == (N, REGIONS * (REGIONS - 1) // 2)
    assert not scans.is_series
    assert scans.names[:2] == ("region 1 ~ region 2", "region 1 ~ region 3")
    upper = np.corrcoef(series(2).T)[np.triu_indices(REGIONS, 1)]
    np.testing.assert_allclose(scans.X[2], upper)
    assert np.isnan(scans.table.stop).all()


def test_features_of_one_row_each_and_of_one_table_for_all(folder, tmp_path):
    def one_row(path, i):
        file = path.with_suffix(".csv")
        file.write_text(f"thickness,volume\n{i}.5,{i}\n")
        return file

    scans = read_folder(folder(one_row))
    assert scans.names == ("thickness", "volume")
    assert scans.X.tolist() == [[i + 0.5, i] for i in range(N)]

    table = tmp_path / "features.csv"
    lines = [f"p{i},{i}.5,{i}" for i in reversed(range(N))]
    table.write_text("\n".join(["person,thickness,volume", "stranger,0,0", *lines]))
    again = read_folder(folder(lambda *_: table))
    assert again.names == scans.names
    np.testing.assert_array_equal(again.X, scans.X)

    table.write_text("\n".join(["person,thickness,volume", *lines[1:]]))
    with pytest.raises(RecordingError, match="no row for 1 of 6 people: p5"):
        read_folder(tmp_path)
    table.write_text("\n".join(["person,thickness,volume", *lines[1:], "p5,n/a,1"]))
    with pytest.raises(RecordingError, match="line 7: thickness is not known"):
        read_folder(tmp_path)


def test_a_side_file_says_the_repetition_time_and_no_one_else_must(folder, tmp_path):
    (tmp_path / "p1.json").write_text(json.dumps({"RepetitionTime": 1.7}))
    scans = read_folder(folder(as_text, {i: {"repetition_time": ""} for i in range(N)}))
    assert scans.repetition_time == pytest.approx([np.nan, 1.7] + [np.nan] * 4, nan_ok=True)
    assert any("unknown of 5 of 6 people" in remark for remark in scans.remarks)


def test_who_has_no_diagnosis_is_left_out_and_named(folder):
    scans = read_folder(folder(as_npy, {2: {"diagnosis": ""}}))
    assert len(scans) == N - 1
    assert "1 people left out, no diagnosis: p2" in scans.remarks


def test_labels_may_be_more_than_two_and_controls_come_first(folder):
    changed = {i: {"diagnosis": ("A", "B", "C")[i % 3]} for i in range(N)}
    path = folder(as_npy, changed)
    with pytest.raises(
        RecipeError, match=r"diagnoses A, B, C; expected two or more, one of them called like"
    ):
        read_folder(path)
    changed = {i: {"diagnosis": ("A", "B", "Controls")[i % 3]} for i in range(N)}
    scans = read_folder(folder(as_npy, changed))
    assert scans.labels == ("Controls", "A", "B")
    assert scans.y.tolist() == [1, 2, 0] * 2


def test_a_constant_region_and_a_short_scan_are_declared(folder):
    def one(path, i):
        file = path.with_suffix(".npy")
        data = series(i)[:60] if i == 3 else series(i)
        data[:, 2] = 7.0 if i == 1 else data[:, 2]
        np.save(file, data)
        return file

    scans = read_folder(folder(one))
    assert (scans.X[1, 2, :139] == 0).all()
    said = "\n".join(scans.remarks)
    assert "p1.npy (1: region 3)" in said
    assert "1 of 6 people were scanned for less than 240 s: p3 (150 s)" in said


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({1: {"person": "p0"}}, "line 3: person 'p0' stands in line 2 too"),
        ({1: {"person": ""}}, "line 3: person is empty"),
        ({1: {"age": "old"}}, "line 3: age is 'old'; expected a number"),
        ({1: {"age": "-4"}}, "line 3: age is -4; expected 0 to 130, years"),
        ({1: {"sex": "1"}}, r"line 3: sex is '1'; expected one of m \(M\)"),
        ({1: {"repetition_time": "2000"}}, "line 3: repetition_time is 2000; expected .* milliseconds"),
        ({1: {"motion": "-1"}}, "line 3: motion is -1"),
        ({1: {"file": "p0.npy"}}, "p0.npy is the file of several people, lines 2, 3"),
        ({1: {"birth_date": "2000-01-01"}}, "'birth_date', which promises personal data"),
        ({i: {"diagnosis": "control"} for i in range(N)}, "has the diagnoses control; expected two or more"),
    ],
)
def test_a_wrong_table_is_reported_by_line(folder, changed, said):
    with pytest.raises(RecipeError, match=said):
        read_folder(folder(as_npy, changed))


def test_tables_that_are_none(folder, tmp_path):
    with pytest.raises(RecipeError, match=r"holds none; expected one of phenotypes.tsv"):
        read_folder(tmp_path)
    (tmp_path / "phenotypes.tsv").write_text("person\tdiagnosis\nx\tTD\n")
    with pytest.raises(RecipeError, match=r"columns person, diagnosis; expected .*\(file not found\)"):
        read_folder(tmp_path)
    (tmp_path / "phenotypes.tsv").write_text("person\tfile\tdiagnosis\nx\ty.npy\n")
    with pytest.raises(RecipeError, match="line 2: 2 cells, but 3 columns"):
        read_folder(tmp_path)
    (tmp_path / "phenotypes.tsv").write_text("person\tfile\tdiagnosis\n")
    with pytest.raises(RecipeError, match="has no rows"):
        read_folder(tmp_path)
    (tmp_path / "phenotypes.tsv").write_bytes(b"person\tfile\tdiagnosis\n\xff\tx\ty\n")
    with pytest.raises(RecipeError, match="not UTF-8"):
        read_folder(tmp_path)


def other_regions(path):
    np.save(path, series(1)[:, :-1])


def hole(path):
    data = series(1)
    data[7, 3] = np.nan
    np.save(path, data)


def cut(path):
    path.write_bytes(path.read_bytes()[:-100])


def words(path):
    np.save(path, np.array([["a", "b"]]))


def pickled(path):
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)


def three(path):
    np.save(path, np.zeros((2, 3, 4)))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (other_regions, "has 4 columns, .* expected 5 as p0.npy has"),
        (hole, "region 4, volume 8 is nan; expected a number"),
        (cut, "cannot be read as an array"),
        (words, "holds <U1 of 1 x 2"),
        (pickled, "cannot be read as an array"),
        (three, "holds float64 of 2 x 3 x 4"),
        (lambda path: path.unlink(), r"1 of the 6 files .* are not there: p1.npy \(line 3\)"),
    ],
)
def test_a_damaged_file_is_reported_by_name(folder, damage, said):
    path = folder(as_npy)
    damage(path / "p1.npy")
    with pytest.raises(RecordingError, match=said) as error:
        read_folder(path)
    assert "p1.npy" in str(error.value)


def test_a_matrix_that_is_none(folder):
    path = folder(as_matrix)
    matrix = np.load(path / "p1.npy")
    matrix[0, 3] += 0.1
    np.save(path / "p1.npy", matrix)
    with pytest.raises(RecordingError, match=r"p1.npy is not symmetric: row 1, column 4 is"):
        read_folder(path)
    matrix[0, 3] = np.nan
    np.save(path / "p1.npy", matrix)
    with pytest.raises(RecordingError, match="1 entries off the diagonal that are NaN"):
        read_folder(path)
    np.save(path / "p1.npy", series(0)[:9])
    with pytest.raises(RecordingError, match=r"p1.npy is 5 x 9; expected a square matrix"):
        read_folder(path)


def test_as_features_a_series_is_refused(folder):
    path = folder(as_npy)
    np.save(path / "p0.npy", series(0)[:1])
    with pytest.raises(RecordingError, match=r"p1.npy has 139 rows and 0 cells .* expected one row"):
        read_folder(path)


def test_files_of_no_known_ending(folder):
    def one(path, _):
        path.with_suffix(".xyz").write_text("1")
        return path.with_suffix(".xyz")

    with pytest.raises(RecordingError, match=r"ends in '.xyz'; expected one of .1d"):
        read_folder(folder(one))


@pytest.mark.parametrize(("tr", "lost"), [("2.0", 0), ("2.5", 3), ("n/a", 3)])
def test_times_of_volumes_that_contradict_the_repetition_time_are_refused(folder, tr, lost):
    def one(path, i):
        times = 2.5 * (np.arange(TIMES - i) + lost * (np.arange(TIMES - i) > 50))
        np.savetxt(path.with_suffix(".1D"), np.column_stack([times, series(i)]))
        return path.with_suffix(".1D")

    with pytest.raises(
        RecordingError, match=r"p0.1D: its column of times advances by 2.5 to (2.5|10); expected"
    ):
        read_folder(folder(one, {i: {"repetition_time": tr} for i in range(N)}))
