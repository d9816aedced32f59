"""The closed forms against the plain way: fitting again without each person."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score

from offline.estimators.least_squares import balanced, decomposed, fit_odds, left_out
from offline.estimators.ridge import RidgeDiscriminant


@given(st.integers(0, 10_000), st.sampled_from([(15, 40), (40, 6)]), st.sampled_from([1e-3, 0.1, 10.0]))
@settings(max_examples=15, deadline=None)
def test_a_row_left_out_is_a_row_not_fitted(seed: int, shape: tuple[int, int], penalty: float) -> None:
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=shape)
    Z -= Z.mean(axis=0)
    target = balanced((np.arange(shape[0]) % 3 == 0)[:, None])
    table = decomposed(Z)
    got = left_out(table, target, penalty)[:, 0]
    alpha = penalty * table.size.mean()
    for i in range(shape[0]):
        others = np.delete(np.arange(shape[0]), i)
        theirs = Ridge(alpha=alpha).fit(Z[others], target[others, 0])
        expected = theirs.predict(Z[i : i + 1])[0] - target[others, 0].mean()
        assert got[i] == pytest.approx(expected, rel=1e-6, abs=1e-8)


def test_noise_is_not_pushed_below_chance_by_leaving_out() -> None:
    """Leaving one of ten out shifts the mean away from its label; the scores do not show it."""
    aucs = []
    for seed in range(200):
        Z = np.random.default_rng(seed).normal(size=(10, 50))
        positive = np.arange(10) % 2 == 0
        scores = left_out(decomposed(Z - Z.mean(axis=0)), balanced(positive[:, None]), 1.0)[:, 0]
        aucs.append(roc_auc_score(positive, scores))
    assert np.mean(aucs) == pytest.approx(0.5, abs=0.06)


def test_its_log_odds_mean_what_they_say() -> None:
    rng = np.random.default_rng(0)
    y = np.arange(2000) % 2
    X = rng.normal(size=(2000, 5)) + 1.5 * y[:, None] * np.eye(5)[0]
    odds = RidgeDiscriminant().fit(X, y).decision_function(X)
    apart = odds - 1.5 * (X[:, 0] - 0.75)
    assert np.abs(apart).mean() < 0.25


def test_noise_makes_nobody_sure_and_a_strong_effect_does() -> None:
    rng = np.random.default_rng(1)
    y = np.arange(60) % 2
    X = rng.normal(size=(60, 500))
    new = rng.normal(size=(200, 500))
    assert np.abs(RidgeDiscriminant().fit(X, y).decision_function(new)).mean() < 1.0
    X[:, :50] += y[:, None]
    new[:, :50] += 1.0
    assert RidgeDiscriminant().fit(X, y).decision_function(new).mean() > 2.0


def test_the_wide_and_the_tall_way_agree() -> None:
    """A table and the same table with empty columns: through people, or through columns."""
    rng = np.random.default_rng(2)
    Z = rng.normal(size=(30, 12))
    Z -= Z.mean(axis=0)
    positive = (np.arange(30) % 2 == 0)[:, None]
    # The mean eigenvalue is of those above zero, so both ways try the same penalties.
    tall = fit_odds(Z, positive)
    wide = fit_odds(np.concatenate([Z, np.zeros((30, 40))], axis=1), positive)
    assert wide.penalty == tall.penalty
    np.testing.assert_allclose(wide.weights[:12], tall.weights, rtol=1e-8)
