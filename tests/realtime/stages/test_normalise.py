"""Running normalisation against the sums it stands for."""

import numpy as np
import pytest

from models.arrays import Floats
from realtime.signal import Channel, Chunk, Kind, SignalSpec
from realtime.stages.base import Reset
from realtime.stages.normalise import Normalise

RATE = 8.0


def _spec(n: int) -> SignalSpec:
    return SignalSpec(tuple(Channel(name=f"c{i}", kind=Kind.HBO, unit="mol/L") for i in range(n)), RATE)


def _chunk(data: Floats, first: float = 0.0) -> Chunk:
    times = first + np.arange(data.shape[1]) / RATE
    return Chunk(_spec(len(data)), data, times, np.isnan(data))


def _by_hand(x: Floats, times: Floats, memory: float) -> Floats:
    """z of the last sample: x : (n_samples,) any unit, times : (n_samples,) seconds."""
    there = ~np.isnan(x)
    weights = np.exp((times[there] - times[-1]) / memory)
    mean = np.average(x[there], weights=weights)
    return (x[-1] - mean) / np.sqrt(np.average((x[there] - mean) ** 2, weights=weights))


@pytest.mark.parametrize("size", [1, 37, 1000])
def test_it_is_the_weighted_mean_and_sd_of_the_past(size: int) -> None:
    rng = np.random.default_rng(0)
    data = 1e-6 * (50 + rng.standard_normal((2, 1000)).cumsum(axis=1))
    data[rng.random(data.shape) < 0.1] = np.nan
    chunk = _chunk(data)
    stage = Normalise(_spec(2), memory_s=20.0, warmup_s=5.0)
    out = Chunk.concatenate([stage.process(chunk.between(i, i + size)) for i in range(0, 1000, size)])
    for sample in (60, 400, 999):
        for row in range(2):
            if not np.isnan(data[row, sample]):
                expected = _by_hand(data[row, : sample + 1], chunk.times[: sample + 1], 20.0)
                assert out.data[row, sample] == pytest.approx(expected, rel=1e-9)


def test_at_the_start_it_is_the_plain_mean_and_sd() -> None:
    x = np.random.default_rng(1).standard_normal(40)
    out = Normalise(_spec(1), memory_s=1e9, warmup_s=2.0).process(_chunk(x[None]))
    assert out.data[0, -1] == pytest.approx((x[-1] - x.mean()) / x.std(), rel=1e-6)


def test_warm_up_counts_measured_seconds() -> None:
    data = np.random.default_rng(2).standard_normal((2, 80))
    data[1, 4:20] = np.nan
    out = Normalise(_spec(2), warmup_s=2.0).process(_chunk(data))
    assert [np.flatnonzero(~row)[0] for row in out.missing] == [16, 32]


@pytest.mark.parametrize("size", [1, 100])
@pytest.mark.parametrize("value", [0.0, 5e-5, 1e6])
def test_a_flat_channel_is_missing(value: float, size: int) -> None:
    chunk = _chunk(np.full((1, 300), value))
    stage = Normalise(_spec(1), warmup_s=1.0)
    out = [stage.process(chunk.between(i, i + size)) for i in range(0, 300, size)]
    assert all(piece.missing.all() for piece in out)


def test_a_large_offset_costs_no_digits() -> None:
    x = np.random.default_rng(3).standard_normal((1, 400))
    plain = Normalise(_spec(1)).process(_chunk(x))
    shifted = Normalise(_spec(1)).process(_chunk(x + 2.0**30))
    np.testing.assert_allclose(shifted.data[0, 200:], plain.data[0, 200:], rtol=1e-5)


def test_a_gap_keeps_the_statistics_and_they_fade_by_the_clock() -> None:
    rng = np.random.default_rng(4)
    before, after = rng.standard_normal(200), 3 + rng.standard_normal(50)
    stage = Normalise(_spec(1), memory_s=30.0, warmup_s=5.0)
    stage.process(_chunk(before[None]))
    stage.reset(Reset.GAP)
    late = _chunk(after[None], first=60.0)
    out = stage.process(late)
    assert not out.missing.any()
    times = np.concatenate([np.arange(200) / RATE, late.times])
    expected = _by_hand(np.concatenate([before, after]), times, 30.0)
    assert out.data[0, -1] == pytest.approx(expected, rel=1e-9)
