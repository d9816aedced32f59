"""Where a model is chosen among several, the outer folds evaluate the choosing too."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.networks.blend import Blend
from offline.base.cohort import read_cohort
from offline.base.splits import leave_one_person_out
from offline.evaluation.evaluate import evaluate, plan_evaluation
from offline.evaluation.fit_and_predict import fit_predict
from offline.samples.recipe_sections import ModelSection
from offline.samples.samples import collect
from offline.training.train import train_within
from tests.offline.support import task_cohort, task_recipe

MODEL = {"kind": "best", "members": ["ridge", "cgrnn"], "params": {"cgrnn": {"filters": 2, "hidden": 2}}}
BEST = task_recipe(
    model=MODEL,
    training={"epochs": 1, "batch_size": 64},
    budget={"inner_folds": 2, "permutations": 0},
)


def test_what_was_chosen_does_not_depend_on_the_people_who_are_held_out(tmp_path: Path) -> None:
    samples = collect(read_cohort(task_cohort(tmp_path, people=4, sessions=1)), BEST)
    fold = leave_one_person_out(samples.table.person)[1]
    scores, how = fit_predict(samples, BEST, fold, "best")
    assert {"folds": 2, "people": 3}.items() <= how["choice"].items()
    assert [each["model"] for each in how["choice"]["candidates"]][:3] == ["linear", "ridge", "cgrnn"]
    target, X = samples.table.target.copy(), np.asarray(samples.X[:])
    target[fold.test] = 1 - target[fold.test]
    X[fold.test[1:]] = np.random.default_rng(0).normal(size=X[fold.test[1:]].shape)
    changed = replace(samples, X=X, table=replace(samples.table, target=target))
    again, how_again = fit_predict(changed, BEST, fold, "best")
    assert how_again == how
    np.testing.assert_allclose(again[0], scores[0], atol=1e-6)


@pytest.mark.parametrize("kind", ["best", "blend"])
def test_nothing_that_is_fitted_for_a_fold_follows_from_the_people_who_are_held_out(
    tmp_path: Path, kind: str
) -> None:
    """Other signals and other labels in their place: each weight of each member is the same, bit for bit."""
    model = {"kind": kind, "members": ["ridge", "linear", "memory", "cgrnn"], "params": MODEL["params"]}
    recipe = BEST.model_copy(update={"model": ModelSection.model_validate(model)})
    samples = collect(read_cohort(task_cohort(tmp_path, people=4, sessions=1, effect=0.0005)), recipe)
    fold = leave_one_person_out(samples.table.person)[2]
    found = []
    for replaced in (False, True):
        target, X = samples.table.target.copy(), np.array(samples.X[:])
        if replaced:
            rng = np.random.default_rng(18)
            target[fold.test] = rng.integers(0, 2, len(fold.test))
            X[fold.test] = 50.0 * rng.standard_cauchy(X[fold.test].shape)
        its = replace(samples, X=X, table=replace(samples.table, target=target))
        found.append(train_within(its, recipe, fold.train, seed=7))
    one, other = found
    assert (one.kind, one.temperature, one.params, one.how) == (
        other.kind,
        other.temperature,
        other.params,
        other.how,
    )
    weights, again = one.fitted.network.state_dict(), other.fitted.network.state_dict()
    assert weights.keys() == again.keys()
    assert all(torch.equal(value, again[name]) for name, value in weights.items())
    if kind == "blend":
        assert isinstance(one.fitted.network, Blend)  # several members, or it would show less


def test_the_results_and_the_page_show_what_was_chosen_in_each_fold(tmp_path: Path) -> None:
    cohort = task_cohort(tmp_path, people=4, sessions=1)
    costs = {cost.condition: cost for cost in plan_evaluation(cohort, BEST)}
    assert costs["best"].folds == 4
    assert costs["best"].fits == 4 * 3 * (1 + 2)  # three candidates, in two inner folds and once more
    assert costs["best"].epochs == 4 * (1 + 2)
    results = evaluate(cohort, BEST, tmp_path / "report").figures
    assert next(iter(results["conditions"])) == "best"
    assert {"linear", "ridge", "memory and symmetry"} <= results["conditions"].keys()
    for its in results["folds"].values():
        choice = its["best"]["choice"]
        losses = {each["model"]: each["log_loss"] for each in choice["candidates"]}
        assert losses[choice["chosen"]] <= losses["linear"]
    page = (tmp_path / "report" / "report.html").read_text()
    assert "What was chosen" in page
    assert "choice among models" in page
    json.dumps(results)
