"""Leakage protocols differ from the honest one in one thing; on noise they find something, it does not."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.errors import RecipeError
from offline.base.cohort import read_cohort
from offline.base.sample_table import SampleTable
from offline.base.splits import Fold
from offline.estimators.baselines import window_features
from offline.evaluation.evaluate import evaluate
from offline.evaluation.leakage.audit import audit_of, predicted
from offline.evaluation.leakage.protocols import (
    ALL,
    HONEST,
    NORMALISATION,
    OF_WINDOWS,
    OVERLAPPING,
    RANDOM,
    SELECTION,
    AuditTask,
)
from offline.evaluation.leakage.window_audits import audit_ridge
from offline.evaluation.leakage.windows import (
    divisions_of,
    plan_windows,
    select_channels,
    windows_apart,
)
from offline.evaluation.results_folder import write_audit
from offline.report.console import print_audit
from offline.report.leakage import audit_table
from offline.samples.samples import collect
from offline.training.feature_table import FeatureTable, Labelled
from offline.training.visible_channels import VisibleChannels
from tests.offline.support import group_recipe, series_cohort, task_cohort, task_recipe


def noise(n_people: int = 10, channels: int = 60, seed: int = 0) -> FeatureTable:
    """People who differ from each other, windows of 7 s every second that share what they share."""
    rng = np.random.default_rng(seed)
    series = rng.normal(size=(n_people, channels, 60)) + 3 * rng.normal(size=(n_people, channels, 1))
    X = np.stack([series[p, :, t : t + 7] for p in range(n_people) for t in range(53)]).astype(np.float32)
    person = np.repeat([f"p{i:02d}" for i in range(n_people)], 53)
    start = np.tile(np.arange(53.0), n_people)
    y = np.repeat(np.arange(n_people) % 2, 53).astype(np.int64)
    empty = np.full(len(y), "")
    table = SampleTable(person, person, empty, empty, start, start + 7.0, y)
    return FeatureTable(window_features(X), table, True)


def test_no_two_predicted_windows_overlap() -> None:
    table = noise().table
    apart = windows_apart(table)
    assert len(apart) == 10 * 8  # 0, 7, ... 49 s of each recording
    for name in table.people:
        rows = apart[table.recording[apart] == name]
        assert (table.start[rows][1:] >= table.stop[rows][:-1]).all()


def tasks_of(data: FeatureTable, seed: int = 0) -> list[AuditTask]:
    return list(plan_windows(lambda number: data, [(None, seed)]))


def test_protocols_predict_the_same_windows_once_after_training_on_as_many() -> None:
    data = noise()
    table, apart = data.table, windows_apart(data.table)
    tasks = tasks_of(data)
    assert len({len(task.fold.train) for task in tasks}) == 1
    for protocol in (HONEST, *OF_WINDOWS):
        own = [task for task in tasks if task.protocol is protocol]
        assert sorted(np.concatenate([task.fold.test for task in own]).tolist()) == apart.tolist()
        for fold in divisions_of(table, apart, protocol.division, 0):
            assert not set(fold.train) & set(fold.test)
            shared = set(table.person[fold.train]) & set(table.person[fold.test])
            assert bool(shared) == (protocol in (OVERLAPPING, RANDOM, ALL)), protocol
            assert _overlaps(table, fold.train, fold.test) == (protocol in (OVERLAPPING, ALL)), protocol


def _overlaps(table: SampleTable, train: np.ndarray, test: np.ndarray) -> bool:
    return any(
        table.recording[a] == table.recording[b]
        and table.start[a] < table.stop[b] - 1e-6
        and table.start[b] < table.stop[a] - 1e-6
        for a in train
        for b in test
    )


def test_on_noise_the_honest_twin_is_at_chance_and_leakage_protocols_are_not() -> None:
    data = noise()
    found = audit_ridge(data, permutations=60, divisions=1)
    null = {
        protocol: found["protocols"][str(protocol)]["leaky"]["auc"]["permuted"]["mean"]
        for protocol in OF_WINDOWS
    }
    honest = found["protocols"][str(ALL)]["honest"]["auc"]["permuted"]["mean"]
    assert honest == pytest.approx(0.5, abs=0.14)  # its SE is 0.035
    assert null[NORMALISATION] == pytest.approx(honest, abs=0.1)
    assert null[OVERLAPPING] > honest + 0.15
    assert null[RANDOM] > honest + 0.15
    assert null[SELECTION] > honest + 0.1
    assert null[ALL] > honest + 0.2
    few = {"permutations": 4, "divisions": 2}
    assert audit_ridge(data, **few) == audit_ridge(data, **few)


def test_selection_takes_the_channel_that_differs() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3 * 20))
    y = np.arange(40) % 2
    X[:, 20 + 7] += 3 * y  # the slope of channel 7
    rows = Labelled(X, y, np.arange(40).astype(str), np.ones(40), True)
    chosen = select_channels(rows)
    assert {7, 27, 47} <= set(chosen.tolist())
    assert len(chosen) == 6  # two channels of twenty, three features each


def test_evaluate_writes_the_audit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate(task_cohort(tmp_path), task_recipe(), tmp_path / "report", audited=True)
    found = json.loads((tmp_path / "report/audit.json").read_text())
    assert set(found["protocols"]) == {str(protocol) for protocol in OF_WINDOWS}
    assert "no verdict on any paper" in found["says"]
    assert (tmp_path / "report/audit.png").read_bytes().startswith(b"\x89PNG")
    assert "selection outside" in capsys.readouterr().out


def test_three_labels_cannot_be_audited(tmp_path: Path) -> None:
    cohort = series_cohort(tmp_path, ["a", "b", "c"] * 2)
    with pytest.raises(RecipeError, match="needs two labels"):
        evaluate(cohort, group_recipe(), tmp_path / "report", audited=True, show=False)


def test_an_audit_can_be_drawn_without_differences_between_people(tmp_path: Path) -> None:
    found = audit_ridge(noise(n_people=4, channels=3), permutations=3, divisions=1)
    write_audit(tmp_path, found)
    assert json.loads((tmp_path / "audit.json").read_text())["permutations"] == 3


def test_the_network_is_audited_by_the_same_protocols(tmp_path: Path) -> None:
    cohort = task_cohort(tmp_path, sessions=1, pairs=4)
    recipe = task_recipe(
        training={"epochs": 1, "batch_size": 32}, evaluation={"permutations": 19, "model_permutations": 2}
    )
    evaluate(cohort, recipe, tmp_path / "out", audited=True, show=False)
    network, ridge = (
        json.loads((tmp_path / "out" / name).read_text()) for name in ("audit-network.json", "audit.json")
    )
    assert (network["model"], ridge["model"]) == ("cgrnn", "ridge")
    assert list(network["protocols"]) == list(ridge["protocols"]) == [str(each) for each in OF_WINDOWS]
    assert network["permutations"] == 2
    for its in network["protocols"].values():
        for twin in ("leaky", "honest"):
            assert 0 <= its[twin]["auc"]["value"] <= 1
            assert 0 <= its[twin]["auc"]["permuted"]["mean"] <= 1
    page = (tmp_path / "out/report.html").read_text()
    assert "Leakage protocols, cgrnn" in page
    assert (tmp_path / "out/audit-network.png").stat().st_size > 1000
    assert (tmp_path / "out/channel-map.png").stat().st_size > 1000


def test_what_is_chosen_or_normalised_outside_the_fold_differs_from_the_honest_twin_in_that_alone() -> None:
    tasks = tasks_of(noise(channels=30), seed=3)
    honest, chosen, scaled = (
        [task for task in tasks if task.protocol is protocol]
        for protocol in (HONEST, SELECTION, NORMALISATION)
    )
    for twin, selection, normalisation in zip(honest, chosen, scaled, strict=True):
        for other in (selection, normalisation):
            np.testing.assert_array_equal(other.fold.train, twin.fold.train)
            np.testing.assert_array_equal(other.fold.test, twin.fold.test)
        assert set(twin.fold.test) <= set(selection.selection) - set(twin.selection)
        np.testing.assert_array_equal(selection.normalisation, twin.normalisation)
        assert set(twin.fold.test) <= set(normalisation.normalisation) - set(twin.normalisation)
        np.testing.assert_array_equal(normalisation.selection, twin.selection)


def test_what_a_model_is_let_see_is_standardised_by_those_windows_alone(tmp_path: Path) -> None:
    samples = collect(read_cohort(task_cohort(tmp_path, sessions=1)), task_recipe())
    seen = VisibleChannels((2, 0), tuple(range(20))).of(samples)
    assert seen.names == (samples.names[2], samples.names[0])
    np.testing.assert_allclose(seen.X[:20].mean(axis=(0, 2)), 0.0, atol=1e-5)
    np.testing.assert_allclose(seen.X[:20].std(axis=(0, 2)), 1.0, atol=1e-5)
    again = VisibleChannels((2, 0), tuple(range(20))).of(replace(samples, X=samples.X * np.float32(3)))
    np.testing.assert_allclose(again.X, seen.X, atol=1e-4)


def test_an_earlier_audit_does_not_pass_for_one_of_a_later_run(tmp_path: Path) -> None:
    cohort = task_cohort(tmp_path, sessions=1)
    recipe = task_recipe(training={"epochs": 1}, evaluation={"permutations": 19})
    evaluate(cohort, recipe, tmp_path / "out", audited=True, show=False)
    quiet = task_recipe(training={"epochs": 1}, evaluation={"permutations": 0})
    evaluate(cohort, quiet, tmp_path / "out", show=False)
    left = {path.name for path in (tmp_path / "out").iterdir()}
    assert not {name for name in left if name.startswith(("audit", "channel-map"))}
    assert "Leakage" not in (tmp_path / "out/report.html").read_text()


@pytest.mark.parametrize("permutations", [0, 3])
def test_the_table_has_columns_of_permuted_labels_only_where_there_are_some(
    permutations: int, capsys: pytest.CaptureFixture[str]
) -> None:
    print_audit(audit_of_two(permutations))
    shown = capsys.readouterr().out
    assert "(by person, ridge model)" in shown
    assert shown.count("more than honest") == 1
    assert shown.count("permuted labels") == (2 if permutations else 0)
    assert f"; {permutations or 'no'} permutations of the labels" in " ".join(shown.split())


def audit_of_two(permutations: int) -> dict[str, Any]:
    """Two protocols that share their twin, and one with a twin of its own."""
    table = noise(n_people=1).table
    fold, out = Fold(("a",), np.arange(1), np.arange(1)), []
    for protocol, leaky, true, chance in (
        (HONEST, False, (0.8, 0.9), 0.5),
        (OVERLAPPING, True, (0.95, 0.95), 0.6),
        (RANDOM, True, (0.95, 0.95), 0.6),
        (SELECTION, False, (0.7, 0.7), 0.5),
        (SELECTION, True, (0.95, 0.95), 0.6),
    ):
        rounds = [(None, value) for value in true] + [(k, chance) for k in range(permutations)]
        for seed, (number, value) in enumerate(rounds):
            task = AuditTask(protocol, leaky, number, seed, fold)
            scores = np.array([[1.0 - value, value]])
            out.append((task, predicted(task, scores, table, lambda number: table.target)))
    spreads = iter([0.1, 0.1, *[np.nan] * 4])
    return audit_of(
        out,
        (OVERLAPPING, RANDOM, SELECTION),
        ("auc",),
        lambda own: {"auc": float(own.scores[0, 1])},
        lambda leaky, honest: next(spreads),
        model="ridge",
        unit="person",
    )


def test_an_honest_twin_stands_above_the_protocols_that_share_it() -> None:
    rows = audit_table(audit_of_two(0)).rows
    assert [row[0] for row in rows] == ["honest", str(OVERLAPPING), str(RANDOM), "honest", str(SELECTION)]
    assert [row[1] for row in rows] == ["0.850", "0.950", "0.950", "0.700", "0.950"]
    assert [row[2] for row in rows] == ["", "+0.100 (-0.096 to +0.296)", "+0.100", "", "+0.250"]


def test_the_wider_of_two_spreads_is_reported_and_few_permutations_give_none() -> None:
    many, few = audit_of_two(19)["protocols"], audit_of_two(18)["protocols"]
    assert many[str(RANDOM)]["difference"]["auc"]["interval"] == pytest.approx([0.1, 0.1])
    assert many[str(OVERLAPPING)]["difference"]["auc"]["interval"] == pytest.approx([-0.096, 0.296])
    assert few[str(RANDOM)]["difference"]["auc"]["interval"] is None
    assert few[str(RANDOM)]["leaky"]["auc"]["permuted"]["interval"] is None
    assert many[str(RANDOM)]["leaky"]["auc"]["permuted"]["interval"] == pytest.approx([0.6, 0.6])
