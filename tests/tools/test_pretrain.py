"""``pretrain``: from tables of recordings to a file that a recipe names."""

from pathlib import Path

import pytest

from offline.samples.recipe import load_recipe
from tests.offline.support import task_cohort
from tools.cli import main

RECIPE = """
rate = 5.0
[window]
length_s = 4.0
[[pipeline]]
stage = "optical_density"
baseline_s = 5.0
[[pipeline]]
stage = "resample"
measure_s = 2.0
[[pipeline]]
stage = "beer_lambert"
[[pipeline]]
stage = "normalise"
memory_s = 60.0
warmup_s = 10.0
[labels]
source = "events"
target = "event"
[labels.intervals.rest]
events = ["1"]
delay_s = 13.0
duration_s = 7.0
[labels.intervals.task]
events = ["1"]
delay_s = 3.0
duration_s = 9.0
[model]
kind = "virtual_probe"
[training]
epochs = 2
min_epochs = 1
"""


def run(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    found = capsys.readouterr()
    return int(ended.value.code or 0), found.out + found.err


def test_the_file_that_it_writes_begins_a_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cohort, recipe, out = task_cohort(tmp_path), tmp_path / "my.toml", tmp_path / "encoder.safetensors"
    recipe.write_text(RECIPE)
    code, said = run(capsys, "pretrain", cohort, "--recipe", recipe, "--out", out)
    assert code == 0, said
    assert "windows of 3 people" in said
    assert "by chance 4.85" in said
    recipe.write_text(RECIPE + '[training.pretrained]\nfile = "encoder.safetensors"\n')
    assert load_recipe(recipe).training.pretrained is not None
    code, said = run(capsys, "train", cohort, "--recipe", recipe, "--out", tmp_path / "bundle")
    assert code == 0, said


def test_another_network_is_refused_and_leaves_no_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = run(
        capsys, "pretrain", task_cohort(tmp_path), "--recipe", "tapping", "--out", tmp_path / "e"
    )
    assert code == 2
    assert "model is 'cgrnn'; expected 'virtual_probe'" in " ".join(said.split())
    assert not (tmp_path / "e").exists()
