"""Samples as they came become samples that can be used: one clock, SI units, counts that are believed."""

import numpy as np
import pytest

from realtime.input_guards.entries import InputGuard
from realtime.log import Origin, Received, StreamOpened
from realtime.signal import Channel, Kind, SignalSpec

SPEC = SignalSpec(
    tuple(
        Channel(name=name, kind=Kind.HBO, unit="mol/L", source=i, detector=1)
        for i, name in enumerate("abc", start=1)
    ),
    10.0,
)


def opened(**more: object) -> InputGuard:
    guard = InputGuard()
    guard.open(StreamOpened(100.0, SPEC, Origin(), "cap", **more), (2, 0))  # type: ignore[arg-type]
    return guard


def received(stamps: list[float], rows: int = 3, local: float = 100.0) -> Received:
    """Row ``r`` of sample ``n`` holds ``10 r + n``."""
    data = 10.0 * np.arange(rows)[:, np.newaxis] + np.arange(len(stamps))
    return Received(local, np.array(stamps), data)


def test_the_models_channels_come_in_its_order() -> None:
    (part,) = opened().take(received([100.0, 100.1]), 0.0, 1.0)
    assert part.data.tolist() == [[20.0, 21.0], [0.0, 1.0]]
    assert part.stamps.tolist() == [100.0, 100.1]
    assert (part.frames, part.leapt) == (None, False)


def test_rows_and_scales_are_those_of_the_channels() -> None:
    """Channel c is row 1 in umol/L, channel a is row 3 in mmol/L."""
    guard = opened(rows=(3, 2, 1), scales=(1e-3, 1.0, 1e-6))
    (part,) = guard.take(received([100.0], rows=4), 0.0, 1.0)
    assert part.data.tolist() == [[pytest.approx(10e-6)], [pytest.approx(30e-3)]]
    assert part.data.dtype == np.float64


def test_values_that_no_device_measures_are_missing_and_counted() -> None:
    guard = opened()
    entry = received([100.0, 100.1, 100.2, 100.3])
    entry.data[2] = 1e15, 1.1e15, -np.inf, np.nan
    entry.data[0] = 1e-30, -0.9e-30, 0.0, -1e15
    (part,) = guard.take(entry, 0.0, 1.0)
    np.testing.assert_array_equal(part.data, [[1e15, np.nan, np.nan, np.nan], [1e-30, 0.0, 0.0, -1e15]])
    assert guard.rejected_values == 2  # what is NaN already was never measured
    guard.take(entry, 0.0, 1.0)
    assert guard.rejected_values == 4


def test_a_stamp_that_no_clock_gives_takes_its_sample_away() -> None:
    guard = opened()
    (part,) = guard.take(received([100.0, 1e19, 100.2]), 0.0, 1.0)
    assert part.stamps.tolist() == [100.0, 100.2]
    assert part.data.tolist() == [[20.0, 22.0], [0.0, 2.0]]
    assert guard.rejected_stamps == 1
    assert guard.take(received([np.nan]), 0.0, 1.0) == []
    assert guard.take(received([]), 0.0, 1.0) == []
    assert guard.rejected_stamps == 2


def test_samples_of_two_clocks_are_separated() -> None:
    """Where the clock leapt inside of a chunk: the stamps that showed it are gone."""
    guard = opened()
    stamps = [100.0, 100.1, *(9000.0 + np.arange(6) / 10)]
    first, second = guard.take(received(stamps), 0.0, 1.0)
    assert (first.leapt, second.leapt) == (False, True)
    assert first.stamps.tolist() == [100.0, 100.1]
    assert second.stamps.tolist() == stamps[-2:]
    assert second.data[0].tolist() == [26.0, 27.0]
    assert guard.rejected_stamps == 4


def test_stamps_are_checked_on_the_local_clock_and_given_as_they_came() -> None:
    guard = opened()
    (part,) = guard.take(received([-99_900.0]), 1e5, 1.0)
    assert part.stamps.tolist() == [-99_900.0]
    assert not guard.take(received([-99_900.0 + 4000.0]), 1e5, 1.0)  # 4,000 s ahead of time
    assert not opened().take(received([9.9e10]), 2e9, 1.0)  # beyond what a clock reads


def test_counts_are_given_as_far_as_they_can_be_believed() -> None:
    """A float32 counter repeats itself from 2**24 on; samples there have no count and stay."""
    guard = opened(frame_row=1)
    entry = received([100.0, 100.1, 100.2])
    data = entry.data.astype(np.float32)
    data[1] = 2**24 - 2, 2**24 - 1, 2**24
    counted, uncounted = guard.take(Received(100.0, entry.stamps, data), 0.0, 1.0)
    assert counted.frames is not None
    assert counted.frames.tolist() == [2**24 - 2, 2**24 - 1]
    assert uncounted.frames is None
    assert not uncounted.leapt
    assert (len(counted.stamps), len(uncounted.stamps)) == (2, 1)
    assert "2**24" in guard.ignored_counter or "16777216" in guard.ignored_counter
    assert guard.ignored_counters == 1
    (part,) = guard.take(Received(100.3, np.array([100.3]), data[:, :1]), 0.0, 1.0)
    assert part.frames is None
    assert guard.ignored_counters == 1  # once a stream


def test_another_stream_is_another_clock_and_another_counter() -> None:
    guard = opened(frame_row=1)
    frames = np.full((3, 12), 7.0)
    stamps = 100.0 + np.arange(12) / 10
    guard.take(Received(101.0, stamps, frames), 0.0, 1.0)  # stands still
    assert guard.ignored_counter
    guard.open(StreamOpened(200.0, SPEC, Origin(), "cap", frame_row=1), (0,))
    assert not guard.ignored_counter
    (part,) = guard.take(received([9000.0]), 0.0, 1.0)
    assert part.frames is not None
    assert part.frames.tolist() == [10.0]
    guard.restart(300.0)
    (part,) = guard.take(received([1.0]), 0.0, 1.0)  # a clock that was reset may read anything
    assert not part.leapt
