"""Signals for whoever draws them: what passed, thinned without hiding a spike, never changing a decision."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.log import ClockMeasured, Origin, SessionStarted, StreamOpened
from realtime.messages.channels import MOST_BYTES
from realtime.messages.signals import Signals
from realtime.quality.policy import Policy
from realtime.session.signals import MOST_TIMES, SignalCollector, rounded, thin
from realtime.signal import Channel, Chunk, Kind, SignalSpec
from tests.realtime.support import RATE, fast_plan, feed, intensities, intensity_spec, opened_core

SPEC = intensity_spec()


def watched() -> tuple[Any, SignalCollector]:
    plan = fast_plan(SPEC)
    core = opened_core(plan)
    collector = SignalCollector("bed-1", 1, plan.policy)
    core.watcher = collector
    return core, collector


def reopened() -> tuple[Any, SignalCollector]:
    """A core whose watcher saw the stream being opened."""
    core, collector = watched()
    fresh = type(core)(core.plan)
    fresh.watcher = collector
    fresh.feed(SessionStarted(0.0, "bed-1", 1, core.plan.model_hash))
    fresh.feed(StreamOpened(0.0, SPEC, Origin(), "device", measured=True))
    fresh.feed(ClockMeasured(0.0, 0.0, 1.7e9, uncertainty=0.0))
    return fresh, collector


def take(collector: SignalCollector, seconds: float = 1.0) -> Signals | None:
    return collector.take(seconds=seconds, dropped=2, utc=lambda time: 1.7e9 + time)


def test_raw_until_the_baseline_ends_then_what_the_pipeline_gives() -> None:
    core, collector = reopened()
    n = 200
    times, data = np.arange(n) / RATE, intensities(SPEC, n)
    stages, quality = [], []
    for second in range(20):
        part = slice(10 * second, 10 * second + 10)
        feed(core, times[part], data[:, part])
        signals = take(collector)
        assert signals is not None
        stages.append(signals.stage)
        quality.append(signals.quality)
        assert signals.sequence == second + 1
        assert signals.dropped == 2
        if signals.stage == "raw":
            assert signals.times == pytest.approx(times[part])
            assert np.array(signals.low) == pytest.approx(data[:, part], rel=1e-5)
            assert signals.high is None
            assert signals.times_utc is not None
            assert signals.times_utc[0].startswith("2023-11-14T22:13:2")
        else:
            assert len(signals.low) == len(core.pipeline.spec_out)
    first = stages.index("processed")
    assert 2 <= first <= 10  # baseline, measured rate and warm-up of the normalisation
    assert set(stages[first:]) == {"processed"}
    assert quality[0] is None
    assert quality[-1] is not None
    assert quality[-1].window_reasons == []
    assert len(quality[-1].coverage) == len(core.pipeline.spec_out)
    assert collector.channels is not None
    assert [row["name"] for row in collector.channels.processed.channels] == list(
        core.pipeline.spec_out.names
    )


def test_watching_changes_no_window() -> None:
    n = 300
    times, data = np.arange(n) / RATE, intensities(SPEC, n)
    plain = feed(opened_core(fast_plan(SPEC)), times, data, chunk=7)
    core, collector = reopened()
    seen = []
    for at in range(0, n, 7):
        seen += feed(core, times[at : at + 7], data[:, at : at + 7])
        take(collector)
    assert len(seen) == len(plain) > 5
    for one, other in zip(seen, plain, strict=True):
        assert (one.data is None) == (other.data is None)
        assert one.data is None or one.data.tobytes() == other.data.tobytes()
        assert (one.reasons, one.quality) == (other.reasons, other.quality)


def test_a_bad_channel_is_named_with_all_reasons() -> None:
    core, collector = reopened()
    n = 300
    times, data = np.arange(n) / RATE, intensities(SPEC, n)
    data[2:] = data[2:, :1]  # the second pair repeats itself
    feed(core, times, data)
    signals = take(collector)
    assert signals is not None
    assert signals.quality is not None
    pair = [channel.name for channel in core.pipeline.spec_out.channels if channel.source == 2]
    assert list(signals.quality.reasons) == pair
    assert all(why[-1] == "flat" for why in signals.quality.reasons.values())


def regions(rate: float, channels: int = 2) -> SignalSpec:
    return SignalSpec(
        tuple(Channel(name=f"r{i}", kind=Kind.BOLD, unit="a.u.") for i in range(channels)), rate
    )


def collected(rate: float, seconds: float, channels: int = 2) -> tuple[SignalCollector, Chunk]:
    spec = SignalSpec(
        tuple(Channel(name=f"r{i}", kind=Kind.BOLD, unit="a.u.") for i in range(channels)), rate
    )
    collector = SignalCollector("bed-1", 1, Policy())
    collector.opened(StreamOpened(0.0, spec, Origin(), "scanner"), spec, spec, standardised=False)
    n = int(rate * seconds)
    rng = np.random.default_rng(0)
    chunk = Chunk(
        spec, rng.normal(size=(channels, n)), 0.03 + np.arange(n) / rate, rng.random((channels, n)) < 0.2
    )
    collector.raw(chunk)
    return collector, chunk


@pytest.mark.parametrize("rate", [50.0, 250.0])
def test_a_fast_signal_keeps_its_extremes(rate: float) -> None:
    collector, chunk = collected(rate, 1.0)
    signals = take(collector)
    assert signals is not None
    assert signals.high is not None
    assert 10 <= len(signals.times) <= 12
    assert signals.interval_s == pytest.approx(0.1)
    known = np.where(chunk.missing, np.nan, chunk.data)
    low, high = (np.array(rows, dtype=float) for rows in (signals.low, signals.high))
    assert np.nanmin(low, axis=1) == pytest.approx(np.nanmin(known, axis=1), rel=1e-5)
    assert np.nanmax(high, axis=1) == pytest.approx(np.nanmax(known, axis=1), rel=1e-5)


def test_a_channel_that_was_not_measured_is_null() -> None:
    collector, chunk = collected(1.0, 4.0)
    signals = take(collector)
    assert signals is not None
    assert [[value is None for value in row] for row in signals.low] == chunk.missing.tolist()


@pytest.mark.parametrize("channels", [104, 1257, 4000])
def test_a_message_is_bounded_however_much_came(channels: int) -> None:
    collector, _ = collected(100.0, 30.0, channels)
    signals = take(collector)
    assert signals is not None
    assert len(signals.times) <= MOST_TIMES + 1
    assert len(signals.to_json().encode()) < MOST_BYTES


def test_times_rise_from_message_to_message() -> None:
    collector, _ = collected(100.0, 0.34)
    times: list[float] = []
    for second in range(4):
        signals = take(collector)
        assert signals is not None
        times += signals.times
        stamps = 0.37 + second + np.arange(100) / 100
        collector.raw(Chunk(regions(100.0), np.zeros((2, 100)), stamps, np.zeros((2, 100), dtype=bool)))
    assert np.all(np.diff(times) > 0)


def test_nothing_new_is_no_message() -> None:
    collector, _ = collected(10.0, 1.0)
    assert take(collector) is not None
    assert take(collector) is None
    assert SignalCollector("bed-1", 1, Policy()).take(seconds=1.0, dropped=0, utc=lambda time: None) is None


@given(st.lists(st.floats(-1e300, 1e300), max_size=20))
def test_rounding_keeps_six_digits(values: list[float]) -> None:
    array = np.array(values)
    assert rounded(array) == pytest.approx(array, rel=5e-6, abs=1e-290)


def test_an_interval_without_samples_is_left_out() -> None:
    times = np.array([0.01, 0.05, 0.31, 0.35])
    thinned = thin(times, np.array([[1.0, 3.0, np.nan, 2.0]]), 0.1)
    assert thinned.times == pytest.approx([0.05, 0.35])
    assert thinned.low.tolist() == [[1.0, 2.0]]
    assert thinned.high.tolist() == [[3.0, 2.0]]
