"""The connectivity ensemble: what it leaves out stays out, sites say little, its layer says it all."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import HemostreamError
from models.features.measures import MEASURES, ConnectivityMeasures, average_ranks, regions_of, split, widths
from models.layers.connectivity_ensemble import own_scale, seen_from
from offline.estimators.connectivity_ensemble import ConnectivityEnsembleClassifier
from offline.estimators.connectivity_members import read_member, whitening_of
from offline.estimators.ridge_connectivity import mean_auc
from offline.estimators.site_projected_ridge import SiteProjectedRidge
from tests.offline.estimators.planted import leave_sites_out

MEASURES_HERE = ("pearson", "tangent", "spectrum")


def series(seed: int, n: int = 60, n_regions: int = 8, n_sites: int = 5, effect: float = 0.0):
    """Region series of sites that differ; in the second group two regions go together more closely."""
    rng = np.random.default_rng(seed)
    number = np.arange(n) % n_sites
    y = rng.integers(0, 2, n)
    X = np.full((n, n_regions, 120), np.nan)
    common = rng.uniform(0.2, 1.0, size=(n_sites, n_regions))
    for i in range(n):
        length = 120 - 5 * number[i]
        data = rng.normal(size=(n_regions, length)) + common[number[i]][:, None] * rng.normal(size=length)
        data[1] += effect * y[i] * data[0]
        X[i, :, :length] = data
    X[3, 2, :120] = np.where(np.isfinite(X[3, 2]), 7.0, np.nan)  # a constant region
    return X, y, np.array([f"site {k}" for k in number]), np.full(n, 2.0)


def table(X: np.ndarray, seconds: np.ndarray, measures: tuple[str, ...] = MEASURES_HERE) -> np.ndarray:
    return ConnectivityMeasures(measures)(X, seconds)


@pytest.mark.parametrize("measure", list(MEASURES))
def test_a_measure_is_of_one_scan_and_of_no_unit(measure: str) -> None:
    X, _, _, seconds = series(0, n=6)
    found = table(X, seconds, (measure,))
    assert np.array_equal(found[[4, 1]], table(X[[4, 1]], seconds[[4, 1]], (measure,)), equal_nan=True)
    assert found == pytest.approx(table(1e3 * X + 5.0, seconds, (measure,)), abs=1e-6, nan_ok=True)
    assert (
        len(ConnectivityMeasures((measure,)).names([f"r{i}" for i in range(8)]))
        == found.shape[1]
        == widths((measure,), 8)[measure]
    )
    others = np.delete(found, 3, axis=0)
    assert np.isfinite(others).all()
    if measure != "tangent":
        assert np.isnan(found[3]).any()


def test_pearson_is_that_of_numpy_and_ranks_are_those_of_scipy() -> None:
    from scipy.stats import rankdata, spearmanr

    X, _, _, seconds = series(1, n=6)
    upper = np.triu_indices(8, 1)
    own = X[1][:, np.isfinite(X[1, 0])]
    found = split(table(X, seconds, ("pearson", "ranks")), ("pearson", "ranks"))
    assert np.tanh(found["pearson"][1]) == pytest.approx(np.corrcoef(own)[upper])
    of_ranks = 2.0 * np.sin(np.pi / 6.0 * spearmanr(own.T).statistic[upper])
    assert np.tanh(found["ranks"][1]) == pytest.approx(of_ranks)
    tied = np.round(own)
    assert np.array_equal(average_ranks(tied), rankdata(tied, axis=1))


@given(st.sets(st.sampled_from(list(MEASURES)), min_size=1), st.integers(2, 40))
def test_a_table_knows_of_how_many_regions_it_is(measures: set[str], regions: int) -> None:
    names = tuple(sorted(measures))
    total = sum(widths(names, regions).values())
    assert regions_of(names, total) == regions
    assert sum(part.shape[1] for part in split(np.zeros((1, total)), names).values()) == total
    with pytest.raises(HemostreamError, match="no table of"):
        regions_of(names, total + 1)


def test_tangent_rows_are_logarithms_from_the_mean() -> None:
    """Of matrices with the same axes: there all means of matrices are the geometric one."""
    rng = np.random.default_rng(2)
    axes = np.linalg.qr(rng.normal(size=(8, 8)))[0]
    logs = rng.normal(size=(30, 8))
    upper = np.triu_indices(8)
    found = np.stack([((axes * np.exp(each)) @ axes.T)[upper] for each in logs])
    expected = np.stack([((axes * each) @ axes.T)[upper] for each in logs - logs.mean(axis=0)])
    assert seen_from(whitening_of(found), found) == pytest.approx(expected, abs=1e-9)


def test_a_persons_own_scale_is_over_what_is_there() -> None:
    rows = np.random.default_rng(3).normal(3.0, 2.0, size=(4, 50))
    rows[1, :20] = np.nan
    found = own_scale(rows)
    assert np.nanmean(found, axis=1) == pytest.approx(np.zeros(4), abs=1e-12)
    assert np.nanstd(found, axis=1) == pytest.approx(np.ones(4))
    assert np.isnan(found[1, :20]).all()


@given(st.integers(0, 10_000), st.sampled_from([1.0, 4.0, 16.0]))
@settings(max_examples=20, deadline=None)
def test_scores_of_left_out_sites_are_those_of_primal_fits_without_them(seed: int, factor: float) -> None:
    rng = np.random.default_rng(seed)
    site = np.arange(40) % 4
    X = rng.normal(size=(40, 60)) + rng.normal(size=(4, 60))[site]
    X -= X.mean(axis=0)
    second = rng.integers(0, 2, 40) == 1
    held = SiteProjectedRidge.of(X @ X.T, site, factor).left_out(second, [2.0])[0]
    for out in range(4):
        rows, names = X[site != out], site[site != out]
        target = np.where(second[site != out], 1.0, -1.0)
        for name in np.unique(names):
            own = names == name
            rows[own] += (factor - 1.0) * rows[own].mean(axis=0)
            target[own] -= target[own].mean()
        middle = rows.mean(axis=0)
        rows = rows - middle
        direction = np.linalg.solve(rows.T @ rows + 2.0 * np.eye(60), rows.T @ target)
        # The intercept is moved with the sites, so a person is predicted from the unmoved mean.
        assert held[site == out] == pytest.approx((X[site == out] - middle / factor) @ direction, abs=1e-6)


def test_a_large_factor_takes_out_what_training_sites_differ_in() -> None:
    rng = np.random.default_rng(0)
    site = np.arange(200) % 8
    X = rng.normal(size=(200, 300)) + rng.normal(size=(8, 2))[site] @ rng.normal(size=(2, 300))
    second = rng.integers(0, 2, 200) == 1
    X[:, :30] += 0.5 * second[:, None]
    spread = []
    for factor in (1.0, 16.0):
        member = read_member(X, site, own=False, factors=[factor])
        weights, held_out = member.fit(second)
        scores = ((X - member.mean) / member.scale) @ weights[0]
        spread.append(np.std([scores[site == k].mean() for k in range(8)]) / scores.std())
        assert mean_auc(second, held_out[0], site) > 0.9
    assert spread[1] < 0.1 * spread[0]


def test_nothing_of_the_left_out_site_reaches_its_scores() -> None:
    X, y, site, seconds = series(3)
    model = ConnectivityEnsembleClassifier(MEASURES_HERE)
    before, _ = leave_sites_out(model, table(X, seconds), y, site)
    out = np.flatnonzero(site == "site 2")
    other = y.copy()
    other[out] = 1 - other[out]
    assert np.array_equal(leave_sites_out(model, table(X, seconds), other, site)[0][out], before[out])
    changed = X.copy()
    changed[out[1:]] = changed[out[1:]][:, ::-1]
    after, _ = leave_sites_out(model, table(changed, seconds), y, site)
    assert after[out[0]] == pytest.approx(before[out[0]], abs=1e-9)
    assert after[out[1:]] != pytest.approx(before[out[1:]], abs=1e-3)


def test_what_means_nothing_is_at_chance_and_a_planted_effect_is_found() -> None:
    found: dict[float, list[float]] = {0.0: [], 0.6: []}
    for effect, areas in found.items():
        for seed in range(15):
            X, y, site, seconds = series(seed, effect=effect)
            scores, _ = leave_sites_out(
                ConnectivityEnsembleClassifier(("pearson",)), table(X, seconds, ("pearson",)), y, site
            )
            areas.append(mean_auc(y == 1, scores, site))
    spread = np.std(found[0.0]) / np.sqrt(15)
    assert spread < 0.03
    assert abs(np.mean(found[0.0]) - 0.5) < 3 * spread
    assert np.mean(found[0.6]) > 0.85


def test_its_layer_predicts_what_it_predicts() -> None:
    """Step by step as documented, from the arrays alone."""
    X, y, site, seconds = series(4, effect=0.6)
    found = table(X, seconds)
    model = ConnectivityEnsembleClassifier(MEASURES_HERE).fit(found, y, site=site)
    (layer,) = model.layers_
    tables = split(found, MEASURES_HERE)
    total, at = np.zeros(len(X)), 0
    for measure, own in layer.members:
        rows = seen_from(layer.whitening, tables[measure]) if measure == "tangent" else tables[measure]
        if own:
            rows = (rows - np.nanmean(rows, axis=1)[:, None]) / np.nanstd(rows, axis=1)[:, None]
        numbers = slice(at, at + rows.shape[1])
        at += rows.shape[1]
        total += np.nansum(
            (rows - layer.mean[numbers]) / layer.scale[numbers] * layer.weights[numbers], axis=1
        )
    assert at == len(layer.weights)
    expected = layer.slope * total / len(layer.members) + layer.intercept
    assert model.decision_function(found) == pytest.approx(expected, abs=1e-9)
    # Predicted alone, as in company.
    assert model.decision_function(found[7:8])[0] == pytest.approx(expected[7])
    assert (model.predict(found) == y).mean() > 0.8
    assert mean_auc(y == 1, model.held_out_, site) > 0.8


def test_a_table_that_does_not_fit_is_refused() -> None:
    X, y, site, seconds = series(5)
    found = table(X, seconds)
    with pytest.raises(HemostreamError, match="no table of pearson, partial"):
        ConnectivityEnsembleClassifier(("pearson", "partial")).fit(found, y, site=site)
    with pytest.raises(HemostreamError, match="59 rows, y 60"):
        ConnectivityEnsembleClassifier(MEASURES_HERE).fit(found[1:], y, site=site)
    with pytest.raises(HemostreamError, match="1 sites"):
        ConnectivityEnsembleClassifier(MEASURES_HERE).fit(found, y, site=np.full(60, "here"))
    with pytest.raises(HemostreamError, match="no connectivity measure 'person'"):
        ConnectivityMeasures(("person",))
