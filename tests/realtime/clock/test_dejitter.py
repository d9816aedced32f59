"""Stamps made true: exact, jittered, lost, misdeclared."""

import json

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from realtime.clock import Clock


def run(stamps: np.ndarray, nominal: float) -> tuple[np.ndarray, np.ndarray, Clock]:
    clock = Clock(nominal)
    times, kept = clock.process(stamps)
    return times, kept, clock


@pytest.mark.parametrize("rate", [0.5, 3.9, 10.0, 50.0])
@pytest.mark.parametrize("declared", [0.0, 1.0])
def test_exact_stamps_leave_as_they_came(rate: float, declared: float) -> None:
    stamps = 1e5 + np.arange(500) / rate
    times, kept, clock = run(stamps, rate * declared)
    assert kept.all()
    np.testing.assert_allclose(times, stamps, atol=1e-6, rtol=0)
    assert clock.rate == pytest.approx(rate, rel=1e-6)
    assert clock.gaps == 0


def test_lost_samples_shift_nothing() -> None:
    stamps = 77.0 + np.arange(1000) / 10
    lost = np.delete(stamps, [300, 301, 555, 900])
    times, _, clock = run(lost, 10)
    np.testing.assert_allclose(times, lost, atol=1e-6, rtol=0)
    assert clock.gaps == 3


@pytest.mark.parametrize("declared", [0.0, 7.88, 10.0, 50.0])
@pytest.mark.parametrize("spread", [0.0, 0.01])
@pytest.mark.parametrize("first", [1, 2, 3, 4, 6, 8, 9, 10, 11])
def test_a_sample_lost_at_the_start_does_not_hide_those_lost_later(
    first: int, spread: float, declared: float
) -> None:
    """A loss that is taken for jitter makes the clock take every later one for jitter too."""
    rng = np.random.default_rng(first)
    there = rng.random(2000) > 0.05
    there[:12] = True
    there[first] = False
    true = 500 + np.arange(2000) / 10
    stamps = (true + rng.uniform(-spread, spread, 2000))[there]
    times, kept, clock = run(stamps, declared)
    assert kept.all()
    error = np.abs(times - true[there])
    assert error[20:].max() < 1.1 * spread + 1e-6
    holes = int((np.diff(np.flatnonzero(there)) > 1).sum())
    assert clock.gaps >= holes - 1
    assert clock.rate == pytest.approx(10, rel=1e-3)


def test_two_gaps_at_the_start_are_no_period() -> None:
    stamps = np.concatenate([np.arange(4) / 10, [8.0], 20 + np.arange(200) / 10])
    times, _, clock = run(stamps, 10)
    np.testing.assert_allclose(times, stamps, atol=1e-6)
    assert clock.gaps == 2
    assert clock.rate == pytest.approx(10)


@pytest.mark.parametrize("declared", [0.0, 1.0, 7.88, 10.0, 50.0])
@pytest.mark.parametrize("gap", [0.35, 1.55, 4.4, 30.0])
@pytest.mark.parametrize("before", [1, 2, 3, 5, 9])
def test_a_gap_among_the_first_samples_bends_nothing(before: int, gap: float, declared: float) -> None:
    stamps = 500 + np.arange(300) / 10
    stamps[before:] += gap
    times, kept, clock = run(stamps, declared)
    assert kept.all()
    np.testing.assert_allclose(times, stamps, atol=1e-6)
    assert clock.rate == pytest.approx(10)


@pytest.mark.parametrize("declared", [0.0, 7.88, 9.13, 10.0, 50.0])
@pytest.mark.parametrize("spread", [0.001, 0.02, 0.1])
def test_jitter_is_taken_out_and_a_gap_is_right_within_a_second(declared: float, spread: float) -> None:
    rng = np.random.default_rng(4)
    true = 1e5 + np.arange(3000) / 9.13
    stamps = true + rng.uniform(-spread, spread, true.size)
    there = np.ones(true.size, bool)
    there[1500:1546] = False  # 5 s
    times, kept, clock = run(stamps[there], declared)
    error = times - true[there][kept]
    period = 1 / 9.13
    assert np.abs(error).max() < period  # never wrong by a sample period
    assert np.abs(error[300:1400]).max() < max(0.3 * spread, 1e-3)  # better than the stamps
    assert np.abs(error[1500 + 9 : 1600]).max() < max(0.35 * spread, 1e-3)  # one second after the gap
    assert clock.gaps >= 1
    assert clock.rate == pytest.approx(9.13, rel=0.005)
    assert kept.mean() > 0.999


def test_a_rate_declared_wrong_is_measured_right(data_dir) -> None:  # type: ignore[no-untyped-def]
    """The Cortivision recording says 7.88 Hz and runs at 9.13 Hz."""
    import pyxdf

    path = next((data_dir / "fnirs" / "lsl_tapping_xdf").glob("*.xdf"))
    streams, _ = pyxdf.load_xdf(str(path), dejitter_timestamps=False)
    stamps = next(s["time_stamps"] for s in streams if s["info"]["type"][0] == "NIRS")
    times, kept, _ = run(np.asarray(stamps), 7.88)
    assert kept.all()
    assert (len(times) - 1) / (times[-1] - times[0]) == pytest.approx(9.13, abs=0.02)
    assert np.abs(times - stamps).max() < 0.25
    assert np.diff(times).std() < np.diff(stamps).std() / 2


def test_duplicates_are_dropped_and_counted() -> None:
    stamps = np.repeat(np.arange(100) / 10, 2)
    times, kept, clock = run(stamps, 10)
    assert kept.sum() == 100
    assert clock.dropped == 100
    np.testing.assert_allclose(times, np.arange(100) / 10, atol=1e-9)


@given(st.integers(0, 10_000), st.lists(st.integers(1, 60), min_size=1, max_size=12), st.floats(0, 0.15))
@example(seed=2902, cuts=[1], spread=0.140625)
@settings(max_examples=60, deadline=None)
def test_chunks_prefixes_and_restored_states_change_nothing(
    seed: int, cuts: list[int], spread: float
) -> None:
    rng = np.random.default_rng(seed)
    stamps = np.cumsum(rng.choice([0.1, 0.1, 0.1, 0.2, 3.0], 200)) + rng.uniform(-spread, spread, 200)
    whole, kept, _ = run(stamps, 10)
    clock = Clock(10)
    parts, at = [], 0
    for size in [*cuts, 10_000]:
        times, _ = clock.process(stamps[at : at + size])
        parts.append(times)
        at += size
        fresh = Clock(10)
        fresh.restore(json.loads(json.dumps(clock.state())))
        clock = fresh
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert (np.diff(whole) > 0).all()
    prefix, kept_prefix = Clock(10).process(stamps[:77])
    np.testing.assert_array_equal(prefix, whole[: len(prefix)])
    np.testing.assert_array_equal(kept_prefix, kept[:77])
