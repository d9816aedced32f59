"""Intensity to optical density."""

from pathlib import Path

import mne
import numpy as np
import pytest

from models.arrays import Floats
from realtime.signal import Channel, Chunk, Kind, SignalSpec
from realtime.stages.base import Reset
from realtime.stages.optical_density import OpticalDensity


def _spec(n: int) -> SignalSpec:
    return SignalSpec(tuple(Channel(name=f"c{i}", kind=Kind.INTENSITY, unit="V") for i in range(n)), 10.0)


def _chunk(data: Floats, first: float = 0.0) -> Chunk:
    times = first + np.arange(data.shape[1]) / 10
    return Chunk(_spec(len(data)), data, times, ~np.isfinite(data))


def test_it_differs_from_mne_by_the_reference_alone(data_dir: Path) -> None:
    """MNE refers to the mean of the whole recording, we to that of the first ten seconds."""
    file = sorted((data_dir / "fnirs" / "rest").glob("*.snirf"))[0]
    raw = mne.io.read_raw_snirf(file, preload=True, verbose="error")
    data, times = raw.get_data(), raw.times
    spec = _spec(len(data))
    out = OpticalDensity(spec).process(Chunk(spec, data, times, np.zeros(data.shape, dtype=bool)))
    theirs = mne.preprocessing.nirs.optical_density(raw, verbose="error").get_data()
    baseline = data[:, times < 10].mean(axis=1, keepdims=True)
    reference = np.log(baseline / data.mean(axis=1, keepdims=True))
    after = times >= 10
    assert out.missing[:, ~after].all()
    assert not out.missing[:, after].any()
    np.testing.assert_allclose(out.data[:, after], (theirs + reference)[:, after], rtol=0, atol=1e-12)
    np.testing.assert_allclose(out.data[:, after], -np.log(data / baseline)[:, after], rtol=0, atol=1e-14)


def test_what_is_no_usable_intensity_is_missing() -> None:
    data = np.ones((6, 30))
    for row, value in enumerate([0.0, -1.0, np.nan, np.inf, 2.0]):
        data[row, 20] = value
    chunk = _chunk(data)
    chunk.missing[:] = False
    stage = OpticalDensity(chunk.spec, baseline_s=1.0, saturation=2.0)
    out = stage.process(chunk)
    assert out.missing[:5, 20].all()
    assert not out.missing[5, 10:].any()
    assert not np.delete(out.missing[:, 10:], 10, axis=1).any()


def test_saturated_samples_do_not_spoil_the_baseline() -> None:
    data = np.ones((1, 30))
    data[0, 3] = 5.0
    out = OpticalDensity(_spec(1), baseline_s=1.0, saturation=5.0).process(_chunk(data))
    np.testing.assert_array_equal(out.data[0, 10:], 0.0)


def test_a_late_channel_gets_a_whole_baseline_of_its_own() -> None:
    data = np.full((2, 60), 2.0)
    data[1, :25] = np.nan
    data[1, 40:] = 4.0
    out = OpticalDensity(_spec(2), baseline_s=1.0).process(_chunk(data))
    assert np.flatnonzero(~out.missing[0])[0] == 10
    assert np.flatnonzero(~out.missing[1])[0] == 35
    np.testing.assert_allclose(out.data[1, 35:40], 0.0, atol=1e-15)
    np.testing.assert_allclose(out.data[1, 40:], -np.log(2.0))


def test_a_gap_keeps_a_full_baseline_and_begins_others_afresh() -> None:
    data = np.full((2, 20), 2.0)
    data[1, :15] = np.nan  # this one's own baseline is half full at the gap
    stage = OpticalDensity(_spec(2), baseline_s=1.0)
    stage.process(_chunk(data))
    stage.reset(Reset.GAP)
    out = stage.process(_chunk(np.full((2, 20), 4.0), first=100.0))
    np.testing.assert_allclose(out.data[0], -np.log(2.0))
    assert np.flatnonzero(~out.missing[1])[0] == 10
    np.testing.assert_allclose(out.data[1, 10:], 0.0, atol=1e-15)


@pytest.mark.parametrize("reason", [Reset.CLOCK, Reset.STREAM])
def test_other_resets_drop_the_baseline(reason: Reset) -> None:
    stage = OpticalDensity(_spec(1), baseline_s=1.0)
    stage.process(_chunk(np.full((1, 20), 2.0)))
    stage.reset(reason)
    out = stage.process(_chunk(np.full((1, 20), 4.0), first=-50.0))
    assert out.missing[0, :10].all()
    np.testing.assert_allclose(out.data[0, 10:], 0.0, atol=1e-15)


def test_other_kinds_pass_unchanged() -> None:
    spec = SignalSpec((*_spec(1).channels, Channel(name="S1_D1 hbo", kind=Kind.HBO, unit="mol/L")), 10.0)
    data = np.array([np.full(20, 3.0), np.linspace(0, 1e-6, 20)])
    out = OpticalDensity(spec, baseline_s=1.0).process(
        Chunk(spec, data, np.arange(20) / 10, np.zeros((2, 20), dtype=bool))
    )
    assert [c.kind for c in out.spec.channels] == [Kind.OPTICAL_DENSITY, Kind.HBO]
    np.testing.assert_array_equal(out.data[1], data[1])
    assert not out.missing[1].any()
