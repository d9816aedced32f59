"""The linear baseline: scikit-learn's scores, without its cost, and nothing of the site that is left out."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import RidgeClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, LeaveOneGroupOut
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from models.errors import HemostreamError
from models.features.connectivity import Correlation
from offline.estimators.ridge import Ridge
from offline.estimators.ridge_connectivity import PENALTIES, RidgeConnectivity, mean_auc
from tests.offline.estimators.planted import leave_sites_out


def people(seed: int, n: int = 60, n_features: int = 150, n_sites: int = 5, effect: float = 0.5):
    rng = np.random.default_rng(seed)
    number = np.arange(n) % n_sites
    y = rng.integers(0, 2, n)
    X = (
        rng.normal(size=(n, n_features)) * rng.uniform(0.1, 10, n_features)
        + rng.normal(size=(n_sites, n_features))[number]
    )
    X[:, : n_features // 10] += effect * y[:, None]
    return X, y, np.array([f"site {k}" for k in number])


@given(st.integers(0, 10_000), st.sampled_from([1.0, 100.0, 1e4]), st.sampled_from([150, 20]))
@settings(max_examples=15, deadline=None)
def test_it_is_the_ridge_classifier_of_scikit_learn(seed: int, penalty: float, n_features: int) -> None:
    X, y, site = people(seed, n_features=n_features)
    theirs = make_pipeline(StandardScaler(), RidgeClassifier(alpha=penalty)).fit(X, y)
    ours = RidgeConnectivity([penalty]).fit(X, y, site=site)
    new = people(seed + 1, n_features=n_features)[0]
    assert ours.decision_function(new) == pytest.approx(theirs.decision_function(new), abs=1e-8)


@given(st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_scores_of_left_out_sites_are_those_of_fits_without_them(seed: int) -> None:
    """Dual and all at once, against the primal fitted again for every site."""
    X, y, site = people(seed)
    X = X - X.mean(axis=0)
    target = 2.0 * y - 1.0
    held = Ridge.of_products(X @ X.T).path(target[:, None], [3.0, 300.0], site)[:, :, 0]
    for scores, penalty in zip(held, (3.0, 300.0), strict=True):
        for name in np.unique(site):
            out = site == name
            mean, level = X[~out].mean(axis=0), target[~out].mean()
            rows = X[~out] - mean
            direction = np.linalg.solve(
                rows.T @ rows + penalty * np.eye(X.shape[1]), rows.T @ (target[~out] - level)
            )
            assert scores[out] == pytest.approx((X[out] - mean) @ direction + level, abs=1e-8)


def test_nested_it_is_grid_search_over_left_out_sites() -> None:
    X, y, site = people(3, n=80)
    scores, fitted = leave_sites_out(RidgeConnectivity(), X, y, site)
    for name in np.unique(site):
        out = site == name
        scaler = StandardScaler().fit(X[~out])
        search = GridSearchCV(
            RidgeClassifier(), {"alpha": list(PENALTIES)}, scoring="roc_auc", cv=LeaveOneGroupOut()
        ).fit(scaler.transform(X[~out]), y[~out], groups=site[~out])
        assert fitted[name].penalty_ == search.best_params_["alpha"]
        assert scores[out] == pytest.approx(search.decision_function(scaler.transform(X[out])), abs=1e-8)


def test_nothing_of_the_left_out_site_reaches_its_scores() -> None:
    X, y, site = people(4)
    before, _ = leave_sites_out(RidgeConnectivity(), X, y, site)
    out = np.flatnonzero(site == "site 2")
    other = y.copy()
    other[out] = 1 - other[out]
    assert np.array_equal(leave_sites_out(RidgeConnectivity(), X, other, site)[0][out], before[out])
    changed = X.copy()
    changed[out[1:]] = 1e3
    assert leave_sites_out(RidgeConnectivity(), changed, y, site)[0][out[0]] == pytest.approx(
        before[out[0]], abs=1e-9
    )


def test_labels_that_mean_nothing_are_at_chance() -> None:
    """Labels drawn apart from the features, over many cohorts; a planted effect is found.

    Compared within sites: between them the intercepts of small cohorts lean against the held-out labels.
    """
    found: dict[float, list[float]] = {0.0: [], 2.0: []}
    for effect, areas in found.items():
        for seed in range(30):
            X, y, site = people(seed, n=100, n_features=30, effect=effect)
            areas.append(mean_auc(y == 1, leave_sites_out(RidgeConnectivity(), X, y, site)[0], site))
    spread = np.std(found[0.0]) / np.sqrt(30)
    assert spread < 0.02
    assert abs(np.mean(found[0.0]) - 0.5) < 3 * spread
    assert np.mean(found[2.0]) > 0.6


def test_it_keeps_the_contract_of_scikit_learn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check_estimator(RidgeConnectivity())


def test_sites_of_another_length_are_refused() -> None:
    X, y, site = people(5)
    with pytest.raises(HemostreamError, match="site has 59 rows; expected 60"):
        RidgeConnectivity().fit(X, y, site=site[1:])


def test_real_people_of_unseen_sites(abide) -> None:
    """The reference figures: accuracy 0.684 and AUC 0.740 with the penalty 1e4."""
    X = Correlation()(abide.X, np.full(len(abide.X), np.nan))
    scores, _ = leave_sites_out(RidgeConnectivity([1e4]), X, abide.y, abide.site)
    assert np.mean((scores > 0) == abide.y) == pytest.approx(0.684, abs=0.005)
    assert roc_auc_score(abide.y, scores) == pytest.approx(0.740, abs=0.005)
