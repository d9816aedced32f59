"""Probabilities of exported studies: the line is right on strangers, and nobody who is evaluated is in it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from offline.base.splits import Fold
from offline.report.study import UNSEEN_SITE
from offline.scans.simulated import simulate_series
from offline.stats.calibration import calibration_intercept, calibration_slope
from offline.studies import STUDIES
from offline.studies.calibration import calibrate, line_of, unfitted_like
from offline.studies.fitting import ScanProcedure, log_odds, probabilities_of
from offline.studies.held_out_sites import few_groups_of, groups_of
from offline.studies.tables import table_of
from tests.offline.studies.fits import task_of

ONE = np.zeros(2000, dtype=np.intp)


def test_the_line_is_that_of_a_logistic_regression() -> None:
    rng = np.random.default_rng(0)
    odds = rng.normal(size=2000)
    positive = rng.random(2000) < expit(2.0 * odds - 0.7)
    fitted = LogisticRegression(C=np.inf).fit(odds[:, np.newaxis], positive)
    assert line_of(odds, positive, ONE) == pytest.approx((fitted.coef_[0, 0], fitted.intercept_[0]), rel=0.02)


@given(scale=st.floats(1e-3, 1e3), seed=st.integers(0, 100))
def test_the_unit_of_a_decision_function_does_not_matter(scale: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    odds, group = rng.normal(size=200), np.repeat([0, 1], 100)
    positive = rng.random(200) < expit(odds)
    slope, intercept = line_of(odds, positive, group)
    assert line_of(scale * odds, positive, group) == pytest.approx(
        (slope / scale, intercept), rel=1e-6, abs=1e-8
    )


def test_what_knows_nothing_or_less_is_not_turned_round() -> None:
    odds = np.linspace(-1, 1, 2000)
    slope, intercept = line_of(odds, odds < 0, ONE)
    assert slope == 0.0
    assert intercept == pytest.approx(0.0, abs=1e-6)
    assert line_of(np.ones(2000), np.arange(2000) < 500, ONE) == pytest.approx((0.0, np.log(1 / 3)), abs=0.01)
    slope, _ = line_of(odds, odds > 0, ONE)  # separated: a line there is all the same
    assert np.isfinite(slope)
    assert slope > 10.0


def test_a_level_of_each_fit_does_not_flatten_the_slope() -> None:
    rng = np.random.default_rng(1)
    odds, group = rng.normal(size=2000), np.repeat(np.arange(4), 500)
    positive = rng.random(2000) < expit(odds)
    levels = np.array([-2.0, 2.0, -3.0, 3.0])[group]
    assert line_of(odds + levels, positive, group)[0] == pytest.approx(
        line_of(odds, positive, group)[0], rel=0.1
    )


@pytest.mark.parametrize("name", ["ridge", "svm", "ridge-tangent"])
def test_probabilities_of_unseen_sites_are_calibrated_and_follow_from_the_others_alone(
    name: str, tmp_path: Path
) -> None:
    scans = simulate_series(600, effect=1.6, n_regions=12, n_times=90, n_sites=16, seed=2).scans
    X = np.load(table_of(STUDIES[name].table, scans, tmp_path))
    group = few_groups_of(scans.table, 2)
    train, test = np.flatnonzero(group == 0), np.flatnonzero(group == 1)
    task = task_of(UNSEEN_SITE, Fold(tuple(sorted(scans.table.person[test])), train, test, "half"))
    procedure = ScanProcedure(STUDIES[name], X, scans.table)
    model, setting, rows = procedure.fit(task)
    line = calibrate(procedure, task, model, setting)
    odds = log_odds(model, rows)
    probability = probabilities_of(line(odds))[:, 1]
    positive = scans.y[test] == 1
    assert calibration_slope(positive, probability) == pytest.approx(1.0, abs=0.35)
    assert calibration_intercept(positive, probability) == pytest.approx(0.0, abs=0.5)
    other = replace(scans.table, target=np.where(group == 1, 1 - scans.y, scans.y))
    assert calibrate(ScanProcedure(STUDIES[name], X, other), task, model, setting) == line
    if name != "svm":
        assert list(unfitted_like(model).penalties) == [model.penalty_]


def test_sites_are_put_into_few_groups_of_alike_size_and_people_where_there_is_one() -> None:
    table = simulate_series(160, n_regions=4, n_times=20, n_sites=8, seed=0).scans.table
    group = few_groups_of(table, 4)
    assert np.bincount(group).tolist() == [40, 40, 40, 40]
    for site in np.unique(table.site):
        assert len(np.unique(group[table.site == site])) == 1
    assert len(np.unique(groups_of(table))) == 8
    one = replace(table, site=np.full(len(table), "A"))
    assert len(np.unique(few_groups_of(one))) == 5
