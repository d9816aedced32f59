"""How correlated windows add up: the recursion against the definition, and the laws of saturation."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import BundleError, HemostreamError
from offline.accumulation import Law, Running, Trajectory, accumulate, effective_windows

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


@given(gaps=steps, tau=st.floats(0.05, 500))
def test_the_recursion_is_the_definition(gaps: list[float], tau: float) -> None:
    times = ends(gaps)
    found = effective_windows(times, tau)
    np.testing.assert_allclose(found, by_definition(times, tau), rtol=1e-9)
    assert np.all(found >= 1 - 1e-9)
    assert np.all(found <= np.arange(1, len(times) + 1) + 1e-9)


@given(data=st.data(), law=laws, gaps=steps, prior=st.floats(-2, 2))
def test_live_says_what_the_whole_recording_says(
    data: st.DataObject, law: Law, gaps: list[float], prior: float
) -> None:
    times = ends(gaps)
    x = np.array(data.draw(st.lists(st.floats(-10, 10), min_size=len(times), max_size=len(times))))
    running = Running(law, prior)
    assert running.log_odds == prior
    live = [running.push(t, v) for t, v in zip(times.tolist(), x.tolist(), strict=True)]
    batch = accumulate(law, Trajectory("p", True, times, x), prior)
    np.testing.assert_allclose(live, batch.log_odds, rtol=1e-7, atol=1e-7)
    assert running.n_eff == pytest.approx(by_definition(times, law.tau)[-1], rel=1e-9)
    assert running.log_odds == live[-1]


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
    bound = law.saturation(value)
    rounding = 1e-9 * (1 + abs(bound) + law.mu / law.between**2)
    assert np.all(np.diff(np.abs(posterior)) >= -rounding)
    assert abs(posterior[-1]) <= abs(bound) + rounding
    assert posterior[-1] * bound >= -rounding


def test_after_long_the_posterior_is_the_saturated_one() -> None:
    times = np.arange(200_000.0)
    posterior = accumulate(LAW, Trajectory("p", True, times, np.full(len(times), 0.6))).log_odds
    assert posterior[-1] == pytest.approx(LAW.saturation(0.6), rel=1e-3)
    assert Law(0, 0.5, 0, 1, 5).saturation(0.3) == math.inf
    assert Law(0, 0.0, 0, 1, 5).saturation(0.3) == 0.0


def test_a_copy_of_a_window_adds_nothing() -> None:
    running = Running(LAW)
    first = running.push(7.0, 1.3)
    assert running.push(7.0, 1.3) == pytest.approx(first)
    assert running.n_eff == pytest.approx(1.0)


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


def test_the_law_lives_in_a_card() -> None:
    assert Law.from_json(json.loads(json.dumps(LAW.to_json()))) == LAW
    with pytest.raises(BundleError, match="expected"):
        Law.from_json({"mu": 1.0})
    with pytest.raises(HemostreamError, match="tau above 0"):
        Law.from_json(LAW.to_json() | {"tau": 0.0})
    with pytest.raises(HemostreamError, match="finite"):
        Law.from_json(LAW.to_json() | {"mu": math.nan})
    with pytest.raises(HemostreamError, match="no variance"):
        Law(0, 1, 0, 0, 1)


def test_a_refused_window_leaves_no_trace() -> None:
    running = Running(LAW)
    before = running.push(10.0, 0.5)
    for time, value in ((9.0, 0.5), (11.0, math.nan), (math.inf, 0.1)):
        with pytest.raises(HemostreamError, match="expected"):
            running.push(time, value)
    assert running.log_odds == before
    other = Running(LAW)
    other.push(10.0, 0.5)
    assert running.push(12.0, 1.0) == other.push(12.0, 1.0)


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
