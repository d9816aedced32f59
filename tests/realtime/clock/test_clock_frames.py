"""A device's count of its frames: what it says of a sample, and when it is not believed at all."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.clock.frame_counter import CONTRADICTIONS, MOST_LOST, Counted, Frame, FrameCounter, understand

FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)


@given(st.floats(), st.none() | st.floats(allow_nan=False, allow_infinity=False))
def test_any_count_is_understood(frame: float, before: float | None) -> None:
    found = understand(frame, before)
    assert (found.what is Counted.NEXT) == (found.lost is not None)
    assert found.lost is None or 0 <= found.lost < MOST_LOST


@pytest.mark.parametrize(
    ("frame", "before", "found"),
    [
        (5, None, Frame(Counted.ANEW, None)),
        (math.nan, 4, Frame(Counted.ANEW, None)),
        (5, 4, Frame(Counted.NEXT, 0)),
        (7, 4, Frame(Counted.NEXT, 2)),
        (4, 4, Frame(Counted.AGAIN, None)),
        (990, 1000, Frame(Counted.LATE, None)),
        (1000 - 256, 1000, Frame(Counted.LATE, None)),
        (1000 - 257, 1000, Frame(Counted.ANEW, None)),
        (11, 20, Frame(Counted.LATE, None)),
        (10, 20, Frame(Counted.ANEW, None)),
        (0, 255, Frame(Counted.NEXT, 0)),
        (2, 255, Frame(Counted.NEXT, 2)),
        (25, 255, Frame(Counted.NEXT, 25)),
        (26, 255, Frame(Counted.ANEW, None)),
        (1, 256, Frame(Counted.ANEW, None)),
        (1, 65535, Frame(Counted.NEXT, 1)),
        (-1, 255, Frame(Counted.ANEW, None)),
        (4.5, 4, Frame(Counted.ANEW, None)),
        (100_004, 4, Frame(Counted.NEXT, 99_999)),
        (100_005, 4, Frame(Counted.ANEW, None)),
        (2.0**53 - 1, 2.0**53 - 2, Frame(Counted.NEXT, 0)),
        (2.0**53, 2.0**53 - 1, Frame(Counted.ANEW, None)),
        (2.0**53 - 1, 2.0**53, Frame(Counted.ANEW, None)),
        (1e300, 4, Frame(Counted.ANEW, None)),
        (4, 1e308, Frame(Counted.ANEW, None)),
    ],
)
def test_what_a_count_says(frame: float, before: float | None, found: Frame) -> None:
    assert understand(frame, before) == found


def believed(counts: np.ndarray, stamps: np.ndarray, dtype: np.dtype = FLOAT64) -> tuple[int, str]:
    counter = FrameCounter()
    # One by one or all at once is the same.
    n = counter.believed(counts, stamps, dtype)
    single = FrameCounter()
    each = [single.believed(counts[i : i + 1], stamps[i : i + 1], dtype) for i in range(len(counts))]
    assert each == [1] * n + [0] * (len(counts) - n)
    return n, counter.ignored


STAMPS = np.arange(400) / 10.0


def test_a_counter_that_counts_is_believed_through_losses_and_duplicates() -> None:
    counts = np.arange(400.0)
    counts[100:] += 50
    assert believed(counts, STAMPS) == (400, "")
    assert believed(np.repeat(counts, 2), np.repeat(STAMPS, 2)) == (800, "")
    assert believed(np.arange(400.0) % 256, STAMPS) == (400, "")


def test_a_duplicate_that_is_stamped_anew_is_believed_to_be_one() -> None:
    counts = np.repeat(np.arange(200.0), 2)
    assert believed(counts, STAMPS) == (400, "")


def test_float32_past_its_whole_numbers_is_not_believed() -> None:
    """From 2**24 on float32 repeats each value: half of the samples were dropped as duplicates."""
    counts = (2.0**24 - 100 + np.arange(400)).astype(np.float32)
    n, why = believed(counts.astype(np.float64), STAMPS, FLOAT32)
    assert n == 100
    assert "16777216" in why
    # The same counts in a stream of float64, where only the repetition tells.
    n, why = believed(counts.astype(np.float64), STAMPS)
    assert 100 < n <= 100 + 2 * CONTRADICTIONS + 2
    assert "repeats itself" in why


def test_a_stuck_counter_is_not_believed() -> None:
    n, why = believed(np.full(400, 7.0), STAMPS)
    assert n == 8
    assert "is stuck" in why


@pytest.mark.parametrize(
    ("dtype", "largest"),
    [("float16", 2**11), ("float32", 2**24), ("float64", 2**53), ("int32", 2**53), ("int64", 2**53)],
)
def test_a_count_is_believed_as_far_as_it_is_exact(dtype: str, largest: int) -> None:
    n, why = believed(float(largest) - 100 + np.arange(200.0), STAMPS[:200], np.dtype(dtype))
    assert n == 100
    assert str(largest) in why


def test_a_count_of_nan_says_nothing_of_those_behind_it() -> None:
    counts = np.arange(400.0)
    counts[[3, 4, 200]] = math.nan
    assert believed(counts, STAMPS) == (400, "")


def test_where_each_count_comes_three_times_it_is_believed_less_and_less() -> None:
    n, why = believed(np.repeat(np.arange(100.0), 3), STAMPS[:300])
    assert n == 20  # two repetitions a count, of which the next count makes good one
    assert "repeats itself" in why


def test_a_long_good_count_earns_it_no_credit() -> None:
    counts = np.minimum(np.arange(400.0), 99.0)
    assert believed(counts, STAMPS)[0] == 107  # the eighth repetition


def test_another_stream_has_another_counter() -> None:
    counter = FrameCounter()
    counter.believed(np.full(50, 7.0), STAMPS[:50], FLOAT64)
    assert counter.ignored
    counter.restart()
    assert counter.believed(np.arange(50.0), STAMPS[:50], FLOAT64) == 50
