"""One scan under two people is refused in a user's own table, and told of shared data."""

from pathlib import Path

import numpy as np
import pytest

from models.errors import RecipeError
from offline.scans import read_scans
from offline.scans.folder import read_folder
from offline.scans.twice import same_scans


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


def test_abide_holds_one_scan_under_two_numbers_and_that_is_told(data_dir: Path) -> None:
    scans = read_scans(data_dir / "abide")
    said = [remark for remark in scans.remarks if "have the same scan" in remark]
    assert len(said) == 1
    assert "UM_1_0050279" in said[0]
    assert "UM_1_0050286" in said[0]
    assert len(same_scans(scans)) == 1
