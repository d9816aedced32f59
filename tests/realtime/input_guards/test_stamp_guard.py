"""Which stamps a clock could have given."""

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.input_guards.stamps import BELIEVED, LATEST_S, LEAP_S, StampGuard, on_a_clock

GOOD = 1000.0 + np.arange(40) / 10.0
WILD = [np.nan, np.inf, -np.inf, 1e19, -1e19, 1.7e18, 1.7e12, 1e308, 2 * LATEST_S]


@pytest.mark.parametrize("bad", [*WILD, 1.7e9, -1e9, 1000.0 + 4 * LEAP_S, 0.0, 1e11])
@pytest.mark.parametrize("count", [1, BELIEVED - 1])
def test_a_few_bad_stamps_are_rejected_and_nothing_else(bad: float, count: int) -> None:
    stamps = GOOD + LEAP_S  # so that 0 lies more than a leap away
    stamps[20 : 20 + count] = bad + np.arange(count) / 10.0
    guard = StampGuard(stamps[0])
    looked = guard.look(stamps, stamps[0] + 4.0)
    assert not looked.leaps
    assert guard.rejected == count
    assert not looked.usable[20 : 20 + count].any()
    assert looked.usable.sum() == len(stamps) - count


@pytest.mark.parametrize("to", [1.7e9, -5e5, 6.4e10])
def test_a_clock_that_was_set_is_believed_after_a_few(to: float) -> None:
    guard = StampGuard(GOOD[0])
    guard.look(GOOD, GOOD[-1])
    looked = guard.look(to + GOOD, GOOD[-1] + 4.0)
    assert looked.leaps == (BELIEVED - 1,)
    assert looked.usable.tolist() == [i >= BELIEVED - 1 for i in range(len(GOOD))]


@pytest.mark.parametrize("gap", [10.0, LEAP_S * 24, LEAP_S * 24 * 365])
def test_a_gap_of_any_length_is_a_gap(gap: float) -> None:
    """Live, where time went by here too; in a recording, however it is cut."""
    stamps = np.concatenate([GOOD, GOOD + gap])
    for size in (1, 7, 40, 80):
        guard = StampGuard(stamps[0])
        for at in range(0, len(stamps), size):
            part = stamps[at : at + size]
            looked = guard.look(part, part[-1])
            assert looked.usable.all()
            assert not looked.leaps


@given(
    st.lists(
        st.floats(-2e11, 2e11) | st.floats(1000.0, 1010.0) | st.sampled_from(WILD), min_size=1, max_size=60
    ),
    st.lists(st.integers(0, 59), max_size=5),
)
def test_how_samples_are_cut_changes_nothing(stamps: list[float], cuts: list[int]) -> None:
    whole, cut = StampGuard(1000.0), StampGuard(1000.0)
    given_stamps = np.array(stamps)
    expected = whole.look(given_stamps, 1000.0)
    edges = sorted({0, *(c for c in cuts if c < len(stamps)), len(stamps)})
    usable, leaps = [], []
    for start, stop in pairwise(edges):
        looked = cut.look(given_stamps[start:stop], 1000.0)
        usable += looked.usable.tolist()
        leaps += [start + leap for leap in looked.leaps]
        cut, old = StampGuard(0.0), cut
        cut.restore(json.loads(json.dumps(old.state())))
    assert usable == expected.usable.tolist()
    assert tuple(leaps) == expected.leaps
    assert cut.rejected == whole.rejected
    # What passes is on a clock, and leaps only where it was reported.
    passed = given_stamps[expected.usable]
    assert (np.abs(passed) <= LATEST_S).all()
    steps = np.flatnonzero(np.abs(np.diff(passed)) > LEAP_S) + 1
    number = {int(np.count_nonzero(expected.usable[:leap])) for leap in expected.leaps}
    assert set(steps.tolist()) <= number


def test_a_clock_reads_at_most_three_thousand_years() -> None:
    """The year 1 in seconds (6.4e10) is a clock; milliseconds since 1970 (1.7e12) are none."""
    assert all(map(on_a_clock, (1e11, -1e11, 6.4e10)))
    assert not any(map(on_a_clock, (1.0001e11, -1.2e11)))


@pytest.mark.parametrize(
    ("step", "usable"), [(-3600.0, True), (-3601.0, False), (3600.0, True), (3601.0, False)]
)
def test_a_step_of_an_hour_needs_no_other_to_be_believed(step: float, usable: bool) -> None:
    guard = StampGuard(1000.0)
    guard.look(np.array([5000.0]), 1000.0)
    assert guard.look(np.array([5000.0 + step]), 1000.0).usable.tolist() == [usable]


def test_a_leap_is_believed_with_the_fifth_stamp_in_a_row() -> None:
    guard = StampGuard(1000.0)
    looked = guard.look(np.array([1000.0, *(9000.0 + np.arange(5)), 9005.0]), 1000.0)
    assert looked.usable.tolist() == [True, False, False, False, False, True, True]
    assert looked.leaps == (5,)
    assert guard.rejected == 4


def test_stamps_go_as_far_as_time_went_by_here() -> None:
    """A pause of two hours on the local clock carries a step of two hours, of four at twice the speed."""
    for speed, step, usable in (((), 7200.0, True), ((), 14400.0, False), ((2.0,), 14400.0, True)):
        guard = StampGuard(0.0)
        guard.look(np.array([100.0]), 0.0)
        assert guard.look(np.array([100.0 + step]), 7200.0, *speed).usable.tolist() == [usable], step
    guard = StampGuard(0.0)  # not the other way round
    guard.look(np.array([20000.0]), 0.0)
    assert not guard.look(np.array([20000.0 - 7200.0]), 7200.0).usable.any()


def test_time_goes_by_from_the_entry_before_the_last_stamp_came() -> None:
    guard = StampGuard(0.0)
    for stamp, local in ((100.0, 0.0), (200.0, 7200.0), (300.0, 7300.0)):
        assert guard.look(np.array([stamp]), local).usable.all()
    # From 7200 s on: 200 s went by here, and an hour is allowed.
    assert not guard.look(np.array([300.0 + 3801.0]), 7400.0).usable.any()
    guard.restart(7200.0)
    guard.look(np.array([5.0]), 7200.0)
    assert not guard.look(np.array([5.0 + 3801.0]), 7400.0).usable.any()
    assert guard.look(np.array([5.0 + 3800.0]), 7400.0).usable.all()
