"""Connectivity is what numpy and nilearn make of it, and what is planted is found."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nilearn.connectome import ConnectivityMeasure
from sklearn.covariance import LedoitWolf, ledoit_wolf_shrinkage
from sklearn.linear_model import Ridge

from models.features.band_connectivity import BandCorrelation
from models.features.connectivity import Correlation, Shrunk
from models.features.granger import Autoregression, Granger
from models.features.series import LARGEST_Z
from models.features.tangent import Tangent as TangentPart
from offline.features import SeriesFeatures, TangentFeatures
from offline.features.tangent import mean_of, power


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
    found = matrices(SeriesFeatures(Correlation(fisher=False)).fit_transform(X), 7, diagonal=False)
    for one, series in zip(found, X, strict=True):
        np.testing.assert_allclose(one + np.eye(7), np.corrcoef(series.astype(float)), rtol=0, atol=near)
    z = SeriesFeatures(Correlation()).fit_transform(X)
    np.testing.assert_allclose(z, np.arctanh(found[:, *np.triu_indices(7, 1)]), rtol=100 * near, atol=near)


def test_correlation_is_nilearns() -> None:
    X = standardised(mixed(1))
    measure = ConnectivityMeasure(LedoitWolf(assume_centered=True), kind="correlation", standardize=False)
    theirs = measure.fit_transform([series.T for series in X])
    ours = matrices(SeriesFeatures(Shrunk("correlation", fisher=False)).fit_transform(X), 7, diagonal=False)
    np.testing.assert_allclose(ours + np.eye(7), theirs, atol=1e-10)


@given(seed=st.integers(0, 10_000), n_times=st.integers(4, 90))
@settings(max_examples=15, deadline=None)
def test_shrunk_covariance_is_scikit_learns(seed: int, n_times: int) -> None:
    """More volumes than regions and fewer; bringing regions to variance 1 first is scaling them first."""
    X = mixed(seed, n=2, n_times=n_times)
    found = SeriesFeatures(Shrunk(measure="covariance", standardised=False)).fit_transform(X)
    found_standardised = SeriesFeatures(Shrunk(measure="covariance")).fit_transform(X)
    for one, other, series in zip(found, found_standardised, X, strict=True):
        theirs = LedoitWolf().fit(series.T).covariance_
        np.testing.assert_allclose(one, theirs[np.triu_indices(7)], rtol=1e-7, atol=1e-7 * theirs.max())
        theirs = LedoitWolf().fit(standardised(series[np.newaxis])[0].T).covariance_
        np.testing.assert_allclose(other, theirs[np.triu_indices(7)], atol=1e-9)


def test_partial_correlation_is_nilearns() -> None:
    X = mixed(2)
    ours = SeriesFeatures(Shrunk(standardised=False, fisher=False)).fit_transform(X)
    theirs = nilearn(X, "partial correlation")[:, *np.triu_indices(7, 1)]
    np.testing.assert_allclose(ours, theirs, atol=1e-9)
    ours = SeriesFeatures(Shrunk(fisher=False)).fit_transform(X)
    theirs = nilearn(standardised(X), "partial correlation")[:, *np.triu_indices(7, 1)]
    np.testing.assert_allclose(ours, theirs, atol=1e-9)


def test_partial_correlation_takes_out_what_goes_between() -> None:
    """A chain: first and last correlate, and not once the middle is known."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(1, 3, 4000))
    X[:, 1] += X[:, 0]
    X[:, 2] += X[:, 1]
    plain, partial = (
        SeriesFeatures(Correlation()).fit_transform(X)[0],
        SeriesFeatures(Shrunk()).fit_transform(X)[0],
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
    for feature in (
        SeriesFeatures(Correlation()),
        SeriesFeatures(Shrunk()),
        SeriesFeatures(Shrunk(measure="correlation")),
    ):
        found = feature.fit_transform(X)
        np.testing.assert_allclose(found[:, kept], feature.fit_transform(rest), atol=1e-12)
        assert not found[:, ~kept].any()


def test_the_same_series_twice_has_the_largest_z_and_no_larger() -> None:
    X = mixed(5)
    X[:, 1] = X[:, 0]
    X[:, 2] = -X[:, 0]
    for found, near in (
        (SeriesFeatures(Correlation()).fit_transform(X), 1e-9),
        (SeriesFeatures(Correlation()).fit_transform(X.astype("f4")), 0.02),
    ):
        np.testing.assert_allclose(found[:, 0], LARGEST_Z, atol=near)
        np.testing.assert_allclose(found[:, 1], -LARGEST_Z, atol=near)


def test_tangent_is_nilearns() -> None:
    X = standardised(mixed(6, n=10))
    i, j = np.triu_indices(7)
    weight = np.where(i == j, 1.0, np.sqrt(2))
    ours = TangentFeatures(reference="geometric").fit(X)
    np.testing.assert_allclose(
        matrices(ours.transform(X) / weight, 7, diagonal=True), nilearn(X, "tangent"), atol=1e-5
    )
    # At the geometric mean the ways to the training people cancel out; others' do not.
    np.testing.assert_allclose(ours.transform(X).mean(axis=0), 0, atol=1e-4)
    assert np.abs(ours.transform(mixed(7)).mean(axis=0)).max() > 0.05


@pytest.mark.parametrize("reference", ["euclidean", "log-euclidean", "geometric"])
def test_means_of_matrices(reference: str) -> None:
    """Of one matrix it is the matrix; of matrices that commute, the mean of numbers."""
    rng = np.random.default_rng(8)
    basis, _ = np.linalg.qr(rng.normal(size=(5, 5)))
    values = rng.uniform(0.2, 5.0, size=(4, 5))
    several = np.stack([(basis * v) @ basis.T for v in values])
    np.testing.assert_allclose(mean_of(several[:1], reference), several[0], atol=1e-8)
    plain = values.mean(axis=0) if reference == "euclidean" else np.exp(np.log(values).mean(axis=0))
    np.testing.assert_allclose(mean_of(several, reference), (basis * plain) @ basis.T, atol=1e-5)


def test_where_nothing_is_known_the_tangent_says_nothing() -> None:
    """The reference itself is zeros; a masked region adds nothing to what the others say."""
    X = mixed(9, n=8, n_times=400)
    found = TangentFeatures(reference="geometric").fit(X)
    shrunk = SeriesFeatures(Shrunk(measure="covariance")).fit_transform(X[:1])
    own = TangentPart(power(matrices(shrunk, 7, diagonal=True)[0], -0.5))
    np.testing.assert_allclose(own(X[:1], np.full(1, 2.0)), 0, atol=1e-9)
    masked = X[:1].copy()
    masked[:, 2] = 0.0
    # Of the seven log eigenvalues the masked region has one, and it is of the reference: 0.
    i, j = np.triu_indices(7)
    row = found.transform(masked) / np.where(i == j, 1.0, np.sqrt(2))
    values = np.linalg.eigvalsh(matrices(row, 7, diagonal=True)[0])
    assert np.abs(values).min() < 1e-9


@given(seed=st.integers(0, 10_000), odd=st.booleans())
@settings(max_examples=15, deadline=None)
def test_correlation_in_a_band_is_that_of_band_passed_series(seed: int, odd: bool) -> None:
    """The slow way: transform, keep the band, transform back, correlate.  The last band holds the very
    highest frequency, which counts once where all others count twice.
    """
    rng = np.random.default_rng(seed)
    n_times = 120 + odd
    X = rng.normal(size=(2, 5, n_times)) + rng.normal(size=(2, 1, n_times))
    bands = (("low", 0.0, 0.05), ("middle", 0.05, 0.2), ("high", 0.2, 0.26))
    found = SeriesFeatures(BandCorrelation(bands=bands, fisher=False)).fit_transform(X, repetition_time=2.0)
    frequency = np.fft.rfftfreq(n_times, 2.0)
    slow = []
    for _, low, high in bands:
        inside = (frequency >= low - 1e-12) & (frequency < high - 1e-12) & (frequency > 0)
        passed = np.fft.irfft(np.fft.rfft(X, axis=2) * inside, n_times, axis=2)
        slow.append([np.corrcoef(series)[np.triu_indices(5, 1)] for series in passed])
    np.testing.assert_allclose(found, np.concatenate(slow, axis=1), atol=1e-9)


def test_a_band_shows_what_the_whole_hides() -> None:
    rng = np.random.default_rng(10)
    time = np.arange(200) * 2.0
    shared = np.sin(2 * np.pi * 0.05 * time)
    X = rng.normal(size=(1, 2, 200)) * 3 + shared
    whole = SeriesFeatures(Correlation(fisher=False)).fit_transform(X)[0, 0]
    bands = SeriesFeatures(
        BandCorrelation(bands=(("slow-4", 0.045, 0.055), ("slow-3", 0.073, 0.198)), fisher=False)
    )
    narrow, other = bands.fit_transform(X, repetition_time=2.0)[0]
    assert narrow > 0.4
    assert narrow > whole + 0.2
    assert abs(other) < 0.35


def test_granger_finds_the_planted_direction() -> None:
    rng = np.random.default_rng(11)
    noise = rng.normal(size=(20, 3, 150))
    X = noise.copy()
    for t in range(1, 150):
        X[:, :, t] += 0.4 * X[:, :, t - 1]
        X[:, 1, t] -= 0.5 * X[:, 0, t - 1]
    found = SeriesFeatures(Granger()).fit(X)
    mean = dict(zip(found.get_feature_names_out("abc"), found.transform(X).mean(axis=0), strict=True))
    assert mean["a -> b"] > 0.15
    assert max(value for name, value in mean.items() if name != "a -> b") < 0.03
    signed = dict(
        zip(
            mean, SeriesFeatures(Granger(signed=True)).fit_transform(X).mean(axis=0), strict=True
        )  # it lowers the other
    )
    assert signed["a -> b"] == pytest.approx(-mean["a -> b"])


def test_granger_is_the_ratio_of_two_regressions() -> None:
    X = mixed(12, n=1, n_regions=3, n_times=50)[0]
    found = SeriesFeatures(Granger()).fit_transform(X[np.newaxis])[0]

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


def test_autoregression_is_ridge_regression_and_knows_a_common_cause() -> None:
    X = mixed(13, n=1, n_regions=4, n_times=80)
    now, past = (standardised(X[:, :, part])[0] for part in (slice(1, None), slice(None, -1)))
    theirs = Ridge(alpha=0.5 * now.shape[1], fit_intercept=False).fit(past.T, now.T)
    found = SeriesFeatures(Autoregression(penalty=0.5)).fit_transform(X)[0]
    np.testing.assert_allclose(found, theirs.coef_.reshape(-1), atol=1e-9)
    rng = np.random.default_rng(14)
    X = 0.1 * rng.normal(size=(1, 3, 3000))
    X[0, 0] = rng.normal(size=3000)
    X[0, 1, 1:] += X[0, 0, :-1]
    X[0, 2, 2:] += X[0, 0, :-2]  # a volume later: its next volume follows the second's, as the first's past
    pairwise = SeriesFeatures(Granger()).fit(X)
    said = dict(zip(pairwise.get_feature_names_out("abc"), pairwise.transform(X)[0], strict=True))
    assert said["b -> c"] > 1.0
    assert said["c -> b"] < 0.01


def test_shrinkage_is_between_nothing_and_all() -> None:
    """White noise is shrunk nearly to the identity, strong structure hardly."""
    rng = np.random.default_rng(15)
    white = rng.normal(size=(1, 30, 40))
    assert np.abs(SeriesFeatures(Shrunk("correlation", fisher=False)).fit_transform(white)).max() < 0.1
    assert ledoit_wolf_shrinkage(standardised(white)[0].T) > 0.7
    strong = rng.normal(size=(1, 1, 40)) + 0.1 * white
    assert SeriesFeatures(Shrunk("correlation", fisher=False)).fit_transform(strong).min() > 0.9
