"""Arms: what stands side by side, whom each has not seen, and what an ablation takes away."""

import json
from pathlib import Path

import numpy as np
import pytest

from models.errors import RecipeError
from offline.base.cohort import read_cohort
from offline.base.predictions import read_predictions
from offline.base.sample_table import SampleTable
from offline.base.splits import fewer_people, site_folds
from offline.evaluation.conditions import PARTS, Condition, conditions_of, divisions_of, without
from offline.evaluation.evaluate import evaluate
from offline.samples.samples import collect
from tests.offline.support import task_cohort, task_recipe


def table_of(people: int = 12, sites: tuple[str, ...] = ("north", "south", "west")) -> SampleTable:
    """Two windows a person, labels by turns; person 0 was measured at two sites."""
    number = np.repeat(np.arange(people), 2)
    person = np.array([f"p{i:02d}" for i in number])
    site = np.array([sites[i % len(sites)] for i in number])
    if len(sites) > 1:
        site[1] = sites[1]
    start = np.tile([0.0, 7.0], people)
    target = (number // len(sites) % 2).astype(np.int64)
    return SampleTable(person, person, person, site, start, start + 7.0, target)


def test_a_held_out_site_shares_neither_samples_nor_people_with_training() -> None:
    table = table_of()
    folds = site_folds(table)
    assert [fold.name for fold in folds] == ["site north", "site south", "site west"]
    for fold in folds:
        site = fold.title.removeprefix("site ")
        assert set(table.site[fold.test]) == {site}
        assert site not in set(table.site[fold.train])
        assert not set(table.person[fold.test]) & set(table.person[fold.train])
    assert "p00" in folds[0].held_out
    assert "p00" in folds[1].held_out
    # Whoever's site is not known may be of the predicted one.
    for fold in site_folds(table_of(sites=("north", "south", ""))):
        assert "" not in set(table_of(sites=("north", "south", "")).site[fold.train])
    assert site_folds(table_of(sites=("north",))) == []
    assert site_folds(table_of(sites=("",))) == []


def test_smaller_training_sets_are_nested_and_hold_every_label() -> None:
    table = table_of(people=24, sites=("",))
    fold = divisions_of(table, task_recipe())[0][1]
    before: set[str] = set()
    for n in (2, 5, 9):
        small = fewer_people(fold, table, n)
        people = set(table.person[small.train])
        assert len(people) == n
        assert before <= people
        assert set(table.target[small.train]) == {0, 1}
        assert (small.test == fold.test).all()
        before = people
    with pytest.raises(RecipeError, match=r"asks for 99 training people, but without .* there are \d+"):
        fewer_people(fold, table, 99)


def test_an_ablation_takes_away_one_part_and_nothing_else() -> None:
    changes = {"gain": 0.1, "pathlength": 0.1, "noise": 0.1, "time_shift_s": 0.5, "mirror": True}
    full = task_recipe(
        model={"kind": "cgrnn", "params": {"components": 2, "dropout": 0.4}},
        training={
            "channel_dropout": 0.2,
            "augmentation": changes,
            "ensemble": 2,
        },
    )
    for part in set(PARTS) - {"pretrained"}:  # which only one network has
        bare = without(full, part)
        assert bare != full
        assert bare.hash != full.hash
        kept = full.model_dump()
        kept["model"]["params"] = {}
        kept["training"] = {}
        other = bare.model_dump()
        other["model"]["params"] = {}
        other["training"] = {}
        assert kept == other
        with pytest.raises(RecipeError, match="does without as it is"):
            without(bare, part)
    assert without(full, "components").model.params == {"dropout": 0.4}
    begun = task_recipe(model={"kind": "virtual_probe"}, training={"pretrained": {"file": "encoder"}})
    scratch = begun.training.model_copy(update={"pretrained": None})
    assert without(begun, "pretrained") == begun.model_copy(update={"training": scratch})
    with pytest.raises(RecipeError, match="weight_decay"):
        without(full, "weight_decai")
    best = task_recipe(model={"kind": "best", "params": {"cgrnn": {"dropout": 0.4}}})
    with pytest.raises(RecipeError, match=r"'dropout', a parameter of a network.*'best', made of several"):
        without(best, "dropout")
    assert not without(best, "early_stopping").training.early_stopping


def test_every_arm_fills_the_one_table(tmp_path: Path) -> None:
    """Sites, ablations and learning curves, from a cohort of two sites, beside the plain conditions."""
    cohort = task_cohort(tmp_path, people=4, sessions=1)
    lines = cohort.read_text().splitlines()
    rows = [line + "\t" + ("site" if i == 0 else "ns"[i % 2]) for i, line in enumerate(lines)]
    cohort.write_text("\n".join(rows) + "\n")
    recipe = task_recipe(
        training={"epochs": 3}, evaluation={"permutations": 0, "ablate": ["dropout"], "learning_curve": [2]}
    )
    evaluate(cohort, recipe, tmp_path / "out", show=False)
    table = read_predictions(tmp_path / "out/predictions.csv")
    plain = ["cgrnn", "linear", "ridge", "memory and symmetry", "time", "majority"]
    assert list(table.conditions) == [
        "cgrnn",
        "cgrnn without dropout",
        "cgrnn, 2 people",
        "ridge, 2 people",
        *plain[1:],
        *(f"{name}, unseen site" for name in plain),
    ]
    assert set(table.of_condition("ridge, unseen site").fold) == {"site n", "site s"}
    results = json.loads((tmp_path / "out/results.json").read_text())
    assert set(results["folds"]["site n"]) == {f"{name}, unseen site" for name in plain}
    own = results["conditions"]["linear, unseen site"]["mean_over_people"]["balanced_accuracy"]
    assert own > 0.9


def test_arms_are_refused_before_anything_is_read() -> None:
    with pytest.raises(RecipeError, match="cgrnn"):
        conditions_of(task_recipe(), ["cgrn"])
    with pytest.raises(RecipeError, match="dropout"):
        conditions_of(task_recipe(evaluation={"ablate": ["dropot"]}), [])
    found = conditions_of(task_recipe(), ["lstm", "lstm"])
    assert len({condition.name for condition in found}) == len(found)
    assert all(isinstance(condition, Condition) for condition in found)


def test_blocks_of_recordings_are_predicted_by_blocks_that_lie_apart(tmp_path: Path) -> None:
    cohort = task_cohort(tmp_path, people=2, sessions=2, seconds=240.0)
    recipe = task_recipe(evaluation={"by": "time", "blocks": 3, "gap_s": 15.0}, training={"epochs": 2})
    table = collect(read_cohort(cohort), recipe).table
    folds = divisions_of(table, recipe)
    predicted = np.concatenate([fold.test for _, fold in folds])
    assert sorted(predicted) == list(range(len(table)))  # everything once
    for _, fold in folds:
        assert set(table.person[fold.train]) == set(fold.held_out)
        for i in fold.test:
            same = fold.train[table.recording[fold.train] == table.recording[i]]
            gap = np.maximum(table.start[same] - table.stop[i], table.start[i] - table.stop[same])
            assert gap.min() >= 15.0 - table.stop[i] + table.start[i]
    evaluate(cohort, recipe, tmp_path / "out", show=False)
    results = json.loads((tmp_path / "out/results.json").read_text())
    assert results["null"] is None
    assert "same person's recordings" in results["protocol"]
    assert results["conditions"]["linear"]["mean_over_people"]["balanced_accuracy"] > 0.9
    with pytest.raises(RecipeError, match="Block 1 of 50"):
        divisions_of(table, task_recipe(evaluation={"by": "time", "blocks": 50, "gap_s": 500.0}))
