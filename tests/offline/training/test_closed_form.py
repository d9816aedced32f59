"""What is solved for as a model of its own: as the baseline, written into a bundle, served live."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from models.arrays import Floats
from models.bundle import read_bundle
from models.errors import RecipeError
from models.networks import LIKENESS, SOLVED_KINDS
from models.probabilities import probabilities
from offline.base.cohort import read_cohort
from offline.base.splits import Fold, evaluation_folds
from offline.estimators.baselines import fit_logistic
from offline.evaluation.conditions import conditions_of
from offline.evaluation.fit_and_predict import fit_predict, fold_seed
from offline.recordings import read_recording
from offline.retraining.retrain import retrain
from offline.samples.recipe_sections import ModelSection
from offline.samples.samples import collect
from offline.training import closed_form
from offline.training.closed_form import solve
from offline.training.temperature import logits_of
from offline.training.train import train, train_within
from realtime.inference import Inference
from realtime.rerun import predict_recording
from tests.offline.support import group_recipe, series_cohort, task_cohort, task_recipe

RIDGE = {"model": {"kind": "ridge"}}
OTHER = ModelSection(kind="lstm")
ANYWHERE = [kind for kind in SOLVED_KINDS if kind != LIKENESS]
"""Those that need no mirrored channels."""


@pytest.mark.parametrize("kind", ANYWHERE)
@pytest.mark.parametrize("by_person", [False, True])
def test_it_predicts_as_the_baseline_of_the_same_name(tmp_path: Path, kind: str, by_person: bool) -> None:
    """Of the label of a window, and of a person's."""
    if by_person:
        recipe, cohort = group_recipe(model={"kind": kind}), series_cohort(tmp_path, "abababab")
    else:
        recipe, cohort = task_recipe(model={"kind": kind}), task_cohort(tmp_path)
    samples = collect(read_cohort(cohort), recipe)
    train_on = np.flatnonzero(samples.table.person != "person-0")
    held_out = np.flatnonzero(samples.table.person == "person-0")
    fold = Fold(("person-0",), train_on, held_out)
    own = recipe.model.condition
    expected, _ = fit_predict(samples, recipe.model_copy(update={"model": OTHER}), fold, own)
    seed = fold_seed(fold, recipe.model_copy(update={"model": OTHER}))
    solved = solve(kind, {}, samples, train_on, by_person=by_person, seed=seed)
    found = probabilities(logits_of(solved.network, samples.X[held_out]), 1.0)
    np.testing.assert_allclose(found, expected, atol=5e-5)


def test_the_penalty_is_chosen_on_whole_units_of_those_measured_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = collect(read_cohort(task_cohort(tmp_path)), task_recipe())
    unit = np.where(samples.table.person == "person-2", "alone", "pair")
    samples = replace(samples, table=replace(samples.table, together=unit))
    groups = []

    def fitted(features: Floats, y: npt.NDArray[np.int64], group: npt.NDArray[np.str_]) -> object:
        groups.append(set(group.tolist()))
        return fit_logistic(features, y, group)

    monkeypatch.setattr(closed_form, "fit_logistic", fitted)
    solve("linear", {}, samples, np.arange(len(samples)), by_person=False, seed=0)
    assert groups == [{"alone", "pair"}]


@pytest.mark.parametrize("kind", ["ridge", "linear"])
def test_of_means_alone_nothing_else_is_seen(tmp_path: Path, kind: str) -> None:
    recipe = task_recipe(model={"kind": kind, "params": {"features": ["mean"]}})
    samples = collect(read_cohort(task_cohort(tmp_path)), recipe)
    trained = train_within(samples, recipe, np.arange(len(samples)), seed=0)
    X = samples.X[:]
    flat = np.broadcast_to(X.mean(axis=2, keepdims=True), X.shape).astype(np.float32)
    network = trained.fitted.network
    assert network.state_dict()["weight"].shape[0] == X.shape[1]
    np.testing.assert_allclose(logits_of(network, flat), logits_of(network, X), atol=1e-4)


@pytest.mark.parametrize("kind", ANYWHERE)
def test_a_bundle_of_it_goes_live(tmp_path: Path, kind: str) -> None:
    cohort = task_cohort(tmp_path)
    done = train(cohort, task_recipe(model={"kind": kind}), tmp_path / "bundle")
    bundle = read_bundle(tmp_path / "bundle")
    assert bundle.card.hash == done.hash
    assert bundle.card.training["validation"] == "none"
    assert bundle.card.calibration.temperature == 1.0
    decisions = list(
        predict_recording(
            read_recording(tmp_path / "p0s0.nirs"), bundle, Inference(bundle, device="cpu"), session="bed"
        )
    )
    assert any(not decision.abstained for decision in decisions)


@pytest.mark.parametrize("kind", SOLVED_KINDS)
def test_no_baseline_of_its_name_stands_beside_the_recipes_own_condition(kind: str) -> None:
    recipe = task_recipe(model={"kind": kind})
    names = [each.name for each in conditions_of(recipe, [])]
    assert names[0] == recipe.model.condition
    assert names.count(recipe.model.condition) == 1


def test_it_is_the_recipes_own_condition_and_predicts_as_the_baseline_does(tmp_path: Path) -> None:
    recipe = task_recipe(**RIDGE)
    names = [each.name for each in conditions_of(recipe, ["cgrnn"])]
    assert names[:2] == ["ridge", "cgrnn"]
    assert names.count("ridge") == 1
    samples = collect(read_cohort(task_cohort(tmp_path)), recipe)
    fold = evaluation_folds(samples.table.person, samples.table.target, seed=0)[0]
    own, how = fit_predict(samples, recipe, fold, "ridge")
    beside, _ = fit_predict(samples, task_recipe(), fold, "ridge")
    assert how["validation"] == "none"
    np.testing.assert_allclose(own, beside, atol=0.05)  # people are held out together by another seed


def test_what_cannot_be_done_with_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="nothing can be searched or ablated"):
        task_recipe(evaluation={"ablate": ["dropout"]}, **RIDGE)
    with pytest.raises(RecipeError, match="knows no window with channels left out"):
        task_recipe(policy={"min_channels": 0.5}, training={"channel_dropout": 0.2}, **RIDGE)
    cohort = task_cohort(tmp_path)
    train(cohort, task_recipe(**RIDGE), tmp_path / "old")
    with pytest.raises(RecipeError, match="cannot be trained further"):
        retrain(tmp_path / "old", cohort, task_recipe(**RIDGE), tmp_path / "new")
