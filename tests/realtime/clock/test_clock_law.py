"""The law of the clock: times are as true as is claimed, whatever the source does to its stamps."""

import numpy as np
import pytest

from realtime.clock import Clock
from realtime.clock.comparisons import Comparisons
from tools.bench.clock import follow
from tools.bench.clock_sources import FAMILIES, make


@pytest.mark.parametrize("arrivals", [True, False])
@pytest.mark.parametrize("family", [*FAMILIES, "combinations"])
def test_errors_lie_within_what_is_claimed(family: str, arrivals: bool) -> None:
    """99 % of times within the claim; each within the claim and a period, or it makes a window abstain."""
    covered = []
    for seed in range(25):
        source = make(family, seed, n=700)
        found = follow(source, arrivals=arrivals)
        covered.append(found.covered)
        assert found.beyond(source.period) <= 1.0
    assert np.concatenate(covered).mean() >= 0.99


@pytest.mark.parametrize("family", ["grid", "duplicates", "disorder", "drift"])
def test_good_sources_abstain_no_longer_than_until_samples_came_one_by_one(family: str) -> None:
    for seed in range(25):
        source = make(family, seed, n=300)
        found = follow(source)
        abstaining = found.abstaining(source.period)
        if family == "grid" and source.nominal * source.period == 1.0:
            assert follow(source, arrivals=False).abstaining(source.period)[15]
        assert not abstaining[15:].any()


def test_odd_steps_of_a_grid_are_no_chunks() -> None:
    """Comparisons with noise, one short step and lost samples: once these made the clock deduce all
    stamps."""
    rng = np.random.default_rng(0)
    true = 1e5 + np.arange(3000) / 10
    true[100:] -= 0.02
    there = rng.random(3000) > 0.05
    clock = Clock(10.0)
    for first in range(0, 3000, 50):
        part = slice(first, first + 50)
        stamps = true[part][there[part]] + rng.normal(0, 1e-5)
        times, kept = clock.process(stamps)
        error = np.abs(times - true[part][there[part]][kept])
        assert error.max() < 0.03
        assert (error <= clock.uncertainties + 1e-6).mean() > 0.9
    assert not clock.report.invented
    assert kept.all()


def test_a_sample_that_comes_again_behind_a_comparison_is_a_duplicate() -> None:
    stamps = 1e5 + np.arange(400) / 10
    clock = Clock(10.0)
    clock.compare(1e5, 0.0)
    clock.process(stamps[:100])
    clock.compare(1e5 + 10, 1e-5)
    times, kept = clock.process(np.concatenate([stamps[99:100], stamps[100:]]))
    assert not kept[0]
    assert kept[1:].all()
    assert np.abs(times - stamps[100:]).max() < 1e-3
    assert clock.duplicates == 1


@pytest.mark.parametrize("wild", [-73914.2, -0.5, 0.3, 1000.0])
def test_one_wild_comparison_moves_nothing_and_two_alike_are_another_clock(wild: float) -> None:
    comparisons = Comparisons()
    for k in range(12):
        comparisons.add(5.0 * k, 1e-5 * (-1) ** k)
    assert not comparisons.add(60.0, wild)
    assert abs(comparisons.at(60.0)) < 1e-3
    assert not comparisons.add(65.0, 0.0)
    assert abs(comparisons.at(65.0)) < 1e-3
    assert not comparisons.add(70.0, wild)
    assert comparisons.add(75.0, wild + 1e-5)
    assert comparisons.at(75.0) == pytest.approx(wild, abs=1e-3)


def test_a_comparison_that_answers_a_jump_of_the_stamps_is_believed_at_once() -> None:
    clock = Clock(10.0)
    clock.compare(1000.0, 0.0)
    clock.process(1000 + np.arange(200) / 10)
    clock.process(1000 + 20 + 500 + np.arange(20) / 10)
    clock.compare(1022.0, -500.0)
    times, kept = clock.process(1000 + 22 + 500 + np.arange(20) / 10)
    assert kept.all()
    np.testing.assert_allclose(times, 1022 + np.arange(20) / 10, atol=0.01)
    assert clock.backward_steps == 1


@pytest.mark.parametrize("noise", [1e-5, 2e-4, 1e-3, 2.5e-3])
@pytest.mark.parametrize("drift", [-5e-4, 0.0, 2e-4])
def test_offsets_are_as_sure_as_is_claimed(noise: float, drift: float) -> None:
    inside = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        comparisons = Comparisons()
        for k in range(60):
            at = 1000.0 + 5.0 * k
            comparisons.add(at, drift * at + rng.normal(0, noise))
            ahead = at + 5.0 * rng.random()
            error = abs(comparisons.at(ahead) - drift * ahead)
            inside.append(error <= comparisons.uncertainty_at(ahead))
    assert np.mean(inside) >= 0.98  # of the noise that LSL has on a wire and some more


def test_a_stuck_counter_is_not_believed() -> None:
    stamps = 1e5 + np.arange(500) / 10
    times, kept = Clock(10.0).process(stamps, np.full(500, 7.0))
    assert kept.all()
    np.testing.assert_allclose(times, stamps, atol=1e-6)
