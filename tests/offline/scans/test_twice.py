"""One scan under two people is refused in a user's own table, and reported of shared data."""

from pathlib import Path

import numpy as np
import pytest

from models.errors import RecipeError
from offline.scans import read_scans
from offline.scans.folder import read_folder
from offline.scans.twice import _same_rows, same_scans


def series(seed: int, volumes: int = 150, regions: int = 5) -> np.ndarray:
    return np.cumsum(np.random.default_rng(seed).normal(size=(volumes, regions)), axis=0)


def folder_of(path: Path, arrays: dict[str, np.ndarray], people: list[str] | None = None) -> Path:
    rows = ["person\tfile\tdiagnosis\tsite"]
    for i, (name, values) in enumerate(arrays.items()):
        np.savetxt(path / f"{name}.txt", values)
        person = name if people is None else people[i]
        rows.append(f"{person}\t{name}.txt\t{('TD', 'ASD')[i % 2]}\tone")
    (path / "participants.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_different_scans_are_read(tmp_path: Path) -> None:
    assert len(read_folder(folder_of(tmp_path, {f"p{i}": series(i) for i in range(4)}))) == 4


@pytest.mark.parametrize("changed", ["same", "cut", "scaled", "float32"])
def test_one_scan_under_two_people_is_refused(tmp_path: Path, changed: str) -> None:
    its = series(0)
    copy = {"same": its, "cut": its[20:], "scaled": 100 + 3 * its, "float32": its.astype(np.float32)}[changed]
    with pytest.raises(RecipeError, match=r"p0 \(p0.txt\) and p1 \(p1.txt\)"):
        read_folder(folder_of(tmp_path, {"p0": its, "p1": copy, "p2": series(2)}))


def test_rows_of_features_too(tmp_path: Path) -> None:
    rows = [np.random.default_rng(i).normal(size=(1, 20)) for i in range(3)]
    with pytest.raises(RecipeError, match="1 pairs of people have the same scan"):
        read_folder(folder_of(tmp_path, {"a": rows[0], "b": rows[1], "c": rows[0] * (1 + 1e-9)}))


@pytest.mark.parametrize("digits", [3, 4, 6])
def test_features_that_were_rounded_are_the_same(digits: int) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(50, 10, (600, 30))
    X[599] = [float(f"{value:.{digits - 1}e}") for value in X[3]]
    assert _same_rows(X) == [(3, 599)]


def test_features_in_other_units_are_not_the_same() -> None:
    X = np.random.default_rng(0).normal(50, 10, (40, 30))
    X[:10] *= 1000  # of one site
    X[10:, 4] = 1.0
    assert _same_rows(X) == []


def test_few_features_may_be_alike_by_chance(tmp_path: Path) -> None:
    same = np.array([[1.0, 2.0, 1.0]])
    assert len(read_folder(folder_of(tmp_path, {"a": same, "b": same}))) == 2


@pytest.mark.parametrize(
    "people", [["P01", "p01", "x"], ["P01", "P01\u200b", "x"], ["Zo\u00eb", "Zoe\u0308", "x"]]
)
def test_one_person_in_two_spellings_is_refused(tmp_path: Path, people: list[str]) -> None:
    arrays = {f"p{i}": series(i) for i in range(3)}
    with pytest.raises(RecipeError, match=r"Spell them alike|stands in line 2 too"):
        read_folder(folder_of(tmp_path, arrays, people))


def test_scans_of_a_minute_or_two_are_compared_too(tmp_path: Path) -> None:
    its = series(0, volumes=60)
    with pytest.raises(RecipeError, match=r"p0 \(p0.txt\) and p1 \(p1.txt\)"):
        read_folder(folder_of(tmp_path, {"p0": its, "p1": 2 * its[1:], "p2": series(2, volumes=60)}))


def test_codes_that_may_be_one_person_are_reported(tmp_path: Path) -> None:
    arrays = {f"p{i}": series(i) for i in range(3)}
    scans = read_folder(folder_of(tmp_path, arrays, ["1", "01", "x"]))
    assert any("differ only in zeros" in remark and "'01' (line 3)" in remark for remark in scans.remarks)


def test_a_diagnosis_in_two_spellings_is_refused(tmp_path: Path) -> None:
    place = folder_of(tmp_path, {f"p{i}": series(i) for i in range(4)}) / "participants.tsv"
    place.write_text(place.read_text().replace("p3.txt\tASD", "p3.txt\tasd"))
    with pytest.raises(RecipeError, match=r"diagnosis 'ASD' \(line 3\) and 'asd' \(line 5\)"):
        read_folder(place)


def test_abide_holds_one_scan_under_two_numbers_and_that_is_reported(data_dir: Path) -> None:
    scans = read_scans(data_dir / "abide")
    said = [remark for remark in scans.remarks if "have the same scan" in remark]
    assert len(said) == 1
    assert "UM_1_0050279" in said[0]
    assert "UM_1_0050286" in said[0]
    assert len(same_scans(scans)) == 1


def test_what_stands_before_the_colon_of_a_remark_names_no_one(tmp_path: Path) -> None:
    place = folder_of(tmp_path, {f"p{i}": series(i) for i in range(4)})
    for i in range(4):
        values = np.column_stack([np.arange(150), series(i)])
        np.savetxt(place / f"p{i}.txt", values, header="volume a b c d e", comments="")
    (reported,) = (remark for remark in read_folder(place).remarks if "ignored" in remark)
    before, _, behind = reported.partition(": ")
    assert before.endswith("was ignored in 4 files")
    assert behind == "p0.txt, p1.txt, p2.txt, p3.txt"
