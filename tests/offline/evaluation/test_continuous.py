"""Continuous targets: figures that numpy gives, a planted one found, none at chance, refusals by name."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.errors import RecipeError
from offline.base.row_splits import folds_of_sites
from offline.evaluation.continuous import (
    MEAN,
    SITE,
    ContinuousFit,
    ContinuousProcedure,
    evaluate_continuous,
)
from offline.evaluation.evaluate import evaluate, plan_evaluation
from offline.evaluation.runner import perform
from offline.evaluation.tasks import FitTask
from offline.report.folder import write_report
from offline.samples.recipe import parse_recipe
from offline.stats.regression import ContinuousPredictions, figures_of, values_of
from offline.training.train import train
from tests.offline.support import group_recipe, write_table


def people(n: int, effect: float, seed: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 30))
    y = 10.0 + effect * X[:, 3] + rng.normal(size=n)
    names = np.array([f"p{i:03d}" for i in range(n)])
    return X, y, names, np.array(["north", "south"])[np.arange(n) % 2]


def test_figures_are_numpys_and_those_of_repeats_are_averaged() -> None:
    rng = np.random.default_rng(0)
    y, said = rng.normal(size=20), rng.normal(size=20)
    person = np.array([f"p{i:02d}" for i in range(20)])
    none = np.full(20, "")
    one = ContinuousPredictions(np.zeros(20, dtype=np.int64), none, none, person, y, said)
    found = values_of(one)
    assert found["r"] == pytest.approx(np.corrcoef(y, said)[0, 1])
    assert found["R2"] == pytest.approx(1 - ((y - said) ** 2).sum() / ((y - y.mean()) ** 2).sum())
    assert found["MAE"] == pytest.approx(np.abs(y - said).mean())
    two = ContinuousPredictions.concatenate(
        [one, ContinuousPredictions(np.ones(20, dtype=np.int64), none, none, person, y, y)]
    )
    assert values_of(two)["MAE"] == pytest.approx(found["MAE"] / 2)
    assert figures_of(one)["r"]["interval"][0] < found["r"] < figures_of(one)["r"]["interval"][1]
    few = ContinuousPredictions(
        *(getattr(one, name)[:9] for name in ("repeat", "fold", "condition", "person", "y", "predicted"))
    )
    assert figures_of(few)["r"]["interval"] is None  # nine people say nothing about others


def test_intervals_draw_people_in_whatever_order_a_repeat_predicted_them() -> None:
    rng = np.random.default_rng(1)
    y = rng.normal(size=30)
    person, none = np.array([f"p{i:02d}" for i in range(30)]), np.full(30, "")
    said = [y + rng.normal(size=30) for _ in range(3)]
    orders = [np.arange(30), rng.permutation(30), rng.permutation(30)]
    rounds = [
        ContinuousPredictions(np.full(30, k, dtype=np.int64), none, none, person[order], y[order], its[order])
        for k, (its, order) in enumerate(zip(said, orders, strict=True))
    ]
    plain = [
        ContinuousPredictions(np.full(30, k, dtype=np.int64), none, none, person, y, its)
        for k, its in enumerate(said)
    ]
    found, expected = (figures_of(ContinuousPredictions.concatenate(each)) for each in (rounds, plain))
    for name in ("r", "R2", "MAE"):
        assert found[name]["interval"] == pytest.approx(expected[name]["interval"])


def test_a_planted_amount_is_found_and_none_is_at_chance() -> None:
    X, y, names, site = people(80, 2.0, 1)
    table, found = evaluate_continuous({"ridge": X}, y, names, site, permutations=19)
    assert found["conditions"]["ridge"]["r"]["value"] > 0.7
    assert found["conditions"]["ridge"]["r"]["p"] == 0.05
    assert found["conditions"]["ridge"]["MAE"]["p"] == 0.05
    assert found["conditions"]["ridge" + SITE]["R2"]["value"] > 0.5
    assert found["conditions"][MEAN]["R2"]["value"] == pytest.approx(0.0, abs=0.05)
    assert found["conditions"][MEAN]["r"]["value"] is None
    assert set(table.conditions) == {"ridge", "ridge" + SITE, MEAN, MEAN + SITE}
    means = []
    for seed in range(12):
        X, y, names, site = people(40, 0.0, 100 + seed)
        means.append(
            evaluate_continuous({"ridge": X}, y, names, site, permutations=0)[1]["conditions"]["ridge"]["r"][
                "value"
            ]
        )
    assert np.mean(means) == pytest.approx(0.0, abs=0.15)


def test_targets_of_the_held_out_reach_no_fit() -> None:
    X, y, names, site = people(40, 2.0, 2)
    task = FitTask(folds_of_sites(names, site)[1], "a", ContinuousFit("ridge"))
    before, after = (
        perform(ContinuousProcedure({"ridge": X}, values[:, np.newaxis], site), [task])[0].scores
        for values in (y, np.where(site == "south", -y, y))
    )
    np.testing.assert_array_equal(after[:, 1], before[:, 1])
    np.testing.assert_array_equal(after[:, 0], -before[:, 0])


def test_whose_site_is_not_known_is_neither_trained_on_nor_predicted() -> None:
    site = np.array(["north", "", "south", "north", ""])
    person = np.array(list("abcde"))
    for fold in folds_of_sites(person, site):
        assert not {"", *site[fold.test]} & set(site[fold.train])
        assert "" not in site[fold.test]
    assert folds_of_sites(person[:2], np.array(["north", ""])) == []


def test_the_same_for_everybody_is_refused() -> None:
    X, _, names, site = people(10, 0.0, 3)
    with pytest.raises(RecipeError, match="1 of them different"):
        evaluate_continuous({"ridge": X}, np.full(10, 3.0), names, site, permutations=0)


def cohort(folder: Path, amounts: list[str]) -> Path:
    rows = []
    for p, amount in enumerate(amounts):
        size = float(amount) if amount and amount != "many" else 1.0
        data = np.random.default_rng(p).normal(size=(100, 3))
        data[:, 1] = np.cumsum(data[:, 1]) * size + data[:, 0]
        np.savetxt(folder / f"p{p}.1D", data)
        rows.append((f"p{p}.1D", f"person-{p}", amount))
    return write_table(folder, rows, "score")


def recipe(**evaluation: Any) -> Any:
    labels = {"source": "column", "target": "person", "column": "score", "continuous": True}
    return group_recipe(labels=labels, evaluation={"permutations": 19, **evaluation})


def test_a_column_of_numbers_is_evaluated_by_person(tmp_path: Path) -> None:
    table = cohort(tmp_path, [str(1 + p % 7) for p in range(14)] + [""])
    evaluate(table, recipe(), tmp_path / "one", show=False)
    evaluate(table, recipe(), tmp_path / "two", show=True)
    results = json.loads((tmp_path / "one/results.json").read_text())
    assert (tmp_path / "two/results.json").read_bytes() == (tmp_path / "one/results.json").read_bytes()
    assert results["people"] == 14  # the one without a score is left out
    assert results["continuous_target"] == "score"
    assert set(results["conditions"]) == {"ridge", "memory and symmetry", MEAN}
    assert results["null"]["permutations"] == 19
    page = (tmp_path / "one/report.html").read_bytes()
    assert b"Predicted and reported" in page
    assert write_report(tmp_path / "one").read_bytes() == page  # made again from the files alone
    assert len((tmp_path / "one/predictions.csv").read_text().splitlines()) == 1 + 3 * 14


def test_what_cannot_be_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"holds 'many'; expected a number"):
        evaluate(cohort(tmp_path, ["1", "2", "many"]), recipe(), tmp_path / "out", show=False)
    with pytest.raises(RecipeError, match="a bundle predicts labels"):
        train(tmp_path / "cohort.tsv", recipe(), tmp_path / "bundle")
    with pytest.raises(RecipeError, match="no values"):
        parse_recipe(
            group_recipe().model_dump(mode="json", exclude={"labels"})
            | {"labels": {"source": "column", "target": "event", "column": "x", "continuous": True}},
            "wrong",
        )
    for more in ({"audited": True}, {"compare": ["lstm"]}):
        with pytest.raises(RecipeError, match="no audit and compares linear models"):
            evaluate(tmp_path / "cohort.tsv", recipe(), tmp_path / "out", show=False, **more)
    with pytest.raises(RecipeError, match="leave --plan away"):
        plan_evaluation(tmp_path / "cohort.tsv", recipe())
    two = write_table(tmp_path, [("p0.1D", "a", "1"), ("p1.1D", "a", "2"), ("p2.1D", "b", "3")], "score")
    with pytest.raises(RecipeError, match=r"Person a has 1 and 2"):
        evaluate(two, recipe(), tmp_path / "other", show=False)
