"""How long a message was under way: laws, whatever the wall clocks say."""

from hypothesis import given
from hypothesis import strategies as st

from realtime.monitor.transit import REMEMBERED, Transit, seconds

delays = st.lists(st.floats(0.0, 30.0), min_size=1, max_size=3 * REMEMBERED)


@given(delays, st.floats(-1e9, 1e9))
def test_what_was_made_is_never_dated_later_than_it_came(found: list[float], error: float) -> None:
    """What took as long as a beat of d seconds is put back by d - min(d)."""
    transit = Transit()
    for number, delay in enumerate(found):
        transit.beat(number, number + error, number + delay)
        came = number + delay
        assert transit.when(number + error) <= came + 1e-5
    recent = found[-REMEMBERED:]
    assert abs(transit.when(error) - min(recent)) < 1e-5


@given(st.floats(2.0, 1e6))
def test_a_wall_clock_that_is_set_back_makes_nothing_older(step: float) -> None:
    transit = Transit()
    for number in range(5):
        transit.beat(number, 1000.0 + number, 50.0 + number)
    transit.beat(5, 1005.0 - step, 55.0)
    assert transit.when(1005.0 - step) == 55.0


def test_a_clock_that_is_set_forward_is_followed_at_once() -> None:
    transit = Transit()
    transit.beat(1, 1000.0, 50.0)
    assert transit.beat(2, 4601.0, 51.0)
    assert transit.when(4601.0) == 51.0


def test_before_the_first_beat_all_is_long_ago() -> None:
    assert Transit().when(1e9) == float("-inf")


def test_times_without_a_zone_are_none() -> None:
    assert seconds("2026-11-22T10:00:00Z") == 1795341600.0
    assert seconds("2026-11-22T10:00:00") is None
    assert seconds("yesterday") is None
    assert seconds(None) is None
