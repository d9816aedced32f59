"""Stamps of XDF files on the recorder's clock: as true as is claimed, whatever the clock offsets say."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offline.recordings.xdf_clock import OnRecorderClock, on_recorder_clock
from realtime.clock import Clock
from realtime.log import ClockMeasured, Received
from realtime.signal import Channel, Kind, SignalSpec
from realtime.sources.recording import Recording, entries
from tools.bench.clock_xdf import ALL, follow_file, make_for_file, read, written

RATE = 10.0
EVERY = 50
"""Samples between comparisons: 5 s."""


@pytest.mark.parametrize("family", ALL)
def test_errors_lie_within_what_is_claimed(family: str) -> None:
    covered, worst = [], []
    for seed in range(12):
        source = make_for_file(family, seed, n=800)
        found = follow_file(read(written(source)), source.true)
        covered.append(found.covered)
        worst.append(found.beyond(source.period))
    assert np.concatenate(covered).mean() >= 0.99
    assert max(worst) <= 1.0, "each within the claim and a period, or it makes a window abstain"


def made(true, stamps, noise=1e-4, *, seed=0):
    """Comparisons every 5 s: when (sender's s), offset (s), and samples written before each."""
    rng = np.random.default_rng(seed)
    index = np.arange(0, len(true), EVERY)
    offsets = (true - stamps)[index] + rng.normal(0, noise, len(index))
    return true[index] - offsets, offsets, index


def wrong(found: OnRecorderClock, true):
    return np.abs(found.times - true)


@pytest.mark.parametrize("back", [500.0, 130.0, 99.0, -40.0])
@pytest.mark.parametrize("by_order", [True, False])
def test_a_device_that_starts_again_over_its_earlier_stamps_is_on_its_own_clock(back, by_order) -> None:
    true = 1e5 + np.arange(4000) / RATE
    true[1300:] += 7.3
    stamps = true - np.where(np.arange(4000) >= 1300, back, 0.0)
    at, offsets, index = made(true, stamps)
    found = on_recorder_clock(stamps, at, offsets, index if by_order else None, RATE)
    assert wrong(found, true).max() < 1e-3
    assert (wrong(found, true) <= found.uncertainty).all()
    assert found.uncertainty.max() < 0.01
    assert (found.clocks, found.not_believed) == (2, 0)
    assert "set anew 1 times" in " ".join(found.remarks)


def test_a_device_may_start_again_many_times() -> None:
    true = 1e5 + np.arange(4000) / RATE
    starts = [700, 1500, 2310, 3500]
    stamps = true.copy()
    for start, stop in pairwise([*starts, 4000]):
        true[start:] += 2.0
        stamps[start:stop] = 1e5 + np.arange(stop - start) / RATE
    stamps[:700] = true[:700]
    at, offsets, index = made(true, stamps)
    found = on_recorder_clock(stamps, at, offsets, index, RATE)
    assert wrong(found, true).max() < 1e-3
    assert found.clocks == 5


@pytest.mark.parametrize("which", [0, 1, 5, 10, 11])
@pytest.mark.parametrize(
    "value", [0.06, -0.06, 0.5, -73914.2, 1e5, 1e19, np.nan, np.inf, -np.inf], ids=lambda value: f"{value:g}"
)
def test_one_wrong_offset_among_twelve_moves_nothing(which, value) -> None:
    true = 5000 + np.arange(600) / RATE
    at, offsets, index = made(true, true, noise=5e-5)
    offsets[which] += value
    for measured_at in (
        at,
        5000 + index / RATE - offsets,
    ):  # as it should have been, or as the wrong offset has it
        found = on_recorder_clock(true, measured_at, offsets, index, RATE)
        assert wrong(found, true).max() < 5e-4
        assert found.uncertainty.max() < 2e-3
        assert found.clocks == 1
        assert found.not_believed == 1


@pytest.mark.parametrize("noise", [1e-3, 5e-3, 2e-2])
def test_what_noisy_offsets_leave_unsure_is_claimed(noise) -> None:
    true = 5000 + np.arange(6000) / RATE
    inside, claims = [], []
    for seed in range(20):
        at, offsets, index = made(true, true, noise, seed=seed)
        found = on_recorder_clock(true, at, offsets, index, RATE)
        inside.append(wrong(found, true) <= found.uncertainty)
        claims.append(np.median(found.uncertainty))
    assert np.mean(inside) >= 0.99
    assert np.median(claims) < noise, "and no more than one offset alone would leave"


def test_a_clock_that_wanders_is_followed() -> None:
    true = 5000 + np.arange(6000) / RATE
    stamps = true + 0.08 * np.sin(2 * np.pi * true / 100)
    at, offsets, index = made(true, stamps)
    found = on_recorder_clock(stamps, at, offsets, index, RATE)
    assert (wrong(found, true) <= found.uncertainty).mean() > 0.99
    assert wrong(found, true).max() < 0.02


def test_a_device_that_wanders_has_no_gaps_and_says_how_sure_it_is() -> None:
    index = np.arange(6000)
    true = 5000 + index / RATE + 0.08 * np.sin(2 * np.pi * index / 400)
    at, offsets, where = made(true, true, 1e-3)
    found = on_recorder_clock(true, at, offsets, where, RATE)
    clock = Clock(RATE)
    errors, claims = [], []
    for entry in entries(recording_of(found)):
        if isinstance(entry, ClockMeasured):
            clock.compare(entry.local, entry.offset, entry.uncertainty)
        elif isinstance(entry, Received):
            errors.append(clock.process(entry.stamps)[0])
            claims.append(clock.uncertainties)
    error = np.abs(np.concatenate(errors) - true)
    assert (error <= np.concatenate(claims)).mean() >= 0.99
    assert error.max() < 0.02
    assert clock.report.gaps == 0


@pytest.mark.parametrize(("n", "least", "most"), [(1, 1e-3, 0.1), (2, 1e-4, 0.1), (3, 1e-4, 0.05)])
def test_few_offsets_say_less_the_further_away(n, least, most) -> None:
    true = 5000 + np.arange(3000) / RATE
    stamps = true - 77.0
    at, offsets, index = made(true, stamps)
    found = on_recorder_clock(stamps, at[:n], offsets[:n], index[:n], RATE)
    assert wrong(found, true).max() < found.uncertainty.min() + 0.05
    assert (wrong(found, true) <= found.uncertainty).all()
    assert least < found.uncertainty[0] < most < found.uncertainty[-1]


def test_without_offsets_stamps_are_the_recorders() -> None:
    stamps = 5000 + np.arange(100) / RATE
    none = np.empty(0)
    found = on_recorder_clock(stamps, none, none, [], RATE)
    np.testing.assert_array_equal(found.times, stamps)
    assert not found.uncertainty.any()
    unusable = on_recorder_clock(stamps, np.array([5000.0]), np.array([np.nan]), [0], RATE)
    np.testing.assert_array_equal(unusable.times, stamps)
    assert unusable.not_believed == 1


@pytest.mark.parametrize("start", [100.0, 1.7e9])
def test_stamps_of_a_clock_that_was_not_compared_stay_as_they_are_and_it_is_reported(start) -> None:
    stamps = start + np.arange(600) / RATE
    index = np.arange(0, 600, EVERY)
    noise = np.random.default_rng(0).normal(0, 1e-4, len(index))
    found = on_recorder_clock(stamps, 20_000 + index / RATE, noise, index, RATE)
    assert found.uncompared
    assert "not compared" in " ".join(found.remarks)
    assert wrong(found, stamps).max() < 1e-3
    assert found.uncertainty.max() < 0.01
    assert not on_recorder_clock(stamps, start + index / RATE, noise, index, RATE).uncompared


def test_two_offsets_that_contradict_each_other_leave_what_they_lie_apart() -> None:
    stamps = 5000 + np.arange(600) / RATE
    found = on_recorder_clock(stamps, np.array([5000.0, 5005.0]), np.array([0.0, 0.7]), [0, 50], RATE)
    assert found.uncertainty.min() >= 0.7


def test_one_offset_behind_a_jump_of_the_stamps_is_another_clock() -> None:
    """The file may end before the clock that was started anew was compared a second time."""
    true = 5000 + np.arange(640) / RATE
    stamps = true - np.where(np.arange(640) >= 590, 300.0, 0.0)
    at, offsets, index = made(true, stamps)
    assert index[-1] == 600
    found = on_recorder_clock(stamps, at, offsets, index, RATE)
    assert wrong(found, true).max() < 1e-3
    same = on_recorder_clock(true, at, offsets, index, RATE)
    assert wrong(same, true).max() < 1e-3, "the same offset, but no jump: it is wrong"
    assert same.not_believed == 1


def test_where_a_clock_changed_unseen_the_change_is_claimed_and_only_there() -> None:
    true = 5000 + np.arange(3000) / RATE
    moved = np.where(np.arange(3000) >= 1520, 0.3, 0.0)
    index = np.arange(0, 3000, EVERY)
    found = on_recorder_clock(true, true[index] - moved[index], moved[index], index, RATE)
    error = np.abs(found.times - (true + moved))
    assert (error <= found.uncertainty).all()
    assert found.uncertainty[[0, 1000, 2000, 2999]].max() < 0.01


def test_chunks_pushed_with_one_stamp_are_still_seen_as_such() -> None:
    """On a drifting clock too: steps inside stay as they were made up, so that the live clock knows them."""
    size, declared = 20, 1 / 8.8
    true = 5000 + np.arange(3000) / RATE
    ends = np.minimum((np.arange(3000) // size + 1) * size - 1, 2999)
    stamps = (true[ends] - (ends - np.arange(3000)) * declared) * (1 + 2e-5)
    sender = true * (1 + 2e-5)
    at, offsets, index = made(true, sender)
    found = on_recorder_clock(stamps, at, offsets, index, 8.8)
    np.testing.assert_allclose(np.diff(found.times)[: size - 1], declared * (1 + 2e-5), rtol=0, atol=1e-3)
    stamps = sender[ends] - (ends - np.arange(3000)) * declared
    found = on_recorder_clock(stamps, at, offsets, index, 8.8)
    clock = Clock(8.8)
    times, kept = clock.process(found.times)
    assert clock.report.invented
    assert np.abs(times - true[kept])[600:].max() < 0.1


def test_a_claim_for_each_sample_reaches_the_clock() -> None:
    n = 700
    spec = SignalSpec((Channel(name="x", kind=Kind.BOLD, unit="percent"),), RATE)
    claims = np.repeat([1e-3, 0.5, 2e-3], [300, 250, 150])
    one = Recording(
        "r", spec, np.zeros((1, n)), np.arange(n) / RATE, np.zeros((1, n), bool), time_uncertainty_s=claims
    )
    for size in (1, 64, 256, 1000):
        clock = Clock(RATE, measured=True)
        got = []
        compared = 0
        for entry in entries(one, chunk_samples=size):
            if isinstance(entry, ClockMeasured):
                clock.compare(entry.local, entry.offset, entry.uncertainty)
                compared += 1
            elif isinstance(entry, Received):
                clock.process(entry.stamps)
                got.append(clock.uncertainties)
        assert compared == 3
        np.testing.assert_allclose(np.concatenate(got)[20:], claims[20:], rtol=1e-3)


def recording_of(found: OnRecorderClock) -> Recording:
    n = len(found.times)
    spec = SignalSpec((Channel(name="x", kind=Kind.BOLD, unit="percent"),), RATE)
    return Recording(
        "r",
        spec,
        np.zeros((1, n)),
        found.times,
        np.zeros((1, n), bool),
        time_uncertainty_s=found.uncertainty,
        pushed=True,
    )


def test_samples_that_were_sent_twice_are_the_same_twice() -> None:
    true = 5000 + np.arange(1000) / RATE
    sender = true * (1 + 3e-5)
    at, offsets, index = made(true, sender)
    order = np.concatenate([np.arange(400), np.arange(380, 1000)])
    found = on_recorder_clock(sender[order], at, offsets, index, RATE)
    np.testing.assert_array_equal(found.times[380:400], found.times[400:420])
    clock = Clock(RATE)
    clock.process(found.times)
    assert (clock.duplicates, clock.disordered) == (20, 0)


ANY_TIME = st.one_of(
    st.floats(0.0, 2000.0),
    st.floats(),
    st.sampled_from([0.0, 1e5, 1e9, 1e10, 1e11, 1e19, np.nan, np.inf, -np.inf]),
)


@settings(max_examples=150, deadline=None)
@given(
    stamps=st.lists(ANY_TIME, max_size=40),
    compared=st.lists(st.tuples(ANY_TIME, ANY_TIME, st.integers(0, 40)), max_size=12),
    rate=st.sampled_from([0.0, 1e-9, 1.0, 10.0, 1e9]),
    ordered=st.booleans(),
)
def test_whatever_a_file_says_the_stamps_stay_numbers(stamps, compared, rate, ordered) -> None:
    stamps = np.array(stamps)
    at = np.array([a for a, _, _ in compared])
    offsets = np.array([b for _, b, _ in compared])
    positions = sorted(min(k, len(stamps)) for _, _, k in compared) if ordered else None
    found = on_recorder_clock(stamps, at, offsets, positions, rate)
    assert found.times.shape == found.uncertainty.shape == stamps.shape
    np.testing.assert_array_equal(np.isfinite(found.times), np.isfinite(stamps))
    assert (found.uncertainty >= 0).all()
    assert np.isfinite(found.uncertainty).all()
    assert found.not_believed <= len(offsets)


def test_a_clock_that_was_set_anew_goes_on_in_the_recorders_time() -> None:
    stamps = np.concatenate([np.arange(100.0, 110), np.arange(5000.0, 5010)])
    found = on_recorder_clock(stamps, np.array([100.0, 105, 5001, 5006]), np.array([1.0, 1, -4889, -4889]))
    np.testing.assert_allclose(found.times, np.arange(101.0, 121), rtol=0, atol=1e-6)
