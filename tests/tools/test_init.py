"""A recipe proposed from real files, and one that trains."""

from pathlib import Path

import pytest

from offline.samples.recipe import load_recipe
from tests.offline.support import task_cohort, write_table
from tools.cli import main


def run(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    found = capsys.readouterr()
    return int(ended.value.code or 0), found.out + found.err


def test_the_proposed_recipe_trains(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cohort = task_cohort(tmp_path)
    code, said = run(capsys, "init", cohort, "--out", tmp_path / "my.toml")
    assert code == 0
    recipe = load_recipe(tmp_path / "my.toml")
    assert all(f"{label}: " in said for label in recipe.labels.intervals)
    assert "windows of 3 people" in said
    text = (tmp_path / "my.toml").read_text().replace("epochs = 40", "epochs = 1\nmin_epochs = 1")
    (tmp_path / "my.toml").write_text(text)
    code, said = run(capsys, "train", cohort, "--recipe", tmp_path / "my.toml", "--out", tmp_path / "bundle")
    assert code == 0, said


def test_without_anything_to_tell_apart_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.tsv").write_text("one\ttwo\n" + "1\t2\n" * 200)
    (tmp_path / "b.tsv").write_text("one\ttwo\n" + "2\t1\n" * 200)
    cohort = write_table(tmp_path, [("a.tsv", "p1"), ("b.tsv", "p2")])
    code, said = run(capsys, "init", cohort, "--repetition-time", "2", "--out", tmp_path / "my.toml")
    assert code == 2
    assert "Nothing tells windows apart" in said
    assert {path.name for path in tmp_path.iterdir()} == {"a.tsv", "b.tsv", "cohort.tsv"}


def test_a_remark_is_shown_once_though_recordings_are_read_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    cohort = task_cohort(tmp_path)
    text = cohort.read_text(encoding="utf-8")
    person = text.splitlines()[1].split("\t")[1]
    cohort.write_text(text.replace(person, f"{person}\u00ad"), encoding="utf-8")  # an invisible character
    code, _ = run(capsys, "init", cohort, "--out", tmp_path / "my.toml")
    assert code == 0
    assert caplog.text.count("invisible characters and unusual blanks") == 1


@pytest.mark.parametrize("what", ["table", "recording"])
def test_nothing_of_the_cohort_is_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    cohort = task_cohort(tmp_path)
    recording = cohort.parent / cohort.read_text(encoding="utf-8").splitlines()[1].split("\t")[0]
    out = cohort if what == "table" else recording
    before = out.read_bytes()
    code, said = run(capsys, "init", cohort, "--out", out, "--overwrite")
    assert code == 2
    assert "is of the cohort itself" in " ".join(said.split())
    assert out.read_bytes() == before
