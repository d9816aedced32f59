"""Careless habits find what is not there, their honest twins do not, and both see the same people."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin

from models.errors import HemostreamError
from offline.base.process_pool import Workers
from offline.base.progress import silent
from offline.base.splits import Fold
from offline.scans import Scans
from offline.scans.simulated import simulate_series, simulate_table
from offline.studies import STUDIES
from offline.studies import shelf as shelf_module
from offline.studies.base import Role, Study
from offline.studies.careless import Habit, audit_study
from offline.studies.careless.habits import Extent, Round, selection, settings, windows
from offline.studies.careless.section import highest, section
from offline.studies.careless.windows import cut
from offline.studies.columns import Columns, how_many
from offline.studies.division import FULL, QUICK, TENFOLD, Profile
from offline.studies.running import run_study
from offline.studies.shelf import REVISION, Shelf
from offline.studies.summary import write_summary
from offline.studies.tables import TABLES, digest, table_of
from offline.studies.work import StudyTask, labels_of, perform

SMALL = Profile("quick", 1, 2, 5)
RIDGE = STUDIES["ridge"]


@cache
def people(effect: float = 0.0, n: int = 100) -> Scans:
    """Of one site; each has couplings of its own, which no label goes with: people resemble themselves."""
    scans = simulate_series(n, effect=effect, n_regions=30, n_times=160, n_sites=1, seed=3).scans
    rng = np.random.default_rng(7)
    X = scans.X.astype(np.float64)
    for i, own in enumerate(X):
        length = int(scans.n_times[i])
        loading = rng.normal(size=(len(own), 3)) * own[:, :length].std(axis=1, keepdims=True)
        own[:, :length] += 0.7 * loading @ rng.normal(size=(3, length))
    return replace(scans, X=X.astype(np.float32))


def audited(
    study: Study, scans: Scans, out: Path, profile: Profile = SMALL, *, workers: int = 1
) -> dict[str, Any]:
    X = table_of(study.table, scans, out)
    shelf = Shelf(out / "work", digest(scans), study)
    with Workers(workers) as shared:
        return audit_study(study, scans, X, profile, shelf=shelf, cache=out, workers=shared, tell=silent)[0]


def test_careless_habits_find_what_is_not_there_and_their_twins_do_not(tmp_path: Path) -> None:
    found = audited(RIDGE, people(), tmp_path)["habits"]
    assert set(found) == {Habit.SELECTION, Habit.WINDOWS}
    for name, its in found.items():
        for metric in ("accuracy", "balanced_accuracy", "auc"):
            # On 100 people an accuracy strays by .05 or more; the mean of five labellings by half of that.
            assert its["careless"]["true"][metric] > 0.68, name
            assert its["honest"]["true"][metric] == pytest.approx(0.5, abs=0.15), name
            assert its["careless"]["permuted"][metric]["mean"] > 0.66, name
            assert its["honest"]["permuted"][metric]["mean"] == pytest.approx(0.5, abs=0.1), name
            assert 0.0 < its["honest"]["permuted"][metric]["sd"] < 0.15, name


def test_honest_twins_find_what_is_there(tmp_path: Path) -> None:
    found = audited(RIDGE, people(4.0), tmp_path)["habits"]
    for name, its in found.items():
        assert its["honest"]["true"]["auc"] > 0.75, name
        assert its["honest"]["permuted"]["auc"]["mean"] == pytest.approx(0.5, abs=0.12), name


class OneColumn(ClassifierMixin, BaseEstimator):
    """Says what one column says, so settings differ by nothing but luck."""

    def __init__(self, column: int = 0) -> None:
        self.column = column

    def fit(self, X: np.ndarray, y: np.ndarray) -> Self:
        self.classes_ = np.unique(y)
        self.middle_ = np.median(X[:, self.column])
        return self

    def decision_function(self, X: np.ndarray) -> np.ndarray:
        return np.asarray(X[:, self.column] - self.middle_)


def one_column(*, column: int, random_state: int) -> OneColumn:
    return OneColumn(column)


LUCK = Study(
    name="luck",
    title="Luck",
    ours="Nothing.",
    table="as it is",
    model=one_column,
    role=Role.BASELINE,
    settings=tuple({"column": k} for k in range(8)),
)


def test_the_best_of_eight_lucky_settings_looks_better_than_luck(tmp_path: Path) -> None:
    scans = simulate_table(60, effect=0.0, n_sites=1, seed=2).scans
    its = audited(LUCK, scans, tmp_path, replace(SMALL, audited=10))["habits"][Habit.SETTING]
    permuted = {twin: its[twin]["permuted"]["accuracy"]["mean"] for twin in ("careless", "honest")}
    # The greatest of eight accuracies of 60 people: .5 + 1.4 * .065.
    assert permuted["careless"] > 0.55
    assert permuted["honest"] == pytest.approx(0.5, abs=0.07)


def rounds_of(scans: Scans) -> dict[str, tuple[Round, ...]]:
    rows, extent = np.arange(len(scans)), Extent(1, 2)
    study = STUDIES["jung2019"]
    return {
        "selection": tuple(selection(study, scans.table, rows, 20, extent)),
        "settings": tuple(settings(study, scans.table, rows, extent)),
        "windows": tuple(windows(study, cut(scans).table, extent)),
    }


@pytest.mark.parametrize("name", ["selection", "settings", "windows"])
def test_twins_judge_the_same_rows_once_from_as_many_of_each_label(name: str) -> None:
    table = cut(people()).table if name == "windows" else people().table
    for each in rounds_of(people())[name]:
        y = labels_of(table, each.labelling)
        for way in each.careless:
            judged = np.concatenate([task.fold.test for task in way])
            assert np.array_equal(np.sort(judged), np.arange(len(table)))
            for one, twin in zip(way, each.honest, strict=True):
                for side in ("train", "test"):
                    sides = [np.bincount(y[getattr(task.fold, side)]) for task in (one, twin)]
                    np.testing.assert_array_equal(sides[0], sides[1])
                assert (one.study, one.arm, one.fold.name) == (twin.study, twin.arm, twin.fold.name)
        for task in each.honest:
            assert not set(table.person[task.fold.train]) & set(table.person[task.fold.test])


def test_only_windows_at_random_put_people_on_both_sides_and_true_labels_come_first() -> None:
    by_name = rounds_of(people())
    table = cut(people()).table
    for each in by_name["windows"]:
        for task in each.careless[0]:
            both = set(table.person[task.fold.train]) & set(table.person[task.fold.test])
            assert len(both) > 0.8 * len(set(table.person[task.fold.test]))
    for each in by_name["selection"]:
        for one, twin in zip(each.careless[0], each.honest, strict=True):
            np.testing.assert_array_equal(one.fold.test, twin.fold.test)
    assert [each.labelling for each in by_name["settings"]] == [None, 0, 1]
    assert [task.setting for task in by_name["settings"][0].honest] == [None] * 5


def test_labels_of_the_judged_reach_the_careless_selection_only() -> None:
    scans = people()
    X = TABLES["correlation"](scans).astype(np.float32)
    first = rounds_of(scans)["selection"][0]
    for task, reached in ((first.careless[0][0], True), (first.honest[0], False)):
        target = scans.y.copy()
        target[task.fold.test] = 1 - target[task.fold.test]
        other = replace(scans.table, target=target)
        one, two = (perform(RIDGE, X, table, task) for table in (scans.table, other))
        assert np.array_equal(one.log_odds, two.log_odds) is not reached


def test_tasks_that_choose_no_columns_are_kept_under_the_name_they_had(tmp_path: Path) -> None:
    rows = np.arange(6)
    fold = Fold(("a",), rows[:4], rows[4:], "fold 1 of 0")
    plain = StudyTask("ridge", TENFOLD, fold, labelling=3, setting=0)
    sides = [hashlib.sha256(part.astype(np.int64).tobytes()).hexdigest() for part in (fold.train, fold.test)]
    of = ["data", RIDGE.name, RIDGE.table, [{}], REVISION]
    whole = json.dumps([*of, plain.arm, fold.name, sides, 3, 0, False])
    shelf = Shelf(tmp_path, "data", RIDGE)
    assert shelf.path(plain).stem == hashlib.sha256(whole.encode()).hexdigest()[:32]
    others = [None, Columns(5), Columns(6), Columns(5, rows), Columns(5, rows[:4]), Columns(5, always=1)]
    assert len({shelf.path(replace(plain, columns=columns)) for columns in others}) == len(others)


def test_an_audit_is_the_same_whole_stopped_or_shared_and_computes_nothing_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = replace(SMALL, audited=2)
    scans = people(n=40)
    once = audited(RIDGE, scans, tmp_path / "one", few)
    assert audited(RIDGE, scans, tmp_path / "two", few, workers=2) == once
    for path in sorted((tmp_path / "one/work").glob("*.npz"))[::2]:  # as if it had been stopped
        path.unlink()
    computed = []

    def counted(*args: Any, real: Callable[..., Any] = perform) -> Any:
        computed.append(args)
        return real(*args)

    monkeypatch.setattr(shelf_module, "perform", counted)
    n = (3 + 2) * 2 * 2 * 5  # divisions and labellings, habits, twins, folds
    assert audited(RIDGE, scans, tmp_path / "one", few) == once
    assert len(computed) == n // 2
    assert audited(RIDGE, scans, tmp_path / "one", few) == once
    assert len(computed) == n // 2


def test_what_is_not_tried_is_said(tmp_path: Path) -> None:
    scans = people(n=40)
    for name in ("motion", "connectivity-ensemble", "ridge-tangent"):
        assert audited(STUDIES[name], scans, tmp_path) == {"why_not": STUDIES[name].auditable}
    slow = replace(RIDGE, fit_s=5.0)  # 8 rounds of 5 folds, both twins, 4 parts, 40 people of 200: 320 s
    assert set(audited(slow, scans, tmp_path)["habits"]) == {Habit.SELECTION}
    assert "about 5 minutes; the profile full" in audited(slow, scans, tmp_path)["skipped"][Habit.WINDOWS]
    assert Habit.WINDOWS in audited(slow, scans, tmp_path, replace(SMALL, name="full"))["habits"]
    short = replace(scans, X=scans.X[:, :, :110])
    spectral = replace(RIDGE, table="spectrum")
    assert "needs at least" in audited(spectral, short, tmp_path)["skipped"][Habit.WINDOWS]
    table = simulate_table(60, effect=0.0, n_sites=1, seed=2).scans
    assert "table" in audited(STUDIES["ridge-table"], table, tmp_path)["skipped"][Habit.WINDOWS]
    alone = scans.rows(np.flatnonzero((scans.y == 0) | (np.arange(len(scans)) == 1)))
    assert "1 people of a label, and 6" in audited(RIDGE, alone, tmp_path)["why_not"]


def test_a_site_of_the_papers_size_or_the_largest_is_taken(tmp_path: Path) -> None:
    scans = people(n=40)
    site = np.where(np.arange(len(scans)) < 14, "small", "large")
    two = replace(scans, table=replace(scans.table, site=site))
    few = replace(SMALL, audited=1)
    assert audited(RIDGE, two, tmp_path, few)["site"] == "large"
    assert audited(replace(RIDGE, own_size=16), two, tmp_path, few)["site"] == "small"


def test_parts_are_whole_and_in_order() -> None:
    scans = simulate_series(8, n_regions=4, n_times=50, seed=0).scans
    parts = cut(scans)
    for i, n in enumerate((scans.n_times // 4).tolist()):
        for k in range(4):
            own = parts.X[4 * i + k]
            np.testing.assert_array_equal(own[:, :n], scans.X[i, :, k * n : (k + 1) * n])
            assert np.isnan(own[:, n:]).all()
            assert parts.table.start[4 * i + k] == pytest.approx(k * n * scans.repetition_time[i])
    assert parts.table.person.tolist() == np.repeat(scans.table.person, 4).tolist()
    with pytest.raises(HemostreamError, match="has 45 volumes; expected 60"):
        cut(scans, 60)
    with pytest.raises(HemostreamError, match="table"):
        cut(simulate_table(20, seed=0).scans)


def test_how_many_columns_are_chosen() -> None:
    assert [how_many(n) for n in (5, 400, 19900)] == [2, 40, 200]
    assert FULL.audited > QUICK.audited


def test_a_page_and_the_table_of_all_tell_it_where_it_was_tried(tmp_path: Path) -> None:
    scans = simulate_series(48, effect=2.4, n_regions=12, n_times=60, n_sites=2, seed=1).scans
    for name, audit in (("with", True), ("without", False)):
        run_study(RIDGE, scans, tmp_path / name, SMALL, cache=tmp_path / "c", audit=audit, tell=silent)
    results = {
        name: json.loads((tmp_path / name / "results.json").read_text()) for name in ("with", "without")
    }
    pages = {name: (tmp_path / name / "report.html").read_text() for name in results}
    assert results["without"]["careless"] is None
    assert "careless protocols would have claimed" in pages["with"]
    assert "careless protocols" not in pages["without"]
    assert all(
        results["with"][key] == results["without"][key] for key in ("arms", "null", "settings", "fits")
    )
    habits = results["with"]["careless"]["habits"]
    told = {name: its["careless"]["true"]["accuracy"] for name, its in habits.items()}
    best = max(told, key=lambda name: told[name])
    assert highest(results["with"]).startswith(f"{best}: {told[best]:.2f} (honest ")
    assert pages["with"].count("<rect") == 8
    older = {key: value for key, value in results["without"].items() if key != "careless"}
    assert section(older) == ""
    text = write_summary(tmp_path, [results["with"], older], {})
    table, told = (part.splitlines() for part in text.strip().split("\n\n")[::2])
    assert [line.count(f"{best}: ") for line in table[2:]] == [1, 0]
    assert len(told) == 3  # whoever was not audited has no row
    first = habits[next(iter(habits))]["careless"]
    assert f"{first['true']['accuracy']:.3f} ({first['permuted']['accuracy']['mean']:.3f})" in told[2]
    why = {"careless": {"why_not": "it reads <no> scan"}}
    assert "it reads &lt;no&gt; scan" in section(why)
    assert highest(why) == "–"
