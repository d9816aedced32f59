"""How a person's windows add up: learnt inside the fold, tried outside it, and shown in the report."""

import json
from pathlib import Path

import numpy as np
import pytest

from models.errors import RecipeError
from offline.accumulation import Law, simulate_trajectories
from offline.base.predictions import Predictions
from offline.base.sample_table import SampleTable
from offline.base.splits import Fold
from offline.evaluation.evaluate import evaluate
from offline.evaluation.over_time import learn, over_time, trajectories_of
from tests.offline.support import group_recipe, series_cohort, task_recipe

TRUTH = Law(centre=0.2, mu=0.6, between=0.3, within=1.0, tau=8.0)


def people(n: int, seed: int) -> tuple[SampleTable, np.ndarray]:
    """Simulated people as a sample table, and the probabilities that were said of their windows."""
    tables, scores = [], []
    for t in simulate_trajectories(n, TRUTH, seed=seed, seconds=200.0):
        person = np.full(len(t.times), f"{seed}-{t.person}")
        target = np.full(len(t.times), int(t.positive), dtype=np.int64)
        empty = np.full(len(t.times), "")
        tables.append(SampleTable(person, person, person, empty, t.times - 7.0, t.times, target))
        p = 1 / (1 + np.exp(-t.log_odds))
        scores.append(np.stack([1 - p, p], axis=1))
    return SampleTable.concatenate(tables), np.concatenate(scores)


def test_the_law_of_training_people_makes_held_out_people_calibrated() -> None:
    training, said = people(200, 1)
    halves = [np.flatnonzero(np.isin(training.person, training.people[i::2])) for i in (0, 1)]
    inner = [Fold((f"half {i}",), halves[1 - i], halves[i]) for i in (0, 1)]
    learnt = learn(training, inner, lambda fold: said[fold.test])
    assert learnt["people"] == 200
    law = Law(**learnt["law"])
    assert law.mu == pytest.approx(TRUTH.mu, rel=0.35)
    fresh, scores = people(300, 2)
    n = len(fresh)
    table = Predictions(
        ("a", "b"),
        fold=np.full(n, "f"),
        condition=np.full(n, "x"),
        sample=np.arange(n),
        person=fresh.person,
        y=fresh.target,
        scores=scores,
        repeat=np.zeros(n, dtype=np.int64),
    )
    found = over_time(table, fresh, {"f": learnt})
    assert found is not None
    assert found["people"] == 300
    last, naive = found["by_law"][-1], found["as_if_independent"][-1]
    assert last["slope"] == pytest.approx(1.0, abs=0.35)
    assert naive["slope"] < 0.5  # windows that are taken for independent are far too sure
    assert last["log_loss"] < found["by_law"][0]["log_loss"] < np.log(2) + 0.05
    assert naive["log_loss"] > last["log_loss"]
    stopping = found["stopping"]
    assert stopping["stopped"] > 50
    assert stopping["wrong_share_interval"][0] <= 0.1  # what was asked for cannot be ruled out
    json.dumps(found, allow_nan=False)


def test_a_trajectory_is_the_first_recording_in_order_of_time() -> None:
    names = np.array(["b", "a", "a", "b"])
    person = np.full(4, "p")
    start = np.array([0.0, 9.0, 2.0, 5.0])
    table = SampleTable(names, person, names, np.full(4, ""), start, start + 7.0, np.ones(4, dtype=np.int64))
    p = np.array([0.1, 0.2, 0.7, 0.4])
    (found,) = trajectories_of(table, np.stack([1 - p, p], axis=1), "f")
    assert found.times.tolist() == [7.0, 14.0]
    assert found.log_odds == pytest.approx(np.log([0.7 / 0.3, 0.2 / 0.8]))


def test_it_stands_in_results_and_on_the_page(tmp_path: Path) -> None:
    cohort = series_cohort(tmp_path, "AB" * 14, volumes=100)
    recipe = group_recipe(
        window={"length_s": 20.0, "step_s": 4.0},
        training={"epochs": 1},
        evaluation={"permutations": 0, "over_time": True},
        budget={"inner_folds": 2},
    )
    evaluate(cohort, recipe, tmp_path / "out", show=False)
    results = json.loads((tmp_path / "out/results.json").read_text())
    how = [conditions["lstm"]["over_time"] for conditions in results["folds"].values()]
    assert all(its["people"] >= 20 for its in how)
    if any(its["law"] for its in how):
        assert results["over_time"]["by_law"]
        assert "Evidence over time" in (tmp_path / "out/report.html").read_text()
    with pytest.raises(RecipeError, match="over_time needs a label of the person"):
        task_recipe(evaluation={"over_time": True})
