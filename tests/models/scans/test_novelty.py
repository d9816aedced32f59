"""Novelty of scans: measures are what they are called, and a card that lies is refused."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.arrays import Floats
from models.errors import BundleError
from models.scans.measures import (
    covariance_rank,
    fast_power,
    mean_correlation,
    pairs_of,
    region_order,
    repeated_volumes,
    standardised,
)
from models.scans.novelty import CHECKS, OPEN_BELOW, CheckResult, ScanNovelty, measures, scaled, unscaled
from models.scans.time_base import TimeBase, band_features

N = 6
BOUNDS = {
    "mean correlation": (0.3, 0.05, 0.8),
    "spread of correlations": (0.2, 0.05, 0.6),
    "covariance rank": (3.0, 1.5, 5.5),
    "region order": (0.6, 0.2, 0.95),
    "spectrum": (0.4, 0.1, 1.5),
    "repeated volumes": (0.0, -np.inf, 3.0),
    "time base": (-0.8, -np.inf, 0.5),
}


def novelty(bounds: dict[str, Any] | None = None) -> ScanNovelty:
    n_features = len(band_features(noise(), 2.0, np.ones(N, bool)))
    base = TimeBase(np.zeros(n_features, np.float32), np.zeros(n_features, np.float32))
    expected = np.linspace(0.0, 1.0, N * (N - 1) // 2).astype(np.float32)
    return ScanNovelty(expected, base, BOUNDS if bounds is None else bounds)


def noise(n_times: int = 120, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).normal(size=(N, n_times))


def test_measures_are_what_they_are_called() -> None:
    series = noise(4000)
    standard = standardised(series, np.ones(N, bool))
    correlation = standard @ standard.T / standard.shape[1]
    assert mean_correlation(correlation) == pytest.approx(standard.mean(axis=0).var(), rel=1e-9)
    assert covariance_rank(correlation) == pytest.approx(N, rel=0.02)
    assert covariance_rank(np.ones((N, N))) == pytest.approx(1.0)
    values = np.linalg.eigvalsh(correlation)
    assert covariance_rank(correlation) == pytest.approx(values.sum() ** 2 / (values**2).sum())
    assert fast_power(standard, 2.0) == pytest.approx(1.0, abs=0.15)
    time = np.arange(400) * 2.0
    assert fast_power(np.sin(2 * np.pi * 0.05 * time)[None], 2.0) < 1e-4
    assert fast_power(np.sin(2 * np.pi * 0.2 * time)[None], 2.0) > 1e3
    assert np.isnan(fast_power(standard, 6.0))  # 0.1 Hz lies above what such volumes can show
    pairs = pairs_of(correlation)
    assert region_order(pairs, 2.0 + 3.0 * pairs) == pytest.approx(1.0)
    assert region_order(np.full(15, 7.25), pairs) == 0.0
    assert np.isnan(region_order(pairs, np.zeros(15)))


@pytest.mark.parametrize("length", [1, 2, 9, 30])
def test_the_longest_repetition_is_counted(length: int) -> None:
    series = noise()
    assert repeated_volumes(series) == 0
    series[:, 40 : 40 + length] = series[:, 40:41]
    series[:, 100:102] = series[:, 100:101]
    assert repeated_volumes(series) == max(length - 1, 1)
    assert repeated_volumes(np.zeros((3, 20))) == 19


@given(
    seed=st.integers(0, 2**32 - 1),
    gain=st.lists(st.floats(1e-3, 1e3), min_size=N, max_size=N),
    level=st.floats(-1e3, 1e3),
)
def test_no_measure_depends_on_the_scanners_unit(seed: int, gain: list[float], level: float) -> None:
    series, live = noise(100, seed), np.ones(N, bool)
    of = novelty()
    base = TimeBase(of.time_base.mean, np.ones_like(of.time_base.weights))  # type: ignore[union-attr]
    other = series * np.array(gain)[:, np.newaxis] + level
    one, two = (measures(each, 2.0, live, of.expected, base) for each in (series, other))
    assert one == pytest.approx(two, rel=1e-3, abs=1e-3)


@given(seed=st.integers(0, 2**32 - 1), out=st.sets(st.integers(0, N - 1), max_size=N - 3))
def test_a_region_that_does_not_change_says_nothing(seed: int, out: set[int]) -> None:
    series, of = noise(100, seed), novelty()
    live = ~np.isin(np.arange(N), list(out))
    other = series.copy()
    other[~live] = 0.0
    one, two = of.findings(series, 2.0, live), of.findings(other, 2.0, live)
    assert [str(each) for each in one] == [str(each) for each in two]


@given(check=st.sampled_from(CHECKS), share=st.floats(-3.0, 3.0))
def test_distance_is_the_way_to_the_bound_on_each_side(check: str, share: float) -> None:
    centre, least, most = BOUNDS[check]
    to = most if share >= 0 or check in OPEN_BELOW else least
    at = unscaled(
        check, float(scaled(check, centre) + abs(share) * (scaled(check, to) - scaled(check, centre)))
    )
    if share < 0 and check in OPEN_BELOW:
        at = centre - abs(share)
    of = novelty()
    from models.scans.novelty import _distance

    expected = 0.0 if share < 0 and check in OPEN_BELOW else abs(share)
    assert _distance(check, at, centre, least, most) == pytest.approx(expected, rel=1e-3, abs=1e-6)
    assert of.bounds[check] == (centre, least, most)


def test_what_lies_beyond_is_told_with_what_was_expected() -> None:
    found = {each.check: each for each in novelty().findings(noise(400), 2.0, np.ones(N, bool))}
    assert list(found) == list(CHECKS)
    assert found["region order"].beyond
    assert str(CheckResult("spectrum", 0.01, 0.12, 1.46, 1.2)) == "spectrum is 0.01; expected 0.12 to 1.46"
    assert str(CheckResult("time base", 0.8, -np.inf, 0.47, 2.0)) == "time base is 0.8; expected at most 0.47"
    short = novelty().findings(noise(5), 2.0, np.ones(N, bool))
    assert all(np.isnan(each.value) and not each.beyond for each in short)


def test_arrays_and_card_give_the_same_again() -> None:
    of = novelty()
    arrays, card = of.to_arrays()
    again = ScanNovelty.from_arrays(arrays, card, N)
    live = np.ones(N, bool)
    assert again.findings(noise(), 2.0, live) == of.findings(noise(), 2.0, live)
    without = ScanNovelty(of.expected, None, {"spectrum": BOUNDS["spectrum"]})
    assert ScanNovelty.from_arrays(*without.to_arrays(), N).time_base is None
    for wrong in ({}, {"expected": arrays["expected"][1:]}, {**arrays, "weights": arrays["weights"][1:]}):
        with pytest.raises(BundleError, match="novelty has numbers"):
            ScanNovelty.from_arrays(wrong, card, N)
    for bad in (
        {},
        {"checks": {"colour": [0, 1, 2]}},
        {"checks": {"spectrum": [0.4, 0.5, 0.6]}},
        {"checks": {"spectrum": [0.4, None, 0.6]}},
        {"checks": {"time base": [0.4, 0.1, 0.6]}},
        {"checks": {"time base": [0.4, None, None]}},
        {"checks": {"spectrum": [0.4, 0.1]}},
        {"checks": [1]},
    ):
        with pytest.raises(BundleError, match="novelty cannot be read"):
            ScanNovelty.from_arrays(arrays, bad, N)


def test_band_features_are_of_hertz_not_of_volumes() -> None:
    """A wave of 0.05 Hz has its power in one band, whatever the repetition time."""
    for seconds in (1.0, 2.0, 3.0):
        time = np.arange(int(600 / seconds)) * seconds
        series = np.sin(2 * np.pi * 0.055 * time)[np.newaxis] + 1e-3 * noise(len(time))
        powers = band_features(series, seconds, np.ones(N, bool))[: 9 * N].reshape(9, N)
        assert (powers.argmax(axis=0) == 4).all()
    masked = band_features(series, seconds, np.arange(N) > 0)
    assert np.isnan(masked[::N][:9]).all()
    assert np.isfinite(masked[1:N]).all()
