"""Connectivity is what numpy and nilearn make of it, and what is planted is found."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nilearn.connectome import ConnectivityMeasure
from sklearn.covariance import LedoitWolf, ledoit_wolf_shrinkage

from models.features.connectivity import Correlation, Shrunk
from models.features.granger import Granger
from models.features.series import LARGEST_Z
from tests.models.features.computed import computed


def mixed(seed: int, n: int = 6, n_regions: int = 7, n_times: int = 60) -> np.ndarray:
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(n, n_regions, n_regions))
    return mixing @ rng.normal(size=(n, n_regions, n_times)) * 30 + 1000


def standardised(X: np.ndarray) -> np.ndarray:
    return (X - X.mean(axis=2, keepdims=True)) / X.std(axis=2, keepdims=True)


def matrices(rows: np.ndarray, n_regions: int, *, diagonal: bool) -> np.ndarray:
    out = np.zeros((len(rows), n_regions, n_regions))
    i, j = np.triu_indices(n_regions, 0 if diagonal else 1)
    out[:, i, j] = out[:, j, i] = rows
    return out


def nilearn(X: np.ndarray, kind: str) -> np.ndarray:
    """Its covariance is scikit-learn's Ledoit-Wolf estimate, as ours."""
    measure = ConnectivityMeasure(LedoitWolf(store_precision=False), kind=kind, standardize=False)
    return np.asarray(measure.fit_transform([series.T for series in X]))


@pytest.mark.parametrize(("dtype", "near"), [(np.float64, 1e-12), (np.float32, 2e-6)])
def test_correlation_is_numpys(dtype: type, near: float) -> None:
    X = (mixed(0) - 1000).astype(dtype)
    found = matrices(computed(Correlation(fisher=False), X), 7, diagonal=False)
    for one, series in zip(found, X, strict=True):
        np.testing.assert_allclose(one + np.eye(7), np.corrcoef(series.astype(float)), rtol=0, atol=near)
    z = computed(Correlation(), X)
    np.testing.assert_allclose(z, np.arctanh(found[:, *np.triu_indices(7, 1)]), rtol=100 * near, atol=near)


def test_correlation_is_nilearns() -> None:
    X = standardised(mixed(1))
    measure = ConnectivityMeasure(LedoitWolf(assume_centered=True), kind="correlation", standardize=False)
    theirs = measure.fit_transform([series.T for series in X])
    ours = matrices(computed(Shrunk("correlation", fisher=False), X), 7, diagonal=False)
    np.testing.assert_allclose(ours + np.eye(7), theirs, atol=1e-10)


@given(seed=st.integers(0, 10_000), n_times=st.integers(4, 90))
@settings(max_examples=15, deadline=None)
def test_shrunk_covariance_is_scikit_learns(seed: int, n_times: int) -> None:
    """More volumes than regions and fewer; bringing regions to variance 1 first is scaling them first."""
    X = mixed(seed, n=2, n_times=n_times)
    found = computed(Shrunk(measure="covariance", standardised=False), X)
    found_standardised = computed(Shrunk(measure="covariance"), X)
    for one, other, series in zip(found, found_standardised, X, strict=True):
        theirs = LedoitWolf().fit(series.T).covariance_
        np.testing.assert_allclose(one, theirs[np.triu_indices(7)], rtol=1e-7, atol=1e-7 * theirs.max())
        theirs = LedoitWolf().fit(standardised(series[np.newaxis])[0].T).covariance_
        np.testing.assert_allclose(other, theirs[np.triu_indices(7)], atol=1e-9)


def test_partial_correlation_is_nilearns() -> None:
    X = mixed(2)
    ours = computed(Shrunk(standardised=False, fisher=False), X)
    theirs = nilearn(X, "partial correlation")[:, *np.triu_indices(7, 1)]
    np.testing.assert_allclose(ours, theirs, atol=1e-9)
    ours = computed(Shrunk(fisher=False), X)
    theirs = nilearn(standardised(X), "partial correlation")[:, *np.triu_indices(7, 1)]
    np.testing.assert_allclose(ours, theirs, atol=1e-9)


def test_partial_correlation_takes_out_what_goes_between() -> None:
    """A chain: first and last correlate, and not once the middle is known."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(1, 3, 4000))
    X[:, 1] += X[:, 0]
    X[:, 2] += X[:, 1]
    plain, partial = (
        computed(Correlation(), X)[0],
        computed(Shrunk(), X)[0],
    )
    assert plain[1] > 0.5
    assert abs(partial[1]) < 0.06
    assert min(partial[0], partial[2]) > 0.3


@pytest.mark.parametrize("dead", [0, 3])
def test_a_masked_region_is_as_if_it_were_not_there(dead: int) -> None:
    X = mixed(4)
    rest = np.delete(X, dead, axis=1)
    X[:, dead] = 0.0
    kept = np.array([dead not in pair for pair in zip(*np.triu_indices(7, 1), strict=True)])
    for feature in (Correlation(), Shrunk(), Shrunk(measure="correlation")):
        found = computed(feature, X)
        np.testing.assert_allclose(found[:, kept], computed(feature, rest), atol=1e-12)
        assert not found[:, ~kept].any()


def test_the_same_series_twice_has_the_largest_z_and_no_larger() -> None:
    X = mixed(5)
    X[:, 1] = X[:, 0]
    X[:, 2] = -X[:, 0]
    for found, near in (
        (computed(Correlation(), X), 1e-9),
        (computed(Correlation(), X.astype("f4")), 0.02),
    ):
        np.testing.assert_allclose(found[:, 0], LARGEST_Z, atol=near)
        np.testing.assert_allclose(found[:, 1], -LARGEST_Z, atol=near)


def test_granger_finds_the_planted_direction() -> None:
    rng = np.random.default_rng(11)
    noise = rng.normal(size=(20, 3, 150))
    X = noise.copy()
    for t in range(1, 150):
        X[:, :, t] += 0.4 * X[:, :, t - 1]
        X[:, 1, t] -= 0.5 * X[:, 0, t - 1]
    mean = dict(zip(Granger().names("abc"), computed(Granger(), X).mean(axis=0), strict=True))
    assert mean["a -> b"] > 0.15
    assert max(value for name, value in mean.items() if name != "a -> b") < 0.03
    signed = dict(
        zip(mean, computed(Granger(signed=True), X).mean(axis=0), strict=True)  # it lowers the other
    )
    assert signed["a -> b"] == pytest.approx(-mean["a -> b"])


def test_granger_is_the_ratio_of_two_regressions() -> None:
    X = mixed(12, n=1, n_regions=3, n_times=50)[0]
    found = computed(Granger(), X[np.newaxis])[0]

    def left(target: np.ndarray, *past: np.ndarray) -> float:
        design = np.stack([np.ones(49), *past], axis=1)
        return float(np.linalg.lstsq(design, target, rcond=None)[1][0])

    slow = [
        np.log(left(X[i, 1:], X[i, :-1]) / left(X[i, 1:], X[i, :-1], X[j, :-1]))
        for i in range(3)
        for j in range(3)
        if i != j
    ]
    np.testing.assert_allclose(found, slow, atol=1e-9)


def test_shrinkage_is_between_nothing_and_all() -> None:
    """White noise is shrunk nearly to the identity, strong structure hardly."""
    rng = np.random.default_rng(15)
    white = rng.normal(size=(1, 30, 40))
    assert np.abs(computed(Shrunk("correlation", fisher=False), white)).max() < 0.1
    assert ledoit_wolf_shrinkage(standardised(white)[0].T) > 0.7
    strong = rng.normal(size=(1, 1, 40)) + 0.1 * white
    assert computed(Shrunk("correlation", fisher=False), strong).min() > 0.9
