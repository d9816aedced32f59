"""Leakage protocols find what is not there, their honest twins do not, and both see the same people."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin

from models.errors import HemostreamError
from offline.base.process_pool import Workers
from offline.base.progress import silent
from offline.base.sample_table import SampleTable
from offline.base.splits import Fold
from offline.evaluation import runner
from offline.evaluation.fit_cache import FitCache
from offline.evaluation.leakage.protocols import RANDOM, SELECTION, SETTING, AuditTask, LeakageProtocol
from offline.evaluation.leakage.scans import plan_scans, rounds_of
from offline.report.leakage import highest, study_section
from offline.report.overview import write_overview
from offline.report.page import ReportPage
from offline.report.study import TENFOLD
from offline.scans import Scans
from offline.scans.simulated import simulate_series, simulate_table
from offline.stats.permutation import permuted_labels
from offline.studies import STUDIES
from offline.studies.base import Paper, Role, Study
from offline.studies.columns import Columns, how_many
from offline.studies.fitting import ScanProcedure
from offline.studies.leakage_audit import audit_study, scan_task
from offline.studies.profile import FULL, PERMUTATION_SEED, QUICK, Profile
from offline.studies.run import run_study
from offline.studies.scan_parts import cut
from offline.studies.tables import TABLES, table_of
from tests.offline.studies.fits import fitted, task_of

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
    how: dict[str, Any] = {"work": out / "work", "cache": out, "tell": silent}
    with Workers(workers) as shared:
        return audit_study(study, scans, X, profile, workers=shared, **how)[0]


def test_leakage_protocols_find_what_is_not_there_and_their_twins_do_not(tmp_path: Path) -> None:
    found = audited(RIDGE, people(), tmp_path)["protocols"]
    assert set(found) == {str(SELECTION), str(RANDOM)}
    for name, its in found.items():
        for metric in ("accuracy", "balanced_accuracy", "auc"):
            leaky, honest = its["leaky"][metric], its["honest"][metric]
            # On 100 people an accuracy strays by .05 or more; the mean of five permutations by half of that.
            assert leaky["value"] > 0.68, name
            assert honest["value"] == pytest.approx(0.5, abs=0.15), name
            assert leaky["permuted"]["mean"] > 0.66, name
            assert honest["permuted"]["mean"] == pytest.approx(0.5, abs=0.1), name
            assert 0.0 < honest["permuted"]["sd"] < 0.15, name
            difference = its["difference"][metric]
            assert difference["value"] == leaky["value"] - honest["value"]
            assert difference["interval"] is None  # of five permutations


def test_honest_twins_find_what_is_there(tmp_path: Path) -> None:
    found = audited(RIDGE, people(4.0), tmp_path)["protocols"]
    for name, its in found.items():
        assert its["honest"]["auc"]["value"] > 0.75, name
        assert its["honest"]["auc"]["permuted"]["mean"] == pytest.approx(0.5, abs=0.12), name


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
    its = audited(LUCK, scans, tmp_path, replace(SMALL, audited=10))["protocols"][str(SETTING)]
    permuted = {twin: its[twin]["accuracy"]["permuted"]["mean"] for twin in ("leaky", "honest")}
    # The greatest of eight accuracies of 60 people: .5 + 1.4 * .065.
    assert permuted["leaky"] > 0.55
    assert permuted["honest"] == pytest.approx(0.5, abs=0.07)


PROTOCOLS = (SELECTION, SETTING, RANDOM)


def planned(protocol: LeakageProtocol, n_settings: int = 8) -> tuple[SampleTable, list[AuditTask]]:
    """The table, and the tasks of one division with true labels and of two permutations."""
    table = cut(people()).table if protocol is RANDOM else people().table
    rounds, rows = rounds_of(1, 2), np.arange(len(table))
    labels = partial(permuted_labels, table, seed=PERMUTATION_SEED, by_person=True)
    return table, plan_scans(protocol, table, rows, labels, rounds, n_settings=n_settings)


def ways(tasks: list[AuditTask]) -> list[list[AuditTask]]:
    """Tasks that together predict everybody once."""
    keys = dict.fromkeys((task.seed, task.leaky, task.setting) for task in tasks)
    return [[task for task in tasks if (task.seed, task.leaky, task.setting) == key] for key in keys]


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=str)
def test_twins_predict_the_same_rows_once_from_as_many_of_each_label(protocol: LeakageProtocol) -> None:
    table, tasks = planned(protocol)
    for way in ways(tasks):
        rows = np.concatenate([task.fold.test for task in way])
        assert np.array_equal(np.sort(rows), np.arange(len(table)))
        twin = [task for task in tasks if task.seed == way[0].seed and not task.leaky]
        y = permuted_labels(table, way[0].permutation, seed=PERMUTATION_SEED, by_person=True)
        for one, other in zip(way, twin, strict=True):
            for side in ("train", "test"):
                sides = [np.bincount(y[getattr(task.fold, side)]) for task in (one, other)]
                np.testing.assert_array_equal(sides[0], sides[1])
            pair = [scan_task(task, 20, 0) for task in (one, other)]  # their chance is the same
            assert len({(task.condition, task.fold.name) for task in pair}) == 1
    for task in tasks:
        if not task.leaky:
            assert not set(table.person[task.fold.train]) & set(table.person[task.fold.test])


def test_only_windows_at_random_put_people_on_both_sides_and_true_labels_come_first() -> None:
    table, tasks = planned(RANDOM)
    for task in tasks:
        if task.leaky:
            both = set(table.person[task.fold.train]) & set(table.person[task.fold.test])
            assert len(both) > 0.8 * len(set(table.person[task.fold.test]))
    for protocol in (SELECTION, SETTING):
        table, tasks = planned(protocol)
        assert not any(set(table.person[t.fold.train]) & set(table.person[t.fold.test]) for t in tasks)
    assert list(dict.fromkeys(task.permutation for task in tasks)) == [None, 0, 1]
    assert [task.setting for task in tasks if not task.leaky] == [None] * 15
    assert {task.setting for task in tasks if task.leaky} == set(range(8))


def test_labels_of_test_people_reach_the_leaky_selection_only() -> None:
    scans = people()
    X = TABLES["correlation"](scans).astype(np.float32)
    _, tasks = planned(SELECTION)
    for task in (tasks[0], tasks[5]):
        target = scans.y.copy()
        target[task.fold.test] = 1 - target[task.fold.test]
        other = replace(scans.table, target=target)
        own = scan_task(task, 20, 0)
        one, two = (fitted(RIDGE, X, table, own) for table in (scans.table, other))
        assert np.array_equal(one.scores, two.scores) is not task.leaky


def test_what_is_chosen_of_the_columns_and_by_whose_labels_is_in_the_key_of_a_task(tmp_path: Path) -> None:
    rows = np.arange(6)
    fold = Fold(("a",), rows[:4], rows[4:], "fold 1 of 0")
    kept = FitCache(tmp_path, ScanProcedure(RIDGE, tmp_path, people().table).key)
    others = [None, Columns(5), Columns(6), Columns(5, rows), Columns(5, rows[:4]), Columns(5, always=1)]
    assert len({kept.key(task_of(TENFOLD, fold, columns=columns)) for columns in others}) == len(others)


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

    def counted(*args: Any, real: Callable[..., Any] = runner.perform) -> Any:
        computed.append(args)
        return real(*args)

    monkeypatch.setattr(runner, "perform", counted)
    n = (3 + 2) * 2 * 2 * 5  # divisions and permutations, protocols, twins, folds
    assert audited(RIDGE, scans, tmp_path / "one", few) == once
    assert len(computed) == n // 2
    assert audited(RIDGE, scans, tmp_path / "one", few) == once
    assert len(computed) == n // 2


def test_what_is_not_tried_is_said(tmp_path: Path) -> None:
    scans = people(n=40)
    for name in ("motion", "connectivity-ensemble", "ridge-tangent"):
        assert audited(STUDIES[name], scans, tmp_path) == {"why_not": STUDIES[name].not_auditable_because}
    slow = replace(RIDGE, fit_s=5.0)  # 8 rounds of 5 folds, both twins, 4 parts, 40 people of 200: 320 s
    assert set(audited(slow, scans, tmp_path)["protocols"]) == {str(SELECTION)}
    assert "about 5 minutes; the profile full" in audited(slow, scans, tmp_path)["skipped"][str(RANDOM)]
    assert str(RANDOM) in audited(slow, scans, tmp_path, replace(SMALL, name="full"))["protocols"]
    short = replace(scans, X=scans.X[:, :, :110])
    spectral = replace(RIDGE, table="spectrum")
    assert "needs at least" in audited(spectral, short, tmp_path)["skipped"][str(RANDOM)]
    table = simulate_table(60, effect=0.0, n_sites=1, seed=2).scans
    assert "table" in audited(STUDIES["ridge-table"], table, tmp_path)["skipped"][str(RANDOM)]
    alone = scans.rows(np.flatnonzero((scans.y == 0) | (np.arange(len(scans)) == 1)))
    assert "1 people of a label, and 6" in audited(RIDGE, alone, tmp_path)["why_not"]


def test_a_site_of_the_papers_size_or_the_largest_is_taken(tmp_path: Path) -> None:
    scans = people(n=40)
    site = np.where(np.arange(len(scans)) < 14, "small", "large")
    two = replace(scans, table=replace(scans.table, site=site))
    few = replace(SMALL, audited=1)
    assert audited(RIDGE, two, tmp_path, few)["site"] == "large"
    assert audited(replace(RIDGE, paper=Paper(one_site_of=16)), two, tmp_path, few)["site"] == "small"


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
    assert results["without"]["leakage"] is None
    assert "leakage protocols would have claimed" in pages["with"]
    assert "leakage protocols" not in pages["without"]
    assert all(
        results["with"][key] == results["without"][key] for key in ("conditions", "null", "settings", "fits")
    )
    protocols = results["with"]["leakage"]["protocols"]
    reported = {name: its["leaky"]["accuracy"]["value"] for name, its in protocols.items()}
    best = max(reported, key=lambda name: reported[name])
    assert highest(results["with"]).startswith(f"{best}: {reported[best]:.2f} (honest ")
    assert pages["with"].count("data:image/png") == 1
    older = {key: value for key, value in results["without"].items() if key != "leakage"}
    assert study_section(older) is None
    text = write_overview(tmp_path, [results["with"], older], {})
    table, audits = (part.splitlines() for part in text.strip().split("\n\n")[::2])
    assert [line.count(f"{best}: ") for line in table[2:]] == [1, 0]
    assert len(audits) == 3  # whoever was not audited has no row
    first = protocols[next(iter(protocols))]["leaky"]["accuracy"]
    assert f"{first['value']:.3f} ({first['permuted']['mean']:.3f})" in audits[2]
    why = {"leakage": {"why_not": "it reads <no> scan"}}
    assert "it reads &lt;no&gt; scan" in ReportPage("", [study_section(why)]).html()
    assert highest(why) == "–"
