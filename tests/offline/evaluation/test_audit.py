"""Careless arms differ from the honest one in one thing; on noise they find something, it does not."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.errors import RecipeError
from offline.base.cohort import read_cohort
from offline.base.progress import silent
from offline.base.sample_table import SampleTable
from offline.estimators.baselines import window_features
from offline.evaluation.evaluate import evaluate
from offline.evaluation.leakage_audit import Audit, audit, write_audit
from offline.evaluation.leakage_protocols import (
    AuditWindows,
    LeakageCondition,
    _divisions,
    parts_of,
    run_arms,
    select_channels,
    windows_apart,
)
from offline.evaluation.ridge import Labelled
from offline.report.console import print_audit
from offline.samples.samples import collect
from offline.training.visible_channels import Sight
from tests.offline.support import group_recipe, series_cohort, task_cohort, task_recipe


def noise(n_people: int = 10, channels: int = 60, seed: int = 0) -> tuple[np.ndarray, SampleTable]:
    """People who differ from each other, windows of 7 s every second that share what they share."""
    rng = np.random.default_rng(seed)
    series = rng.normal(size=(n_people, channels, 60)) + 3 * rng.normal(size=(n_people, channels, 1))
    X = np.stack([series[p, :, t : t + 7] for p in range(n_people) for t in range(53)]).astype(np.float32)
    person = np.repeat([f"p{i:02d}" for i in range(n_people)], 53)
    start = np.tile(np.arange(53.0), n_people)
    y = np.repeat(np.arange(n_people) % 2, 53).astype(np.int64)
    empty = np.full(len(y), "")
    return window_features(X), SampleTable(person, person, empty, empty, start, start + 7.0, y)


def test_no_two_judged_windows_overlap() -> None:
    _, table = noise()
    apart = windows_apart(table)
    assert len(apart) == 10 * 8  # 0, 7, ... 49 s of each recording
    for name in table.people:
        rows = apart[table.recording[apart] == name]
        assert (table.start[rows][1:] >= table.stop[rows][:-1]).all()


def test_arms_judge_the_same_windows_once_after_training_on_as_many() -> None:
    features, table = noise()
    windows = AuditWindows.of(features, table, by_person=True)
    said = run_arms(windows, table.target, seed=0)
    for arm in LeakageCondition:
        assert sorted(said[arm].sample.tolist()) == windows.apart.tolist(), arm
        assert np.array_equal(said[arm].y, table.target[said[arm].sample])
    for arm in LeakageCondition:
        for _, train, test in _divisions(windows, table.target, arm, 0):
            assert not set(train) & set(test)
            shared = set(table.person[train]) & set(table.person[test])
            assert bool(shared) == (
                arm in (LeakageCondition.OVERLAPPING, LeakageCondition.RANDOM, LeakageCondition.ALL)
            ), arm
            overlapping = _overlaps(table, train, test)
            assert overlapping == (arm in (LeakageCondition.OVERLAPPING, LeakageCondition.ALL)), arm


def _overlaps(table: SampleTable, train: np.ndarray, test: np.ndarray) -> bool:
    return any(
        table.recording[a] == table.recording[b]
        and table.start[a] < table.stop[b] - 1e-6
        and table.start[b] < table.stop[a] - 1e-6
        for a in train
        for b in test
    )


def test_on_noise_the_honest_arm_is_at_chance_and_the_careless_ones_are_not() -> None:
    features, table = noise()
    found = audit(features, table, by_person=True, permutations=60, divisions=1, tell=silent)
    null = {arm: values.mean() for arm, values in found.null.items()}
    assert null[LeakageCondition.HONEST] == pytest.approx(0.5, abs=0.14)  # its SE is 0.035
    assert null[LeakageCondition.NORMALISATION] == pytest.approx(null[LeakageCondition.HONEST], abs=0.1)
    assert null[LeakageCondition.OVERLAPPING] > null[LeakageCondition.HONEST] + 0.15
    assert null[LeakageCondition.RANDOM] > null[LeakageCondition.HONEST] + 0.15
    assert null[LeakageCondition.SELECTION] > null[LeakageCondition.HONEST] + 0.1
    assert null[LeakageCondition.ALL] > null[LeakageCondition.HONEST] + 0.2
    few = {"by_person": True, "permutations": 4, "divisions": 2, "tell": silent}
    assert audit(features, table, **few).to_json() == audit(features, table, **few).to_json()


def test_selection_takes_the_channel_that_differs() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3 * 20))
    y = np.arange(40) % 2
    X[:, 20 + 7] += 3 * y  # the slope of channel 7
    rows = Labelled(X, y, np.arange(40).astype(str), np.ones(40))
    chosen = select_channels(rows)
    assert {7, 27, 47} <= set(chosen.tolist())
    assert len(chosen) == 6  # two channels of twenty, three features each


def test_evaluate_writes_the_audit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate(task_cohort(tmp_path), task_recipe(), tmp_path / "report", audited=True)
    found = json.loads((tmp_path / "report/audit.json").read_text())
    assert set(found["arms"]) == {str(arm) for arm in LeakageCondition}
    assert "no verdict on any paper" in found["says"]
    assert (tmp_path / "report/audit.png").read_bytes().startswith(b"\x89PNG")
    assert "selection outside" in capsys.readouterr().out


def test_three_labels_cannot_be_audited(tmp_path: Path) -> None:
    cohort = series_cohort(tmp_path, ["a", "b", "c"] * 2)
    with pytest.raises(RecipeError, match="needs two labels"):
        evaluate(cohort, group_recipe(), tmp_path / "report", audited=True, show=False)


def test_an_audit_can_be_drawn_without_differences_between_people(tmp_path: Path) -> None:
    features, table = noise(n_people=4, channels=3)
    found = audit(features, table, by_person=True, permutations=3, divisions=1, tell=silent)
    write_audit(tmp_path, found)
    assert json.loads((tmp_path / "audit.json").read_text())["permutations"] == 3


def test_the_network_is_audited_by_the_same_arms(tmp_path: Path) -> None:
    cohort = task_cohort(tmp_path, sessions=1, pairs=4)
    recipe = task_recipe(
        training={"epochs": 1, "batch_size": 32}, evaluation={"permutations": 19, "network_permutations": 2}
    )
    evaluate(cohort, recipe, tmp_path / "out", audited=True, show=False)
    network, ridge = (
        json.loads((tmp_path / "out" / name).read_text()) for name in ("audit-network.json", "audit.json")
    )
    assert (network["model"], ridge["model"]) == ("cgrnn", "ridge")
    assert list(network["arms"]) == list(ridge["arms"]) == [str(arm) for arm in LeakageCondition]
    assert network["permutations"] == 2
    for row in network["arms"].values():
        assert 0 <= row["figure"] <= 1
        assert 0 <= row["null_mean"] <= 1
    page = (tmp_path / "out/report.html").read_text()
    assert "Leakage protocols, cgrnn" in page
    assert (tmp_path / "out/audit-network.png").stat().st_size > 1000
    assert (tmp_path / "out/channel-map.png").stat().st_size > 1000


def test_arms_of_a_network_differ_in_one_thing() -> None:
    features, table = noise(channels=30)
    windows = AuditWindows.of(features, table, by_person=True)
    parts = {(part.arm, part.name): part for part in parts_of(windows, table.target, seed=3)}
    honest = [part for (arm, _), part in parts.items() if arm is LeakageCondition.HONEST]
    for part in honest:
        chosen = parts[(LeakageCondition.SELECTION, part.name)]
        scaled = parts[(LeakageCondition.NORMALISATION, part.name)]
        for other in (chosen, scaled):
            np.testing.assert_array_equal(other.train, part.train)
            np.testing.assert_array_equal(other.test, part.test)
        assert set(part.test) <= set(chosen.of_selection) - set(part.of_selection)
        np.testing.assert_array_equal(chosen.of_normalisation, part.of_normalisation)
        assert set(part.test) <= set(scaled.of_normalisation) - set(part.of_normalisation)
        np.testing.assert_array_equal(scaled.of_selection, part.of_selection)
    assert len({len(part.train) for part in parts.values()}) == 1


def test_what_a_model_is_let_see_is_standardised_by_those_windows_alone(tmp_path: Path) -> None:
    samples = collect(read_cohort(task_cohort(tmp_path, sessions=1)), task_recipe())
    seen = Sight((2, 0), tuple(range(20))).of(samples)
    assert seen.names == (samples.names[2], samples.names[0])
    np.testing.assert_allclose(seen.X[:20].mean(axis=(0, 2)), 0.0, atol=1e-5)
    np.testing.assert_allclose(seen.X[:20].std(axis=(0, 2)), 1.0, atol=1e-5)
    again = Sight((2, 0), tuple(range(20))).of(replace(samples, X=samples.X * np.float32(3)))
    np.testing.assert_allclose(again.X, seen.X, atol=1e-4)


def test_an_earlier_audit_does_not_pass_for_one_of_a_later_run(tmp_path: Path) -> None:
    cohort = task_cohort(tmp_path, sessions=1)
    recipe = task_recipe(training={"epochs": 1}, evaluation={"permutations": 19})
    evaluate(cohort, recipe, tmp_path / "out", audited=True, show=False)
    quiet = task_recipe(training={"epochs": 1}, evaluation={"permutations": 0})
    evaluate(cohort, quiet, tmp_path / "out", show=False)
    left = {path.name for path in (tmp_path / "out").iterdir()}
    assert not {name for name in left if name.startswith(("audit", "channel-map"))}
    assert "Leakage protocols" not in (tmp_path / "out/report.html").read_text()


@pytest.mark.parametrize("permutations", [0, 3])
def test_the_table_has_columns_of_permuted_labels_only_where_there_are_some(
    permutations: int, capsys: pytest.CaptureFixture[str]
) -> None:
    true = {arm: np.array([0.8, 0.9]) for arm in LeakageCondition}
    null = {arm: np.full(permutations, 0.5) for arm in LeakageCondition}
    print_audit(Audit("auc", true, null, dict.fromkeys(LeakageCondition, 0.1)))
    shown = capsys.readouterr().out
    assert "(AUC by person, ridge model)" in shown
    assert shown.count("more than honest") == (2 if permutations else 1)
    assert f"; {permutations or 'no'} permutations of the labels" in " ".join(shown.split())
