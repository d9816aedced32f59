"""Ridge as a model of its own: solved for, written into a bundle, served live."""

from pathlib import Path

import numpy as np
import pytest
import torch

from models.bundle import read_bundle
from models.errors import RecipeError
from models.probabilities import probabilities
from offline.base.cohort import read_cohort
from offline.base.splits import evaluation_folds
from offline.estimators.baselines import window_features
from offline.evaluation.conditions import conditions_of
from offline.evaluation.fit_and_predict import fit_predict
from offline.recordings import read_recording
from offline.retraining.retrain import retrain
from offline.samples.samples import collect
from offline.training.closed_form import solve_ridge
from offline.training.feature_table import FeatureTable
from offline.training.ridge import fit_ridge
from offline.training.train import train
from realtime.inference import Inference
from realtime.rerun import predict_recording
from tests.offline.support import group_recipe, series_cohort, task_cohort, task_recipe

RIDGE = {"model": {"kind": "ridge"}}


def test_the_module_predicts_as_the_baseline_of_windows(tmp_path: Path) -> None:
    samples = collect(read_cohort(task_cohort(tmp_path)), task_recipe(**RIDGE))
    which = np.arange(0, len(samples), 2)
    data = FeatureTable(window_features(samples.X), samples.table, False, len(samples.labels))
    expected = fit_ridge(data, which, seed=3).probabilities(data.features)
    network = solve_ridge(samples, which, by_person=False, seed=3)
    with torch.inference_mode():
        logits = network(torch.from_numpy(samples.X[:])).numpy()
    np.testing.assert_allclose(probabilities(logits, 1.0), expected, atol=2e-5)


def test_of_people_each_is_one_row(tmp_path: Path) -> None:
    samples = collect(read_cohort(series_cohort(tmp_path, "abababab")), group_recipe(**RIDGE))
    which = np.arange(len(samples))
    data = FeatureTable(window_features(samples.X), samples.table, True, 2)
    expected = fit_ridge(data, which).probabilities(data.features)
    network = solve_ridge(samples, which, by_person=True, seed=0)
    with torch.inference_mode():
        logits = network(torch.from_numpy(samples.X[:])).numpy()
    np.testing.assert_allclose(probabilities(logits, 1.0), expected, atol=2e-5)


def test_a_bundle_of_it_goes_live(tmp_path: Path) -> None:
    cohort = task_cohort(tmp_path)
    done = train(cohort, task_recipe(**RIDGE), tmp_path / "bundle")
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


def test_it_is_the_recipes_own_condition_and_no_baseline_of_that_name_stands_beside_it(
    tmp_path: Path,
) -> None:
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
