"""The truth comes back, each person weighs the same, and what adds up is calibrated."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from scipy.special import expit

from models.errors import HemostreamError
from offline.accumulation import Law, Trajectory, accumulate, fit, simulate_trajectories
from offline.accumulation.fitting import variogram
from offline.stats.calibration import calibration_slope

# A single window is calibrated here: mu is half its variance, as log odds of a Gaussian want it.
TRUTH = Law(centre=0.0, mu=0.5, between=math.sqrt(0.3), within=math.sqrt(0.7), tau=10.0)


def fitted(trajectories: Sequence[Trajectory]) -> Law:
    found = fit(trajectories)
    assert found.law is not None, found.reason
    return found.law


def slope(people: Sequence[Trajectory], log_odds: Sequence[float]) -> float:
    found = calibration_slope(np.array([t.positive for t in people]), np.asarray(expit(np.array(log_odds))))
    assert found is not None
    return found


@pytest.mark.parametrize("tau", [3.0, 10.0, 40.0])
def test_the_truth_comes_back(tau: float) -> None:
    truth = Law(centre=0.2, mu=0.5, between=0.55, within=0.84, tau=tau)
    found = fitted(simulate_trajectories(400, truth, seed=1))
    assert found.tau == pytest.approx(tau, rel=0.15)
    assert found.within == pytest.approx(0.84, rel=0.05)
    assert found.between == pytest.approx(0.55, rel=0.12)
    assert found.mu == pytest.approx(0.5, abs=0.08)
    assert found.centre == pytest.approx(0.2, abs=0.08)


def test_the_truth_comes_back_through_gaps_and_unequal_recordings() -> None:
    people = simulate_trajectories(400, TRUTH, seed=2, seconds=(60.0, 600.0), share_missing=0.4)
    found = fitted(people)
    assert found.tau == pytest.approx(10.0, rel=0.15)
    assert found.within == pytest.approx(TRUTH.within, rel=0.05)
    assert found.between == pytest.approx(TRUTH.between, rel=0.12)


def test_the_variogram_does_not_see_whose_windows_they_are() -> None:
    people = simulate_trajectories(12, TRUTH, seed=3)
    moved = [
        Trajectory(t.person, t.positive, t.times, t.log_odds + 10 * i, t.round) for i, t in enumerate(people)
    ]
    for one, other in zip(variogram(people, 100.0), variogram(moved, 100.0), strict=True):
        np.testing.assert_allclose(one, other)


def test_a_longer_recording_weighs_no_more() -> None:
    people = simulate_trajectories(30, TRUTH, seed=4, seconds=200.0)
    rng = np.random.default_rng(0)
    odd = rng.normal(0, 4.0, 201)  # one person unlike the others: wild, and not correlated

    def with_odd(copies: int) -> Law:
        x = np.tile(odd, copies)
        own = Trajectory("odd", True, np.arange(float(len(x))), x)
        return fitted([*people, own])

    once, often = with_odd(1), with_odd(20)
    for name in ("centre", "mu", "between", "within"):
        assert getattr(often, name) == pytest.approx(getattr(once, name), rel=0.03), name
    assert often.tau == pytest.approx(once.tau, rel=0.1)
    # Windows weighing the same would have made the odd one 40 % of everything: a variance of 7 and more.
    assert often.within < 1.3


def test_summed_log_odds_are_far_too_sure_and_ours_are_calibrated() -> None:
    law = fitted(simulate_trajectories(400, TRUTH, seed=5))
    people = simulate_trajectories(2000, TRUTH, seed=6)
    assert slope(people, [t.log_odds[0] for t in people]) == pytest.approx(1.0, abs=0.15)
    assert slope(people, [t.log_odds.sum() for t in people]) < 0.2
    predicted = [accumulate(law, t).log_odds for t in people]
    for window in (0, 30, 100, -1):
        assert slope(people, [x[window] for x in predicted]) == pytest.approx(1.0, abs=0.15), window


def test_few_people_are_not_made_surer_than_they_are() -> None:
    fresh = simulate_trajectories(1000, TRUTH, seed=7)
    positive = np.array([t.positive for t in fresh])
    losses = []
    for seed in range(12):
        law = fitted(simulate_trajectories(20, TRUTH, seed=100 + seed))
        x = np.array([accumulate(law, t).log_odds[-1] for t in fresh])
        losses.append(float(np.logaddexp(0, np.where(positive, -x, x)).mean()))
    assert np.mean(losses) < 0.55  # nothing known: 0.69; the true law: 0.43
    assert max(losses) < 0.8


def test_labels_that_are_no_further_apart_than_by_chance_add_up_to_nothing() -> None:
    nothing = Law(centre=0.3, mu=0.0, between=0.6, within=0.8, tau=10.0)
    zero = 0
    for seed in range(20):
        found = fit(simulate_trajectories(40, nothing, seed=seed, seconds=120.0))
        assert found.law is not None
        zero += found.law.mu == 0.0
        assert found.law.mu < 0.35
        if found.law.mu == 0.0:
            assert any("by chance" in remark for remark in found.remarks)
            own = accumulate(found.law, simulate_trajectories(2, TRUTH, seed=0)[0])
            np.testing.assert_array_equal(own.log_odds, 0.0)
    assert zero >= 10


def test_offsets_between_people_are_never_taken_for_none() -> None:
    same = Law(centre=0.0, mu=0.5, between=0.0, within=0.8, tau=5.0)
    found = fit(simulate_trajectories(30, same, seed=8))
    assert found.law is not None
    assert found.law.between > 0.0
    assert any("between" in remark for remark in found.remarks)


def test_what_wanders_more_slowly_than_a_recording_counts_as_an_offset() -> None:
    slow = Law(centre=0.0, mu=0.5, between=0.0, within=1.0, tau=3000.0)
    found = fit(simulate_trajectories(200, slow, seed=9, seconds=200.0))
    assert found.law is not None
    assert any("tau" in remark for remark in found.remarks)
    end = accumulate(found.law, Trajectory("p", True, np.arange(201.0), np.ones(201))).log_odds[-1]
    assert end == pytest.approx(1.0, rel=0.3)  # of the truth: 2 mu / within**2


def without_windows(people: Sequence[Trajectory]) -> list[Trajectory]:
    return [Trajectory(t.person, t.positive, t.times[:2], t.log_odds[:2]) for t in people]


def test_what_is_not_determined_is_none_with_a_reason() -> None:
    people = simulate_trajectories(30, TRUTH, seed=10)
    few = fit(people[:9])
    assert few.law is None
    assert few.reason is not None
    assert few.reason.startswith("9 people")
    one_label = fit([t for t in people if t.positive])
    assert one_label.law is None
    assert "0 of the rarer label" in str(one_label.reason)
    short = fit(without_windows(people))
    assert short.law is None
    assert "windows" in str(short.reason)
    flat = fit([Trajectory(t.person, t.positive, t.times, np.zeros_like(t.times)) for t in people])
    assert flat.law is None
    assert "vary" in str(flat.reason)
    no_one = fit([])
    assert no_one.law is None


def test_a_person_comes_once() -> None:
    people = simulate_trajectories(12, TRUTH, seed=11)
    with pytest.raises(HemostreamError, match="one a person"):
        fit([*people, people[0]])


def test_log_odds_that_do_not_change_within_a_person_are_all_offset() -> None:
    people = simulate_trajectories(40, TRUTH, seed=12)
    flat = [
        Trajectory(t.person, t.positive, t.times, np.full_like(t.times, t.log_odds.mean())) for t in people
    ]
    law = fitted(flat)
    assert law.within == 0.0
    posterior = accumulate(law, flat[0]).log_odds
    np.testing.assert_allclose(posterior, posterior[0])
