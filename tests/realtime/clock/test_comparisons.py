"""The offset between two clocks: a held-back line through the latest comparisons, and which are believed."""

import math

import numpy as np
import pytest

from realtime.clock.comparisons import DRIFT, KEPT, NOISE_S, Comparisons


def compared(offsets: list[float], every: float = 5.0) -> Comparisons:
    comparisons = Comparisons()
    for k, offset in enumerate(offsets):
        comparisons.add(every * k, offset)
    return comparisons


def test_nothing_was_compared() -> None:
    comparisons = Comparisons()
    assert comparisons.at(1e6) == 0.0
    assert comparisons.uncertainty_at(1e6) == 0.0


def test_one_comparison_is_known_as_well_as_comparisons_are_and_clocks_drift() -> None:
    comparisons = compared([3.0])
    assert comparisons.at(100.0) == 3.0
    assert comparisons.uncertainty_at(0.0) == pytest.approx(3.0 * NOISE_S)
    assert comparisons.uncertainty_at(50.0) == pytest.approx(3.0 * math.hypot(NOISE_S, 50.0 * DRIFT))


def ridge(at: np.ndarray, offsets: np.ndarray) -> tuple[float, float, float]:
    """Mean, slope and noise of the regularised line, from its definition."""
    x, y, slope, noise = at - at.mean(), offsets - offsets.mean(), 0.0, NOISE_S
    for _ in range(2):
        slope = float(x @ y / (x @ x + noise**2 / DRIFT**2))
        noise = math.sqrt((NOISE_S**2 + float(((y - slope * x) ** 2).sum())) / len(x))
    return float(offsets.mean()), slope, noise


@pytest.mark.parametrize("n", [2, 3, 7, KEPT, KEPT + 9])
def test_the_line_is_the_regularised_one_through_the_latest(n: int) -> None:
    rng = np.random.default_rng(n)
    offsets = 2.0 + 1e-4 * 5.0 * np.arange(n) + rng.normal(0, 1e-3, n)
    comparisons = compared(offsets.tolist())
    at = 5.0 * np.arange(n)[-KEPT:]
    mean, slope, noise = ridge(at, offsets[-KEPT:])
    ahead = float(at[-1]) + 4.0
    assert comparisons.at(ahead) == pytest.approx(mean + slope * (ahead - at.mean()), abs=1e-12)
    across = float(((at - at.mean()) ** 2).sum()) + noise**2 / DRIFT**2
    error = noise * math.sqrt(1.0 / len(at) + (ahead - at.mean()) ** 2 / across)
    assert comparisons.uncertainty_at(ahead) == pytest.approx(3.0 * error, abs=1e-12)


def test_a_comparison_whose_uncertainty_is_known_stands_for_itself() -> None:
    comparisons = compared([0.0] * 5)
    assert comparisons.add(30.0, 7.0, uncertainty=0.02)
    assert (comparisons.at(1000.0), comparisons.uncertainty_at(1000.0)) == (7.0, 0.02)
    assert not comparisons.add(31.0, 7.0, uncertainty=0.03)
    assert comparisons.uncertainty_at(31.0) == 0.03
    assert comparisons.add(32.0, 7.5, uncertainty=0.02)
    assert not comparisons.add(33.0, 7.5, uncertainty=0.02)
    assert not comparisons.add(40.0, 7.501)  # and the next one of which nothing is known adds to it
    assert comparisons.at(35.0) == pytest.approx(7.5005, abs=2e-3)


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_nan_is_left_out(wrong: float) -> None:
    comparisons = compared([1.0] * 3)
    assert not comparisons.add(20.0, wrong)
    assert not comparisons.add(wrong, 1.0)
    assert comparisons.not_believed == 2
    assert comparisons.at(20.0) == pytest.approx(1.0)


def bound(comparisons: Comparisons, local: float) -> float:
    """Beyond this a comparison is not believed alone."""
    return 6.0 * math.sqrt(comparisons._noise**2 + (comparisons.uncertainty_at(local) / 3.0) ** 2)


@pytest.mark.parametrize(("share", "believed"), [(0.99, True), (-0.99, True), (1.01, False), (-1.01, False)])
def test_six_standard_deviations_are_believed_alone(share: float, believed: bool) -> None:
    comparisons = compared([0.0] * 12)
    assert not comparisons.add(60.0, share * bound(comparisons, 60.0))
    assert comparisons.not_believed == (not believed)


def test_two_far_ones_are_believed_when_they_agree_as_far_as_clocks_drift() -> None:
    for apart, other in ((0.9, True), (1.1, False)):
        comparisons = compared([0.0] * 12)
        assert not comparisons.add(60.0, 100.0)
        allowed = bound(comparisons, 70.0) + 10.0 * DRIFT * 10.0
        assert comparisons.add(70.0, 100.0 + apart * allowed) == other
        if other:  # both count from then on, and nothing before
            # They may be wild both, until a third one agrees.
            assert comparisons.uncertainty_at(70.0) > 100.0
            again = Comparisons()
            again.restore(comparisons.state())
            again.add(75.0, 100.0 + 0.5 * apart * allowed)
            assert again.uncertainty_at(75.0) < 0.1
            assert comparisons.at(65.0) == pytest.approx(100.0 + 0.5 * apart * allowed, abs=1e-9)
        else:
            assert abs(comparisons.at(70.0)) < 1e-9
            assert comparisons.not_believed == 2


def test_a_far_one_is_forgotten_when_a_near_one_follows() -> None:
    comparisons = compared([0.0] * 12)
    comparisons.add(60.0, 100.0)
    comparisons.add(65.0, 0.0)
    assert not comparisons.add(70.0, 100.0)
    assert abs(comparisons.at(70.0)) < 1e-9


@pytest.mark.parametrize(
    ("jump", "other"), [(-100.0, True), (-98.5, True), (-97.5, False), (100.0, False), (0.0, False)]
)
def test_a_far_one_is_believed_at_once_where_stamps_jumped_the_other_way(jump: float, other: bool) -> None:
    comparisons = compared([0.0] * 12)
    assert comparisons.add(60.0, 100.0, jump=jump) == other
    assert comparisons.at(60.0) == pytest.approx(100.0 if other else 0.0, abs=1e-9)
    if other:
        assert comparisons.uncertainty_at(60.0) == pytest.approx(3.0 * NOISE_S)


@pytest.mark.parametrize("far", [-100.0, -1.0, 1.0, 100.0])
def test_where_no_stamps_jumped_no_far_one_is_believed_alone(far: float) -> None:
    assert not compared([0.0] * 12).add(60.0, far)
    assert compared([0.0] * 12).add(60.0, far, jump=-far)


def test_a_far_one_that_waits_does_not_count_when_the_clock_was_set() -> None:
    comparisons = compared([0.0] * 12)
    comparisons.add(60.0, 7000.0)
    assert comparisons.add(65.0, 100.0, jump=-100.0)
    assert comparisons.at(65.0) == pytest.approx(100.0, abs=1e-9)


def test_the_last_offset_is_remembered_where_nothing_was_compared_since() -> None:
    comparisons = compared([3.0] * 4)
    comparisons.restart()
    again = Comparisons()
    again.restore(comparisons.state())
    assert again.at(30.0) == comparisons.at(30.0) == 3.0


def test_after_a_restart_the_next_one_is_believed_whatever_it_says() -> None:
    comparisons = compared([0.0] * 12)
    comparisons.add(60.0, 100.0)
    comparisons.restart()
    assert comparisons.not_believed == 0
    assert comparisons.at(60.0) == 0.0  # until then the last offset holds
    assert not comparisons.add(61.0, -3e4)
    assert comparisons.at(61.0) == -3e4


def test_its_state_is_all_it_knows() -> None:
    comparisons = compared([0.0, 1e-3, -1e-3, 0.0, 1e-4])
    comparisons.add(25.0, 50.0)
    again = Comparisons()
    again.restore(comparisons.state())
    for one in (comparisons, again):
        assert one.add(30.0, 50.0)
    assert again.state() == comparisons.state()
    assert again.uncertainty_at(33.0) == comparisons.uncertainty_at(33.0)
