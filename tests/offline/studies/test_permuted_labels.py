"""Permuted labels keep what the division keeps, and fits that share their reading are those made alone."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline.base.row_splits import ten_folds
from offline.base.sample_table import SampleTable
from offline.evaluation import runner
from offline.evaluation.fit_cache import FitCache
from offline.evaluation.runner import perform, run_tasks
from offline.report.study import TENFOLD, UNSEEN_SITE
from offline.scans.simulated import simulate_series
from offline.stats.permutation import evened, permuted_labels
from offline.studies import STUDIES
from offline.studies.fitting import ScanProcedure, labels_of
from offline.studies.planning import null_tasks
from offline.studies.profile import FULL, PERMUTATION_SEED, QUICK, SEED
from offline.studies.tables import TABLES, digest, table_of
from tests.offline.studies.fits import fitted, task_of

SCANS = simulate_series(120, effect=1.0, n_regions=10, n_times=80, seed=3).scans

READING = ["ridge", "ridge-partial", "ridge-tangent", "connectivity-ensemble"]


def counts(y: np.ndarray, by: np.ndarray) -> dict[str, list[int]]:
    return {str(name): np.bincount(y[by == name], minlength=2).tolist() for name in np.unique(by)}


def permuted(table: SampleTable, number: int) -> np.ndarray:
    folds = ten_folds(table, seed=SEED)
    return permuted_labels(table, number, seed=PERMUTATION_SEED, by_person=True, folds=folds)


def of_tenths(table: SampleTable, y: np.ndarray) -> list[int]:
    return [int(y[fold.test].sum()) for fold in ten_folds(table, seed=SEED)]


def test_sites_and_tenths_keep_their_labels_and_people_do_not() -> None:
    table = SCANS.table
    drawn = [permuted(table, number) for number in range(30)]
    for y in drawn:
        assert counts(y, table.site) == counts(table.target, table.site)
        assert of_tenths(table, y) == of_tenths(table, table.target)
    assert np.array_equal(drawn[0], permuted(table, 0))
    assert len({y.tobytes() for y in drawn}) == len(drawn)
    agree = [np.mean(y == table.target) for y in drawn]
    assert np.mean(agree) == pytest.approx(0.5, abs=0.03)


@given(st.integers(0, 10_000), st.integers(2, 40), st.integers(2, 3))
def test_evening_never_moves_a_label_between_sites_and_never_makes_parts_less_even(
    seed: int, n: int, labels: int
) -> None:
    rng = np.random.default_rng(seed)
    site = rng.choice(["a", "b", "c"], n)
    part, true = rng.integers(0, 4, n), rng.integers(0, labels, n)
    y = true.copy()
    for name in "abc":
        own = site == name
        y[own] = rng.permutation(y[own])

    def uneven(y: np.ndarray) -> int:
        table = np.zeros((4, labels), dtype=int)
        np.add.at(table, (part, y), 1)
        np.subtract.at(table, (part, true), 1)
        return int(np.square(table).sum())

    found = evened(y, true, part, site, rng)
    for name in "abc":
        assert sorted(found[site == name]) == sorted(true[site == name])
    assert uneven(found) <= uneven(y)


@pytest.mark.parametrize("name", READING)
def test_permutations_that_share_a_reading_give_what_each_gives_alone(name: str) -> None:
    study = STUDIES[name]
    X = TABLES[study.table](SCANS).astype(np.float32)
    tasks = null_tasks(SCANS.table, replace(QUICK, permutations=3), 0)[:3]
    assert len({task.fold.name for task in tasks}) == 1
    together = perform(ScanProcedure(study, X, SCANS.table), tasks)
    for task, done in zip(tasks, together, strict=True):
        np.testing.assert_array_equal(done.scores, fitted(study, X, SCANS.table, task).scores)
    assert not np.allclose(together[0].scores, together[1].scores)


def test_a_run_makes_the_permutations_of_a_fold_together_and_keeps_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, table = STUDIES["ridge"], SCANS.table
    X = table_of(study.table, SCANS, tmp_path)
    tasks = null_tasks(table, replace(QUICK, permutations=3), 0)
    made: list[int] = []

    def counted(procedure: Any, tasks: Any, *more: Any) -> Any:
        made.append(len(tasks))
        return perform(procedure, tasks, *more)

    monkeypatch.setattr(runner, "perform", counted)
    procedure = ScanProcedure(study, X, table, digest(SCANS), most_together=2)
    kept = FitCache(tmp_path / "work", procedure.key)
    done = run_tasks(procedure, tasks, cache=kept)
    assert made == [2, 1] * 10
    for result in done[::7]:
        np.testing.assert_array_equal(result.scores, fitted(study, X, table, result.task).scores)
    again = run_tasks(procedure, tasks, cache=kept)
    assert made == [2, 1] * 10
    assert all(np.array_equal(a.scores, b.scores) for a, b in zip(done, again, strict=True))


def test_of_many_tiny_sites_labels_stay_at_their_sites_and_tenths_are_nearly_even() -> None:
    rng = np.random.default_rng(0)
    n = 90
    table = replace(SCANS.table.rows(np.arange(n)), site=np.array([f"s{k // 3}" for k in range(n)]))
    table = replace(table, target=rng.integers(0, 2, n))
    for number in range(5):
        y = permuted(table, number)
        assert counts(y, table.site) == counts(table.target, table.site)
        assert max(abs(np.subtract(of_tenths(table, y), of_tenths(table, table.target)))) <= 2


@pytest.mark.parametrize("name", READING)
def test_labels_of_the_predicted_reach_no_fit_that_shares_a_reading(name: str) -> None:
    study = STUDIES[name]
    X = TABLES[study.table](SCANS).astype(np.float32)
    fold = ten_folds(SCANS.table, seed=SEED)[0]
    tasks = [task_of(UNSEEN_SITE, fold)] * 2  # several are fitted together
    target = SCANS.y.copy()
    target[fold.test] = 1 - target[fold.test]
    one, two = (
        perform(ScanProcedure(study, X, table), tasks)[0].scores
        for table in (SCANS.table, replace(SCANS.table, target=target))
    )
    np.testing.assert_array_equal(one, two)


def test_only_permutations_of_a_model_that_reads_first_share_a_fit() -> None:
    task = null_tasks(SCANS.table, QUICK, 0)[0]
    for name, study in STUDIES.items():
        shared = ScanProcedure(study, np.zeros((1, 1)), SCANS.table).shared_by(task)
        assert (shared is not None) == (name in (*READING, "ridge-table")), name
    ridge = ScanProcedure(STUDIES["ridge"], np.zeros((1, 1)), SCANS.table)
    assert ridge.shared_by(task_of(TENFOLD, task.fold)) is None
    chosen = replace(STUDIES["ridge"], settings=({}, {}))  # which setting is chosen follows from labels
    assert ScanProcedure(chosen, np.zeros((1, 1)), SCANS.table).shared_by(task) is None


def test_the_full_profile_takes_all_divisions_by_turns_and_chooses_settings_anew() -> None:
    table = SCANS.table
    full = replace(FULL, repeats=2, permutations=5)
    tasks = null_tasks(table, full, 1)
    assert {task.fit.setting for task in tasks} == {None}
    assert {task.fit.setting for task in null_tasks(table, QUICK, 1)} == {1}
    assert len(tasks) == 5 * 10
    for number in range(5):
        own = [task for task in tasks if task.permutation == number]
        assert {task.fit.division for task in own} == {SEED + number % 2}
        assert np.array_equal(
            np.sort(np.concatenate([task.fold.test for task in own])), np.arange(len(table))
        )
        y = labels_of(table, own[0])
        for task in own:
            assert y[task.fold.test].sum() == table.target[task.fold.test].sum()
