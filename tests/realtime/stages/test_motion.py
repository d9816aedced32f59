"""Motion: jumps are taken out at once, what is no jump passes, and no head is frozen."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mne.io import RawArray
from mne.preprocessing.nirs import temporal_derivative_distribution_repair

from models.arrays import Floats
from models.errors import RecipeError, SignalError
from offline.recordings import read_recording
from offline.simulation.artefacts import draw_motion, fast_sd, motion_courses
from offline.simulation.settings import Simulation
from realtime.channels.mne_info import info_from_spec
from realtime.signal import Channel, Chunk, Kind, SignalSpec
from realtime.stages.bandpass import Bandpass
from realtime.stages.base import Reset
from realtime.stages.motion import Motion

RATE = 8.0


def spec_of(n: int, rate: float = RATE, kind: Kind = Kind.OPTICAL_DENSITY) -> SignalSpec:
    unit = "1" if kind == Kind.OPTICAL_DENSITY else "mol/L"
    channels = (
        Channel(name=f"c{i}", kind=kind, unit=unit, source=i + 1, detector=1, wavelength=760.0)
        for i in range(n)
    )
    return SignalSpec(tuple(channels), rate)


def chunk_of(
    data: Floats, rate: float = RATE, kind: Kind = Kind.OPTICAL_DENSITY, first: float = 0.0
) -> Chunk:
    times = first + np.arange(data.shape[1]) / rate
    return Chunk(spec_of(len(data), rate, kind), data, times, np.isnan(data))


def corrected(data: Floats, rate: float = RATE, kind: Kind = Kind.OPTICAL_DENSITY, **asked: Any) -> Floats:
    return Motion(spec_of(len(data), rate, kind), **asked).process(chunk_of(data, rate, kind)).data


def head(n_channels: int = 3, seconds: float = 120.0, seed: int = 0) -> Floats:
    """Something like optical density: slow waves, a pulse, noise."""
    rng = np.random.default_rng(seed)
    times = np.arange(seconds * RATE) / RATE
    phase = rng.uniform(0, 2 * np.pi, (3, n_channels, 1))
    waves = (0.01 * np.sin(2 * np.pi * f * times + p) for f, p in zip((0.03, 0.1, 1.2), phase, strict=True))
    return np.asarray(sum(waves)) + 0.002 * rng.standard_normal((n_channels, len(times)))


@given(
    seed=st.integers(0, 2**32), at=st.floats(30, 100), size=st.floats(0.3, 3.0), sign=st.sampled_from([-1, 1])
)
@settings(max_examples=25, deadline=None)
def test_a_shift_is_gone_at_once_and_does_not_come_back(seed: int, at: float, size: float, sign: int) -> None:
    clean = head(seed=seed)
    moved = clean.copy()
    moved[:, round(at * RATE) :] += sign * size
    off = np.abs(corrected(moved) - corrected(clean))
    assert np.nanmax(off) < 0.04 < 0.15 * size  # never more than the signal itself swings


@given(seed=st.integers(0, 2**32), at=st.integers(240, 900), size=st.floats(0.3, 3.0))
@settings(max_examples=25, deadline=None)
def test_a_spike_fades_and_leaves_no_level_behind(seed: int, at: int, size: float) -> None:
    clean = head(seed=seed)
    moved = clean.copy()
    moved[:, at : at + 3] += size * np.array([0.5, 1.0, 0.5])
    off = np.abs(corrected(moved) - corrected(clean))
    assert np.nanmax(off) < 0.2 * size
    assert np.nanmax(off[:, at + 24 :]) < 0.04


def test_what_is_no_motion_hardly_changes() -> None:
    clean = head(10, 300.0)
    band = Bandpass(spec_of(10), low=0.01, high=0.2)
    passed = [band.process(chunk_of(data)).data[:, 800:] for data in (clean, np.nan_to_num(corrected(clean)))]
    band.reset(Reset.STREAM)
    assert np.corrcoef(passed[0].ravel(), passed[1].ravel())[0, 1] > 0.95


def test_a_flat_channel_that_wakes_up_is_not_held_down() -> None:
    """Its scale is rounding: it passes as it is, in either unit."""
    for kind, unit in ((Kind.OPTICAL_DENSITY, 1.0), (Kind.HBR, 1e-5)):
        data = np.full((1, 480), 0.3)
        data[:, 320:] += head(1, 20.0)
        np.testing.assert_allclose(
            corrected(unit * data, kind=kind, window_s=60.0)[:, 80:], unit * data[:, 80:], rtol=1e-9
        )


def test_scales_survive_a_gap_and_the_first_sample_behind_it_makes_no_jump() -> None:
    data = head(2, 60.0)
    stage = Motion(spec_of(2))
    stage.process(chunk_of(data))
    stage.reset(Reset.GAP)
    behind = stage.process(chunk_of(data + 5.0, first=100.0))
    assert not behind.missing.any()
    level = behind.data.mean(axis=1) - data.mean(axis=1)
    assert np.abs(level - 5.0).max() < 0.1  # a new level is not motion: its jump was not measured


def test_memory_is_bounded() -> None:
    stage = Motion(spec_of(2))
    sizes = set()
    for first in range(0, 400, 40):
        stage.process(chunk_of(head(2, 40.0, seed=first), first=float(first)))
        sizes.add(sum(np.asarray(value).nbytes for value in stage.state().values()))
    assert len(sizes) == 1


def test_what_no_head_could_give_is_missing() -> None:
    data = head(1, 60.0)
    data[0, 300] = 1e300
    out = Motion(spec_of(1)).process(chunk_of(data))
    assert out.missing[0, 300]
    assert np.abs(out.data[0, 301:]).max() < 1.0


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"window_s": 5.0}, r"window_s = 5 and warmup_s = 10; expected a window as long"),
        (
            {"cutoff": 4.0},
            r"cutoff = 4 Hz, but its signal comes at 8 Hz; expected .* below half of that, 4 Hz",
        ),
        ({"cutoff": "low"}, r"cutoff = 'low'; expected a number above 0"),
    ],
)
def test_settings_that_cannot_be_are_reported(asked: dict[str, Any], message: str) -> None:
    with pytest.raises((RecipeError, SignalError), match=message):
        Motion(spec_of(1), **asked)


def test_intensity_is_refused_with_advice() -> None:
    light = SignalSpec((Channel(name="c", kind=Kind.INTENSITY, unit="V"),), RATE)
    with pytest.raises(SignalError, match="no channel to work on"):
        Motion(light)
    mixed = SignalSpec((*spec_of(1).channels, Channel(name="v", kind=Kind.INTENSITY, unit="V")), RATE)
    with pytest.raises(SignalError, match=r"'v' of kind intensity.*Put 'optical_density' before it"):
        Motion(mixed)


def test_on_a_real_head_it_is_nearly_as_good_as_what_sees_the_future(data_dir: Path) -> None:
    """Artefacts of real sizes put into a real recording: in the band, the error against the truth."""
    recording = read_recording(data_dir / "fnirs/homer3_tapping/subj2/20130904_FingerTapping.nirs")
    rate = 5.0
    light = recording.data[:, 25:-25]
    density = -np.log(light / light.mean(axis=1, keepdims=True))
    steps = np.abs(np.diff(density, axis=1))
    quiet = (steps < 8 * 1.4826 * np.median(steps, axis=1, keepdims=True)).all(axis=1)
    channels = recording.spec.channels
    noisy = {channel.pair for channel, fine in zip(channels, quiet, strict=True) if not fine}
    rows = [row for row, channel in enumerate(channels) if channel.pair not in noisy]
    clean = density[rows]
    spec = SignalSpec(
        tuple(replace(channels[row], kind=Kind.OPTICAL_DENSITY, unit="1") for row in rows), rate
    )
    drawn = draw_motion(Simulation(seconds=clean.shape[1] / rate, rate=rate), 11, 0, len(clean))
    courses = motion_courses(np.arange(clean.shape[1]) / rate, drawn)
    moved = clean + fast_sd(clean, rate)[:, None] * courses

    def in_band(data: Floats) -> Floats:
        first = int(np.flatnonzero(np.isfinite(data).all(axis=0))[0])
        data = np.concatenate([np.repeat(data[:, first : first + 1], first, axis=1), data[:, first:]], axis=1)
        out = Bandpass(spec_of(len(data), rate), low=0.01, high=0.2).process(chunk_of(data, rate))
        return out.data[:, 450:]

    raw = RawArray(moved.copy(), info_from_spec(spec), verbose="error")
    offline = temporal_derivative_distribution_repair(raw).get_data()
    truth = in_band(clean)
    error = {
        name: float(np.median(np.sqrt(np.mean((in_band(data) - truth) ** 2, axis=1))))
        for name, data in (("none", moved), ("ours", corrected(moved, rate)), ("offline", offline))
    }
    assert error["ours"] < 0.4 * error["none"]
    assert error["ours"] < 1.5 * error["offline"]
