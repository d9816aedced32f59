"""Percent signal change, and where there is none."""

from pathlib import Path

import numpy as np
import pytest

from models.arrays import Floats
from realtime.signal import Channel, Chunk, Kind, SignalSpec
from realtime.stages.percent_signal import PercentSignal


def _spec(n: int) -> SignalSpec:
    return SignalSpec(tuple(Channel(name=f"region {i}", kind=Kind.BOLD, unit="a.u.") for i in range(n)), 0.5)


def _chunk(data: Floats) -> Chunk:
    times: Floats = 2.0 * np.arange(data.shape[1], dtype=np.float64)
    return Chunk(_spec(len(data)), data, times, np.isnan(data))


def test_it_is_the_change_from_the_baselines_mean() -> None:
    data = 1000 + 10 * np.random.default_rng(0).standard_normal((3, 60))
    out = PercentSignal(_spec(3), baseline_s=30.0).process(_chunk(data))
    mean = data[:, :15].mean(axis=1, keepdims=True)
    assert out.missing[:, :15].all()
    assert {c.unit for c in out.spec.channels} == {"percent"}
    np.testing.assert_allclose(out.data[:, 15:], 100 * (data / mean - 1)[:, 15:], rtol=1e-9, atol=1e-12)


def test_a_series_around_zero_and_a_dead_one_have_none() -> None:
    data = np.random.default_rng(1).standard_normal((3, 60))
    data[1] = 0.0
    data[2] += 500
    out = PercentSignal(_spec(3)).process(_chunk(data))
    assert out.missing[:2].all()
    assert not out.missing[2, 15:].any()


@pytest.mark.parametrize("size", [1, 60])
def test_the_spread_of_the_baseline_decides_however_it_came(size: int) -> None:
    swing = np.tile([-1.0, 1.0], 30)
    chunk = _chunk(np.array([100 + 15 * swing, 100 + 25 * swing]))
    stage = PercentSignal(_spec(2), min_ratio=5.0)
    missing = np.concatenate(
        [stage.process(chunk.between(i, i + size)).missing for i in range(0, 60, size)], axis=1
    )
    assert not missing[0, 15:].any()
    assert missing[1].all()


def test_real_residual_series_are_refused(data_dir: Path) -> None:
    """ABIDE's region series are detrended residuals: percent signal change is not defined for them."""
    file = sorted((data_dir / "abide").rglob("*.1D"))[0]
    data = np.loadtxt(file).T
    assert PercentSignal(_spec(len(data))).process(_chunk(data)).missing.all()
