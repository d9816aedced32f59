"""A planted site is found, and not after harmonisation; spreads that are left are; the diagnosis stays."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge

from models.errors import HemostreamError
from offline.base.progress import silent
from offline.base.row_splits import ten_folds_of_sites_and_labels
from offline.base.sample_table import SampleTable
from offline.estimators.kernel_ridge import FACTORS, Products, predict_label, score_two
from offline.estimators.ridge_connectivity import RidgeConnectivity
from offline.scans import Scans
from offline.scans.simulated import simulate_series, simulate_table
from offline.studies.site_decoding import GAUSSIAN, HARMONISATIONS, LINEAR, Side, decode_sites, run_sites
from tools.commands.study import sites

HARMONISED = [name for name in HARMONISATIONS if name != "none"]


def scans_of(X: np.ndarray, seed: int = 0) -> Scans:
    return replace(simulate_table(len(X), n_features=X.shape[1], seed=seed).scans, X=X)


def reported(X: np.ndarray, seed: int = 0) -> dict:
    return decode_sites(X.astype(np.float32), scans_of(X, seed), tell=silent)["harmonisations"]


def planted(seed: int, *, mean: float = 0.0, spread: float = 0.0, effect: float = 0.0) -> np.ndarray:
    """Noise of 240 people at four sites, whose sites move and stretch it, and whose labels move it."""
    rng = np.random.default_rng(seed)
    site, y = np.arange(240) // 2 % 4, np.arange(240) % 2
    X = rng.normal(size=(240, 80)) * np.exp(spread * np.arange(4.0))[site][:, np.newaxis]
    X += mean * rng.normal(size=(4, 80))[site]
    X[:, :8] += effect * y[:, np.newaxis]
    return X


def test_a_planted_site_is_reported_and_not_after_harmonisation_and_the_diagnosis_stays() -> None:
    found = reported(planted(0, mean=1.0, effect=1.0))
    assert found["none"]["site"][LINEAR]["balanced_accuracy"] > 0.95
    for name in HARMONISED:
        # Chance is 0.25, SD of 240 people 0.028.
        for how in (LINEAR, GAUSSIAN):
            assert found[name]["site"][how]["balanced_accuracy"] < 0.36, (name, how)
        assert found[name]["diagnosis"]["auc"] > 0.8
    low, high = found["none"]["site"][LINEAR]["interval"]
    assert low <= found["none"]["site"][LINEAR]["balanced_accuracy"] <= high


def test_where_there_is_no_site_none_is_reported_and_where_there_is_no_diagnosis_neither() -> None:
    values = [reported(planted(seed), seed) for seed in range(6)]
    for name in HARMONISATIONS:
        for how in (LINEAR, GAUSSIAN):
            mean = np.mean([each[name]["site"][how]["balanced_accuracy"] for each in values])
            assert mean < 0.31, (name, how)
            # Of a site that is none, chance in training is taken out, and whoever is predicted lies opposite.
            if name == "none":
                assert mean > 0.19, how
        assert np.mean([each[name]["diagnosis"]["auc"] for each in values]) == pytest.approx(0.5, abs=0.08)


def test_a_site_of_another_spread_is_reported_by_the_kernel_until_combat_takes_it_out() -> None:
    found = reported(planted(1, spread=0.5))
    assert found["centred by site"]["site"][LINEAR]["balanced_accuracy"] < 0.36
    assert found["centred by site"]["site"][GAUSSIAN]["balanced_accuracy"] > 0.5
    assert found["ComBat"]["site"][GAUSSIAN]["balanced_accuracy"] < 0.36


@pytest.mark.parametrize("name", HARMONISATIONS)
def test_harmonisation_is_fitted_to_training_and_predicts_one_at_a_time(name: str) -> None:
    X, scans = planted(2, mean=1.0), simulate_table(240).scans
    traits = np.column_stack([scans.age, scans.age**2, scans.sex == "F", np.log(scans.motion)])
    train, test = (Side(X[rows], scans.site[rows], traits[rows]) for rows in (slice(0, 200), slice(200, 240)))
    rows, predicted = HARMONISATIONS[name](train, test)
    other = replace(test, X=np.where(np.arange(40)[:, np.newaxis] > 0, 9.0 * test.X, test.X))
    rows_again, predicted_again = HARMONISATIONS[name](train, other)
    np.testing.assert_array_equal(rows, rows_again)
    np.testing.assert_allclose(predicted[0], predicted_again[0], rtol=1e-12)
    # And by no label: there is none among what it is given.
    assert not {"y", "target"} & set(vars(train))


@given(st.integers(0, 1000), st.integers(40, 300))
@settings(max_examples=25, deadline=None)
def test_folds_hold_everybody_once_and_sites_and_labels_alike(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    site, y = rng.choice(["a", "b", "c"], n, p=[0.6, 0.3, 0.1]), rng.integers(0, 2, n)
    person, times = np.array([f"p{i}" for i in range(n)]), np.zeros(n)
    folds = ten_folds_of_sites_and_labels(SampleTable(person, person, person, site, times, times, y))
    assert sorted(np.concatenate([fold.test for fold in folds]).tolist()) == list(range(n))
    for name in "abc":
        sizes = [np.count_nonzero(site[fold.test] == name) for fold in folds]
        assert max(sizes) - min(sizes) <= 1
    for fold in folds:
        assert set(fold.train) | set(fold.test) == set(range(n))
        assert len(set(fold.train) & set(fold.test)) == 0


@given(st.integers(0, 1000), st.sampled_from([10, 70]))
@settings(max_examples=15, deadline=None)
def test_the_penalty_is_that_of_people_left_out_singly(seed: int, n_features: int) -> None:
    """All at once, against weighted ridge in the primal fitted again without each person."""
    rng = np.random.default_rng(seed)
    y = np.repeat([0, 1, 2], [14, 9, 7])
    X = rng.normal(size=(30, n_features)) + 0.7 * rng.normal(size=(3, n_features))[y]
    new = rng.normal(size=(20, n_features)) + 0.7 * rng.normal(size=(3, n_features))[np.arange(20) % 3]
    mean, scale = X.mean(axis=0), X.std(axis=0)
    rows, predicted = (X - mean) / scale, (new - mean) / scale
    weight = 30.0 / np.bincount(y)[y] / 3.0
    middle = weight @ rows / 30.0
    unit = np.trace((weight[:, np.newaxis] * (rows - middle)) @ (rows - middle).T) / 30.0
    best, said = -1.0, None
    for factor in FACTORS:
        held_out = np.zeros(30, dtype=int)
        for i in range(30):
            rest = np.arange(30) != i
            fit = Ridge(factor * unit).fit(rows[rest], np.eye(3)[y[rest]], sample_weight=weight[rest])
            held_out[i] = np.argmax(fit.predict(rows[i : i + 1]))
        found = np.mean([np.mean(held_out[y == k] == k) for k in range(3)])
        if found > best + 1e-12:
            best = found
            fit = Ridge(factor * unit).fit(rows, np.eye(3)[y], sample_weight=weight)
            said = np.argmax(fit.predict(predicted), axis=1)
    np.testing.assert_array_equal(predict_label(Products.of(X, new), y, 3), said)


def test_scores_of_two_labels_are_those_of_the_linear_baseline() -> None:
    X = planted(3, mean=1.0, effect=0.5)
    y, site = np.arange(240) % 2, np.array([f"s{k}" for k in np.arange(240) // 2 % 4])
    for groups in (site, np.full(240, "one")):
        model = RidgeConnectivity().fit(X[:200], y[:200], site=groups[:200])
        found = score_two(Products.of(X[:200], X[200:]), y[:200] == 1, groups[:200])
        assert found == pytest.approx(model.decision_function(X[200:]), abs=1e-9)


def test_the_kernel_is_one_of_distances() -> None:
    rng = np.random.default_rng(0)
    X, new = rng.normal(size=(12, 5)), rng.normal(size=(3, 5))
    found = Products.of(X, new).gaussian()
    rows, predicted = (X - X.mean(axis=0)) / X.std(axis=0), (new - X.mean(axis=0)) / X.std(axis=0)
    apart = np.square(rows[:, np.newaxis] - rows).sum(axis=2)
    width = np.median(apart[np.triu_indices(12, 1)])
    assert found.gram == pytest.approx(np.exp(-apart / width))
    assert found.cross == pytest.approx(
        np.exp(-np.square(predicted[:, np.newaxis] - rows).sum(axis=2) / width)
    )


def test_features_that_say_nothing_name_the_commonest() -> None:
    y = np.repeat([0, 1, 2], [4, 9, 5])
    assert predict_label(Products.of(np.ones((18, 3)), np.ones((2, 3))), y, 3).tolist() == [1, 1]


def test_a_report_is_written_small_sites_are_left_out_and_one_site_is_refused(tmp_path: Path) -> None:
    scans = simulate_series(88, n_regions=8, n_times=60, n_sites=4).scans
    site = np.where(np.arange(88) < 6, "tiny", scans.site)
    scans = replace(scans, table=replace(scans.table, site=site))
    text = run_sites(scans, tmp_path / "out", tell=silent)
    results = json.loads((tmp_path / "out/sites.json").read_text())
    assert results["left_out"] == {"tiny": 6}
    assert results["people"] == 82
    assert results["chance"] == 0.25
    page = (tmp_path / "out/sites.html").read_text()
    assert "tiny (6)" in page
    assert "Research use only" in page
    assert "http:" not in page
    assert all(name in text and name in page for name in HARMONISATIONS)
    run_sites(scans, tmp_path / "again", tell=silent)
    assert (tmp_path / "again/sites.json").read_bytes() == (tmp_path / "out/sites.json").read_bytes()
    with pytest.raises(HemostreamError, match="expected two sites"):
        run_sites(scans.rows(scans.site == "S1"), tmp_path / "one", tell=silent)
    (tmp_path / "file").write_text("")
    with pytest.raises(HemostreamError, match="cannot be made"):
        run_sites(scans, tmp_path / "file/out", tell=silent)


def test_real_people_of_adhd_200_tell_their_site_and_less_after_combat(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the command: 0.848 as they are, 0.380 after ComBat, of three sites; Gaussian 0.874 and 0.721."""
    sites(data=data_dir / "adhd200", out=tmp_path)
    found = json.loads((tmp_path / "sites.json").read_text())["harmonisations"]
    for name, linear, kernel in (("none", 0.848, 0.874), ("ComBat", 0.380, 0.721)):
        of = found[name]["site"]
        assert of[LINEAR]["balanced_accuracy"] == pytest.approx(linear, abs=0.02)
        assert of[GAUSSIAN]["balanced_accuracy"] == pytest.approx(kernel, abs=0.02)
    assert "ComBat, age and sex kept" in capsys.readouterr().out
