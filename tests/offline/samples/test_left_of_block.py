"""What a recipe's filters leave of a block."""

from pathlib import Path

import pytest

from offline.base.cohort import read_cohort
from offline.samples.left_of_block import left_of_block, warnings_of
from offline.samples.recipe import Recipe, load_recipe
from offline.samples.samples import collect
from tests.offline.support import task_cohort, task_recipe


def _left(*stages: dict[str, object], block_s: float = 45.0, at: float = 30.0) -> float:
    return left_of_block(stages, 5.0, block_s).at(at)


def test_what_nothing_filters_stays() -> None:
    assert _left({"stage": "optical_density"}) == pytest.approx(1.0, abs=0.02)
    assert _left({"stage": "cue_reference"}) == pytest.approx(1.0, abs=0.02)


def test_the_higher_the_high_pass_and_the_shorter_the_memory_the_less_is_left() -> None:
    by_filter = [_left({"stage": "bandpass", "low": low}) for low in (0.001, 0.005, 0.02)]
    by_memory = [_left({"stage": "normalise", "memory_s": memory}) for memory in (300.0, 60.0, 20.0)]
    for found in (by_filter, by_memory):
        assert found[0] > found[1] + 0.1 > found[2] + 0.2
    assert by_filter[-1] < 0.0  # it swings back below where it began


def test_a_short_block_is_left_alone_by_what_takes_a_long_one_away() -> None:
    stages = ({"stage": "bandpass", "low": 0.02},)
    assert _left(*stages, block_s=10.0, at=9.0) > 0.8
    assert _left(*stages, block_s=60.0, at=45.0) < 0.1


def _recipe(**changes: object) -> Recipe:
    return load_recipe("cortivision").model_copy(update=changes)


def test_a_recipe_is_warned_of_labels_that_its_filters_empty() -> None:
    (warning,) = warnings_of(_recipe())
    assert warning.startswith(
        "'NOTHING' and 'LEFT' and 'RIGHT': of a block of 24 s the recipe's filters leave"
    )
    assert (
        "after 15 s, the middle of the label's interval (bandpass low 0.02, normalise memory_s 60.0)"
        in warning
    )


def test_a_recipe_without_slow_filters_or_whose_label_waits_for_rest_is_not() -> None:
    kept = [stage for stage in _recipe().pipeline if stage["stage"] not in ("bandpass", "normalise")]
    assert warnings_of(_recipe(pipeline=tuple(kept))) == []
    assert not [line for line in warnings_of(load_recipe("tapping")) if "'rest'" in line]


def test_a_cohort_is_collected_with_the_warning_among_its_remarks(tmp_path: Path) -> None:
    cohort = read_cohort(task_cohort(tmp_path))
    fast = [*task_recipe().pipeline[:3], {"stage": "bandpass", "low": 0.1}]
    warned, not_warned = (
        " ".join(collect(cohort, recipe).remarks) for recipe in (task_recipe(pipeline=fast), task_recipe())
    )
    assert "the recipe's filters leave" in warned
    assert "the recipe's filters leave" not in not_warned
