"""The headline model: what it leaves out stays out, sites say little, its parts say all that it says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import HemostreamError
from offline.studies._features import KINDS, own_part, pearson, standardised, table
from offline.studies.headline.ensemble import Headline, leave_sites_out
from offline.studies.headline.members import fit_member
from offline.studies.headline.stretched import Stretched
from offline.studies.headline.tangent import reference, tangent_rows
from offline.studies.ridge_connectivity import mean_auc

KINDS_HERE = ("pearson", "tangent", "spectrum")


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


def tables(X: np.ndarray, seconds: np.ndarray, kinds: tuple[str, ...] = KINDS_HERE) -> dict[str, np.ndarray]:
    return {kind: table(kind, X, seconds) for kind in kinds}


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_kind_is_of_one_scan_and_of_no_unit(kind: str) -> None:
    X, _, _, seconds = series(0, n=6)
    found = table(kind, X, seconds)
    assert np.array_equal(found[[4, 1]], table(kind, X[[4, 1]], seconds[[4, 1]]), equal_nan=True)
    assert found == pytest.approx(table(kind, 1e3 * X + 5.0, seconds), abs=1e-6, nan_ok=True)
    others = np.delete(found, 3, axis=0)
    assert np.isfinite(others).all()
    if kind != "tangent":
        assert np.isnan(found[3]).any()


def test_pearson_is_that_of_numpy_and_zero_where_a_region_is_constant() -> None:
    X, _, _, seconds = series(1, n=6)
    edges = pearson(X)
    upper = np.triu_indices(8, 1)
    assert np.tanh(edges[0]) == pytest.approx(np.corrcoef(own_part(X[0]))[upper])
    assert np.array_equal(np.isnan(table("pearson", X, seconds)[3]), edges[3] == 0.0)
    assert standardised(own_part(X[3]))[2].tolist() == [0.0] * 105


def test_tangent_rows_are_logarithms_from_the_mean() -> None:
    """Of matrices with the same axes: there all means of matrices are the geometric one."""
    rng = np.random.default_rng(2)
    axes = np.linalg.qr(rng.normal(size=(8, 8)))[0]
    logs = rng.normal(size=(30, 8))
    upper = np.triu_indices(8)
    found = np.stack([((axes * np.exp(each)) @ axes.T)[upper] for each in logs])
    expected = np.stack([((axes * each) @ axes.T)[upper] for each in logs - logs.mean(axis=0)])
    assert tangent_rows(found, reference(found)) == pytest.approx(expected, abs=1e-9)


@given(st.integers(0, 10_000), st.sampled_from([1.0, 4.0, 16.0]))
@settings(max_examples=20, deadline=None)
def test_scores_of_left_out_sites_are_those_of_primal_fits_without_them(seed: int, factor: float) -> None:
    rng = np.random.default_rng(seed)
    site = np.arange(40) % 4
    X = rng.normal(size=(40, 60)) + rng.normal(size=(4, 60))[site]
    X -= X.mean(axis=0)
    second = rng.integers(0, 2, 40) == 1
    held = Stretched.of(X @ X.T, second, site, factor).held_out([2.0])[0]
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
        # The intercept is moved with the sites, so a person is judged from the unmoved mean.
        assert held[site == out] == pytest.approx((X[site == out] - middle / factor) @ direction, abs=1e-6)


def test_a_large_factor_takes_out_what_training_sites_differ_in() -> None:
    rng = np.random.default_rng(0)
    site = np.arange(200) % 8
    X = rng.normal(size=(200, 300)) + rng.normal(size=(8, 2))[site] @ rng.normal(size=(2, 300))
    second = rng.integers(0, 2, 200) == 1
    X[:, :30] += 0.5 * second[:, None]
    spread = []
    for factor in (1.0, 16.0):
        fit = fit_member("pearson", X, second, site, own_scale=False, factors=[factor])
        scores = fit.members[0].score(X)
        spread.append(np.std([scores[site == k].mean() for k in range(8)]) / scores.std())
        assert mean_auc(second, fit.held_out[0], site) > 0.9
    assert spread[1] < 0.1 * spread[0]


def test_nothing_of_the_judged_site_reaches_its_scores() -> None:
    X, y, site, seconds = series(3)
    model = Headline(KINDS_HERE)
    before, _ = leave_sites_out(tables(X, seconds), y, site, model)
    out = np.flatnonzero(site == "site 2")
    other = y.copy()
    other[out] = 1 - other[out]
    assert np.array_equal(leave_sites_out(tables(X, seconds), other, site, model)[0][out], before[out])
    changed = X.copy()
    changed[out[1:]] = changed[out[1:]][:, ::-1]
    after, _ = leave_sites_out(tables(changed, seconds), y, site, model)
    assert after[out[0]] == pytest.approx(before[out[0]], abs=1e-9)
    assert after[out[1:]] != pytest.approx(before[out[1:]], abs=1e-3)


def test_what_means_nothing_is_at_chance_and_a_planted_effect_is_found() -> None:
    found: dict[float, list[float]] = {0.0: [], 0.6: []}
    for effect, areas in found.items():
        for seed in range(15):
            X, y, site, seconds = series(seed, effect=effect)
            scores, _ = leave_sites_out(tables(X, seconds, ("pearson",)), y, site, Headline(("pearson",)))
            areas.append(mean_auc(y == 1, scores, site))
    spread = np.std(found[0.0]) / np.sqrt(15)
    assert spread < 0.03
    assert abs(np.mean(found[0.0]) - 0.5) < 3 * spread
    assert np.mean(found[0.6]) > 0.85


def test_its_parts_say_what_it_says() -> None:
    """Step by step as documented, from the arrays alone."""
    X, y, site, seconds = series(4, effect=0.6)
    found = tables(X, seconds)
    model = Headline(KINDS_HERE).fit(found, y, site=site)
    total = np.zeros(len(X))
    for part in model.parts_.members:
        rows = tangent_rows(found[part.kind], part.reference) if part.kind == "tangent" else found[part.kind]
        if part.own_scale:
            rows = (rows - np.nanmean(rows, axis=1)[:, None]) / np.nanstd(rows, axis=1)[:, None]
        total += np.nansum((rows - part.mean) / part.scale * part.weights, axis=1)
    said = model.parts_.slope * total / len(model.parts_.members) + model.parts_.intercept
    assert model.decision_function(found) == pytest.approx(said, abs=1e-9)
    # Judged alone, as in company.
    assert model.decision_function({k: v[7:8] for k, v in found.items()})[0] == pytest.approx(said[7])
    assert (model.predict(found) == y).mean() > 0.8
    assert mean_auc(y == 1, model.held_out_, site) > 0.8


def test_what_is_missing_is_said() -> None:
    X, y, site, seconds = series(5)
    found = tables(X, seconds)
    with pytest.raises(HemostreamError, match="No table of partial"):
        Headline(("pearson", "partial")).fit(found, y, site=site)
    with pytest.raises(HemostreamError, match="rows; expected 60"):
        Headline(KINDS_HERE).fit({**found, "tangent": found["tangent"][1:]}, y, site=site)
    with pytest.raises(HemostreamError, match="1 sites"):
        Headline(KINDS_HERE).fit(found, y, site=np.full(60, "here"))
