"""What sources do to stamps: chunks made up, duplicates, disorder, counters, clocks set back, drift."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.arrays import Floats
from realtime.clock import Clock
from realtime.clock.frame_counter import Counted, understand
from realtime.core import Core
from realtime.log import ClockMeasured, Origin, Received, SessionStarted, StreamOpened
from realtime.windows import Window
from tests.realtime.support import fast_plan, feed, intensities, intensity_spec, opened_core


def pushed(
    rate: float, nominal: float, sizes: list[int], n: int, *, jitter: float = 0.0
) -> tuple[Floats, Floats]:
    """Stamps of chunks that were pushed with one stamp each, and the true times."""
    rng = np.random.default_rng(0)
    true = 1e5 + np.arange(n) / rate
    stamps = true.copy()
    at = turn = 0
    while at < n:
        size = min(sizes[turn % len(sizes)], n - at)
        last = true[at + size - 1] + rng.uniform(0, jitter)
        stamps[at : at + size] = last - np.arange(size)[::-1] / nominal
        at, turn = at + size, turn + 1
    return stamps, true


@given(
    st.floats(3.0, 20.0),
    st.floats(-0.2, 0.2),
    st.lists(st.integers(2, 50), min_size=1, max_size=3),
    st.floats(0.002, 0.005),
)
@settings(max_examples=120, deadline=None)
def test_times_inside_pushed_chunks_follow_from_their_ends(
    rate: float, wrong: float, sizes: list[int], jitter: float
) -> None:
    nominal = rate * (1.0 + wrong)
    stamps, true = pushed(rate, nominal, sizes, 20 * sum(sizes), jitter=jitter)
    clock = Clock(nominal)
    times, kept = clock.process(stamps)
    settled = 6 * sum(sizes) + 10
    error = np.abs(times - true[kept])[settled:]
    assert error.max() < 1.0 / rate
    assert kept[settled:].all()
    assert clock.rate == pytest.approx(rate, rel=0.02)


@given(st.floats(0.5, 50.0), st.integers(20, 400))
def test_stamps_that_are_true_are_not_taken_for_deduced(rate: float, n: int) -> None:
    stamps = 1e5 + np.arange(n) / rate
    for clock in (Clock(rate), Clock(rate, measured=True)):
        times, kept = clock.process(stamps)
        assert kept.all()
        assert not clock.report.invented
        np.testing.assert_allclose(times, stamps, atol=1e-6, rtol=0)
    assert clock.report.uncertainty_s < 1e-6


@pytest.mark.parametrize("rate", [1.0, 10.0, 50.0])
def test_exact_stamps_are_not_believed_before_a_pushed_chunk_must_have_ended(rate: float) -> None:
    clock = Clock(rate)
    clock.process(1e5 + np.arange(10) / rate)
    assert clock.report.uncertainty_s > 1.0 / rate
    clock.process(1e5 + np.arange(10, 150) / rate)
    assert clock.report.uncertainty_s < 1e-6


def test_a_gap_between_deduced_chunks_is_a_gap_at_once() -> None:
    stamps, true = pushed(9.13, 7.88, [10], 1500, jitter=0.003)
    there = np.ones(1500, bool)
    there[700:746] = False  # 5 s
    clock = Clock(7.88)
    times, kept = clock.process(stamps[there])
    error = np.abs(times - true[there][kept])
    assert clock.report.invented
    assert error[60:].max() < 1 / 9.13 + 1e-3
    assert error[711:].max() < 0.01  # one second later


def test_a_chunk_that_is_sent_twice_is_dropped_once() -> None:
    stamps = np.arange(1000) / 10
    clock = Clock(10)
    times, kept = clock.process(np.concatenate([stamps[:500], stamps[490:500], stamps[500:]]))
    np.testing.assert_allclose(times, stamps, atol=1e-9)
    assert (~kept).sum() == clock.report.duplicates == 10


def test_samples_out_of_order_are_declared() -> None:
    stamps = np.arange(1000) / 10
    swapped = stamps.copy()
    swapped[[300, 301]] = swapped[[301, 300]]
    clock = Clock(10)
    times, kept = clock.process(swapped)
    np.testing.assert_allclose(times, swapped[kept], atol=1e-9)
    assert clock.report.disordered == 1
    assert not kept[301]


@pytest.mark.parametrize("lost_share", [0.02, 0.1])
def test_a_device_that_counts_its_frames_separates_losses_from_jitter(lost_share: float) -> None:
    rng = np.random.default_rng(5)
    true = 1e5 + np.arange(4000) / 10
    there = rng.random(4000) > lost_share
    stamps = (true + rng.uniform(-0.1, 0.1, 4000))[there]
    clock = Clock(10)
    times, kept = clock.process(stamps, np.arange(4000.0)[there])
    assert kept.all()
    assert np.abs(times - true[there])[20:].max() < 0.11  # of the jitter, which is a period
    # What lacks before the first or behind the last cannot be counted.
    seen = np.flatnonzero(there)
    assert clock.report.lost == int((~there[seen[0] : seen[-1]]).sum())


def test_losses_do_not_pass_for_jitter() -> None:
    rng = np.random.default_rng(1)
    true = 1e5 + np.arange(3000) / 10
    there = rng.random(3000) > 0.1
    (
        times,
        kept,
    ) = Clock(10).process((true + rng.uniform(-0.02, 0.02, 3000))[there])
    assert kept.all()
    assert np.abs(times - true[there])[20:].max() < 0.03


@pytest.mark.parametrize("drift", [1e-3, -1e-3])
def test_a_drifting_oscillator_is_followed(drift: float) -> None:
    rng = np.random.default_rng(1)
    true = 1e5 + np.arange(6000) / 10 * (1 + drift)
    times, _ = Clock(10).process(true + rng.uniform(-0.005, 0.005, 6000))
    assert np.abs(times - true)[20:].max() < 0.005


@pytest.mark.parametrize(("frame", "before", "what", "lost"), [
    (8.0, 7.0, Counted.NEXT, 0),
    (12.0, 7.0, Counted.NEXT, 4),
    (7.0, 7.0, Counted.AGAIN, None),
    (6.0, 7.0, Counted.LATE, None),
    (0.0, 5000.0, Counted.ANEW, None),
    (0.0, 255.0, Counted.NEXT, 0),
    (2.0, 65534.0, Counted.NEXT, 3),
    (float("nan"), 7.0, Counted.ANEW, None),
    (8.0, None, Counted.ANEW, None),
    (1e9, 7.0, Counted.ANEW, None),
])  # fmt: skip
def test_what_a_count_says(frame: float, before: float | None, what: Counted, lost: int | None) -> None:
    assert understand(frame, before) == (what, lost)


@pytest.mark.parametrize("back", [3.03, 30.0, 4000.0])
def test_a_clock_that_is_stepped_back_is_followed_within_a_second(back: float) -> None:
    stamps = 1e5 + np.arange(1000) / 10
    stamps[500:] -= back
    clock = Clock(10)
    times, kept = clock.process(stamps)
    assert clock.backward_steps == 1
    assert kept[512:].all()
    np.testing.assert_allclose(times, stamps[kept], atol=1e-6)


@st.composite
def sources(draw: st.DrawFn) -> tuple[Floats, Floats | None]:
    """Stamps of a source with everything that can be wrong, and its frame counter or none."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = 300
    rate = draw(st.floats(0.5, 50.0))
    if draw(st.booleans()):
        sizes = draw(st.lists(st.integers(1, 40), min_size=1, max_size=3))
        stamps, _ = pushed(rate, 10.0, sizes, n, jitter=0.01)
    else:
        stamps = 1e5 + np.arange(n) / rate
    stamps = stamps + rng.uniform(-1, 1, n) * draw(st.sampled_from([0.0, 1e-3, 0.3, 1.5])) / rate
    frames = np.arange(float(n)) if draw(st.booleans()) else None
    for kind in draw(st.lists(st.sampled_from(["lose", "twice", "swap", "back", "jump", "nan"]), max_size=4)):
        at = int(rng.integers(1, len(stamps) - 10))
        order = np.arange(len(stamps))
        if kind == "lose":
            order = np.delete(order, slice(at, at + 5))
        elif kind == "twice":
            order = np.insert(order, at, order[at - 1])
        elif kind == "swap":
            order[[at, at + 1]] = order[[at + 1, at]]
        stamps = stamps[order].copy()
        frames = None if frames is None else frames[order].copy()
        if kind in ("back", "jump"):
            stamps[at:] += 1000.0 if kind == "jump" else -7.0
        elif kind == "nan":
            stamps[at] = np.nan
    return stamps, frames


@given(sources(), st.lists(st.integers(1, 60), min_size=1, max_size=8))
@settings(max_examples=150, deadline=None)
def test_whatever_comes_chunks_and_restored_states_change_nothing(
    source: tuple[Floats, Floats | None], cuts: list[int]
) -> None:
    stamps, frames = source
    whole = Clock(10)
    times, kept = whole.process(stamps, frames)
    assert np.isfinite(times).all()
    assert (np.diff(times) <= 0).sum() <= whole.backward_steps
    report = whole.report
    assert report.dropped == (~kept).sum()
    clock, parts, at = Clock(10), [], 0
    for size in [*cuts, 10_000]:
        part = slice(at, at + size)
        parts.append(clock.process(stamps[part], None if frames is None else frames[part])[0])
        at += size
        fresh = Clock(10)
        fresh.restore(json.loads(json.dumps(clock.state())))
        clock = fresh
    np.testing.assert_array_equal(np.concatenate(parts), times)
    assert clock.report == report


@pytest.mark.parametrize("chunk", [1, 7, 10_000])
def test_behind_a_clock_that_was_stepped_back_everything_starts_over(chunk: int) -> None:
    spec = intensity_spec()
    plan = fast_plan(spec)
    n = 600
    times, data = 1000 + np.arange(n) / 10, intensities(spec, n)
    times[300:] -= 500.0
    core = opened_core(plan)
    windows = feed(core, times, data, chunk)
    alone = opened_core(plan)
    kept_from = 300 + next(i for i in range(100) if times[300 + i] >= again(windows))
    expected = feed(alone, times[kept_from:], data[:, kept_from:])
    behind = [window for window in windows if window.start < 900]
    assert [window.start for window in behind] == [window.start for window in expected]
    for one, other in zip(behind, expected, strict=True):
        assert one.reasons == other.reasons
        if one.data is not None and other.data is not None:
            np.testing.assert_allclose(one.data, other.data, atol=1e-6)
    assert [window.sequence for window in windows] == list(range(len(windows)))


def again(windows: list[Window]) -> float:
    """When the first window behind the step begins."""
    return min(window.start for window in windows)


def test_frames_reach_the_clock() -> None:
    spec = intensity_spec()
    core = Core(fast_plan(spec))
    rows: Any = tuple(range(1, len(spec) + 1))
    core.feed(SessionStarted(0.0, "s", 1, ""))
    core.feed(StreamOpened(0.0, spec, Origin(), "Aurora", rows=rows, frame_row=0))
    core.feed(ClockMeasured(0.0, 0.0, None))
    n = 100
    there = np.delete(np.arange(n), [50, 51, 52])
    data = np.vstack([np.arange(float(n)), intensities(spec, n)])[:, there]
    core.feed(Received(0.0, there / 10, data))
    assert core.clock is not None
    assert core.clock.report.lost == 3
