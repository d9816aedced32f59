"""Stopping rules: the first passage counts, set on whole recordings and kept on fresh people."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from models.errors import HemostreamError
from offline.accumulation import (
    Law,
    Passage,
    Rule,
    Trajectory,
    accumulate,
    first_passage,
    fit,
    set_rule,
    simulate_trajectories,
    stopping_figures,
)
from offline.accumulation.stopping import _fallback, _passages, default_thresholds

TRUTH = Law(centre=0.0, mu=0.5, between=math.sqrt(0.3), within=math.sqrt(0.7), tau=10.0)


def person(name: str, positive: bool, log_odds: list[float]) -> Trajectory:
    return Trajectory(name, positive, np.arange(float(len(log_odds))), np.array(log_odds))


def people(n: int, seed: int, law: Law = TRUTH) -> list[Trajectory]:
    return [accumulate(law, t) for t in simulate_trajectories(n, TRUTH, seed=seed, seconds=200.0)]


def check_on(rule: Rule, posteriors: Sequence[Trajectory]) -> dict[str, Any]:
    """What the rule does to these people, and the share of wrong among stopped."""
    found = stopping_figures([(first_passage(rule, each), each.positive) for each in posteriors])
    return found | {"error": found["wrong"] / found["stopped"] if found["stopped"] else None}


FRESH = people(1000, seed=10_000)


def test_the_first_passage_is_what_counts() -> None:
    rule = Rule(upper=2.0, lower=-1.0)
    assert first_passage(rule, person("a", True, [0.0, 1.9, 2.0, -5.0])) == Passage(2.0, True)
    assert first_passage(rule, person("a", True, [0.0, -1.0, 5.0])) == Passage(1.0, False)
    assert first_passage(rule, person("a", True, [0.0, 1.9, -0.9])) is None


def test_people_are_counted() -> None:
    rule = Rule(upper=1.0, lower=-1.0)
    found = check_on(
        rule,
        [
            person("a", True, [0.5, 1.5, -3.0]),
            person("b", False, [1.1]),
            person("c", False, [0.2, -0.3, -1.0]),
            person("d", True, [0.9, -0.9]),
        ],
    )
    assert (found["people"], found["stopped"], found["wrong"]) == (4, 3, 1)
    assert found["median_seconds"] == 1.0
    exact = binomtest(1, 3).proportion_ci(0.95, "exact")
    assert found["wrong_share_interval"] == pytest.approx([exact.low, exact.high])


def test_no_one_stopped_has_no_error_rate() -> None:
    found = check_on(Rule(upper=9.0, lower=-9.0), [person("a", True, [0.5])])
    assert found["wrong_share_interval"] is None
    assert found["median_seconds"] is None
    assert (found["people"], found["stopped"], found["wrong"]) == (1, 0, 0)


@given(
    walks=st.lists(
        st.tuples(st.booleans(), st.lists(st.floats(-4, 4), min_size=1, max_size=8)), min_size=1, max_size=8
    )
)
def test_all_thresholds_at_once_are_one_after_the_other(walks: list[tuple[bool, list[float]]]) -> None:
    predicted = [person(str(i), truth, x) for i, (truth, x) in enumerate(walks)]
    thresholds = np.array([3.0, 2.0, 1.0, 0.25])
    stopped, wrong = _passages(predicted, thresholds)
    for i, threshold in enumerate(thresholds.tolist()):
        found = check_on(Rule(upper=threshold, lower=-threshold), predicted)
        assert (stopped[i], wrong[i]) == (found["stopped"], found["wrong"])
    assert np.all(np.diff(stopped) >= 0)  # a lower threshold stops whom a higher one stops, and others


def test_a_rule_set_on_200_people_keeps_its_error_on_fresh_ones() -> None:
    alpha, errors, beyond, reached, seeds = 0.2, [], 0, 0, 12
    for seed in range(seeds):
        law = fit(simulate_trajectories(200, TRUTH, seed=500 + seed, seconds=200.0)).law
        assert law is not None
        setting = set_rule(people(200, seed, law), alpha=alpha)
        assert setting.confidence == 0.95
        if setting.rule is None:
            continue
        reached += 1
        fresh = check_on(setting.rule, people(1000, 10_000, law))
        errors.append(fresh["error"])
        beyond += fresh["wrong_share_interval"][0] > alpha
    assert reached >= seeds / 2
    assert np.mean(errors) <= alpha
    assert beyond == 0


def pointwise(predicted: Sequence[Trajectory], alpha: float) -> Rule:
    """The careless way: of all *windows* beyond the threshold at most alpha are on the wrong side."""
    x = np.concatenate([t.log_odds for t in predicted])
    truth = np.concatenate([np.full(len(t.times), t.positive) for t in predicted])
    for threshold in np.arange(0.05, 6.0, 0.05):
        beyond = np.abs(x) >= threshold
        if np.mean((x[beyond] > 0) != truth[beyond]) <= alpha:
            return Rule(upper=float(threshold), lower=-float(threshold))
    raise AssertionError("no threshold")


def test_a_pointwise_threshold_breaks_its_promise() -> None:
    alpha = 0.2
    found = [check_on(pointwise(people(200, seed), alpha), FRESH) for seed in range(6)]
    assert np.mean([each["error"] for each in found]) > alpha + 0.05
    assert all(each["wrong_share_interval"][0] > alpha for each in found)


def test_windows_summed_as_if_independent_break_it_too() -> None:
    raw = simulate_trajectories(1000, TRUTH, seed=3, seconds=200.0)
    summed = [Trajectory(t.person, t.positive, t.times, np.cumsum(t.log_odds)) for t in raw]
    claimed = math.log(0.95 / 0.05)
    naive = check_on(Rule(upper=claimed, lower=-claimed), summed)
    assert naive["error"] > 0.2  # 0.05 was claimed
    ours = check_on(Rule(upper=claimed, lower=-claimed), [accumulate(TRUTH, t) for t in raw])
    assert ours["error"] < 0.08


def test_the_chance_of_a_rule_worse_than_wanted_is_within_the_allowance() -> None:
    """At a truth where every threshold is just worse than alpha, whatever is accepted is a mistake."""
    rng = np.random.default_rng(4)
    alpha, n, n_thresholds, draws = 0.1, 300, 24, 1500
    accepted = 0
    share = np.linspace(0.2, 1.0, n_thresholds)
    for _ in range(draws):
        wrong = rng.random(n) < alpha
        last = np.round(share * n).astype(np.int64)
        accepted += _fallback(last, np.cumsum(wrong)[last - 1].astype(np.int64), alpha, 0.05) is not None
    assert accepted / draws <= 0.05


def test_an_accepted_threshold_hands_its_allowance_on() -> None:
    none_wrong = np.zeros(24, dtype=np.int64)
    assert _fallback(np.full(24, 200), none_wrong, 0.1, 0.05) == 23
    # The strictest stop too few; a later start goes on from its own share.
    few_first = np.where(np.arange(24) < 10, 5, 200)
    assert _fallback(few_first, none_wrong, 0.1, 0.05) == 23
    # From where it fails it does not come back before the next start.
    worse = np.where(np.arange(24) >= 14, 60, 0)
    assert _fallback(np.full(24, 200), worse, 0.1, 0.05) == 13


def test_what_cannot_be_reached_is_said() -> None:
    noise = [person(str(i), i % 2 == 0, [3.0 if i % 4 < 2 else -3.0] * 5) for i in range(100)]
    setting = set_rule(noise, alpha=0.1)
    assert setting.rule is None
    assert "not reachable" in str(setting.reason)
    assert "100 people" in str(setting.reason)
    assert set_rule([], alpha=0.1).rule is None


def test_too_few_for_a_guarantee_get_the_plain_rate_and_no_confidence() -> None:
    clear = [person(str(i), i % 2 == 0, [0.1, 4.0 if i % 2 == 0 else -4.0]) for i in range(20)]
    setting = set_rule(clear, alpha=0.1)  # 0.9 ** 20 is 0.12: none wrong of 20 proves nothing at 95 %
    assert setting.confidence is None
    assert setting.rule is not None
    assert check_on(setting.rule, clear)["error"] == 0.0
    assert (
        set_rule([*clear, *[person(f"x{i}", True, [4.0]) for i in range(10)]], alpha=0.1).confidence == 0.95
    )
    # Of nine people one error would be more than a tenth, so none says nothing.
    assert set_rule(clear[:9], alpha=0.1).rule is None


def test_the_plain_rate_goes_down_only_while_it_holds() -> None:
    right = [person(f"r{i}", True, [0.0, 3.0]) for i in range(20)]
    wrong = [person(f"w{i}", False, [1.0, -3.0]) for i in range(4)]
    setting = set_rule([*right, *wrong], alpha=0.1, confidence=None, thresholds=[2.0, 1.5, 0.9, 0.5])
    assert setting.rule == Rule(upper=1.5, lower=-1.5)


def test_a_stricter_alpha_never_lowers_the_threshold() -> None:
    grid = np.linspace(4.0, 0.2, 30).tolist()
    found = [set_rule(FRESH, alpha=alpha, thresholds=grid).rule for alpha in (0.05, 0.1, 0.15, 0.2, 0.3)]
    uppers = [math.inf if rule is None else rule.upper for rule in found]
    assert uppers == sorted(uppers, reverse=True)
    assert found[-1] is not None


def test_the_default_thresholds_are_strictest_first_and_short_of_even_odds() -> None:
    for alpha in (0.01, 0.1, 0.4):
        tried = default_thresholds(alpha)
        assert np.all(np.diff(tried) < 0)
        assert tried[-1] > 0
        assert tried[0] == pytest.approx(math.log((1 - 0.1 * alpha) / (0.1 * alpha)))


@pytest.mark.parametrize("wrong", [{"alpha": 0.0}, {"alpha": 0.5}, {"alpha": 0.1, "confidence": 1.0}])
def test_what_is_out_of_range_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(HemostreamError, match="expected"):
        set_rule([], **wrong)  # type: ignore[arg-type]


def test_rules_and_thresholds_that_mean_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="expected lower < upper"):
        Rule(upper=-1.0, lower=1.0)
    with pytest.raises(HemostreamError, match="all above 0"):
        set_rule([], alpha=0.1, thresholds=[1.0, 0.0])
    with pytest.raises(HemostreamError, match="one a person"):
        set_rule([person("a", True, [0.0])] * 2, alpha=0.1)
