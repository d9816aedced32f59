"""Figures against seconds of recording: people are counted, and who is no longer there is not."""

import math

import numpy as np
import pytest
from scipy.stats import beta

from models.errors import HemostreamError
from offline.accumulation import Law, Trajectory, accumulate, curve, simulate_trajectories

TRUTH = Law(centre=0.0, mu=0.5, between=math.sqrt(0.3), within=math.sqrt(0.7), tau=10.0)


def person(name: str, positive: bool, log_odds: list[float], start: float = 7.0) -> Trajectory:
    return Trajectory(name, positive, start + np.arange(len(log_odds)), np.array(log_odds))


def test_who_is_not_predicted_yet_or_no_longer_recorded_is_not_counted() -> None:
    people = [person("a", True, [1.0, 1.0, -1.0]), person("b", False, [1.0, -1.0]), person("c", True, [2.0])]
    points = curve(people, [6.9, 7.0, 8.5, 9.0, 20.0])
    assert [p["n_people"] for p in points] == [0, 3, 1, 1, 0]
    assert [p["accuracy"] for p in points] == [None, pytest.approx(2 / 3), 1.0, 0.0, None]
    assert points[1]["balanced_accuracy"] == 0.5
    assert points[1]["auc"] == 0.75
    assert points[0]["accuracy_interval"] is None
    assert points[0]["log_loss"] is None
    assert points[3]["balanced_accuracy"] is None
    assert points[3]["balanced_accuracy_interval"] is None


def test_between_windows_the_last_one_holds() -> None:
    people = [person("a", True, [1.0, -1.0, 3.0])]
    assert [p["accuracy"] for p in curve(people, [7.9, 8.0, 8.9, 9.0])] == [1.0, 0.0, 0.0, 1.0]


def test_figures_of_known_people() -> None:
    people = [person(f"p{i}", True, [2.0 if i < 9 else -2.0]) for i in range(10)]
    people += [person(f"n{i}", False, [-2.0 if i < 8 else 2.0]) for i in range(10)]
    (point,) = curve(people, [7.0])
    assert (point["n_people"], point["n_positive"]) == (20, 10)
    assert point["accuracy"] == pytest.approx(0.85)
    assert point["accuracy_interval"] == pytest.approx((beta.ppf(0.025, 17, 4), beta.ppf(0.975, 18, 3)))
    right, wrong = math.log1p(math.exp(-2.0)), math.log1p(math.exp(2.0))
    assert point["log_loss"] == pytest.approx((17 * right + 3 * wrong) / 20)
    low, high = point["balanced_accuracy_interval"]
    assert low < 0.85 < high


def test_calibration_error_by_person_from_a_hundred_people_on() -> None:
    for n, known in ((99, False), (100, True)):
        predicted = [accumulate(TRUTH, t) for t in simulate_trajectories(n, TRUTH, seed=1, seconds=20.0)]
        (point,) = curve(predicted, [20.0])
        assert (point["calibration_error"] is not None) is known
        assert point["slope"] is not None


def test_longer_is_better_and_calibrated_all_along() -> None:
    predicted = [accumulate(TRUTH, t) for t in simulate_trajectories(2000, TRUTH, seed=2)]
    points = curve(predicted, [0, 20, 60, 300])
    losses = [p["log_loss"] for p in points]
    assert losses == sorted(losses, reverse=True)
    assert points[0]["accuracy"] < points[-1]["accuracy"]
    assert points[0]["auc"] < points[-1]["auc"]
    for p in points:
        assert p["slope"] == pytest.approx(1.0, abs=0.15)
        assert p["intercept"] == pytest.approx(0.0, abs=0.15)
        assert p["calibration_error"] < 0.05


def test_scores_of_two_rounds_are_not_compared() -> None:
    shifted = [
        Trajectory("a", True, np.zeros(1), np.array([1.0]), "0:x"),
        Trajectory("b", False, np.zeros(1), np.array([0.0]), "0:x"),
        Trajectory("c", True, np.zeros(1), np.array([-3.0]), "0:y"),
        Trajectory("d", False, np.zeros(1), np.array([-4.0]), "0:y"),
    ]
    assert curve(shifted, [0.0])[0]["auc"] == 1.0


@pytest.mark.parametrize(("n", "share"), [(12, 0.6), (40, 0.8), (150, 0.95)])
def test_the_intervals_cover_what_they_claim(n: int, share: float) -> None:
    rng = np.random.default_rng(3)
    plain = balanced = 0
    draws = 600
    truth = [i % 3 == 0 for i in range(n)]
    for _ in range(draws):
        right = rng.random(n) < share
        people = [
            Trajectory(str(i), truth[i], np.zeros(1), np.array([1.0 if right[i] == truth[i] else -1.0]))
            for i in range(n)
        ]
        (point,) = curve(people, [0.0])
        plain += point["accuracy_interval"][0] <= share <= point["accuracy_interval"][1]
        balanced += point["balanced_accuracy_interval"][0] <= share <= point["balanced_accuracy_interval"][1]
    least = 0.95 - 2 * math.sqrt(0.95 * 0.05 / draws)
    assert plain / draws >= least
    assert balanced / draws >= least


def test_a_person_comes_once() -> None:
    with pytest.raises(HemostreamError, match="one a person"):
        curve([person("a", True, [1.0])] * 2, [7.0])
