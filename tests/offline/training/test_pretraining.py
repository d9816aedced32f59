"""Pre-training: an encoder from recordings without labels, and nobody in it is ever predicted as unseen."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models.errors import RecipeError
from models.networks.virtual_probe import VirtualProbe
from offline.base.cohort import read_cohort
from offline.base.people_hash import person_hash
from offline.evaluation.evaluate import evaluate
from offline.samples.recipe import Recipe, load_recipe, parse_recipe
from offline.samples.recipe_sections import Pretrained
from offline.simulation import Simulation, write_cohort
from offline.training.pretrained import PretrainedEncoder, read_encoder, write_encoder
from offline.training.pretraining import pretrain
from offline.training.train import train
from tests.offline.support import task_cohort, task_recipe

PROBE = {"model": {"kind": "virtual_probe"}, "evaluation": {"permutations": 0}}


def resting(folder: Path, people: int = 5, pairs: int = 6) -> Path:
    """People at rest, without events, of another montage."""
    settings = Simulation(seconds=90.0, n_pairs=pairs, n_short=0, task=None, spikes_per_minute=0.0)
    return write_cohort(folder, settings, people, 3)


def with_encoder(recipe: Recipe, file: Path) -> Recipe:
    """The recipe, as a file that names an encoder would be read."""
    encoder = named(file)
    training = recipe.training.model_copy(update={"pretrained": encoder})
    return recipe.model_copy(update={"training": training})


def named(file: Path) -> Pretrained:
    return Pretrained(file=str(file), sha256=hashlib.sha256(file.read_bytes()).hexdigest())


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("encoder")
    cohorts = [read_cohort(resting(folder / name, pairs=pairs)) for name, pairs in (("a", 6), ("b", 4))]
    write_encoder(folder / "encoder.safetensors", pretrain(cohorts, task_recipe(**PROBE), seed=1))
    return folder / "encoder.safetensors"


def test_it_learns_from_rest_and_two_montages_what_belongs_together(encoder: Path) -> None:
    facts = read_encoder(named(encoder)).facts
    assert facts["loss"] < 0.9 * facts["chance"]
    assert facts["people"] == 5  # of both cohorts, by their codes
    assert len(facts["people_hashes"]) == 5
    assert "person-" not in encoder.read_bytes().decode("latin1")


def test_the_same_seed_gives_the_same_encoder(tmp_path: Path) -> None:
    cohort = read_cohort(resting(tmp_path / "a"))
    recipe = task_recipe(**PROBE, training={"epochs": 2})
    one, same, other = (pretrain([cohort], recipe, seed=seed) for seed in (1, 1, 2))
    assert all(torch.equal(one.weights[name], same.weights[name]) for name in one.weights)
    assert not all(torch.equal(one.weights[name], other.weights[name]) for name in one.weights)


def test_a_training_begins_with_it_and_the_card_says_so(tmp_path: Path, encoder: Path) -> None:
    recipe = task_recipe(**PROBE, training={"epochs": 1, "min_epochs": 1, "learning_rate": 1e-12})
    cohort = task_cohort(tmp_path, people=2, sessions=1)
    done = train(cohort, with_encoder(recipe, encoder), tmp_path / "bundle", seed=1)
    network, weights = done.trained.fitted.network, read_encoder(named(encoder)).weights
    assert isinstance(network, VirtualProbe)
    for name, value in network.encoder.state_dict().items():
        torch.testing.assert_close(value, weights[name], rtol=1e-4, atol=1e-5)
    told = done.card.training["pretrained"]
    assert told["sha256"] == named(encoder).sha256
    assert len(told["people_hashes"]) == 5
    without = train(cohort, recipe, tmp_path / "plain", seed=1)
    assert without.card.training["pretrained"] is None


def test_nobody_in_it_is_predicted_as_unseen(tmp_path: Path) -> None:
    cohort = task_cohort(tmp_path, people=3)
    file = tmp_path / "encoder.safetensors"
    recipe = task_recipe(**PROBE, training={"epochs": 1, "min_epochs": 1})
    write_encoder(file, pretrain([read_cohort(cohort)], recipe, seed=1))
    seen = with_encoder(recipe, file)
    with pytest.raises(RecipeError, match=r"pre-trained on recordings of 3 of the 3 people"):
        evaluate(cohort, seen, tmp_path / "out", show=False)
    # Another name hides nobody: the signals are known again.
    renamed = tmp_path / "renamed.tsv"
    renamed.write_text(cohort.read_text().replace("person-", "someone-"))
    with pytest.raises(RecipeError, match=r"pre-trained on recordings of 3 of the 3 people .*someone-0"):
        evaluate(renamed, seen, tmp_path / "out", show=False)
    # Whoever is locked is to be unseen for good; whoever is learnt from may have been seen.
    with pytest.raises(RecipeError, match=r"recordings of 1 of the 1 people"):
        train(cohort, seen, tmp_path / "bundle", lock=["person-1"])
    done = train(cohort, seen, tmp_path / "bundle")
    (told,) = (each for each in done.card.training["remarks"] if "encoder" in each)
    assert told.startswith("The encoder has seen recordings of 3 of these 3 people, without labels.")


def test_no_fold_inside_the_training_people_holds_out_whom_it_has_seen(tmp_path: Path, encoder: Path) -> None:
    """One of four was seen: whoever is held out, the inner folds of the others would hold that one out."""
    recipe = task_recipe(
        **PROBE,
        training={"epochs": 1, "min_epochs": 1},
        search={"training": {"learning_rate": {"low": 1e-4, "high": 1e-2, "log": True}}},
        budget={"trials": 1, "inner_folds": 2},
    )
    cohort = task_cohort(tmp_path, people=4, sessions=1)
    head, *rows = cohort.read_text().splitlines()
    own = read_encoder(named(encoder))
    theirs = person_hash(own.facts["people_salt"], "person-2")
    facts = own.facts | {"people_hashes": [*own.facts["people_hashes"], theirs]}
    file = tmp_path / "encoder.safetensors"
    write_encoder(file, PretrainedEncoder(own.weights, facts))
    its = with_encoder(recipe, file)
    with pytest.raises(RecipeError, match=r"recordings of 1 of the 4 people .*\(person-2\)"):
        evaluate(cohort, its, tmp_path / "out", show=False)
    others = tmp_path / "others.tsv"
    others.write_text("\n".join([head, *rows[:2], rows[3]]) + "\n")
    results = evaluate(others, its, tmp_path / "out", show=False)
    assert "virtual_probe" in results.figures["conditions"]
    with pytest.raises(RecipeError, match="pretrained is for kind 'virtual_probe'"):
        parse_recipe(with_kind(its, "best"), "best")


def with_kind(recipe: Recipe, kind: str) -> dict[str, Any]:
    """The recipe as TOML would give it, of another kind of model and without a search."""
    values = recipe.model_dump(mode="json", exclude={"search", "budget"}, exclude_none=True)
    return values | {"model": {"kind": kind}}


def test_of_others_it_evaluates(tmp_path: Path, encoder: Path) -> None:
    recipe = with_encoder(task_recipe(**PROBE, training={"epochs": 1, "min_epochs": 1}), encoder)
    results = evaluate(task_cohort(tmp_path, people=3), recipe, tmp_path / "out", show=False)
    assert "virtual_probe" in results.figures["conditions"]


def test_a_recipe_is_another_with_another_encoder_wherever_it_stands(tmp_path: Path, encoder: Path) -> None:
    text = Path("offline/recipes/tapping.toml").read_text().replace('"cgrnn"', '"virtual_probe"')
    text = text.replace("[training]", '[training.pretrained]\nfile = "e.safetensors"\n\n[training]')
    hashes = []
    for folder, content in (("a", encoder.read_bytes()), ("b", encoder.read_bytes()), ("c", b"other")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "e.safetensors").write_bytes(content)
        (tmp_path / folder / "my.toml").write_text(text)
        hashes.append(load_recipe(tmp_path / folder / "my.toml").hash)
    assert hashes[0] == hashes[1] != hashes[2]
    pinned = text.replace("[training.pretrained]", '[training.pretrained]\nsha256 = "' + 64 * "0" + '"')
    (tmp_path / "a" / "my.toml").write_text(pinned)
    with pytest.raises(RecipeError, match=r"sha256 is 000000000000\.\.\., the file has"):
        load_recipe(tmp_path / "a" / "my.toml")
    (tmp_path / "b" / "e.safetensors").unlink()
    with pytest.raises(RecipeError, match=r"cannot be read .No such file"):
        load_recipe(tmp_path / "b" / "my.toml")


def test_what_does_not_belong_together_is_refused(tmp_path: Path, encoder: Path) -> None:
    with pytest.raises(RecipeError, match="is for kind 'virtual_probe'"):
        task_recipe(training={"pretrained": {"file": "x"}})
    cohort = task_cohort(tmp_path, people=2, sessions=1)
    other = task_recipe(model={"kind": "virtual_probe", "params": {"filters": 5}})
    with pytest.raises(RecipeError, match="trained with filters = 16; the recipe has 5"):
        train(cohort, with_encoder(other, encoder), tmp_path / "bundle")
    asked = named(encoder).model_copy(update={"sha256": 64 * "0"})
    with pytest.raises(RecipeError, match="was changed since"):
        read_encoder(asked)
    (tmp_path / "none").write_bytes(b"none")
    with pytest.raises(RecipeError, match="holds no encoder"):
        read_encoder(named(tmp_path / "none"))
    file = tmp_path / "nan.safetensors"
    good = read_encoder(named(encoder))
    bad = {name: torch.full_like(each, np.nan) for name, each in good.weights.items()}
    write_encoder(file, PretrainedEncoder(bad, good.facts))
    with pytest.raises(RecipeError, match="not finite"):
        train(cohort, with_encoder(task_recipe(**PROBE), file), tmp_path / "bundle")


def test_too_few_windows_are_said(tmp_path: Path) -> None:
    cohort = read_cohort(resting(tmp_path / "a", people=1))
    with pytest.raises(RecipeError, match="compares 128 windows at once; the recordings give"):
        pretrain([cohort], task_recipe(**PROBE), seed=0)
