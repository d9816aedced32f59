"""Children are predicted, older people teach; each study stands beside the baseline on the same people."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.errors import HemostreamError
from offline.base.predictions import read_predictions
from offline.base.progress import silent
from offline.report.study import TENFOLD, TRANSDUCTIVE, UNSEEN_SITE
from offline.scans import Scans
from offline.scans.simulated import simulate_series
from offline.studies import STUDIES
from offline.studies.choice import can_run, honest, summarise
from offline.studies.planning import only, people_of, planned
from offline.studies.profile import Profile
from offline.studies.run import run_study
from offline.studies.tables import AGE, N_TRAITS, TABLES
from offline.studies.transfer_by_age import TransferByAge
from tests.offline.studies.fits import fitted, task_of
from tools.commands.study import list_

YOUNG = STUDIES["aghdam2019-young"]
SMALL = Profile("quick", 1, 2)
BARE = Profile("quick", 1, 0)


def people(effect: float = 2.4) -> Scans:
    scans = simulate_series(160, effect=effect, n_regions=12, n_times=90, seed=5).scans
    age = np.where(np.arange(160) % 3 == 0, 8.0, 20.0)
    age[:4] = np.nan
    return replace(scans, age=age)


def test_only_children_are_predicted_and_everybody_is_trained_on() -> None:
    scans = people()
    predicted = people_of(YOUNG, scans)
    assert predicted.sum() == np.count_nonzero(scans.age < 11)
    tasks = only(planned(YOUNG, scans.table, SMALL), predicted, scans.table)
    assert {task.condition for task in tasks} == {UNSEEN_SITE, TENFOLD}
    assert TRANSDUCTIVE not in {task.condition for task in tasks}
    for condition in (UNSEEN_SITE, TENFOLD):
        test = np.concatenate([task.fold.test for task in tasks if task.condition == condition])
        assert sorted(test.tolist()) == np.flatnonzero(predicted).tolist()
    for task in tasks:
        assert not set(task.fold.train.tolist()) & set(task.fold.test.tolist())
        assert not predicted[task.fold.train].all()
        assert task.fold.held_out == tuple(sorted(scans.table.person[task.fold.test].tolist()))


def test_too_few_children_are_said_by_name_and_passed_over_among_all() -> None:
    scans = people()
    grown = replace(scans, age=np.full(len(scans), 30.0))
    assert can_run(YOUNG, scans)
    assert not can_run(YOUNG, grown)
    with pytest.raises(HemostreamError, match="children under 11 years; found 0 TD, 0 disorder"):
        people_of(YOUNG, grown)


def test_age_decides_who_teaches_and_is_not_seen() -> None:
    scans = people()
    X = TABLES[YOUNG.table](scans)
    model = TransferByAge(random_state=0).fit(X, scans.y)
    other = X.copy()
    other[:, -N_TRAITS:] = 50.0
    assert np.array_equal(model.decision_function(other), model.decision_function(X))
    assert model.network_.source_history_
    X[:, X.shape[1] - N_TRAITS + AGE] = 30.0
    with pytest.raises(HemostreamError, match="0 young people of training"):
        TransferByAge().fit(X, scans.y)


def test_children_are_distinguished_after_older_people_taught() -> None:
    """The planted pattern is that of both. Whether the teaching helps is not asked here."""
    scans = people()
    X = TABLES[YOUNG.table](scans).astype(np.float32)
    predicted = people_of(YOUNG, scans)
    tasks = [
        t for t in only(planned(YOUNG, scans.table, SMALL), predicted, scans.table) if t.condition == TENFOLD
    ]
    right = []
    for task in tasks:
        done = fitted(YOUNG, X, scans.table, task_of(TENFOLD, task.fold, setting=0))
        right += ((done.scores > 0) == (scans.y[task.fold.test] == 1)).tolist()
    assert len(right) == predicted.sum()
    assert np.mean(right) > 0.65


def test_a_study_stands_beside_ridge_on_the_same_people(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scans = people()
    for name in ("ridge", "ridge-tangent", "aghdam2019-young"):
        study = STUDIES[name]
        run_study(study, scans, tmp_path / name, BARE, cache=tmp_path / "cache", tell=silent)
    text = summarise(tmp_path)
    assert "less ridge's, paired" in text
    by_name = {each["study"]["name"]: each for each in json.loads((tmp_path / "studies.json").read_text())}
    its = by_name["ridge-tangent"]["beside_ridge"]
    low, high = its["interval"]
    assert low <= its["difference"] <= high
    areas = [by_name[name]["conditions"][UNSEEN_SITE]["auc"]["value"] for name in ("ridge-tangent", "ridge")]
    assert its["difference"] == pytest.approx(areas[0] - areas[1])
    # The children's study predicts other people: it is not compared.
    assert by_name["aghdam2019-young"]["beside_ridge"] is None
    assert by_name["ridge"]["beside_ridge"] is None
    table = read_predictions(tmp_path / "aghdam2019-young" / "predictions.csv")
    assert set(table.person.tolist()) == set(scans.table.person[scans.age < 11].tolist())
    assert honest(tmp_path / "ridge").startswith(
        f"{by_name['ridge']['conditions'][UNSEEN_SITE]['accuracy']:.3f}, "
    )
    assert honest(tmp_path / "svm") == ""
    list_(report=tmp_path)
    assert honest(tmp_path / "ridge").split()[0] in capsys.readouterr().out
    assert "children under 11 years" in (tmp_path / "aghdam2019-young" / "report.html").read_text()
