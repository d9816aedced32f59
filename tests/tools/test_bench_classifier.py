"""The comparison of classifiers asks what its protocol says, and counts right."""

from pathlib import Path

import numpy as np
import pytest

from offline.base.cohort import read_cohort
from offline.base.predictions import Predictions
from offline.evaluation.evaluate import evaluate
from offline.samples.samples import collect
from tests.offline.support import task_cohort, task_recipe
from tools.bench import classifier
from tools.bench.classifier_encoder import SOURCES, sources_of
from tools.bench.classifier_fits import SampleCache, block_means, block_means_p, fit_row
from tools.bench.classifier_rows import (
    BEFORE,
    BEST_ROW,
    CLOCK,
    KEPT,
    LINEAR_ROW,
    MODELS,
    NETWORK_ROW,
    RIDGE_ROW,
)
from tools.bench.classifier_sets import SETS, models_of, recipe_of
from tools.bench.classifier_table import BA, RowFigures, drawn, less_best, mean_apart


@pytest.mark.usefixtures("data_dir")
@pytest.mark.parametrize("name", SETS)
def test_every_row_is_a_recipe_and_differs_from_every_other(name: str) -> None:
    rows = [row for row in models_of(name) if row not in (CLOCK, RIDGE_ROW)]  # ridge may be what ships
    rows = [row for row in rows if not MODELS[row].pretrained]  # differs by its encoder
    recipes = {model: recipe_of(name, model, permutations=0) for model in rows}
    assert len({recipe.hash for recipe in recipes.values()}) == len(rows)
    before, kept = recipes[BEFORE], recipes[KEPT]
    assert before.labels.intervals.keys() == kept.labels.intervals.keys() == SETS[name].events.keys()
    for model in rows:
        if MODELS[model].lateral:
            assert before.labels.mirror == (("left", "right"),)


@pytest.mark.usefixtures("data_dir")
def test_what_is_left_out_and_what_is_cheaper_is_what_the_protocol_declares() -> None:
    four, two = (set(models_of(name)) for name in ("n-back, four loads", "n-back 0/2"))
    assert len(two - four) == 12
    assert {NETWORK_ROW, BEST_ROW} < two - four
    network, linear = (recipe_of("n-back 0/2", row, permutations=0) for row in (NETWORK_ROW, LINEAR_ROW))
    assert (network.window.step_s, network.training.epochs, network.training.ensemble) == (4.0, 12, 3)
    assert linear.window.step_s == 2.0
    sided = recipe_of("simulated, 10 s", NETWORK_ROW, permutations=0)
    assert sided.training.augmentation.mirror
    assert sided.training.epochs == 40
    assert not any(MODELS[row].placed for row in models_of("Cortivision, one person"))


def test_an_encoder_sees_nobody_of_its_set() -> None:
    assert set(SOURCES) - set(sources_of("homer3_tapping")) == {"tapping"}
    for name in ("n-back 0/2", "n-back, four loads"):
        assert set(SOURCES) - set(sources_of(name)) == {"n-back"}
    assert set(sources_of("simulated, 10 s")) == set(SOURCES)


def test_a_row_is_what_an_evaluation_finds_and_is_fitted_once(tmp_path: Path) -> None:
    recipe = task_recipe(model={"kind": "ridge"}, evaluation={"permutations": 0})
    cohort = task_cohort(tmp_path)
    its = evaluate(cohort, recipe, tmp_path / "report", show=False).figures
    table = fit_row(SampleCache(cohort), recipe, tmp_path / "row")
    row = RowFigures.of(table)
    by_block = its["by_block"]["conditions"]["ridge"]
    for metric in ("balanced_accuracy", "auc"):
        assert row.value(metric) == pytest.approx(by_block[metric]["value"])
        assert row.window[metric] == pytest.approx(
            its["conditions"]["ridge"]["mean_over_people"][metric]["value"]
            if isinstance(its["conditions"]["ridge"]["mean_over_people"][metric], dict)
            else its["conditions"]["ridge"]["mean_over_people"][metric]
        )
    again = fit_row(SampleCache(tmp_path / "nowhere.tsv"), recipe, tmp_path / "row")
    assert np.array_equal(again.scores, table.scores)
    line = classifier.line_of("a set", "ridge", row, dict.fromkeys(("balanced_accuracy", "auc")))
    assert line.startswith("| a set | ridge | ")
    assert line.count("|") == 8


def test_means_of_blocks_are_predicted_once_each_and_have_a_null(tmp_path: Path) -> None:
    recipe = task_recipe(model={"kind": "ridge"}, evaluation={"permutations": 0})
    samples = collect(read_cohort(task_cohort(tmp_path)), recipe)
    table = block_means(samples, recipe)
    assert samples.table.block is not None
    blocks = set(zip(samples.table.recording.tolist(), samples.table.block.tolist(), strict=True))
    assert table.block is not None
    assert table.recording is not None
    assert len(table) == len(blocks)
    assert set(zip(table.recording.tolist(), table.block.tolist(), strict=True)) == blocks
    p = block_means_p(samples, recipe, 19)
    assert p["auc"] is not None
    assert 0.05 <= p["auc"] <= 1.0


def _row(people: int, right: float, seed: int) -> RowFigures:
    rng = np.random.default_rng(seed)
    person = np.repeat([f"p{i:02}" for i in range(people)], 8)
    y = np.tile([0, 1], 4 * people)
    said = np.where(rng.random(len(y)) < right, y, 1 - y)
    scores = np.where(said[:, np.newaxis] == [0, 1], 0.8, 0.2)
    n, at = len(y), np.arange(len(y))
    table = Predictions(
        ("a", "b"), person, np.full(n, "x"), at, person, y, scores, np.zeros(n, dtype=np.int64),
        person, at, np.full(n, "e"), np.ones(n),
    )  # fmt: skip
    return RowFigures({}, table, {})


@pytest.mark.parametrize("people", [3, 12])
def test_a_row_less_its_equal_is_nothing_and_less_a_worse_one_is_above_0(people: int) -> None:
    rows = {"good": _row(people, 0.95, 0), "same": _row(people, 0.95, 0), "bad": _row(people, 0.5, 1)}
    equal, better = less_best(rows, "good", ("same",)), less_best(rows, "good", ("bad", "none of these"))
    assert equal is not None
    assert better is not None
    assert equal.value == 0
    assert not equal.draws.any()
    own, other = rows["good"].value(BA), rows["bad"].value(BA)
    assert own is not None
    assert other is not None
    assert better.value == pytest.approx(own - other)
    assert np.mean(better.draws) == pytest.approx(better.value, abs=0.05)
    assert np.quantile(better.draws, 0.025) > 0.1
    assert less_best(rows, "good", ("good",)) is None
    mean, (low, high) = mean_apart([equal, better])
    assert mean == pytest.approx(better.value / 2)
    assert low < mean < high


def test_of_few_people_blocks_are_drawn_and_of_many_people() -> None:
    """Where each person is all right or all wrong, only drawing people varies."""
    rows = {n: _row(n, 1.0, 0) for n in (3, 12)}
    for n, row in rows.items():
        wrong = row.block.person == "p00"
        row.block.scores[wrong] = row.block.scores[wrong][:, ::-1]
        values = drawn([row], BA)[0]
        assert (np.ptp(values) > 0) == (n == 12)
