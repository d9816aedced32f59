"""Many recordings in one call: a file of decisions each, and a table."""

import csv
import json
from pathlib import Path

import pytest

from models.errors import HemostreamError, RecordingError
from offline.recordings.in_folder import recordings_in
from offline.training.train import train
from tests.offline.support import group_recipe, series_cohort
from tools.commands.classify import TABLE, classify


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Region series and a bundle that was trained on them."""
    where = tmp_path_factory.mktemp("many")
    (where / "series").mkdir()
    train(series_cohort(where / "series", "abab"), group_recipe(), where / "bundle")
    return where


def rows_of(out: Path) -> list[dict[str, str]]:
    with (out / TABLE).open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_a_folder_gives_what_each_recording_gives_alone(folder: Path, tmp_path: Path) -> None:
    classify(folder / "series", model=folder / "bundle", out=tmp_path / "all", device="cpu")
    rows = rows_of(tmp_path / "all")
    assert [Path(row["recording"]).name for row in rows] == [f"p{i}.1D" for i in range(4)]
    for row in rows:
        path = Path(row["recording"])
        alone = tmp_path / f"{path.stem}.jsonl"
        classify(path, model=folder / "bundle", out=alone, device="cpu")
        assert (tmp_path / "all" / alone.name).read_text() == alone.read_text()
        decisions = [json.loads(line) for line in alone.read_text().splitlines()]
        classified = [decision for decision in decisions if decision["label"] != "abstain"]
        assert int(row["classified"]) == len(classified)
        if classified:
            mean = {
                label: sum(decision["probabilities"][label] for decision in classified) / len(classified)
                for label in "ab"
            }
            assert row["label"] == max(mean, key=lambda label: mean[label])
            assert float(row["p(a)"]) == pytest.approx(mean["a"], abs=1e-4)
    assert any(row["label"] for row in rows)


def test_one_that_cannot_be_read_is_a_row_and_an_error_at_the_end(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.1D").write_text("no numbers")
    out = tmp_path / "all"
    paths = (folder / "series/p1.1D", tmp_path / "bad.1D", folder / "series/p2.1D")
    with pytest.raises(HemostreamError, match=r"1 of 3 recordings could not be classified; their rows in"):
        classify(*paths, model=folder / "bundle", out=out, device="cpu")
    rows = rows_of(out)
    assert [bool(row["error"]) for row in rows] == [False, True, False]
    assert {path.name for path in out.iterdir()} == {TABLE, "p1.jsonl", "p2.jsonl"}
    with pytest.raises(HemostreamError, match="--overwrite"):
        classify(*paths, model=folder / "bundle", out=out, device="cpu")


def test_what_is_no_output_of_this_command_stays_and_what_is_gone_does_not(
    folder: Path, tmp_path: Path
) -> None:
    paths = [folder / "series/p1.1D", folder / "series/p2.1D"]
    out = tmp_path / "all"
    out.mkdir()
    (out / "p2.jsonl").write_text("my notes")
    with pytest.raises(HemostreamError, match=r"p2\.jsonl exists and does not hold decisions"):
        classify(*paths, model=folder / "bundle", out=out, device="cpu", overwrite=True)
    assert (out / "p2.jsonl").read_text() == "my notes"
    (out / "p2.jsonl").unlink()
    classify(*paths, model=folder / "bundle", out=out, device="cpu")
    assert [row["decisions"] for row in rows_of(out)] == ["p1.jsonl", "p2.jsonl"]
    classify(
        paths[0], folder / "series/p3.1D", model=folder / "bundle", out=out, device="cpu", overwrite=True
    )
    assert {path.name for path in out.iterdir()} == {TABLE, "p1.jsonl", "p3.jsonl"}
    (out / "p3.jsonl").write_text("notes of a person who took the name")
    with pytest.raises(HemostreamError, match=r"p3\.jsonl exists and does not hold decisions"):
        classify(folder / "series/p1.1D", paths[0], model=folder / "bundle", out=out, overwrite=True)


def test_odd_names_are_rows_like_others(folder: Path, tmp_path: Path) -> None:
    odd = [tmp_path / "a\udcff.1D", tmp_path / f"{'x' * 240}.1D", tmp_path / "tab\there.1D"]
    for path in odd:
        path.write_bytes((folder / "series/p1.1D").read_bytes())
    classify(*odd, model=folder / "bundle", out=tmp_path / "all", device="cpu")
    rows = rows_of(tmp_path / "all")
    assert [row["error"] for row in rows] == ["", "", ""]
    assert all((tmp_path / "all" / row["decisions"]).is_file() for row in rows)


def test_two_of_one_name_get_a_number(folder: Path, tmp_path: Path) -> None:
    path = folder / "series/p1.1D"
    (tmp_path / "P1.1D").write_bytes(path.read_bytes())
    classify(path, tmp_path / "P1.1D", model=folder / "bundle", out=tmp_path / "all", device="cpu")
    assert {each.name for each in (tmp_path / "all").iterdir()} == {TABLE, "p1.jsonl", "P1-2.jsonl"}


def test_a_folder_is_unfolded_by_what_the_model_takes(tmp_path: Path) -> None:
    (tmp_path / "nirx").mkdir()
    for name in (
        "b.snirf", "A.nirs", "a_events.tsv", "participants.tsv", ".hidden.snirf", "s.tsv", "nirx/x.hdr",
        "nirx/x.wl1", "stray.hdr",
    ):  # fmt: skip
        (tmp_path / name).touch()
    (tmp_path / "people.tsv").write_text("recording\tperson\n")
    found = [path.name for path in recordings_in([tmp_path], series=False)]
    assert found == ["A.nirs", "b.snirf", "nirx"]
    assert [path.name for path in recordings_in([tmp_path], series=True)] == ["s.tsv"]
    assert recordings_in([tmp_path / "nirx"], series=False) == [tmp_path / "nirx"]
    (tmp_path / "empty").mkdir()
    (tmp_path / "analyze").mkdir()
    (tmp_path / "analyze" / "brain.hdr").touch()  # which is a header of another format
    with pytest.raises(
        RecordingError, match=r"analyze holds no recordings: found brain\.hdr; .* NIRx folders"
    ):
        recordings_in([tmp_path / "analyze"], series=False)
    with pytest.raises(RecordingError, match="empty holds no recordings: found nothing"):
        recordings_in([tmp_path / "empty"], series=False)


def test_nothing_to_classify_is_an_error() -> None:
    with pytest.raises(HemostreamError, match="no recording to classify"):
        classify(model=Path("bundle"), out=Path("out"))
