"""How correlated windows add up: the recursion against the definition, and the laws of saturation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import HemostreamError
from offline.accumulation import Law, Trajectory, accumulate, effective_windows

LAW = Law(centre=0.1, mu=0.5, between=0.5, within=0.8, tau=10.0)

steps = st.lists(st.one_of(st.just(0.0), st.floats(0.01, 500.0)), min_size=0, max_size=40)
laws = st.builds(
    Law,
    centre=st.floats(-1, 1),
    mu=st.floats(0, 2),
    between=st.floats(0.05, 2),
    within=st.floats(0, 3),
    tau=st.floats(0.05, 200),
)


def ends(gaps: list[float]) -> np.ndarray:
    return np.concatenate([[5.0], 5.0 + np.cumsum(gaps)])


def by_definition(times: np.ndarray, tau: float) -> np.ndarray:
    """n squared over the sum of all correlations: what the mean of so many is worth."""
    correlation = np.exp(-np.abs(times[:, None] - times) / tau)
    return np.array([n * n / correlation[:n, :n].sum() for n in range(1, len(times) + 1)])


def saturation(law: Law, mean: float) -> float:
    """Posterior log odds that a lasting running mean tends to."""
    return 2.0 * law.mu * (mean - law.centre) / law.between**2


@given(gaps=steps, tau=st.floats(0.05, 500))
def test_the_recursion_is_the_definition(gaps: list[float], tau: float) -> None:
    times = ends(gaps)
    found = effective_windows(times, tau)
    np.testing.assert_allclose(found, by_definition(times, tau), rtol=1e-9)
    assert np.all(found >= 1 - 1e-9)
    assert np.all(found <= np.arange(1, len(times) + 1) + 1e-9)


@given(law=laws, gaps=steps, shift=st.floats(-1000, 1000))
def test_only_elapsed_time_counts(law: Law, gaps: list[float], shift: float) -> None:
    times = ends(gaps)
    np.testing.assert_allclose(
        effective_windows(times, law.tau), effective_windows(times + shift, law.tau), rtol=1e-6
    )


@given(gaps=steps, tau=st.floats(0.05, 200), longer=st.floats(1, 50))
def test_windows_further_apart_are_worth_more(gaps: list[float], tau: float, longer: float) -> None:
    times = ends(gaps)
    assert np.all(effective_windows(times * longer, tau) >= effective_windows(times, tau) * (1 - 1e-9))


@given(law=laws, step=st.floats(0.05, 60), value=st.floats(-5, 5))
def test_evidence_of_one_kind_grows_and_saturates(law: Law, step: float, value: float) -> None:
    times = np.arange(200) * step
    posterior = accumulate(law, Trajectory("p", True, times, np.full(200, value))).log_odds
    bound = saturation(law, value)
    rounding = 1e-9 * (1 + abs(bound) + law.mu / law.between**2)
    assert np.all(np.diff(np.abs(posterior)) >= -rounding)
    assert abs(posterior[-1]) <= abs(bound) + rounding
    assert posterior[-1] * bound >= -rounding


def test_after_long_the_posterior_is_the_saturated_one() -> None:
    times = np.arange(200_000.0)
    posterior = accumulate(LAW, Trajectory("p", True, times, np.full(len(times), 0.6))).log_odds
    assert posterior[-1] == pytest.approx(saturation(LAW, 0.6), rel=1e-3)


def test_a_copy_of_a_window_adds_nothing() -> None:
    times = np.array([7.0, 7.0])
    first, second = accumulate(LAW, Trajectory("p", True, times, np.array([1.3, 1.3]))).log_odds
    assert second == pytest.approx(first)
    np.testing.assert_allclose(effective_windows(times, LAW.tau), 1.0)


def test_windows_far_apart_count_in_full() -> None:
    np.testing.assert_allclose(effective_windows(np.arange(5) * 1e6, 10.0), np.arange(1, 6))


def test_a_mean_at_the_centre_says_nothing_and_a_higher_one_more() -> None:
    times = np.arange(30.0)
    last = [
        accumulate(LAW, Trajectory("p", True, times, np.full(30, v))).log_odds[-1]
        for v in (-0.4, 0.1, 0.3, 1.0)
    ]
    assert last == sorted(last)
    assert last[1] == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"tau": 0.0}, "tau"), ({"mu": math.nan}, "mu"), ({"between": 0.0, "within": 0.0}, "some variance")],
)
def test_a_law_that_cannot_be_is_refused(wrong: dict[str, float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Law(**{**LAW.model_dump(), **wrong})


@pytest.mark.parametrize(
    ("times", "log_odds", "said"),
    [
        ([], [], "a window at least"),
        ([0.0, 1.0], [0.0], "one of each"),
        ([1.0, 0.0], [0.0, 0.0], "fall"),
        ([0.0], [math.inf], "no finite number"),
    ],
)
def test_what_is_no_trajectory_is_refused(times: list[float], log_odds: list[float], said: str) -> None:
    with pytest.raises(HemostreamError, match=said):
        Trajectory("p", True, np.array(times), np.array(log_odds))
