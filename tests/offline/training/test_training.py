"""From cohort to bundle: the same every time, without a person's name, in words where it cannot be."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from models.bundle import read_bundle
from models.errors import RecipeError
from models.novelty import Novelty
from offline.base.cohort import read_cohort
from offline.base.people_hash import person_hash
from offline.evaluation.evaluate import evaluate
from offline.recordings import read_recording
from offline.samples.replay import replay
from offline.samples.samples import collect
from offline.samples.span import Span
from offline.training.temperature import fit_temperature, logits_of
from offline.training.train import train, train_within
from realtime.core import Plan
from tests.offline.support import group_recipe, series_cohort, task_cohort, task_recipe


@pytest.mark.parametrize("seed", [-1, 2**31])
def test_a_seed_that_no_recipe_may_have_is_refused_before_anything_is_read(tmp_path: Path, seed: int) -> None:
    with pytest.raises(RecipeError, match=rf"seed \(--seed\) is {seed}; expected a whole number, 0 to"):
        train(tmp_path / "no cohort", task_recipe(), tmp_path / "bundle", seed=seed)


def test_a_person_is_locked_or_excluded(tmp_path: Path) -> None:
    cohort = task_cohort(tmp_path, people=3, sessions=1, seconds=60.0)
    with pytest.raises(RecipeError, match="person-1: both locked and excluded; expected one of the two"):
        train(cohort, task_recipe(), tmp_path / "out", lock=["person-1"], exclude_people=["person-1"])
    assert not (tmp_path / "out").exists()


def test_the_same_seed_gives_the_same_bundle_and_another_another(tmp_path: Path) -> None:
    cohort = task_cohort(tmp_path)
    first = train(cohort, task_recipe(), tmp_path / "one").hash
    assert train(cohort, task_recipe(), tmp_path / "two").hash == first
    assert train(cohort, task_recipe(), tmp_path / "three", seed=5).hash != first
    one, two = (read_bundle(tmp_path / name).network.state_dict() for name in ("one", "two"))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_the_card_says_how_and_names_no_one(tmp_path: Path) -> None:
    cohort = task_cohort(tmp_path)
    train(cohort, task_recipe(), tmp_path / "bundle", exclude_people=["person-2"])
    card = read_bundle(tmp_path / "bundle").card
    assert card.labels == ["rest", "task"]
    assert card.training["people"] == 2
    assert card.training["validation"] == "held-out sessions of training people"
    assert card.training["cohort_hash"] == read_cohort(cohort).content_hash()
    assert sum(card.training["windows"]["train"].values()) > 0
    assert card.calibration.temperature > 0
    assert card.versions["torch"] == torch.__version__ or torch.__version__.startswith(card.versions["torch"])
    text = json.dumps(card.to_json())
    assert "person-" not in text
    assert ".nirs" not in text
    salt = card.training["people_salt"]
    assert card.training["people_hashes"] == sorted(person_hash(salt, f"person-{i}") for i in range(2))


def test_the_card_knows_what_training_looked_like(tmp_path: Path) -> None:
    """The windows that were trained on are hardly novel to the bundle; noise is."""
    cohort = task_cohort(tmp_path)
    recipe = task_recipe(training={"epochs": 2, "channel_dropout": 0.2})
    train(cohort, recipe, tmp_path / "bundle")
    card = read_bundle(tmp_path / "bundle").card
    assert card.training["channel_dropout"] == 0.2
    assert card.training["novelty"]["threshold_from"] == "people"
    assert "3 people" in card.training["novelty"]["weak"]
    novelty = Novelty.from_json(card.novelty)
    samples = collect(read_cohort(cohort), recipe)
    assert np.mean([novelty.score(window) > 1.0 for window in samples.X]) < 0.02
    assert len(samples.feature_summary) > len(samples)  # what has no label is predicted live too
    assert novelty.score(20.0 * samples.X[0]) > 1.0


def test_places_are_source_and_detector(tmp_path: Path) -> None:
    samples = collect(read_cohort(task_cohort(tmp_path, people=1)), task_recipe())
    place_of = dict(zip(samples.names, samples.places, strict=True))
    assert place_of == {"S1_D1 hbo": 0, "S1_D1 hbr": 0, "S2_D1 hbo": 1, "S2_D1 hbr": 1}


def test_what_the_card_plans_gives_the_windows_that_were_trained_on(tmp_path: Path) -> None:
    """What was trained and what is served cannot differ: the card alone leads to the same windows."""
    cohort = task_cohort(tmp_path, people=2)
    train(cohort, task_recipe(), tmp_path / "bundle")
    bundle = read_bundle(tmp_path / "bundle")
    samples = collect(read_cohort(cohort), task_recipe())
    served = replay(read_recording(tmp_path / "p0s0.nirs"), Plan.from_card(bundle.card))
    starts = set(samples.table.start[samples.table.recording == "p0s0.nirs"].tolist())
    windows = np.stack([window.data for window in served.usable if window.start in starts])
    assert torch.equal(
        torch.from_numpy(windows), torch.from_numpy(samples.X[samples.table.recording == "p0s0.nirs"])
    )
    assert logits_of(bundle.network, windows).shape == (len(starts), 2)


def test_it_learns_the_response_of_an_unseen_person(tmp_path: Path) -> None:
    samples = collect(read_cohort(task_cohort(tmp_path)), task_recipe())
    unseen = samples.table.person == "person-2"
    recipe = task_recipe(training={"epochs": 30, "learning_rate": 0.01, "batch_size": 16})
    trained = train_within(samples, recipe, (~unseen).nonzero()[0], seed=0)
    said = logits_of(trained.fitted.network, samples.X[unseen]).argmax(axis=1)
    assert (said == samples.table.target[unseen]).mean() > 0.9


def test_within_a_person_on_the_first_half(tmp_path: Path) -> None:
    cohort = task_cohort(tmp_path, people=1, sessions=1, seconds=240)
    train(cohort, task_recipe(), tmp_path / "bundle", span=Span(0, 0.5, fraction=True))
    training = read_bundle(tmp_path / "bundle").card.training
    assert training["validation"] == "last part of the training recordings"
    assert training["span"] == [0, 0.5, "fraction"]


def test_groups_of_people(tmp_path: Path) -> None:
    train(series_cohort(tmp_path, ["a", "b"] * 3), group_recipe(), tmp_path / "bundle")
    training = read_bundle(tmp_path / "bundle").card.training
    assert training["validation"] == "held-out people"
    assert training["people"] == 6


def test_hardly_any_data_still_trains_and_none_is_said(tmp_path: Path) -> None:
    cohort = task_cohort(tmp_path, people=1, sessions=1, seconds=45)
    train(cohort, task_recipe(), tmp_path / "tiny")
    card = read_bundle(tmp_path / "tiny").card
    assert card.training["validation"] == "none"
    assert card.calibration.temperature == 1.0
    samples = collect(read_cohort(cohort), task_recipe())
    only_rest = (samples.table.target == 0).nonzero()[0]
    with pytest.raises(RecipeError, match="No training window has label 'task'"):
        train_within(samples, task_recipe(), only_rest, seed=0)


def test_progress_is_reported(tmp_path: Path) -> None:
    reported: list[tuple[str, int, int, str]] = []
    train(
        task_cohort(tmp_path, people=1),
        task_recipe(),
        tmp_path / "bundle",
        progress=lambda *what: reported.append(what),
    )
    assert {"read", "replay", "train"} <= {what for what, *_ in reported}
    last = [step for step in reported if step[0] == "train"][-1]
    assert last[1] <= last[2] == 6
    assert "loss" in last[3]


def test_a_misspelt_network_is_found_before_the_cohort_is_read(tmp_path: Path) -> None:
    recipe = task_recipe()
    wrong = recipe.model_copy(update={"model": recipe.model.model_copy(update={"kind": "cgrn"})})
    with pytest.raises(RecipeError, match="Did you mean 'cgrnn'"):
        train(tmp_path / "no cohort here", wrong, tmp_path / "bundle")
    with pytest.raises(RecipeError, match="Did you mean 'cgrnn'"):
        evaluate(tmp_path / "no cohort here", wrong, tmp_path / "report")


def test_the_temperature_is_set_on_windows_that_were_not_fitted_to(tmp_path: Path) -> None:
    samples = collect(read_cohort(task_cohort(tmp_path)), task_recipe())
    trained = train_within(samples, task_recipe(), np.arange(len(samples)), seed=0)
    spared, learnt = (
        fit_temperature(logits_of(trained.fitted.network, samples.X[rows]), samples.table.target[rows])
        for rows in (trained.validation.validation, trained.validation.train)
    )
    assert trained.temperature == pytest.approx(spared)
    assert trained.temperature != pytest.approx(learnt)
