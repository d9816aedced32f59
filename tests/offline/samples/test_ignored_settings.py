"""A recipe that sets what its model ignores says so, once, wherever it is trained or evaluated."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline.base.cohort import read_cohort
from offline.samples.ignored_settings import ignored_settings
from offline.samples.recipe import load_recipe, recipe_names
from offline.samples.samples import collect
from tests.offline.support import task_cohort, task_recipe

SETTINGS = {
    "epochs": 3,
    "learning_rate": 0.1,
    "batch_size": 8,
    "early_stopping": False,
    "class_weights": "none",
}


@given(st.sets(st.sampled_from(sorted(SETTINGS))), st.sampled_from(["ridge", "linear", "memory"]))
def test_exactly_what_is_set_is_named(names: set[str], kind: str) -> None:
    recipe = task_recipe(
        model={"kind": kind}, training={name: SETTINGS[name] for name in names} | {"seed": 3}
    )
    found = ignored_settings(recipe)
    assert bool(found) == bool(names)
    if found:
        told = found[0].split(": ")[0].split(", ")
        assert {each.removeprefix("training.") for each in told} == names
        assert repr(kind) in found[0]


def test_a_network_ignores_nothing_and_a_blend_with_one_neither() -> None:
    assert ignored_settings(task_recipe()) == []
    assert ignored_settings(task_recipe(model={"kind": "best"})) == []
    (told,) = ignored_settings(task_recipe(model={"kind": "blend", "members": ["ridge", "memory"]}))
    assert "'blend' is solved for" in told
    noise = task_recipe(model={"kind": "ridge"}, training={"augmentation": {"noise": 0.1, "gain": 0.2}})
    assert ignored_settings(noise)[0].startswith(
        "training.augmentation.gain, training.augmentation.noise: are"
    )
    limited = task_recipe(model={"kind": "ridge"}, training={}, budget={"epochs": 4})
    assert ignored_settings(limited)[0].startswith("budget.epochs: is for networks")


@pytest.mark.parametrize("name", recipe_names())
def test_no_recipe_that_ships_sets_what_is_ignored(name: str) -> None:
    assert ignored_settings(load_recipe(name)) == []


def test_it_is_among_the_remarks_of_whoever_collects(tmp_path: Path) -> None:
    cohort = read_cohort(task_cohort(tmp_path, people=2, sessions=1))
    remarks = collect(cohort, task_recipe(model={"kind": "ridge"})).remarks
    assert [each for each in remarks if each.startswith("training.epochs, training.batch_size, ")]
