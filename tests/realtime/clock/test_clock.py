"""What the clock adds to its parts: which samples it drops, which jumps comparisons answer, what it keeps."""

import json
import math

import numpy as np
import pytest

from models.arrays import Floats
from realtime.clock import Clock
from realtime.clock.comparisons import DRIFT, NOISE_S
from tests.realtime.clock.test_chunk_stamps import chunked


def stamps(first: float, n: int, rate: float = 10.0) -> Floats:
    return first + np.arange(n) / rate


def following(rate: float = 10.0, *, declared: float | None = None, offset: float = 0.0) -> Clock:
    """A clock that was compared often and well, and followed a minute of samples from 1000 s of ours on."""
    clock = Clock(rate if declared is None else declared, measured=True)
    for k in range(12):
        clock.compare(940.0 + 5.0 * k, offset)
    clock.process(stamps(1000.0 - offset, round(60 * rate) + 1, rate))
    return clock


def kept(clock: Clock, stamps: Floats, frames: Floats | None = None) -> list[bool]:
    found: list[bool] = clock.process(stamps, frames)[1].tolist()
    return found


def jump(clock: Clock) -> float:
    """How far times jumped since the clocks were compared, s."""
    found: float = clock.state()["jump"]
    return found


def restored(clock: Clock, rate: float) -> Clock:
    again = Clock(rate)
    again.restore(json.loads(json.dumps(clock.state())))
    return again


@pytest.mark.parametrize("rate", [0.5, 10.0])
def test_before_the_first_sample_the_declared_period_is_claimed(rate: float) -> None:
    for clock in (Clock(rate), restored(Clock(rate), rate)):
        assert clock.uncertainty_s == 1.0 / rate
        assert (clock.offset, clock.dropped, clock.gaps, clock.rate) == (0.0, 0, 0, 0.0)
        assert clock.uncertainties.size == 0
        np.testing.assert_array_equal(clock.process(stamps(1000.0, 5, rate))[0], stamps(1000.0, 5, rate))


def test_stamps_that_are_known_to_be_measured_are_never_taken_for_deduced() -> None:
    clock = Clock(1.0, measured=True)
    clock.process(stamps(1000.0, 12, 1.0))
    assert clock.uncertainty_s < 1e-6


@pytest.mark.parametrize("speed", [1.0, 10.0])
def test_the_clocks_of_a_replay_drift_in_the_time_that_it_takes(speed: float) -> None:
    clock = Clock(10.0, measured=True, speed=speed)
    clock.compare(0.0, 3.0)
    clock.process(stamps(0.0, 971))
    assert clock.offset == 3.0
    assert clock.uncertainty_s == pytest.approx(3.0 * math.hypot(NOISE_S, 100.0 * DRIFT / speed))


def test_nan_is_no_sample_and_is_counted() -> None:
    clock = Clock(10.0)
    assert kept(clock, np.array([0.0, math.nan, 0.1, math.inf, -math.inf, 0.2])) == [1, 0, 1, 0, 0, 1]
    assert (clock.unusable, clock.report.dropped) == (3, 3)


@pytest.mark.parametrize(("back", "duplicates"), [(128, 1), (129, 0)])
def test_the_latest_128_samples_are_known_again(back: int, duplicates: int) -> None:
    clock, first = Clock(10.0), stamps(1000.0, 300)
    clock.process(first)
    assert kept(clock, first[-back:][:1]) == [False]
    assert (clock.duplicates, clock.disordered) == (duplicates, 1 - duplicates)
    assert clock.dropped == 1


@pytest.mark.parametrize(("ahead", "believed"), [(0.04, True), (0.06, False)])
def test_a_count_that_comes_again_half_a_period_later_is_not_believed(ahead: float, believed: bool) -> None:
    clock = Clock(10.0, measured=True)
    clock.process(stamps(1000.0, 50), np.arange(50.0))
    assert kept(clock, np.array([1004.9 + ahead]), np.array([49.0])) == [not believed]
    clock.process(np.array([1005.2]), np.array([52.0]))
    assert clock.lost == (2 if believed else 0)
    assert clock.duplicates == believed


def test_a_sample_that_is_counted_late_is_out_of_order_whatever_its_stamp() -> None:
    clock = Clock(10.0, measured=True)
    clock.process(stamps(1000.0, 50), np.arange(50.0))
    assert kept(clock, stamps(1005.0, 20), np.full(20, 48.0)) == [False] * 20
    assert clock.disordered == 20
    assert clock.backward_steps == 0


@pytest.mark.parametrize(("rate", "needed"), [(0.5, 5), (1.0, 5), (8.0, 8)])
def test_as_many_samples_behind_as_come_in_a_second_show_a_clock_that_was_set(
    rate: float, needed: int
) -> None:
    clock = following(rate)
    for turn, back in enumerate((500.0, 100.0), 1):
        assert kept(clock, stamps(back, needed, rate)) == [False] * (needed - 1) + [True]
        assert (clock.backward_steps, clock.disordered) == (turn, turn * (needed - 1))
    last = stamps(100.0, needed, rate)[-1]
    assert jump(clock) == pytest.approx(last - 1060.0)
    assert kept(clock, np.array([last, last + 1.0 / rate])) == [False, True]
    assert clock.duplicates == 1


def test_the_sample_from_which_on_it_is_followed_is_known_again() -> None:
    clock = Clock(8.0, measured=True)
    late = np.random.default_rng(1).uniform(0.0, 0.03, 60)
    clock.process(stamps(1000.0, 60, 8.0) + late)
    followed = stamps(500.0, 9, 8.0) + late[:9]
    last = followed[kept(clock, followed).index(True) :][:1]
    assert kept(clock, last) == [False]
    assert clock.duplicates == 1


def test_behind_it_exact_stamps_are_believed_as_soon_as_from_the_start() -> None:
    clock = Clock(1.0)
    clock.process(np.array([1000.0]))
    clock.process(stamps(981.0, 27, 1.0))
    assert clock.backward_steps == 1
    assert clock.uncertainty_s < 1e-6


def test_without_a_rate_five_samples_show_it() -> None:
    clock = Clock(0.0)
    clock.process(np.array([1000.0]))
    assert kept(clock, stamps(10.0, 6, 1.0)) == [False] * 4 + [True] * 2


def test_samples_behind_that_do_not_rise_show_nothing() -> None:
    for behind in (stamps(500.0, 30)[::-1], np.full(30, 500.0)):
        assert not any(kept(following(8.0), behind))
    # A lower one is the first of eight, and a good one ends it.
    behind = np.concatenate([stamps(500.0, 5, 8.0), stamps(499.0, 8, 8.0)])
    assert kept(following(8.0), behind) == [False] * 12 + [True]
    clock, seven = following(8.0), stamps(500.0, 7, 8.0)
    assert not any(kept(clock, seven))
    assert kept(clock, np.array([1060.125])) == [True]
    assert not any(kept(clock, seven + 1.0))


def test_a_device_that_began_anew_with_a_lower_count_and_an_earlier_clock_is_followed() -> None:
    clock = Clock(10.0, measured=True)
    clock.process(stamps(1000.0, 50), np.arange(950.0, 1000.0))
    assert all(kept(clock, stamps(500.0, 60), np.arange(900.0, 960.0))[11:])
    assert clock.lost == 0


@pytest.mark.parametrize(
    ("rate", "by", "counts"), [(0.5, 0.9, False), (0.5, 1.1, True), (100.0, 0.04, False), (100.0, 0.06, True)]
)
def test_times_jump_by_more_than_half_a_period_and_fifty_milliseconds(
    rate: float, by: float, counts: bool
) -> None:
    clock = following(rate)
    clock.process(stamps(1060.0 + 1.0 / rate + by, 1, rate))
    assert jump(clock) == pytest.approx(by if counts else 0.0, abs=1e-9)


@pytest.mark.parametrize(("rate", "declared"), [(0.5, 0.5), (0.5, 0.0), (10.0, 10.0), (10.0, 0.0)])
def test_samples_that_come_as_expected_are_no_jump(rate: float, declared: float) -> None:
    clock = following(rate, declared=declared)
    assert jump(clock) == pytest.approx(0.0, abs=1e-9)
    clock.process(stamps(1060.0 + 21.0 / rate, 1, rate), np.array([10.0]))  # the first that is counted
    clock.compare(1070.0, 0.0)
    clock.process(stamps(1060.0 + 42.0 / rate, 10, rate), np.arange(31.0, 41.0))
    assert clock.lost == 20
    assert jump(clock) == pytest.approx(0.0, abs=1e-9)


def test_the_first_sample_is_no_jump() -> None:
    clock = Clock(10.0)
    clock.process(np.array([1e5]))
    assert jump(clock) == 0.0


def test_where_stamps_are_deduced_times_follow_the_ends_without_a_jump() -> None:
    made_up, true = chunked([10] * 30, period=0.113)
    clock = Clock(10.0)
    clock.process(np.array(made_up[:100]))
    assert clock.report.invented
    clock.compare(true[99], 0.0)
    clock.process(np.array(made_up[100:200]))
    assert jump(clock) == 0.0
    gaps = clock.gaps
    clock.process(np.array(made_up[200:]) + 30.0)
    assert jump(clock) == pytest.approx(30.0, abs=0.02)
    assert clock.gaps == gaps + 1


def test_where_the_declared_rate_is_the_true_one_after_all_times_come_back_to_the_stamps() -> None:
    made_up, _ = chunked([10] * 30, period=0.0113, nominal=0.01)
    clock = Clock(100.0)
    clock.process(np.array(made_up))
    exact = stamps(made_up[-1] + 0.01, 220, 100.0)
    times, all_kept = clock.process(exact)
    assert all_kept.all()
    assert not clock.report.invented
    ahead = times - exact
    assert ahead.max() < 1.3e-3 * 128
    assert np.abs(ahead[160:]).max() < 1e-9


@pytest.mark.parametrize(("by", "backward_steps"), [(-2.1, 0), (-2.41, 1), (-500.03, 1)])
def test_where_stamps_are_deduced_a_second_and_ten_periods_back_are_a_clock_that_was_set(
    by: float, backward_steps: int
) -> None:
    """At the end of the first chunk behind it; less is caught up with."""
    made_up, true = chunked([10] * 30, period=0.113)
    clock = Clock(10.0)
    clock.process(np.array(made_up[:200]))
    assert all(kept(clock, np.array(made_up[200:210]) + by))
    times, all_kept = clock.process(np.array(made_up[210:]) + by)
    assert all_kept.all()
    assert clock.backward_steps == backward_steps
    errors = np.abs(times - true[210:] - by)
    assert np.all(errors <= clock.uncertainties + 1e-6)
    assert np.all(clock.uncertainties <= errors + 0.1)
    assert errors[40 * (not backward_steps) :].max() < 0.01
    assert clock.uncertainty_s < 0.1


def test_a_jump_is_answered_by_the_next_comparison_or_not_at_all() -> None:
    clock = following()
    clock.process(stamps(1560.1, 20))
    clock.compare(1062.0, 0.0)
    assert jump(clock) == 0.0
    clock.compare(1067.0, -500.0)
    assert clock.offset == pytest.approx(0.0, abs=1e-9)
    assert clock.backward_steps == 0


def test_a_comparison_may_answer_a_clock_that_was_stepped_back() -> None:
    clock = following()
    clock.process(stamps(560.1, 20))
    clock.compare(1062.0, 500.0)
    assert clock.offset == pytest.approx(500.0, abs=1e-9)
    times, _ = clock.process(stamps(562.1, 20))
    np.testing.assert_allclose(times, stamps(1062.1, 20), atol=0.02)


@pytest.mark.parametrize("first", [0.0, 700.0])
@pytest.mark.parametrize(("moved", "backward_steps"), [(-500.0, 1), (500.0, 0)])
def test_times_that_go_on_earlier_are_a_step_back_and_times_that_go_on_later_are_none(
    moved: float, backward_steps: int, first: float
) -> None:
    clock, offset = following(offset=first), first + moved
    clock.process(stamps(1060.1 - offset, 20))
    before = clock.backward_steps
    clock.compare(1062.0, offset)
    assert clock.backward_steps == before + backward_steps
    times, _ = clock.process(stamps(1062.1 - offset, 20))
    np.testing.assert_allclose(times, stamps(1062.1, 20), atol=0.02)


def test_its_state_is_all_it_knows() -> None:
    clock = Clock(10.0)
    clock.compare(1000.0, 0.0)
    clock.process(stamps(1000.0, 40), np.arange(40.0), 999.0)  # ahead of their arrival
    clock.process(np.array([math.nan]))
    clock.process(stamps(1003.05, 1), np.array([39.0]))
    clock.process(stamps(900.0, 3), np.arange(40.0, 43.0))
    clock.compare(1005.0, 70.0)
    again = restored(clock, 10.0)
    assert again.state() == clock.state()
    for one in (clock, again):
        assert one.report == clock.report
        assert (one.unusable, one.duplicates, one.disordered) == (1, 1, 3)
    for later in (stamps(900.3, 20), stamps(902.3, 100)):
        np.testing.assert_array_equal(again.process(later)[0], clock.process(later)[0])
        np.testing.assert_array_equal(again.uncertainties, clock.uncertainties)
    assert again.state() == clock.state()
