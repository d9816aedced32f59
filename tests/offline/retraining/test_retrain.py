"""From a bundle to a candidate: from whom it learns, what it keeps, when the old one stays."""

import json
from pathlib import Path

import pytest
import torch

from models.bundle import read_bundle
from models.errors import HemostreamError, RecipeError
from offline.base.people_hash import person_hash
from offline.retraining import retrain as module
from offline.retraining.looks import ledger_of
from offline.retraining.retrain import retrain
from offline.training.train import train
from tests.offline.support import task_cohort, task_recipe, write_homer, write_table


def people(folder: Path, numbers: range, effect: float = 0.02) -> Path:
    """A table of one recording a person, with a site."""
    folder.mkdir()
    rows = []
    for p in numbers:
        write_homer(folder / f"p{p}.nirs", seed=p, effect=effect)
        rows.append((f"p{p}.nirs", f"person-{p}", "ns"[p % 2]))
    return write_table(folder, rows, "site")


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a bundle that learnt from people 0 to 3 and locked 4 to 15."""
    folder = tmp_path_factory.mktemp("first")
    cohort = people(folder / "all", range(16))
    train(cohort, task_recipe(), folder / "bundle", lock=[f"person-{p}" for p in range(4, 16)])
    people(folder / "old", range(4))
    people(folder / "new", range(20, 23))
    people(folder / "locked", range(4, 16))
    return folder


@pytest.fixture
def old(first: Path, tmp_path: Path) -> Path:
    """A copy of the bundle, with no look yet."""
    (tmp_path / "bundle").mkdir()
    for file in (first / "bundle").iterdir():
        (tmp_path / "bundle" / file.name).write_bytes(file.read_bytes())
    return tmp_path / "bundle"


def test_locked_people_are_never_learnt_from(first: Path, old: Path, tmp_path: Path) -> None:
    its = read_bundle(old).card.training
    salt = its["people_salt"]
    assert its["locked_people_hashes"] == sorted(person_hash(salt, f"person-{p}") for p in range(4, 16))
    assert its["people_hashes"] == sorted(person_hash(salt, f"person-{p}") for p in range(4))
    assert not any(f"person-{p}" in str(its) for p in range(16))
    with pytest.raises(RecipeError, match=r"12 of the cohort's people are locked"):
        retrain(old, first / "all/cohort.tsv", task_recipe(), tmp_path / "out")
    with pytest.raises(RecipeError, match=r"4 of the 16 people of --locked are not locked"):
        retrain(
            old,
            first / "new/cohort.tsv",
            task_recipe(),
            tmp_path / "out",
            locked_path=first / "all/cohort.tsv",
        )
    assert not ledger_of(old).exists()
    assert not (tmp_path / "out").exists()


def test_a_good_candidate_is_promoted_and_its_line_is_kept(first: Path, old: Path, tmp_path: Path) -> None:
    before = {file.name: file.read_bytes() for file in old.iterdir()}
    done = retrain(
        old,
        first / "new/cohort.tsv",
        task_recipe(),
        tmp_path / "out",
        locked_path=first / "locked/cohort.tsv",
        old_path=first / "old/cohort.tsv",
        subgroups=["site"],
        margin=0.3,
    )
    assert done.verdict is not None
    assert done.verdict.promoted, done.verdict.why
    assert done.verdict.people == 12
    assert set(done.verdict.groups) == {"site n", "site s"}
    assert done.looks == 1
    card, parent = read_bundle(tmp_path / "out").card, read_bundle(old).card
    assert card.hash == done.hash
    assert card.training["from"] == parent.hash
    assert card.training["people_salt"] == parent.training["people_salt"]
    assert card.training["locked_people_hashes"] == parent.training["locked_people_hashes"]
    assert card.training["ancestors_people_hashes"] == parent.training["people_hashes"]
    assert card.evaluation["promotion"]["promoted"]
    assert card.evaluation["looks"] == 1
    assert done.forgetting is not None
    assert done.forgetting["people"] == 4
    assert 0.0 <= done.forgetting["old"]["log_loss"] < 1.0
    assert {file.name: file.read_bytes() for file in old.iterdir()} == before  # the old one stays as it was


def test_a_candidate_that_learnt_nonsense_is_not(first: Path, old: Path, tmp_path: Path) -> None:
    wrong = people(tmp_path / "wrong", range(30, 33), effect=-0.02)
    recipe = task_recipe(training={"epochs": 15, "min_epochs": 15, "learning_rate": 0.01, "batch_size": 16})
    done = retrain(old, wrong, recipe, tmp_path / "out", locked_path=first / "locked/cohort.tsv")
    assert done.verdict is not None
    assert not done.verdict.promoted
    assert "not shown to be as good" in done.verdict.why
    assert not read_bundle(tmp_path / "out").card.evaluation["promotion"]["promoted"]


def test_a_look_is_counted_even_if_the_run_dies_of_it(
    first: Path, old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = module.set_hash(frozenset(read_bundle(old).card.training["locked_people_hashes"]))

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_compare", dies)
    for looks in range(1, 6):
        with pytest.raises(KeyboardInterrupt):
            retrain(
                old,
                first / "new/cohort.tsv",
                task_recipe(training={"epochs": 1}),
                tmp_path / "out",
                locked_path=first / "locked/cohort.tsv",
            )
        assert len(json.loads(ledger_of(old).read_text())[locked]) == looks
    with pytest.raises(HemostreamError, match="looked at 5 times"):
        retrain(
            old,
            first / "new/cohort.tsv",
            task_recipe(training={"epochs": 1}),
            tmp_path / "out",
            locked_path=first / "locked/cohort.tsv",
        )
    assert not (tmp_path / "out").exists()


def test_it_begins_with_the_old_weights(first: Path, old: Path, tmp_path: Path) -> None:
    slow = task_recipe(training={"epochs": 1, "learning_rate": 1e-9, "batch_size": 16})
    done = retrain(old, first / "new/cohort.tsv", slow, tmp_path / "out")
    assert done.verdict is None
    parent, candidate = (
        read_bundle(old).network.state_dict(),
        read_bundle(tmp_path / "out").network.state_dict(),
    )
    for name, value in parent.items():
        assert torch.allclose(candidate[name], value, atol=1e-6)


def test_what_does_not_fit_the_bundle_is_refused_by_name(first: Path, old: Path, tmp_path: Path) -> None:
    new = first / "new/cohort.tsv"
    for recipe, said in (
        (task_recipe(model={"kind": "lstm"}), "model.kind is cgrnn, the recipe's is lstm"),
        (task_recipe(window={"length_s": 4.0, "step_s": 2.0}), "window is"),
        (task_recipe(model={"kind": "cgrnn", "params": {"filters": 5}}), "model.params"),
    ):
        with pytest.raises(RecipeError, match=said):
            retrain(old, new, recipe, tmp_path / "out")
    with pytest.raises(RecipeError, match="is the old bundle itself"):
        retrain(old, new, task_recipe(), old)
    with pytest.raises(RecipeError, match="margin is 0"):
        retrain(old, new, task_recipe(), tmp_path / "out", margin=0.0)
    (tmp_path / "three").mkdir()
    other = task_cohort(tmp_path / "three", people=2, sessions=1, pairs=3)
    with pytest.raises(RecipeError, match="the bundle needs 4"):
        retrain(old, other, task_recipe(), tmp_path / "out")
    with pytest.raises(
        RecipeError, match=r"--subgroup school: cohort\.tsv has no such column; it has sex, site"
    ):
        retrain(
            old,
            new,
            task_recipe(),
            tmp_path / "out",
            locked_path=first / "locked/cohort.tsv",
            subgroups=["school"],
        )
    with pytest.raises(RecipeError, match="no one whom the bundle learnt from"):
        retrain(old, new, task_recipe(), tmp_path / "out", old_path=new)
