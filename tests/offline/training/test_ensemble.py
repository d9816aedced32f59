"""Ensembles over seeds and spared people."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from models.bundle import read_bundle
from models.errors import RecipeError
from models.networks.blend import Blend
from offline.base.cohort import read_cohort
from offline.evaluation.conditions import without
from offline.retraining.retrain import retrain
from offline.samples.samples import Samples, collect
from offline.training.ensemble import member_seeds
from offline.training.temperature import logits_of
from offline.training.train import train, train_within
from offline.training.validation import validation_split
from tests.offline.support import task_cohort, task_recipe

FEW = {"epochs": 3, "min_epochs": 1, "batch_size": 16, "learning_rate": 0.01}
THREE = task_recipe(training={**FEW, "ensemble": 3})


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return task_cohort(tmp_path_factory.mktemp("cohort"), people=6, sessions=1)


@pytest.fixture(scope="module")
def samples(cohort: Path) -> Samples:
    return collect(read_cohort(cohort), THREE)


def test_its_logits_are_the_mean_of_its_members(samples: Samples) -> None:
    network = train_within(samples, THREE, np.arange(len(samples)), seed=0).fitted.network
    assert isinstance(network, Blend)
    X = samples.X[:]
    members = [logits_of(each, X) for each in network.members]
    assert not np.allclose(members[0], members[1])
    np.testing.assert_allclose(logits_of(network, X), np.mean(members, axis=0), atol=1e-5)


def test_its_members_are_stopped_by_different_people(samples: Samples) -> None:
    within = np.arange(len(samples))
    fraction = THREE.training.validation_fraction
    splits = [
        validation_split(samples.table, within, seed=seed, fraction=fraction)
        for seed in member_seeds(samples, THREE, within, 0)
    ]
    spared = [set(samples.table.person[each.validation]) for each in splits]
    assert all(spared)
    assert all(not one & other for one, other in combinations(spared, 2))
    assert member_seeds(samples, THREE, within, 0) != member_seeds(samples, THREE, within, 1)


def test_one_bundle_holds_all_and_cannot_be_trained_further(cohort: Path, tmp_path: Path) -> None:
    train(cohort, THREE, tmp_path / "bundle")
    card = read_bundle(tmp_path / "bundle").card
    assert [each["kind"] for each in card.model.params["members"]] == ["cgrnn"] * 3
    assert card.training["model"] == "cgrnn"
    assert [each["epochs"] for each in card.training["how"]["ensemble"]] == [3, 3, 3]
    with pytest.raises(RecipeError, match="is an ensemble of 3 and cannot be trained further"):
        retrain(tmp_path / "bundle", cohort, THREE, tmp_path / "new")


def test_it_can_be_ablated_and_what_is_solved_for_has_none() -> None:
    recipe = task_recipe(training={"ensemble": 3})
    assert without(recipe, "ensemble").training.ensemble == 1
    with pytest.raises(RecipeError, match="could be taken away"):
        without(task_recipe(), "ensemble")
    with pytest.raises(RecipeError, match=r"training.ensemble is 2, but model 'ridge' is no network"):
        task_recipe(model={"kind": "ridge"}, training={"ensemble": 2})
