"""Whether probabilities mean what they say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from offline.stats.calibration import calibration_intercept, calibration_slope, expected_calibration_error


@given(st.integers(0, 10_000), st.floats(0.3, 3.0))
@settings(max_examples=20, deadline=None)
def test_the_slope_is_a_logistic_regressions(seed: int, steep: float) -> None:
    rng = np.random.default_rng(seed)
    odds = rng.normal(size=300)
    y = rng.random(300) < expit(steep * odds)
    theirs = LogisticRegression(C=np.inf, tol=1e-10).fit(odds[:, None], y).coef_[0, 0]
    assert calibration_slope(y, expit(odds)) == pytest.approx(theirs, rel=1e-3)


def test_right_probabilities_have_slope_one_and_intercept_nought() -> None:
    rng = np.random.default_rng(0)
    p = rng.uniform(0.05, 0.95, 20_000)
    y = rng.random(20_000) < p
    assert calibration_slope(y, p) == pytest.approx(1.0, abs=0.05)
    assert calibration_intercept(y, p) == pytest.approx(0.0, abs=0.05)
    assert expected_calibration_error(y, p) == pytest.approx(0.0, abs=0.015)


def test_probabilities_that_are_too_sure_or_too_low_are_reported() -> None:
    rng = np.random.default_rng(1)
    odds = rng.normal(size=20_000)
    y = rng.random(20_000) < expit(odds)
    assert calibration_slope(y, expit(3 * odds)) == pytest.approx(1 / 3, abs=0.03)
    assert calibration_intercept(y, expit(odds - 1.5)) == pytest.approx(1.5, abs=0.05)
    error = expected_calibration_error(y, expit(odds - 1.5))
    assert error is not None
    assert error > 0.2


def test_what_is_not_determined_is_none() -> None:
    y = np.array([True, False, True, False])
    assert calibration_slope(y, np.full(4, 0.5)) is None
    assert calibration_slope(np.full(4, True), np.array([0.1, 0.2, 0.3, 0.4])) is None
    assert calibration_slope(y, np.array([0.9, 0.1, 0.8, 0.2])) is None  # separated: any slope would do
    assert calibration_intercept(np.full(4, True), np.full(4, 0.5)) is None
    assert expected_calibration_error(y, np.full(4, 0.5)) is None  # four samples say nothing of it
    assert calibration_intercept(y, np.array([1.0, 0.0, 1.0, 0.0])) == pytest.approx(0.0, abs=1e-6)
