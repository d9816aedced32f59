"""The ridge discriminant: as scikit-learn's where that has one, and many labellings are as many fits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge as SklearnRidge

from offline.base.sample_table import SampleTable
from offline.estimators.discriminant import DEFAULT_PENALTY, fit_discriminant
from offline.estimators.ridge import EVERY_OTHER
from offline.training.feature_table import FeatureTable
from offline.training.ridge import fit_ridge


def halves(n: int, parts: int = 4) -> list[tuple[np.ndarray, np.ndarray]]:
    part = np.arange(n) // 2 % parts  # both labels in every part
    return [(np.flatnonzero(part != k), np.flatnonzero(part == k)) for k in range(parts)]


@given(st.integers(0, 10_000), st.sampled_from([(12, 30), (40, 5)]))
@settings(max_examples=20, deadline=None)
def test_its_direction_is_that_of_ridge_regression(seed: int, shape: tuple[int, int]) -> None:
    """More rows than features and fewer: two ways to compute it, one result."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=shape) * rng.uniform(0.1, 10, shape[1]) + rng.normal(size=shape[1])
    y = np.arange(shape[0]) % 3 == 0
    weight = rng.uniform(0.5, 2.0, shape[0])
    found = fit_discriminant(X, y[:, None], weight, [])
    share = weight / weight.sum()
    Z = (X - found.mean) / found.scale
    size = np.linalg.eigvalsh(Z.T @ (share[:, None] * Z) if shape[0] > shape[1] else _dual(Z, share))
    second = share @ y
    target = np.where(y, 0.5 / second, -0.5 / (1 - second))
    theirs = SklearnRidge(alpha=DEFAULT_PENALTY * size.mean(), fit_intercept=False)
    theirs.fit(Z, target, sample_weight=share)
    assert found.weights[:, 0] == pytest.approx(theirs.coef_, rel=1e-6, abs=1e-9)


def _dual(Z: np.ndarray, share: np.ndarray) -> np.ndarray:
    root = np.sqrt(share)[:, None] * Z
    return np.asarray(root @ root.T)


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_many_labellings_are_as_many_single_ones(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(30, 8))
    y = np.stack([rng.permutation(np.arange(30) % 2 == 0) for _ in range(5)], axis=1)
    together = fit_discriminant(X, y, np.ones(30), halves(30)).log_odds(X)
    for k in range(5):
        alone = fit_discriminant(X, y[:, k : k + 1], np.ones(30), halves(30)).log_odds(X)
        assert together[:, k] == pytest.approx(alone[:, 0], abs=1e-9)


def test_other_units_and_swapped_labels_say_the_same() -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(40, 6))
    y = (np.arange(40) % 2 == 0)[:, None]
    X[:, 0] += y[:, 0]
    plain = fit_discriminant(X, y, np.ones(40), halves(40)).log_odds(X)
    scaled = fit_discriminant(X * 1e-6 + 3e-6, y, np.full(40, 7.0), halves(40)).log_odds(X * 1e-6 + 3e-6)
    assert scaled == pytest.approx(plain, rel=1e-6, abs=1e-6)
    assert fit_discriminant(X, ~y, np.ones(40), halves(40)).log_odds(X) == pytest.approx(-plain)


def test_a_constant_feature_and_noise_alone_harm_nothing() -> None:
    rng = np.random.default_rng(2)
    X = np.concatenate([np.full((60, 1), 5.0), rng.normal(size=(60, 20))], axis=1)
    y = (np.arange(60) % 2 == 0)[:, None]
    found = fit_discriminant(X, y, np.ones(60), halves(60))
    assert np.isfinite(found.log_odds(X)).all()
    assert np.abs(found.log_odds(rng.normal(size=(500, 21)))).mean() < 1.0  # noise makes no one sure
    assert found.penalty[0] in EVERY_OTHER


def test_its_log_odds_mean_what_they_say() -> None:
    """Two Gaussian groups: the log odds of new people are those of the truth, about."""
    rng = np.random.default_rng(3)

    def draw(n: int) -> tuple[np.ndarray, np.ndarray]:
        y = np.arange(n) % 2 == 0
        X = rng.normal(size=(n, 3))
        X[:, 0] += 1.5 * y
        return X, y

    X, y = draw(2000)
    found = fit_discriminant(X, y[:, None], np.ones(2000), halves(2000))
    X, y = draw(2000)
    truth = 1.5 * (X[:, 0] - 0.75)
    assert found.log_odds(X)[:, 0] == pytest.approx(truth, abs=0.5)


def table_of(
    X: np.ndarray, y: np.ndarray, person: np.ndarray, *, by_person: bool = False, n_labels: int = 2
) -> FeatureTable:
    start = np.arange(len(y), dtype=float)
    table = SampleTable(person, person, person, np.full(len(y), ""), start, start + 1.0, y)
    return FeatureTable(X, table, by_person, n_labels)


def test_a_person_weighs_the_same_however_many_windows_there_are() -> None:
    rng = np.random.default_rng(4)
    X = rng.normal(size=(12, 3))
    y = np.arange(12) % 2
    person = np.array([f"p{i}" for i in range(12)])
    often = np.concatenate([np.arange(12), np.zeros(50, dtype=int)])  # the first person 51 times
    for by_person in (True, False):
        one = fit_ridge(table_of(X, y, person, by_person=by_person), np.arange(12))
        many = fit_ridge(table_of(X, y, person, by_person=by_person), often)
        assert many.probabilities(X) == pytest.approx(one.probabilities(X), abs=1e-9)
    rows = table_of(X, y, person, by_person=True).rows(often)
    assert rows.features == pytest.approx(X[np.argsort(person)])
    assert rows.person.tolist() == sorted(person.tolist())


def test_more_than_two_labels_and_too_few_people() -> None:
    rng = np.random.default_rng(5)
    y = np.repeat(np.arange(3), 40)
    X = rng.normal(size=(120, 4))
    X[:, :3] += 3 * np.eye(3)[y]
    person = np.array([f"p{i % 6}" for i in range(120)])
    found = fit_ridge(table_of(X, y, person, n_labels=3), np.arange(120))
    said = found.probabilities(X)
    assert said.sum(axis=1) == pytest.approx(1.0)
    assert (said.argmax(axis=1) == y).mean() > 0.9
    alone = fit_ridge(table_of(X, y, np.full(120, "p"), n_labels=3), np.arange(120))
    assert alone.how["chosen_on"].startswith("nobody")
    assert alone.how["penalty"] == [DEFAULT_PENALTY] * 3
