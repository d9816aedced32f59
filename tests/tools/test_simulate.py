"""``simulate``: writes a cohort, and nothing where it should not."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from models.errors import HemostreamError, RecipeError, RecordingError
from tools.commands.simulate import simulate


def small(folder: Path, **settings: object) -> Path:
    chosen: dict[str, object] = {"people": 2, "seconds": 30.0, "pairs": 2, "short_pairs": 0} | settings
    simulate(folder, **chosen)  # type: ignore[arg-type]
    return folder / "cohort.tsv"


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_settings_reach_the_cohort(tmp_path: Path) -> None:
    table = small(tmp_path / "a", group_effect=1.0, response=0.8, latency=6.0, block=5.0, rest=8.0, seed=4)
    truth = json.loads((table.parent / "truth.json").read_text())
    assert truth["seed"] == 4
    assert truth["settings"]["group_effect"] == 1.0
    assert truth["settings"]["seconds"] == 30.0
    task = truth["settings"]["task"]
    assert (task["size"], task["latency_s"], task["block_s"], task["rest_s"]) == (
        pytest.approx(0.8e-6),
        6.0,
        5.0,
        8.0,
    )
    assert 0.5 < truth["bayes_ceiling"] < 1
    assert names(tmp_path / "a") == {
        "cohort.tsv",
        "truth.json",
        "person-001_session-1.snirf",
        "person-002_session-1.snirf",
    }


def test_lateral_and_jitter_reach_the_cohort(tmp_path: Path) -> None:
    table = small(tmp_path / "hands", lateral=0.4, jitter=6.0, seconds=100.0)
    truth = json.loads((table.parent / "truth.json").read_text())
    task = truth["settings"]["task"]
    assert (task["lateral"], task["jitter_s"], task["hands"]) == (0.4, 6.0, ["left", "right"])
    for drawn in truth["recordings"].values():
        assert set(drawn["labels"]) == {"left", "right"}


def test_a_recording_at_rest_has_no_task(tmp_path: Path) -> None:
    table = small(tmp_path / "rest", resting=True)
    assert json.loads((table.parent / "truth.json").read_text())["settings"]["task"] is None


def test_an_earlier_cohort_is_refused_or_replaced_wholly(tmp_path: Path) -> None:
    small(tmp_path, people=3)
    with pytest.raises(HemostreamError, match="--overwrite"):
        small(tmp_path, people=1)
    small(tmp_path, people=1, overwrite=True)
    assert names(tmp_path) == {"cohort.tsv", "truth.json", "person-001_session-1.snirf"}


@pytest.mark.parametrize("also_a_cohort", [False, True])
def test_a_folder_with_other_things_is_refused_and_untouched(tmp_path: Path, also_a_cohort: bool) -> None:
    if also_a_cohort:
        small(tmp_path)
    (tmp_path / "thesis.docx").write_text("three years")
    before = names(tmp_path)
    with pytest.raises(RecordingError, match=r"thesis\.docx.*--overwrite"):
        small(tmp_path, people=1)
    assert names(tmp_path) == before


def test_overwrite_writes_among_other_things_and_keeps_them(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_text("three years")
    small(tmp_path, overwrite=True)
    assert (tmp_path / "thesis.docx").read_text() == "three years"
    assert (tmp_path / "cohort.tsv").exists()


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    with pytest.raises(RecordingError, match="is a file"):
        small(tmp_path / "x")


def test_wrong_numbers_are_refused_before_anything_is_removed(tmp_path: Path) -> None:
    small(tmp_path)
    before = names(tmp_path)
    for wrong in ({"pairs": 3}, {"people": 0}, {"seconds": -1.0}, {"rate": float("inf")}):
        with pytest.raises(RecipeError):
            small(tmp_path, overwrite=True, **wrong)
        assert names(tmp_path) == before


def test_the_module_is_light_to_import() -> None:
    code = (
        "import sys, tools.commands.simulate, tools.commands.replay\n"
        "heavy = {'mne', 'torch', 'pylsl', 'scipy', 'h5py', 'rich'} & set(sys.modules)\n"
        "print(sorted(heavy))\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
