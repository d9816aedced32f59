"""The recent raw samples: kept as long as a window to come may ask for them, and found by time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.quality.buffer import MOST_SAMPLES, RecentSamples
from realtime.signal import Chunk
from tests.realtime.support import bold_spec

SPEC = bold_spec(2)


def chunk(first: int, n: int) -> Chunk:
    """Sample ``k`` comes at ``k`` s and holds ``k`` and ``-k``; every seventh of the second channel lacks."""
    index = np.arange(first, first + n, dtype=float)
    missing = np.stack([np.zeros(n, dtype=bool), index % 7 == 0])
    return Chunk(SPEC, np.stack([index, -index]), index, missing)


def filled(*sizes: int) -> RecentSamples:
    recent, at = RecentSamples(2), 0
    for size in sizes:
        recent.take(chunk(at, size), 0.5 * np.arange(at, at + size))
        at += size
    return recent


@given(st.lists(st.integers(0, 400), max_size=6), st.integers(0, 900), st.integers(0, 900))
def test_what_was_taken_is_found_by_time(sizes: list[int], start: int, end: int) -> None:
    recent, n = filled(*sizes), sum(sizes)
    where = recent.between(start, end, np.inf)
    expected = np.arange(min(start, n), max(min(end, n), min(start, n)), dtype=float)
    np.testing.assert_array_equal(recent.times(where), expected)
    np.testing.assert_array_equal(recent.data(where)[:, 0], expected)
    np.testing.assert_array_equal(recent.data(where)[:, 1], np.where(expected % 7 == 0, np.nan, -expected))


def test_a_span_ends_before_the_sample_that_completes_it() -> None:
    recent = filled(20)
    assert recent.times(recent.between(3.0, 10.0, 9.0)).tolist() == [3, 4, 5, 6, 7, 8]
    assert recent.times(recent.between(3.0, 10.0, 12.0)).tolist() == [3, 4, 5, 6, 7, 8, 9]


def test_the_uncertainty_of_a_span_includes_that_of_the_sample_behind_it() -> None:
    recent = filled(20)
    assert recent.uncertainty(recent.between(3.0, 6.0, 6.0)).tolist() == [1.5, 2.0, 2.5, 3.0]
    assert recent.uncertainty(recent.between(18.0, 30.0, 30.0)).tolist() == [9.0, 9.5]  # none came yet
    assert recent.uncertainty(recent.between(30.0, 40.0, 40.0)).tolist() == []


def test_what_lies_before_every_window_to_come_is_forgotten() -> None:
    recent = filled(300)
    recent.forget_before(None)
    assert recent.times(recent.between(0.0, 1e9, np.inf))[0] == 0.0
    recent.forget_before(250.0 + 5e-7)  # the same time, summed in another order
    assert recent.times(recent.between(0.0, 1e9, np.inf)).tolist() == list(range(250, 300))
    recent.forget_before(250.0 + 1.2e-6)  # a microsecond is no rounding
    assert recent.times(recent.between(0.0, 1e9, np.inf))[0] == 251.0
    recent.forget_before(251.5)
    assert recent.times(recent.between(0.0, 1e9, np.inf))[0] == 252.0
    recent.clear()
    assert len(recent.times(recent.between(0.0, 1e9, np.inf))) == 0


def test_no_more_than_a_minute_at_250_hz_is_kept() -> None:
    recent, at = RecentSamples(2), 0
    for _ in range(20):
        recent.take(chunk(at, 1000), np.zeros(1000))
        at += 1000
    held = recent.times(recent.between(0.0, 1e9, np.inf))
    assert held[-1] == at - 1
    np.testing.assert_array_equal(np.diff(held), 1.0)
    assert MOST_SAMPLES == 16384
    assert len(held) >= MOST_SAMPLES
    # The buffer is at most four times as large: half of it free, and a power of two.
    recent.take(chunk(at, 40_000), np.zeros(40_000))
    assert recent.times(recent.between(at, 1e9, np.inf))[0] == at


def test_room_is_made_rarely_and_in_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 200 samples that windows ask for: twice as many fit, and are moved once in as many."""
    moved: list[int] = []
    make_room = RecentSamples._make_room
    monkeypatch.setattr(RecentSamples, "_make_room", lambda self, n: (moved.append(n), make_room(self, n)))
    recent = RecentSamples(2)
    for at in range(5000):
        recent.take(chunk(at, 1), np.zeros(1))
        recent.forget_before(at - 199.0)
    assert len(moved) < 5000 / 200
    assert len(recent._times) == 512


@pytest.mark.parametrize(
    ("stop", "completed", "expected"), [(20, 20.0, True), (20, 20.9, False), (19, 20.0, False)]
)
def test_the_completing_sample_is_next_where_it_is_due_a_period_later(
    stop: int, completed: float, expected: bool
) -> None:
    recent = filled(20)
    assert recent.is_next(slice(10, stop), completed, 1.0) is expected
    assert not recent.is_next(slice(20, 20), completed, 1.0)  # nothing of the span came


def test_a_restored_buffer_holds_what_was_held() -> None:
    recent = filled(300)
    recent.forget_before(100.0)
    other = filled(17)
    other.restore(recent.state())
    for one in (recent, other):
        one.take(chunk(300, 500), np.full(500, 3.0))
    for read in (RecentSamples.times, RecentSamples.data, RecentSamples.uncertainty):
        ours, theirs = (read(one, one.between(0.0, 1e9, np.inf)) for one in (recent, other))
        np.testing.assert_array_equal(ours, theirs)
        assert len(ours) == 700
