"""A blend, and the best of several models: chosen by training people alone, written and served as one."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.bundle import read_bundle
from models.errors import RecipeError
from offline.base.cohort import read_cohort
from offline.base.sample_table import SampleTable
from offline.recordings import read_recording
from offline.samples.recipe import check_model_of
from offline.samples.samples import collect
from offline.training.choice import choose, inner_folds, weightings
from offline.training.temperature import logits_of
from offline.training.train import train, train_within
from realtime.inference import Inference
from realtime.rerun import predict_recording
from tests.offline.support import group_recipe, series_cohort, task_cohort, task_recipe

QUICK = {"budget": {"inner_folds": 2}, "training": {"epochs": 1, "batch_size": 32}}
SMALL = {"cgrnn": {"filters": 2, "hidden": 2}}


def _table(n_people: int, each: int) -> SampleTable:
    person = np.repeat([f"p{i:02d}" for i in range(n_people)], each)
    n = len(person)
    blank, start = np.full(n, ""), np.arange(n, dtype=np.float64)
    return SampleTable(
        person=person,
        session=blank,
        site=blank,
        recording=person,
        start=start,
        stop=start + 1.0,
        target=np.tile([0, 1], n // 2).astype(np.int64),
    )


@given(seed=st.integers(0, 2**16), kind=st.sampled_from(["blend", "best"]), n=st.integers(2, 4))
@settings(max_examples=25, deadline=None)
def test_what_is_chosen_is_never_worse_than_any_member_where_it_was_chosen(
    seed: int, kind: str, n: int
) -> None:
    table = _table(6, 8)
    rng = np.random.default_rng(seed)
    signal = (2 * table.target - 1)[:, None] * np.array([-0.5, 0.5])
    logits = np.stack([rng.normal(size=(48, 2)) + rng.uniform(0, 1.5) * signal for _ in range(n)])
    names = [f"m{i}" for i in range(n)]
    chosen, how = choose(kind, names, logits, table)
    singles = {each["model"]: each["log_loss"] for each in how["candidates"][:n]}
    assert list(singles) == names
    assert chosen.loss <= min(singles.values()) + 1e-6
    assert chosen.weight.sum() == 1.0
    assert how["chosen"] == " + ".join(names[i] for i in np.flatnonzero(chosen.weight))


def test_two_whose_errors_have_nothing_in_common_are_blended_and_one_that_knows_nothing_is_left_out() -> None:
    table = _table(20, 40)
    rng = np.random.default_rng(0)
    signal = (2 * table.target - 1)[:, None] * np.array([-0.5, 0.5])
    good = [signal + rng.normal(size=(800, 1)) * np.array([-0.5, 0.5]) for _ in range(2)]
    logits = np.stack([*good, rng.normal(size=(800, 2))])
    for kind in ("blend", "best"):
        _, how = choose(kind, ["a", "b", "noise"], logits, table)
        assert how["chosen"] == "a + b"
        assert how["candidates"][-1]["weights"] == {"a": 0.5, "b": 0.5}
    _, how = choose("best", ["a", "again", "noise"], np.stack([good[0], good[0], logits[2]]), table)
    assert how["chosen"] == "a"


def test_partners_do_not_count_twice_where_a_blend_has_to_be_better() -> None:
    """Doubled people say nothing new, so what was not shown by half as many is not shown by pairs."""
    chosen = {}
    for name, doubled, together in (("alone", 1, False), ("strangers", 8, False), ("partners", 8, True)):
        table = _table(6 * doubled, 8)
        rng = np.random.default_rng(18)
        signal = (2 * np.tile([0, 1], 24) - 1)[:, None] * np.array([-0.5, 0.5])
        noise = [rng.normal(size=(48, 1)) * np.array([-more, more]) for more in (1.0, 1.3)]
        logits = np.stack([np.tile(signal + n, (doubled, 1)) for n in noise])
        if together:
            table = replace(table, together=np.repeat([f"u{i % 6}" for i in range(6 * doubled)], 8))
        chosen[name] = choose("best", ["a", "b"], logits, table)[1]["chosen"]
    assert chosen == {"alone": "a", "strangers": "a + b", "partners": "a"}


def test_weights_add_up_and_each_member_alone_is_among_them() -> None:
    found = weightings(3)
    assert len(found) == 15
    assert all(sum(each) == 1.0 and min(each) >= 0.0 for each in found)
    assert {(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)} <= set(found)


def test_nobody_is_on_both_sides_of_an_inner_fold(tmp_path: Path) -> None:
    recipe = task_recipe(model={"kind": "best", "params": SMALL}, **QUICK)
    samples = collect(read_cohort(task_cohort(tmp_path, people=4, sessions=1)), recipe)
    within = np.flatnonzero(samples.table.person != "person-3")
    folds = inner_folds(samples, recipe, within, 0)
    person = samples.table.person
    for fold in folds:
        assert not set(person[fold.train]) & set(person[fold.test])
        assert "person-3" not in {*person[fold.train], *person[fold.test]}
    assert sorted(np.concatenate([fold.test for fold in folds])) == within.tolist()
    alone = np.flatnonzero(person == "person-0")
    parts = inner_folds(samples, task_recipe(**{**QUICK, "evaluation": {"gap_s": 1.0}}), alone, 0)
    assert all(len(fold.train) and len(fold.test) for fold in parts)


@pytest.mark.parametrize("kind", ["blend", "best"])
def test_a_bundle_of_it_goes_live_and_says_what_was_chosen(tmp_path: Path, kind: str) -> None:
    cohort = task_cohort(tmp_path, people=4, sessions=1)
    recipe = task_recipe(model={"kind": kind, "params": SMALL}, **QUICK)
    done = train(cohort, recipe, tmp_path / "bundle")
    bundle = read_bundle(tmp_path / "bundle")
    its = bundle.card.training
    assert its["model"] == kind
    choice = its["how"]["choice"]
    losses = {each["model"]: each["log_loss"] for each in choice["candidates"]}
    assert losses[choice["chosen"]] <= losses["linear"]
    samples = collect(read_cohort(cohort), recipe)
    X = samples.X[:]
    np.testing.assert_array_equal(logits_of(bundle.network, X), logits_of(done.trained.fitted.network, X))
    decisions = list(
        predict_recording(
            read_recording(tmp_path / "p0s0.nirs"), bundle, Inference(bundle, device="cpu"), session="bed"
        )
    )
    assert any(not decision.abstained for decision in decisions)


def test_of_peoples_labels_the_inner_folds_hold_both(tmp_path: Path) -> None:
    recipe = group_recipe(model={"kind": "best", "members": ["ridge", "linear", "memory"]}, **QUICK)
    samples = collect(read_cohort(series_cohort(tmp_path, "abababab")), recipe)
    trained = train_within(samples, recipe, np.arange(len(samples)), seed=0)
    assert trained.how["choice"]["people"] == 8
    few = np.flatnonzero(np.isin(samples.table.person, ["person-0", "person-1"]))
    with pytest.raises(RecipeError, match=r"'best' chooses by training people.*2 people do not allow"):
        train_within(samples, recipe, few, seed=0)


def test_what_cannot_be_is_refused_before_anything_is_read() -> None:
    with pytest.raises(RecipeError, match="expected 2 to 5 different kinds"):
        task_recipe(model={"kind": "blend", "members": ["ridge", "best"]})
    with pytest.raises(RecipeError, match="members are for kinds"):
        task_recipe(model={"kind": "ridge", "members": ["linear", "cgrnn"]})
    with pytest.raises(RecipeError, match=r"params are of \['hidden'\]"):
        task_recipe(model={"kind": "best", "params": {"hidden": 4}})
    with pytest.raises(RecipeError, match=r"of 'ridge' are 3; expected a table, \[model.params.ridge\]"):
        task_recipe(model={"kind": "blend", "members": ["ridge", "linear"], "params": {"ridge": 3}})
    with pytest.raises(RecipeError, match="Did you mean 'linear'"):
        check_model_of(task_recipe(model={"kind": "best", "members": ["ridge", "linaer"]}))
    with pytest.raises(RecipeError, match="chooses among models, not their settings"):
        task_recipe(
            model={"kind": "best"},
            budget={"trials": 2},
            search={"training": {"learning_rate": {"low": 1e-4, "high": 1e-2}}},
        )
