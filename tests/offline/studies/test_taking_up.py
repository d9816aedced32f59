"""What lies in a folder already: damaged, of other data, made by another run at the same time, or nothing."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.errors import HemostreamError
from offline.base.process_pool import Workers
from offline.base.progress import silent
from offline.scans import Scans
from offline.scans.regions import stack
from offline.scans.simulated import simulate_series
from offline.studies import STUDIES
from offline.studies.choice import can_run, summarise
from offline.studies.columns import Columns
from offline.studies.leakage_audit import audit_study
from offline.studies.profile import Profile
from offline.studies.run import run_study
from offline.studies.tables import CORRELATION_AND_TRAITS, N_TRAITS, TABLES, table_of
from tools.cli import main

SMALL = Profile("quick", 1, 2, 1)


@pytest.fixture(scope="module")
def people() -> Scans:
    return simulate_series(24, n_regions=5, n_times=60, n_sites=2, seed=1).scans


def ran(name: str, scans: Scans, out: Path) -> Any:
    run_study(STUDIES[name], scans, out / name, SMALL, cache=out / "cache", tell=silent)
    return json.loads((out / name / "results.json").read_text())


@pytest.mark.parametrize("left", [0, 100])
def test_damaged_work_and_tables_are_computed_again(people: Scans, tmp_path: Path, left: int) -> None:
    first = ran("ridge", people, tmp_path)
    kept = [*(tmp_path / "ridge/work").glob("*.npz"), *(tmp_path / "cache").glob("*.npy")]
    for path in kept:
        path.write_bytes(path.read_bytes()[:left])
    assert ran("ridge", people, tmp_path) == first


def test_two_runs_may_make_the_same_table(people: Scans, tmp_path: Path, monkeypatch: Any) -> None:
    def save(file: Any, values: Any, **how: Any) -> None:
        monkeypatch.setattr(np, "save", really)
        monkeypatch.setattr("os.getpid", lambda: 1)
        table_of("motion", people, tmp_path)  # the other run, while this one writes
        really(file, values, **how)

    really = np.save
    monkeypatch.setattr(np, "save", save)
    values = np.load(table_of("motion", people, tmp_path))
    assert np.array_equal(values, TABLES["motion"](people).astype(np.float32))
    assert len(list(tmp_path.iterdir())) == 1


def test_a_summary_leaves_out_what_is_not_whole_and_tells_other_data_apart(
    people: Scans, tmp_path: Path
) -> None:
    ran("ridge", people, tmp_path)
    ran("motion", people, tmp_path)
    assert "may not be compared" not in summarise(tmp_path)
    ran("motion", replace(people, motion=people.motion + 1.0), tmp_path)
    assert "may not be compared" in summarise(tmp_path)
    assert "may not be compared" in (tmp_path / "index.html").read_text()
    (tmp_path / "motion/run.json").unlink()
    said = summarise(tmp_path)
    assert "motion is left out" in said
    assert "Motion alone" not in said
    assert "Ridge on connectivity" in said


@pytest.mark.parametrize("name", ["motion", "age-sex", "site"])
def test_a_table_of_what_no_one_knows_is_no_finding(name: str, people: Scans, tmp_path: Path) -> None:
    nothing, n = np.full(len(people), np.nan), len(people)
    unknown = replace(
        people,
        motion=nothing,
        age=nothing,
        sex=np.full(n, ""),
        table=replace(people.table, site=np.full(n, "a")),
    )
    assert can_run(STUDIES[name], people)
    assert not can_run(STUDIES[name], unknown)
    with pytest.raises(HemostreamError, match="would say nothing"):
        table_of(STUDIES[name].table, unknown, tmp_path)


def test_columns_that_are_traits_are_neither_chosen_nor_lost(tmp_path: Path) -> None:
    scans = simulate_series(40, n_regions=8, n_times=60, n_sites=1, seed=1).scans
    scans = replace(scans, age=np.where(np.arange(len(scans)) < 5, np.nan, scans.age))
    study = STUDIES["ridge-residual"]
    X = table_of(CORRELATION_AND_TRAITS, scans, tmp_path)
    kept = Columns(3, always=N_TRAITS).kept(np.load(X), scans.y, np.arange(len(scans)))
    assert kept.sum() == 3 + N_TRAITS
    assert kept[-N_TRAITS:].all()
    found, _ = audit_study(
        study, scans, X, SMALL, work=tmp_path / "work", cache=tmp_path, workers=Workers(), tell=silent
    )
    assert found["columns"] == 3
    assert "selection outside the fold" in found["protocols"]


def test_a_scan_that_a_table_cannot_be_made_of_is_named(tmp_path: Path) -> None:
    scans = simulate_series(12, n_regions=4, n_times=60, seed=1).scans
    X = scans.X.copy()
    X[5, 2, 7] = np.inf
    recording = str(scans.table.recording[5])
    with pytest.raises(HemostreamError, match=rf"^{recording} holds in region 2 a value that is not finite"):
        table_of("correlation", replace(scans, X=X), tmp_path)


def test_numbers_too_large_for_a_table_are_reported_with_their_place() -> None:
    data = np.random.default_rng(0).normal(size=(3, 9))
    data[1, 4] = 1e39
    with pytest.raises(HemostreamError, match=r"p1, region b, volume 5 is 1e\+39"):
        stack([data], tuple("abc"), ["p1"])


def test_a_card_does_not_carry_figures_of_other_data(
    people: Scans, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    ran("ridge", people, tmp_path)
    words = [
        "study",
        "export",
        "ridge",
        "--data",
        "d",
        "--out",
        str(tmp_path / "b"),
        "--report",
        str(tmp_path),
    ]
    other = replace(people, age=people.age + 1.0)
    monkeypatch.setattr("offline.scans.read_scans", lambda data: other)
    with pytest.raises(SystemExit):
        main(words)
    assert "is of other data" in capsys.readouterr().err
    assert not (tmp_path / "b").exists()


def test_all_goes_on_behind_a_system_that_cannot_be_run_and_a_full_disk_is_reported(
    people: Scans, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    def run_or_not(study: Any, scans: Scans, out: Path, *args: Any, **how: Any) -> None:
        asked.append(study.name)
        if study.name != "motion":
            raise HemostreamError("no repetition time")

    asked: list[str] = []
    monkeypatch.setattr("offline.scans.read_scans", lambda data, **how: people)
    monkeypatch.setattr("offline.studies.run.run_study", run_or_not)
    words = ["study", "run", "--data", "d", "--out", str(tmp_path)]
    with pytest.raises(SystemExit) as end:
        main([*words, "--all"])
    assert not end.value.code
    assert "wang2018 was left out: no repetition time" in capsys.readouterr().err
    assert asked.index("motion") < len(asked) - 1

    def full(*args: Any, **how: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("offline.studies.run.run_study", full)
    for more, said in ((["motion"], "No space left"), (["motion", "--workers", "-1"], "--workers is -1")):
        with pytest.raises(SystemExit) as end:
            main([*words, *more])
        assert end.value.code == 2
        assert said in capsys.readouterr().err
