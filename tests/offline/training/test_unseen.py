"""A bundle takes over what an evaluation found, if it is of the same recipe and the same cohort."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import lfilter

from models.bundle import read_bundle
from models.errors import HemostreamError, RecipeError
from models.evidence.unseen import NEVER
from offline.base.cohort import read_cohort
from offline.evaluation.evaluate import evaluate
from offline.samples.recipe import Recipe
from offline.samples.span import Span
from offline.training.train import train
from offline.training.unseen import evaluated_of, read_evaluation
from realtime.core import Plan
from tests.offline.support import group_recipe, series_cohort

CHANGES = {"model": {"kind": "ridge"}, "policy": {"min_confidence": None}}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty-four people; those of one group have slow signals, so that a window of them hardly spreads."""
    folder = tmp_path_factory.mktemp("cohort")
    table = series_cohort(folder, "ab" * 12, volumes=240)
    for p in range(24):
        noise = np.random.default_rng(p).normal(size=(240, 3))
        np.savetxt(folder / f"p{p}.1D", lfilter([1.0], [1.0, -0.95 * (p % 2)], noise, axis=0))
    return table


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return group_recipe(**CHANGES)


@pytest.fixture(scope="module")
def report(cohort: Path, recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report") / "r"
    evaluate(cohort, recipe, out, show=False)
    return out


def test_the_card_carries_the_evaluation_and_the_law(
    cohort: Path, recipe: Recipe, report: Path, tmp_path: Path
) -> None:
    done = train(cohort, recipe, tmp_path / "b", report=report)
    card = read_bundle(tmp_path / "b").card
    results = json.loads((report / "results.json").read_text())
    its = card.unseen
    assert its is not None
    by_person = results["conditions"]["ridge"]["by_person"]
    assert its.figure.value == by_person["auc"]["value"]
    assert list(its.figure.interval or ()) == by_person["auc"]["interval"]
    assert its.majority == results["served"]["labels"]["majority"]
    assert (its.p, its.people) == (by_person["auc"]["p"], 24)
    assert (its.recipe_hash, its.cohort_hash) == (recipe.hash, read_cohort(cohort).content_hash())
    assert its.windows == results["served"]["windows"] > 100
    assert its.comparison is not None
    assert its.comparison.name in results["conditions"]
    assert its.date.startswith("20")
    law = results["served"]["evidence"]["law"]
    assert law is not None
    assert card.evidence.law is not None
    assert card.evidence.law.model_dump() == law
    plan = Plan.from_card(card)
    assert its.better_than_chance
    assert plan.min_confidence == results["served"]["labels"]["min_confidence"]
    assert done.card.evaluation_line == its.line


def test_the_weights_are_those_of_a_bundle_that_was_never_evaluated(
    cohort: Path, recipe: Recipe, report: Path, tmp_path: Path
) -> None:
    train(cohort, recipe, tmp_path / "with", report=report)
    train(cohort, recipe, tmp_path / "without")
    one, other = (read_bundle(tmp_path / name).card for name in ("with", "without"))
    assert one.weights_sha256 == other.weights_sha256
    assert other.unseen is None
    assert other.evaluation_line == NEVER
    assert Plan.from_card(other).min_confidence is None
    assert other.evidence.law is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"training": {"epochs": 3}}, "training.epochs is 2, the recipe has 3"),
        ({"window": {"length_s": 40.0, "step_s": 10.0}}, "window.step_s is 8.0, the recipe has 10.0"),
        ({"policy": {"max_gap_s": 3.0}}, "policy.max_gap_s is 1.0, the recipe has 3.0"),
        ({"model": {"kind": "lstm"}}, "is 'ridge', the recipe has 'lstm'"),
        ({"evaluation": {"together": "dyad"}}, "evaluation.together is None, the recipe has 'dyad'"),
        (
            {
                "pipeline": [
                    {"stage": "resample", "measure_s": 20.0},
                    {"stage": "normalise", "memory_s": 90.0, "warmup_s": 20.0},
                ]
            },
            "pipeline.2.memory_s is 120.0, the recipe has 90.0",
        ),
    ],
)
def test_a_report_of_another_recipe_is_refused(
    cohort: Path, report: Path, changes: dict[str, object], said: str
) -> None:
    other = group_recipe(**(CHANGES | changes))
    with pytest.raises(RecipeError, match=said) as refused:
        read_evaluation(report, other, read_cohort(cohort))
    assert other.hash[:12] in str(refused.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "mine", "description": "other words"},
        {"policy": {"min_confidence": 0.7}},
        {"evidence": {"memory_s": 60.0}},
        {"evaluation": {"permutations": 0}},
        {"training": {"epochs": 2, "seed": 5}},
    ],
)
def test_what_changes_nothing_that_is_learnt_may_differ(
    cohort: Path, report: Path, changes: dict[str, object]
) -> None:
    its = read_evaluation(report, group_recipe(**(CHANGES | changes)), read_cohort(cohort))
    assert its.unseen.people == 24


def test_a_report_of_another_cohort_is_refused(recipe: Recipe, report: Path, tmp_path: Path) -> None:
    other = read_cohort(series_cohort(tmp_path, "ab" * 5, volumes=240))
    with pytest.raises(RecipeError, match="another cohort") as refused:
        read_evaluation(report, recipe, other)
    assert other.content_hash()[:12] in str(refused.value)


def test_of_locked_people_the_report_must_know_nothing(
    cohort: Path, recipe: Recipe, report: Path, tmp_path: Path
) -> None:
    whole = read_cohort(cohort)
    read_evaluation(report, recipe, whole, excluded=["person-3"])
    with pytest.raises(RecipeError, match="person-3, who are to be locked"):
        read_evaluation(report, recipe, whole, locked=["person-3"])
    rows = [line for line in cohort.read_text().splitlines() if "person-3" not in line]
    shutil.copytree(cohort.parent, tmp_path / "rest")
    (tmp_path / "rest" / "cohort.tsv").write_text("\n".join(rows) + "\n")
    evaluate(tmp_path / "rest", recipe, tmp_path / "r", show=False)
    its = read_evaluation(tmp_path / "r", recipe, whole, locked=["person-3"])
    assert its.unseen.people == 23


def test_what_is_no_such_report_is_refused(
    cohort: Path, recipe: Recipe, report: Path, tmp_path: Path
) -> None:
    table = read_cohort(cohort)
    with pytest.raises(HemostreamError, match=r"holds no results\.json"):
        read_evaluation(tmp_path, recipe, table)
    shutil.copytree(report, tmp_path / "r")
    (tmp_path / "r" / "results.json").write_text('{"study": {}}')
    with pytest.raises(RecipeError, match="no evaluation of a recipe"):
        read_evaluation(tmp_path / "r", recipe, table)
    with pytest.raises(RecipeError, match="only a part of each"):
        train(cohort, recipe, tmp_path / "b", report=report, span=Span(0.0, 0.5, fraction=True))


def test_a_report_that_was_changed_by_hand_is_refused(report: Path) -> None:
    results = json.loads((report / "results.json").read_text())
    del results["people"]
    with pytest.raises(RecipeError, match="lacks 'people'"):
        evaluated_of(results, report="", date="")
    results["people"] = -3
    with pytest.raises(RecipeError, match="people"):
        evaluated_of(results, report="", date="")


def test_a_rule_to_stop_comes_only_with_an_evaluation_that_supports_labels(report: Path) -> None:
    results = json.loads((report / "results.json").read_text())
    results["served"]["evidence"]["rule"] = {"upper": 2.0, "lower": -2.0}
    assert evaluated_of(results, report="", date="").evidence.rule is not None
    results["conditions"]["ridge"]["by_person"]["auc"]["interval"] = [0.4, 0.9]
    found = evaluated_of(results, report="", date="")
    assert not found.unseen.better_than_chance
    assert found.evidence.law is not None
    assert found.evidence.rule is None


def test_a_file_of_the_report_is_answered_with_its_folder(
    cohort: Path, recipe: Recipe, report: Path, tmp_path: Path
) -> None:
    with pytest.raises(RecipeError, match=r"report.html is a file; expected a report's folder"):
        train(cohort, recipe, tmp_path / "b", report=report / "report.html")


def test_a_report_of_other_types_is_refused_in_a_sentence(
    cohort: Path, recipe: Recipe, report: Path, tmp_path: Path
) -> None:
    shutil.copytree(report, tmp_path / "r")
    results = json.loads((report / "results.json").read_text())
    for wrong in ({"recipe": 3}, {"cohort_hash": 3}, {"served": [1]}, {"conditions": {}}):
        (tmp_path / "r" / "results.json").write_text(json.dumps(results | wrong))
        with pytest.raises(RecipeError, match="another version wrote it, or it was changed"):
            read_evaluation(tmp_path / "r", recipe, read_cohort(cohort))
    (tmp_path / "r" / "results.json").write_text(json.dumps(results))
    (tmp_path / "r" / "run.json").write_text("[1]")
    assert read_evaluation(tmp_path / "r", recipe, read_cohort(cohort)).unseen.date == ""
