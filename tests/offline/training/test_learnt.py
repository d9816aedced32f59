"""What `train` says that it learnt: beside the linear model, on people whom neither was fitted to."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from offline.base.cohort import read_cohort
from offline.samples.samples import Samples, collect
from offline.stats.person_accuracy import person_accuracy
from offline.training.learnt import learnt
from offline.training.train import train, train_within
from tests.offline.support import task_cohort, task_recipe
from tools.commands.train import summary

FEW = {"epochs": 2, "min_epochs": 1, "batch_size": 32}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return task_cohort(tmp_path_factory.mktemp("cohort"), people=5, sessions=1)


@pytest.fixture(scope="module")
def samples(cohort: Path) -> Samples:
    return collect(read_cohort(cohort), task_recipe())


def test_a_network_stands_beside_the_linear_model_on_the_people_it_spared(samples: Samples) -> None:
    recipe = task_recipe(training=FEW)
    within = np.arange(len(samples))
    trained = train_within(samples, recipe, within, seed=0)
    found = learnt(samples, recipe, within, trained)
    assert found is not None
    assert found["on"] == "held-out people"
    assert 0.0 <= found["linear"] <= 1.0
    assert found["gained"] == (found["balanced_accuracy"] > found["linear"])
    twice = task_recipe(training={**FEW, "ensemble": 2})
    found = learnt(samples, twice, within, train_within(samples, twice, within, seed=0))
    assert found is not None


def test_train_says_whom_it_learnt_from_and_that_nothing_was_gained(cohort: Path, tmp_path: Path) -> None:
    slow = {**FEW, "learning_rate": 1e-9, "ensemble": 2}  # it learns nothing, and the task is easy
    done = train(cohort, task_recipe(training=slow), tmp_path / "net")
    told = summary(done.card, done.trained)
    assert "of 5 people (rest 5, task 5)" in told
    assert "Network 2 of 2: epoch" in told
    assert "On held-out people: balanced accuracy 0." in told
    assert "Nothing was gained over the linear model." in told
    assert done.card.training["how"]["learnt"]["gained"] is False
    solved = train(cohort, task_recipe(model={"kind": "linear"}), tmp_path / "linear")
    told = summary(solved.card, solved.trained)
    assert told.startswith("Solved for ")
    assert "epoch" not in told
    assert "Nobody was spared" in told
    further = replace(solved.trained, how={})
    assert "Nobody was spared" not in summary(solved.card, further)
    few = {"budget": {"inner_folds": 2}, "model": {"kind": "best", "members": ["ridge", "memory"]}}
    best = train(cohort, task_recipe(**few), tmp_path / "best")
    told = summary(best.card, best.trained)
    assert f"Chosen: {best.card.training['how']['choice']['chosen']}, by 5 people held out in turn" in told
    assert "On training people held out in turn: balanced accuracy" in told


def test_accuracy_is_that_of_people() -> None:
    p = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.4, 0.6]])
    person = np.array(["a", "a", "b", "b"])
    assert person_accuracy(p, np.array([0, 1, 1, 1]), person) == pytest.approx((1.0 + 0.5) / 2)
    # Of people's labels each person counts once, by the mean of the log probabilities: a is told by 0.18
    # against 0.08 to have the first label, b by 0.18 against 0.28 to have the second.
    p[3] = [0.3, 0.7]
    assert person_accuracy(p, np.array([1, 1, 0, 0]), person) == pytest.approx(0.0)
    assert person_accuracy(p, np.array([0, 0, 1, 1]), person) == pytest.approx(1.0)
