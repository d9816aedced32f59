"""Settings chosen within the fold: by training people only, in order, and the same after a kill."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.errors import RecipeError
from offline.base.cohort import read_cohort
from offline.base.splits import Fold, leave_one_person_out
from offline.evaluation.evaluate import evaluate
from offline.samples.recipe import Recipe, parse_recipe
from offline.samples.samples import Samples, collect
from offline.training import search as module
from offline.training.search import candidate, check_search, search, search_folds
from tests.offline.support import task_cohort, task_recipe

SEARCH = {
    "training": {"learning_rate": {"low": 1e-4, "high": 0.05, "log": True}},
    "model": {"hidden": {"choices": [2, 4]}, "filters": {"low": 2, "high": 5}},
}


def searching(trials: int = 4, **more: object) -> Recipe:
    return task_recipe(
        search=SEARCH, budget={"trials": trials, "inner_folds": 2, "epochs": 2, "permutations": 0}, **more
    )


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    return collect(read_cohort(task_cohort(tmp_path_factory.mktemp("c"), people=4, sessions=1)), searching())


@pytest.fixture(scope="module")
def fold(samples: Samples) -> Fold:
    return leave_one_person_out(samples.table.person)[0]


def test_a_study_that_was_cut_off_goes_on_as_if_it_had_not_been(
    samples: Samples, fold: Fold, tmp_path: Path
) -> None:
    whole = search(samples, searching(), fold, seed=5, kept=tmp_path / "whole")
    assert [p.name for p in sorted((tmp_path / "whole").iterdir())] == [
        f"trial-{i:05d}.json" for i in range(4)
    ]
    for done in (1, 3):
        begun = tmp_path / f"begun-{done}"
        begun.mkdir()
        for i in range(done):
            (begun / f"trial-{i:05d}.json").write_bytes((tmp_path / f"whole/trial-{i:05d}.json").read_bytes())
        (begun / f"trial-{done:05d}.77.part").write_text("{")  # a death while writing
        assert search(samples, searching(), fold, seed=5, kept=begun) == whole
    assert search(samples, searching(), fold, seed=5) == whole
    assert search(samples, searching(), fold, seed=6).how["trials"] != whole.how["trials"]
    losses = [trial["loss"] for trial in whole.how["trials"]]
    assert whole.how["best"] == int(np.argmin(losses))
    settings = whole.how["trials"][whole.how["best"]]["settings"]
    assert whole.recipe.training.learning_rate == settings["training.learning_rate"]
    assert whole.recipe.model.params == {
        "filters": settings["model.filters"],
        "hidden": settings["model.hidden"],
    }


def test_the_predicted_person_has_no_say(samples: Samples, fold: Fold) -> None:
    before = search(samples, searching(2), fold, seed=1)
    X, y = np.asarray(samples.X), samples.table.target.copy()
    X[fold.test] = 9.0
    y[fold.test] = 1 - y[fold.test]
    other = replace(samples, X=X, table=replace(samples.table, target=y))
    assert search(other, searching(2), fold, seed=1) == before
    for inner in search_folds(samples, fold, 3, seed=0):
        assert not set(inner.train) & set(inner.test)
        assert set(inner.train) | set(inner.test) == set(fold.train)
        assert not set(samples.table.person[inner.train]) & set(samples.table.person[inner.test])


def test_a_diverging_trial_is_passed_over_and_none_left_is_said(
    samples: Samples, fold: Fold, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([None, 0.7, 0.6, None])
    monkeypatch.setattr(module, "_loss", lambda *_: next(answers))
    found = search(samples, searching(), fold, seed=0)
    assert found.how["best"] == 2
    monkeypatch.setattr(module, "_loss", lambda *_: None)
    with pytest.raises(RecipeError, match="None of 4 settings could be fitted"):
        search(samples, searching(), fold, seed=0)


def test_ranges_that_cannot_be_are_refused_by_name() -> None:
    check_search(searching())
    for section, name, its, said in (
        ("training", "learning_rate", {"low": -1.0, "high": 1.0}, "learning_rate: found -1.0"),
        ("training", "learning_rat", {"low": 0.1, "high": 1.0}, "learning_rat"),
        ("model", "hiden", {"low": 1, "high": 4}, "hidden"),
        ("model", "dropout", {"low": 0.0, "high": 1.0}, "dropout is 1.0"),
    ):
        recipe = task_recipe(search={section: {name: its}}, budget={"trials": 1})
        with pytest.raises(RecipeError, match=said):
            check_search(recipe)
    for its, said in (
        ({"low": 2.0, "high": 1.0}, "low < high"),
        ({"low": 1.0}, "needs low and high"),
        ({"low": 0.0, "high": 1.0, "log": True}, "more than 0"),
        ({"choices": [1]}, "two or more"),
        ({"choices": [1, 2], "low": 1}, "choices stand alone"),
    ):
        with pytest.raises(RecipeError, match=said):
            task_recipe(search={"training": {"learning_rate": its}}, budget={"trials": 1})
    with pytest.raises(RecipeError, match="nothing is searched"):
        task_recipe(budget={"trials": 3})


def test_a_candidate_is_the_recipe_with_those_settings_and_no_others() -> None:
    recipe = searching()
    found = candidate(recipe, {"training.epochs": 3, "model.hidden": 7})
    assert found.training.epochs == 3
    assert found.model.params == {"filters": 4, "hidden": 7}
    back = candidate(found, {"training.epochs": 6, "model.hidden": 4})
    assert back == recipe
    assert parse_recipe(found.model_dump(), "again") == found


def test_searched_settings_stand_in_the_results_fold_by_fold(tmp_path: Path) -> None:
    cohort = task_cohort(tmp_path, people=3, sessions=1)
    evaluate(cohort, searching(2), tmp_path / "out", show=False)
    folds = json.loads((tmp_path / "out/results.json").read_text())["folds"]
    assert all(len(its["cgrnn"]["search"]["trials"]) == 2 for its in folds.values())
    assert all("search" not in its["ridge"] for its in folds.values())
