"""Predicted by what never saw them, the same every time; figures follow from the table alone."""

import html
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.errors import HemostreamError, RecipeError
from offline.base.cohort import read_cohort
from offline.base.predictions import read_predictions
from offline.base.splits import Fold, leave_one_person_out
from offline.base.terminal import PlainConsole
from offline.evaluation import evaluate as evaluation
from offline.evaluation.evaluate import evaluate
from offline.evaluation.fit_and_predict import fit_predict, fold_seed, out_of_distribution
from offline.evaluation.summary import summary
from offline.report.console import print_results
from offline.report.words import fitted_to
from offline.samples.samples import collect
from tests.offline.support import group_recipe, series_cohort, task_cohort, task_recipe


def test_results_are_the_same_every_time_and_follow_from_the_table(tmp_path: Path) -> None:
    cohort = task_cohort(tmp_path, sessions=1)
    for name in ("one", "two"):
        evaluate(cohort, task_recipe(), tmp_path / name, compare=["lstm"], show=False)
    for name in ("results.json", "predictions.csv", "samples.csv"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    results = json.loads((tmp_path / "one/results.json").read_text())
    table = read_predictions(tmp_path / "one/predictions.csv")
    again = json.loads(json.dumps(summary(table, by_person=False)))
    assert {key: again[key] for key in ("people", "says", "primary")} == {
        key: results[key] for key in ("people", "says", "primary")
    }
    for condition in ("cgrnn", "lstm"):  # nothing but the p value of the ridge asks for more than the table
        assert again["conditions"][condition] == results["conditions"][condition]
    assert table.conditions == ("cgrnn", "lstm", "linear", "ridge", "memory and symmetry", "time", "majority")
    assert table.scores.sum(axis=1) == pytest.approx(1.0)
    for condition in table.conditions:
        own = table.of_condition(condition)
        assert own.sample.tolist() == list(range(len(own)))  # each sample once, in order
        assert (own.fold == own.person).all()
    assert results["conditions"]["linear"]["mean_over_people"]["balanced_accuracy"] > 0.9
    assert results["says"] == "3 people: says nothing about others"
    assert "seconds" not in json.dumps(results["folds"])
    assert set(json.loads((tmp_path / "one/run.json").read_text())) >= {"seconds", "versions", "machine"}


@pytest.mark.parametrize("condition", ["cgrnn", "linear", "ridge", "memory and symmetry", "time", "majority"])
def test_nothing_of_the_predicted_person_reaches_the_fit(tmp_path: Path, condition: str) -> None:
    """Other labels and other windows of the predicted person leave what is fitted as it was."""
    samples = collect(read_cohort(task_cohort(tmp_path, sessions=1)), task_recipe())
    fold = leave_one_person_out(samples.table.person)[1]
    _, how = fit_predict(samples, task_recipe(), fold, condition)
    samples.table.target[fold.test] = 1 - samples.table.target[fold.test]
    X = np.asarray(samples.X)
    X[fold.test[1:]] = np.random.default_rng(0).normal(size=X[fold.test[1:]].shape)
    samples = replace(samples, X=X)
    scores, again = fit_predict(samples, task_recipe(), fold, condition)
    assert again == how
    alone, _ = fit_predict(samples, task_recipe(), Fold(fold.held_out, fold.train, fold.test[:1]), condition)
    assert alone[0] == pytest.approx(scores[0], abs=1e-6)


def test_windows_of_unseen_people_that_a_session_would_find_novel_are_counted(tmp_path: Path) -> None:
    samples = collect(read_cohort(task_cohort(tmp_path)), task_recipe())
    fold = leave_one_person_out(samples.table.person)[1]
    reported = out_of_distribution(samples, fold)
    assert reported["windows"] == np.sum(samples.feature_summary.person == "person-1")
    assert reported["share"] < 0.05
    assert reported["fitted"]["units"] == 2
    samples.feature_summary.features[samples.feature_summary.person == "person-1"] += 50.0
    assert out_of_distribution(samples, fold) == reported | {"share": 1.0}


def test_a_seed_follows_from_who_is_held_out_the_network_and_the_recipes_seed() -> None:
    none = np.empty(0, dtype=np.intp)
    a, b = (Fold((name,), none, none) for name in "ab")
    recipe = task_recipe()
    others = task_recipe(training={"seed": 1}), task_recipe(model={"kind": "lstm"})
    assert fold_seed(a, recipe) == fold_seed(a, task_recipe(training={"epochs": 9}))
    assert len({fold_seed(b, recipe), *(fold_seed(a, each) for each in (recipe, *others))}) == 4


def test_groups_of_people_are_predicted_with_one_of_each_left_out(tmp_path: Path) -> None:
    results = evaluate(series_cohort(tmp_path, ["a", "b"] * 3), group_recipe(), tmp_path / "report")
    for fold in results.figures["folds"]:
        assert len(fold.split("+")) == 2
    assert results.figures["people"] == 6


def test_the_table_shows_everybody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate(task_cohort(tmp_path, people=2), task_recipe(), tmp_path / "report")
    text = capsys.readouterr().out
    for word in ("person-0", "person-1", "mean", "linear", "majority", "2 people: says nothing about others"):
        assert word in text


OF_ALL = {"value": 0.814, "interval": None, "p": None}
BLOCKS = {
    "blocks": {"rest": 7, "task": 5},
    "people": 3,
    "without_a_figure": [],
    "primary": "auc",
    "conditions": {"memory and symmetry": {"auc": OF_ALL, "balanced_accuracy": OF_ALL}},
    "transfer": {"cgrnn": None},
    "lost": {"asked": {"rest": 8, "task": 7}, "reasons": {"warming up": 2, "motion": 1}},
}


@pytest.mark.parametrize("width", [80, 300])
def test_the_table_of_people_fits_the_terminal(tmp_path: Path, width: int) -> None:
    conditions = ("cgrnn", "linear", "ridge", "memory and symmetry", "time", "majority")
    values = {"accuracy": 0.671, "balanced_accuracy": 0.675, "auc": 0.814}
    person = {**values, "n": {"rest": 40, "task": 33}, "majority_rate": 0.521}
    of_all = {"value": 0.814, "interval": None, "p": None}
    condition = {
        "persons": {f"person-{i:03}": person for i in range(3)},
        "mean_over_people": {**values, "majority_rate": 0.521},
        "by_person": {"auc": of_all, "balanced_accuracy": of_all},
    }
    figures = {
        "recipe": {"name": "demo"},
        "primary": {"metric": "auc", "label_of": "event"},
        "conditions": dict.fromkeys(conditions, condition),
        "says": "3 people",
        "protocol": "reported",
        "null": None,
        "network_null": None,
        "by_block": BLOCKS,
    }
    said = io.StringIO()
    print_results(figures, PlainConsole(file=said, width=width, force_terminal=True, color_system=None))
    lines = said.getvalue().splitlines()
    assert "…" not in said.getvalue()
    assert max(map(len, lines)) <= width
    for name in condition["persons"]:
        (row,) = (line for line in lines if name in line)  # and none of its figures on a line below
        assert row.count("0.814") == len(conditions)
        assert row.count("0.671") == (len(conditions) if width == 300 else 0)
    assert "12 blocks (7 of rest, 5 of task) of 3 people" in said.getvalue()
    assert "3 of 15 blocks gave no usable window: 2 warming up, 1 motion." in said.getvalue()
    assert ("acc, bal of each person: in results.json" in said.getvalue()) == (width == 80)


def test_what_cannot_be_evaluated_is_said_before_anything_is_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cohort = task_cohort(tmp_path, people=1)
    with pytest.raises(RecipeError, match="needs 2 people"):
        evaluate(cohort, task_recipe(), tmp_path / "report")

    def computed(*_: object, **__: object) -> None:
        pytest.fail("it computed")

    monkeypatch.setattr(evaluation, "collect", computed)
    with pytest.raises(HemostreamError, match="is no report"):
        evaluate(cohort, task_recipe(), tmp_path)
    with pytest.raises(RecipeError, match="lstn"):
        evaluate(cohort, task_recipe(), tmp_path / "other", compare=["lstn"])


def test_tables_say_how_people_were_divided(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cohort = task_cohort(tmp_path, people=2, sessions=1, seconds=240.0)
    predicted_by = {
        "time": "other parts of the same person's recordings",
        "people": "all others",
    }
    for by, said in predicted_by.items():
        how = {"by": by, "blocks": 2, "gap_s": 5.0, "permutations": 0}
        evaluate(cohort, task_recipe(training={"epochs": 1}, evaluation=how), tmp_path / by)
        shown = " ".join(capsys.readouterr().out.split())
        page = html.unescape((tmp_path / by / "report.html").read_text())
        assert f"each person predicted by what was fitted to {said}" in shown
        assert f"for each person, fitted to {said}." in page
        for other in set(predicted_by.values()) - {said}:
            assert other not in shown
        assert ("no person is on both sides" in page) == (by == "people")
        results = json.loads((tmp_path / by / "results.json").read_text())
        assert (
            "never saw them" in results["says"]
        ) is False  # two people say nothing about others either way
        assert ("other parts of their recordings" in results["says"]) == (by == "time")


def test_people_who_were_held_out_together_are_not_reported_as_alone() -> None:
    results = {"people": 30, "folds": ["a+b", "c+d", "site x"], "recipe": {"settings": {}}}
    assert fitted_to(results) == "people of the other folds (2 in all)"
