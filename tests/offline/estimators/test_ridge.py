"""The closed forms against the plain way: fitting again without each person."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge as SklearnRidge
from sklearn.linear_model import RidgeCV
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from offline.estimators.discriminant import about_the_others, balanced, fit_odds
from offline.estimators.ridge import ABSOLUTE, Ridge, predict_by_ridge


@given(st.integers(0, 10_000), st.sampled_from([(15, 40), (40, 6)]), st.sampled_from([1e-3, 0.1, 10.0]))
@settings(max_examples=15, deadline=None)
def test_a_row_left_out_is_a_row_not_fitted(seed: int, shape: tuple[int, int], penalty: float) -> None:
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=shape)
    Z -= Z.mean(axis=0)
    target = balanced((np.arange(shape[0]) % 3 == 0)[:, None], np.ones(shape[0]))
    ridge = Ridge.of(Z)
    got = about_the_others(ridge, target, [penalty])[0, :, 0]
    alpha = penalty * ridge.sizes.mean()
    for i in range(shape[0]):
        others = np.delete(np.arange(shape[0]), i)
        theirs = SklearnRidge(alpha=alpha).fit(Z[others], target[others, 0])
        expected = theirs.predict(Z[i : i + 1])[0] - target[others, 0].mean()
        assert got[i] == pytest.approx(expected, rel=1e-6, abs=1e-8)


def test_noise_is_not_pushed_below_chance_by_leaving_out() -> None:
    """Leaving one of ten out shifts the mean away from its label; the scores do not show it."""
    aucs = []
    for seed in range(200):
        Z = np.random.default_rng(seed).normal(size=(10, 50))
        positive = np.arange(10) % 2 == 0
        target = balanced(positive[:, None], np.ones(10))
        scores = about_the_others(Ridge.of(Z - Z.mean(axis=0)), target, [1.0])[0, :, 0]
        aucs.append(roc_auc_score(positive, scores))
    assert np.mean(aucs) == pytest.approx(0.5, abs=0.06)


def test_its_log_odds_mean_what_they_say() -> None:
    rng = np.random.default_rng(0)
    y = np.arange(2000) % 2
    X = rng.normal(size=(2000, 5)) + 1.5 * y[:, None] * np.eye(5)[0]
    mean = X.mean(axis=0)
    weights, bias = fit_odds(X - mean, y[:, None] == 1)
    odds = ((X - mean) @ weights + bias)[:, 0]
    assert np.abs(odds - 1.5 * (X[:, 0] - 0.75)).mean() < 0.25


@given(st.integers(0, 10_000), st.sampled_from([(18, 40), (40, 6)]), st.booleans())
@settings(max_examples=20, deadline=None)
def test_a_group_left_out_is_a_group_not_fitted(seed: int, shape: tuple[int, int], weighted: bool) -> None:
    """Several targets at once, rows that weigh differently, through rows and through columns."""
    rng = np.random.default_rng(seed)
    weight = rng.uniform(0.5, 2.0, shape[0]) if weighted else np.ones(shape[0])
    weight /= weight.mean()
    Z = rng.normal(size=shape)
    Z -= weight @ Z / shape[0]
    target, group = rng.normal(size=(shape[0], 2)), np.arange(shape[0]) % 5
    ridge = Ridge.of(Z, weight if weighted else None)
    found = ridge.left_out(target, 3.0, group)
    for name in range(5):
        out = group == name
        theirs = SklearnRidge(alpha=3.0).fit(Z[~out], target[~out], sample_weight=weight[~out])
        np.testing.assert_allclose(found[out], theirs.predict(Z[out]), rtol=1e-6, atol=1e-8)
    whole = SklearnRidge(alpha=3.0).fit(Z, target, sample_weight=weight)
    np.testing.assert_allclose(ridge.directions(target, 3.0), whole.coef_.T, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(Z.T @ ridge.weights(target, 3.0), whole.coef_.T, rtol=1e-6, atol=1e-8)
    products = Ridge.of_products(Z @ Z.T, weight if weighted else None)
    np.testing.assert_allclose(products.left_out(target, 3.0, group), found, rtol=1e-6, atol=1e-8)


@given(st.integers(0, 10_000), st.sampled_from([(30, 50), (50, 8)]))
@settings(max_examples=15, deadline=None)
def test_continuous_targets_are_predicted_as_scikit_learn_predicts_them(
    seed: int, shape: tuple[int, int]
) -> None:
    rng = np.random.default_rng(seed)
    X, new = rng.normal(size=shape), rng.normal(size=(7, shape[1]))
    X[:, 0] = 4.0
    y = X[:, 1:4] + rng.normal(size=(shape[0], 3))
    theirs = make_pipeline(StandardScaler(), RidgeCV(ABSOLUTE, alpha_per_target=True)).fit(X, y)
    np.testing.assert_allclose(predict_by_ridge(X, y, new), theirs.predict(new), rtol=1e-6, atol=1e-8)


def test_the_wide_and_the_tall_way_agree() -> None:
    """A table and the same table with empty columns: through people, or through columns."""
    rng = np.random.default_rng(2)
    Z = rng.normal(size=(30, 12))
    Z -= Z.mean(axis=0)
    positive = (np.arange(30) % 2 == 0)[:, None]
    empty = np.concatenate([Z, np.zeros((30, 40))], axis=1)
    tall, wide = Ridge.of(Z), Ridge.of(empty)
    target = balanced(positive, np.ones(30))
    np.testing.assert_allclose(wide.directions(target, 3.0)[:12], tall.directions(target, 3.0), rtol=1e-8)
    np.testing.assert_allclose(wide.left_out(target, 3.0), tall.left_out(target, 3.0), rtol=1e-8)
