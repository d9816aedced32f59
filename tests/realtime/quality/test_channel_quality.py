"""What is seen of the signals behind a window: laws, faults made on purpose, and real recordings."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from realtime.core import Core, Plan
from realtime.log import ClockMeasured, Origin, Received, StreamOpened
from realtime.quality.buffer import MOST_SAMPLES, RecentSamples
from realtime.quality.channels import ChannelQuality, Measured, made_of
from realtime.quality.policy import Policy, Reason
from realtime.quality.raw import look
from realtime.quality.scalp_coupling import ScalpCoupling
from realtime.signal import Channel, Chunk, Kind, SignalSpec
from realtime.sources.recording import Recording, entries
from realtime.stages import make_stage
from realtime.windows import Window
from tests.realtime.support import RATE, bold_spec, fast_plan, feed, intensities, intensity_spec, opened_core

SPEC = intensity_spec()
LOOSE = Policy(min_coverage=0.0, max_gap_s=99.0, min_channels=0.01)


def pulsating(
    spec: SignalSpec, times: np.ndarray, *, pulse: float = 0.01, noise: float = 0.001, seed: int = 0
) -> np.ndarray:
    """Intensities of a head: drift, a pulse at 1.1 Hz that all wavelengths share, noise of their own."""
    rng = np.random.default_rng(seed)
    drift = np.cumsum(rng.normal(size=(len(spec), len(times))), axis=1) * 1e-3
    beat = np.sin(2 * np.pi * 1.1 * times) + 0.3 * np.sin(2 * np.pi * 2.2 * times + 1)
    return np.exp(drift + pulse * beat + noise * rng.normal(size=drift.shape))


def everything(window: Window) -> tuple[object, ...]:
    """All that is known of a window but its data."""
    shown = None
    if window.channels is not None:
        fields = type(window.channels).__slots__
        shown = {name: np.round(getattr(window.channels, name), 9).tolist() for name in fields}
    rest = (window.sequence, window.count, window.start, window.end, window.fitness, window.reasons)
    return (*rest, dict(window.left_out), dict(window.quality), window.time_uncertainty_s, repr(shown))


POLICY = Policy(min_channels=0.4, max_moving=0.5, min_scalp_coupling=-0.5)


def windows_of(spec: SignalSpec, times: np.ndarray, data: np.ndarray, chunk: int = 10_000) -> list[Window]:
    return feed(opened_core(fast_plan(spec, policy=POLICY)), times, data, chunk)


def prepared_windows(times: np.ndarray, data: np.ndarray, seed: int) -> list[Window]:
    """The same from a core that is asked to prepare at moments drawn by chance."""
    core = opened_core(fast_plan(SPEC, policy=POLICY))
    chance = np.random.default_rng(seed)
    given: list[Window] = []
    for at in range(len(times)):
        given += core.feed(Received(float(times[at]), times[at : at + 1], data[:, at : at + 1]))
        if chance.random() < 0.7:
            core.prepare()
    return given


# ------------------------------------------------------------------- laws


@given(
    seed=st.integers(0, 1000),
    rate=st.sampled_from([6.3, 10.0, 14.3, 33.0]),
    chunk=st.integers(1, 97),
    lost=st.lists(st.tuples(st.integers(0, 700), st.integers(1, 150)), max_size=3),
    dead=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 700), st.integers(1, 200)), max_size=3),
    jitter=st.floats(0, 0.02),
)
@settings(max_examples=25, deadline=None)
def test_cutting_the_stream_differently_changes_nothing_that_is_known_of_a_window(
    seed: int,
    rate: float,
    chunk: int,
    lost: list[tuple[int, int]],
    dead: list[tuple[int, int, int]],
    jitter: float,
) -> None:
    """Also where samples come faster than the grid: which of them a window holds is no accident."""
    times = 1000 + np.arange(800) / rate + np.random.default_rng(seed).uniform(-jitter, jitter, 800)
    data = pulsating(SPEC, times, seed=seed)
    for kind, (channel, at, n) in enumerate(dead):
        data[channel, at : at + n] = (np.nan, data[channel, at], 9.0)[kind]
    there = np.ones(800, bool)
    for at, n in lost:
        there[at : at + n] = False
    if there.sum() < 30:
        return
    times, data = times[there], data[:, there]
    whole = windows_of(SPEC, times, data)
    parts = windows_of(SPEC, times, data, chunk)
    assert [everything(w) for w in whole] == [everything(w) for w in parts]
    # Work that is done ahead, whenever, is the same work.
    assert [everything(w) for w in whole] == [everything(w) for w in prepared_windows(times, data, seed)]
    # And nothing later has a say: what was known of a prefix stays.
    half = windows_of(SPEC, times[: len(times) // 2], data[:, : len(times) // 2], chunk)
    assert [everything(w) for w in half] == [everything(w) for w in whole[: len(half)]]


def test_what_was_prepared_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    core = opened_core(fast_plan(SPEC, policy=POLICY))
    looked: list[bool] = []  # while a sample is handled, or ahead of it
    ahead = [False]

    def watched(*words: Any) -> Any:
        looked.append(ahead[0])
        return look(*words)

    monkeypatch.setattr("realtime.quality.channels.look", watched)
    times = 1000 + np.arange(400) / RATE
    data = pulsating(SPEC, times)
    n_windows = 0
    for at in range(len(times)):
        ahead[0] = False
        n_windows += len(core.feed(Received(float(times[at]), times[at : at + 1], data[:, at : at + 1])))
        ahead[0] = True
        core.prepare()
    assert n_windows > 20
    assert looked.count(False) <= 1
    assert looked.count(True) <= n_windows + 1


def measured(times: np.ndarray, data: np.ndarray, start: float, end: float, rate: float = RATE) -> Measured:
    spec = intensity_spec(len(data) // 2, rate)
    quality = ChannelQuality(spec, spec.with_rate(RATE), length_s=end - start, policy=Policy())
    quality.recent.take(Chunk(spec, data, times, ~np.isfinite(data)), np.zeros(len(times)))
    found = quality.measure(quality.samples_of(start, end, rate), start, end, rate)
    assert found is not None
    return found


@given(seed=st.integers(0, 100), rate=st.sampled_from([5.0, 10.0, 25.0]))
@settings(max_examples=20, deadline=None)
def test_only_samples_of_the_window_itself_are_looked_at(seed: int, rate: float) -> None:
    times = np.arange(int(30 * rate)) / rate + 1e-3
    data = pulsating(SPEC, times, seed=seed)
    inside = (times >= 10) & (times < 17)
    other = np.where(inside, data, np.random.default_rng(seed).uniform(0.1, 5, data.shape))
    one, two = measured(times, data, 10, 17, rate), measured(times, other, 10, 17, rate)
    assert one.summary == two.summary
    for name in ("scalp_coupling", "peak_power", "flat_s", "saturated", "moving"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


@given(seed=st.integers(0, 100), at=st.integers(1, 499), gap=st.floats(0, 20))
@settings(max_examples=20, deadline=None)
def test_a_restored_one_goes_on_as_the_one_it_was_taken_from(seed: int, at: int, gap: float) -> None:
    times, data = 40 + np.arange(500) / 10, intensities(SPEC, 500, seed)
    times[at:] += gap
    cores = [opened_core(fast_plan(SPEC, policy=LOOSE)) for _ in range(2)]
    feed(cores[0], times[:at], data[:, :at], 11)
    for name in ("clock", "pipeline", "_windows"):
        getattr(cores[1], name).restore(getattr(cores[0], name).state())
    for core in cores:
        assert core._fitness is not None
    cores[1]._fitness.signals.restore(cores[0]._fitness.signals.state())
    straight, restored = (feed(core, times[at:], data[:, at:], 7) for core in cores)
    assert [everything(w) for w in straight] == [everything(w) for w in restored]


def test_no_more_is_kept_than_windows_to_come_may_ask_for() -> None:
    core = opened_core(fast_plan(SPEC))
    times = np.arange(6000) / 10
    feed(core, times, intensities(SPEC, 6000), 1)
    assert core._fitness is not None
    recent = core._fitness.signals.recent
    assert len(recent.state()["times"]) <= 80
    assert len(recent._times) == 256
    # A trickle of which no rate can ever be measured does not grow without bounds.
    one = bold_spec(1)
    recent = RecentSamples(1)
    for first in range(0, 8 * MOST_SAMPLES, 1000):
        times = (first + np.arange(1000)) * 6.0
        recent.take(Chunk(one, times[np.newaxis], times, np.zeros((1, 1000), bool)), np.zeros(1000))
    held = recent.state()
    assert MOST_SAMPLES <= len(held["times"]) <= 4 * MOST_SAMPLES
    np.testing.assert_array_equal(held["data"][:, 0], held["times"])
    assert held["times"][-1] == times[-1]


# ------------------------------------------------------- what is made of what


def test_a_bad_wavelength_spoils_what_is_made_of_it_and_nothing_else() -> None:
    density = make_stage({"stage": "optical_density"}, SPEC).spec_out
    haemoglobin = make_stage({"stage": "beer_lambert"}, density).spec_out
    rows = made_of(SPEC, haemoglobin)
    for name, made in zip(haemoglobin.names, rows.T, strict=True):
        place = name.split()[0]
        assert {SPEC.names[row] for row in made} == {f"{place} 760", f"{place} 850"}
    regions = bold_spec()
    assert made_of(regions, regions.pick([2, 0])).tolist() == [[2, 0]]


# ----------------------------------------------------------------- the pulse


@pytest.mark.parametrize("rate", [3.9, 5.0, 10.0, 50.0])
def test_a_pulse_that_both_wavelengths_share_is_seen(rate: float) -> None:
    times = np.arange(int(20 * rate)) / rate
    data = pulsating(SPEC, times)
    data[3] = pulsating(SPEC, times, pulse=0.0, seed=5)[3]  # an optode in the air
    found = measured(times, data, 10, 17, rate)
    assert found.scalp_coupling[0] > 0.95
    assert found.peak_power[0] > 1.0
    assert abs(found.scalp_coupling[1]) < 0.8
    assert found.peak_power[1] < found.peak_power[0] / 3


def test_the_sign_and_the_size_of_the_light_do_not_matter() -> None:
    times = np.arange(200) / 10
    data = pulsating(SPEC, times)
    one = measured(times, data, 10, 17)
    two = measured(
        times, np.stack([3e-9 * data[0], 1e5 * data[1], -np.log(data[2]), -np.log(data[3])]), 10, 17
    )
    np.testing.assert_allclose(one.scalp_coupling, two.scalp_coupling, atol=0.01)
    np.testing.assert_allclose(one.peak_power, two.peak_power, rtol=0.02)
    data[1] = 2 - data[1]
    assert measured(times, data, 10, 17).scalp_coupling[0] < -0.95


@pytest.mark.parametrize(
    ("rate", "length", "band", "known"),
    [
        (0.5, 40.0, (0.7, 1.5), False),
        (3.0, 7.0, (0.7, 1.5), False),
        (3.1, 7.0, (0.7, 1.5), True),
        (5.0, 7.0, (0.5, 2.5), False),
        (5.1, 7.0, (0.5, 2.5), True),
        (10.0, 3.0, (0.7, 1.5), False),
    ],
)
def test_a_pulse_that_cannot_be_seen_is_unknown(
    rate: float, length: float, band: tuple[float, float], known: bool
) -> None:
    coupling = ScalpCoupling(SPEC, length_s=length, low=band[0], high=band[1])
    times = np.arange(int(length * rate)) / rate
    index, power = coupling.measure(times, pulsating(SPEC, times), rate)
    assert np.isfinite(index).all() == np.isfinite(power).all() == known


def test_haemoglobin_and_regions_have_no_wavelengths_to_compare() -> None:
    for kind, unit in ((Kind.HBO, "mol/L"), (Kind.BOLD, "a.u.")):
        spec = SignalSpec((Channel(name="x", kind=kind, unit=unit, source=1, detector=1),), 10.0)
        quality = ChannelQuality(spec, spec, length_s=7.0, policy=Policy())
        data = np.random.default_rng(0).normal(size=(1, 100))
        quality.recent.take(Chunk(spec, data, np.arange(100) / 10, np.zeros((1, 100), bool)), np.zeros(100))
        found = quality.measure(quality.samples_of(1.0, 8.0, 10.0), 1.0, 8.0, 10.0)
        assert found is not None
        assert found.summary == {"scalp_coupling": None, "peak_power": None, "moving": 0.0}


def test_of_three_wavelengths_the_two_least_alike_count() -> None:
    """As in mne: the Shimadzu of the review has 780, 805 and 830 nm."""
    one = SPEC.channels[0]
    spec = SignalSpec(tuple(replace(one, name=f"{w}", wavelength=w) for w in (780.0, 805.0, 830.0)), 10.0)
    times = np.arange(70) / 10
    data = pulsating(spec, times)
    coupling = ScalpCoupling(spec, length_s=7.0, low=0.7, high=1.5)
    assert coupling.measure(times, data, 10.0)[0][0] > 0.95
    data[2] = pulsating(spec, times, pulse=0.0, seed=7)[2]
    index = coupling.measure(times, data, 10.0)[0]
    assert index.shape == (1,)
    assert index[0] < 0.8


def test_a_dark_channel_has_no_pulse() -> None:
    times = np.arange(200) / 10
    data = pulsating(SPEC, times)
    data[1] = 0.1 + 1e-18  # constant: what is left of it is rounding
    found = measured(times, data, 10, 17)
    assert found.scalp_coupling[0] == found.peak_power[0] == 0.0


def test_numbers_beyond_all_measure_are_borne() -> None:
    times = np.arange(200) / 10
    for huge in (1e200, 1.7e308, 1e-310):
        data = pulsating(SPEC, times)
        data[1] *= huge
        found = measured(times, data, 10, 17)
        assert found.scalp_coupling[1] > 0.9


# ------------------------------------------------------------ faults on purpose


def test_a_channel_that_stands_still_is_flat() -> None:
    times = np.arange(400) / 10
    data = pulsating(SPEC, times)
    data[2, 120:150] = data[2, 120]
    found = measured(times, data, 10, 17)
    assert found.flat_s.tolist() == pytest.approx([0.0, 0.0, 2.9, 0.0])
    # A coarse converter repeats itself all the time, but never for long.
    coarse = np.round(pulsating(SPEC, times) * 2**9) / 2**9
    assert (np.diff(coarse[:, 100:170]) == 0).mean() > 0.05
    assert measured(times, coarse, 10, 17).flat_s.max() < 1.0


def test_a_channel_at_the_end_of_its_range_is_saturated() -> None:
    times = np.arange(400) / 10
    data = pulsating(SPEC, times)
    top = np.quantile(data[0, 100:170], 0.7)
    data[0] = np.minimum(data[0], top)
    data[3] = np.maximum(data[3], np.quantile(data[3, 100:170], 0.4))
    found = measured(times, data, 10, 17)
    assert found.saturated[0] == pytest.approx(0.3, abs=0.1)
    assert found.saturated[3] == pytest.approx(0.4, abs=0.1)
    assert found.saturated[[1, 2]].tolist() == [0.0, 0.0]


def test_a_coarse_converter_is_not_taken_for_a_saturated_one() -> None:
    times = np.arange(2000) / 50
    data = pulsating(SPEC, times, noise=0.0)
    for steps in (5, 20, 60, 300):
        size = np.ptp(data[:, 500:850], axis=1, keepdims=True) / steps
        found = measured(times, np.round(data / size) * size, 10, 17, 50.0)
        assert found.saturated.max() < Policy().max_saturated  # type: ignore[operator]


@pytest.mark.parametrize("rate", [5.0, 10.0, 25.0])
def test_steps_and_spikes_are_motion_and_a_pulse_is_not(rate: float) -> None:
    times = np.arange(int(40 * rate)) / rate
    data = pulsating(SPEC, times)
    at = int(13 * rate)
    spread = np.log(data).std(axis=1)
    data[0, at:] *= np.exp(20 * spread[0])  # a step
    data[1, at] *= np.exp(20 * spread[1])  # a spike
    found = measured(times, data, 10, 17, rate)
    assert found.moving[0] == pytest.approx(1.2 / 7, abs=0.07)
    assert found.moving[1] == pytest.approx(1.4 / 7, abs=0.09)
    assert found.moving[[2, 3]].tolist() == [0.0, 0.0]
    assert found.summary["moving"] == 0.5


def test_motion_that_fills_a_window_is_told_from_what_was_usual() -> None:
    times = np.arange(600) / 10
    data = pulsating(SPEC, times)
    rng = np.random.default_rng(0)
    data[0, 300:400] *= np.exp(rng.normal(size=100) * 0.5)
    windows = feed(opened_core(fast_plan(SPEC, policy=LOOSE)), times, data)
    shaken = [w for w in windows if w.start >= 30 and w.end <= 40]
    assert shaken
    for window in shaken:
        assert window.channels is not None
        assert window.channels.moving[0] > 0.5
        assert window.channels.moving[-1] == 0.0
    last = windows[-1].channels
    assert last is not None
    assert last.moving.max() == 0.0


def test_a_channel_of_which_little_came_is_unknown_and_not_dead() -> None:
    times = np.arange(200) / 10
    data = pulsating(SPEC, times)
    data[0, 105:165] = np.nan
    data[3, 120:125] = np.nan
    found = measured(times, data, 10, 17)
    for values in (found.flat_s, found.saturated, found.moving):
        assert np.isnan(values).tolist() == [True, False, False, False]
    assert np.isnan(found.scalp_coupling).tolist() == [True, False]
    assert found.scalp_coupling[1] > 0.9


# ------------------------------------------------------------- real recordings


def read(path: Path, length_unit: str | None = None) -> Recording:
    from offline.recordings import read_recording

    return read_recording(path, length_unit=length_unit)


def compared(recording: Recording) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Of 7-s windows: scalp coupling, ours and mne-nirs', then peak power, ours and theirs."""
    from mne import create_info
    from mne.io import RawArray
    from mne_nirs.preprocessing import peak_power, scalp_coupling_index_windowed

    spec = recording.spec
    pairs: dict[object, list[int]] = {}
    for row, channel in enumerate(spec.channels):
        if not recording.missing[row].any():
            pairs.setdefault(channel.pair, []).append(row)
    rows = [row for both in pairs.values() if len(both) == 2 for row in both]
    rate = 1 / np.median(np.diff(recording.times))
    names = [
        f"S{spec.channels[r].source}_D{spec.channels[r].detector} {spec.channels[r].wavelength:.0f}"
        for r in rows
    ]
    info = create_info(names, rate, "fnirs_od")
    for r, channel in zip(rows, info["chs"], strict=True):
        channel["loc"][9] = spec.channels[r].wavelength
    density = -np.log(recording.data[rows] / recording.data[rows].mean(axis=1, keepdims=True))
    raw = RawArray(density, info, verbose=False)
    _, theirs, spans = scalp_coupling_index_windowed(raw, time_window=7, verbose=False)
    _, their_power, _ = peak_power(raw, time_window=7, verbose=False)
    coupling = ScalpCoupling(spec.pick(rows), length_s=7.0, low=0.7, high=1.5)
    ours, power = [], []
    for start, stop in spans:
        inside = slice(*np.searchsorted(raw.times, (start - 1e-6, stop - 1e-6)))
        index, peak = coupling.measure(raw.times[inside] - start, recording.data[rows][:, inside], rate)
        ours.append(index)
        power.append(peak)
    return np.array(ours).T, theirs[::2], np.array(power).T, their_power[::2]


@pytest.mark.parametrize(
    ("folder", "pattern"),
    [
        ("homer3_tapping", "subj1/*08192013.nirs"),
        ("homer3_tapping", "subj3/*20131009.nirs"),
        ("rest", "**/*01_*.snirf"),
    ],
)
def test_pulse_and_coupling_are_those_of_mne_nirs(data_dir: Path, folder: str, pattern: str) -> None:
    """Which filters the whole recording before it cuts windows; ours sees one window."""
    path = next((data_dir / "fnirs" / folder).glob(pattern))
    ours, theirs, power, their_power = compared(read(path))
    assert ours.shape == theirs.shape
    assert spearmanr(ours.ravel(), theirs.ravel())[0] > 0.98
    assert np.median(np.abs(ours - theirs)) < 0.02
    assert np.quantile(np.abs(ours - theirs), 0.9) < 0.1
    assert spearmanr(power.ravel(), their_power.ravel())[0] > 0.8
    assert np.median(np.abs(power - their_power) / their_power) < 0.15
    # Of each pair over the whole recording, as mne judges it.
    assert spearmanr(np.median(ours, axis=1), np.median(theirs, axis=1))[0] > 0.95


def test_a_real_channel_that_hit_the_rail_is_found(data_dir: Path) -> None:
    """In a public recording one detector sat at 4.9967 V for 88 % of the time, another for 11 %."""
    folder = data_dir / "fnirs" / "homer3_two_conditions" / "nirs"
    recording = read(folder / "s3" / "neuro_run04.nirs", "cm")
    windows, names = replayed(recording, Policy(min_channels=0.5))
    warm = [w for w in windows if Reason.WARMING_UP not in w.reasons]
    told = [w for w in warm if Reason.SATURATED in w.left_out or Reason.FLAT in w.left_out]
    assert len(told) > 0.9 * len(warm) > 300
    named = {name for w in windows for names in w.left_out.values() for name in names}
    assert named == {"S4_D8 hbo", "S4_D8 hbr", "S2_D4 hbo", "S2_D4 hbr"}
    # With half of the channels being enough, it is judged without them.
    for window in told:
        out = [names.index(name) for each in window.left_out.values() for name in each]
        assert window.usable
        assert window.data is not None
        assert (~window.data.any(axis=1)).nonzero()[0].tolist() == sorted(out)


def replayed(recording: Recording, policy: Policy) -> tuple[list[Window], tuple[str, ...]]:
    """Windows, and the names of their channels."""
    core = Core(fast_plan(recording.spec, policy=policy))
    windows = [window for entry in entries(recording) for window in core.feed(entry)]
    assert core.pipeline is not None
    return windows, core.pipeline.spec_out.names


@pytest.mark.parametrize(
    ("folder", "pattern"),
    [("homer3_tapping", "subj2/*04_*.nirs"), ("rest", "**/*06_*.snirf")],
)
def test_the_default_policy_throws_no_good_recording_away(data_dir: Path, folder: str, pattern: str) -> None:
    recording = read(next((data_dir / "fnirs" / folder).glob(pattern)))
    slow = Plan(
        spec=recording.spec,
        pipeline=(
            {"stage": "optical_density", "baseline_s": 4.0},
            {"stage": "resample", "rate": 4.0, "measure_s": 4.0},
        ),
        length_s=7.0,
        step_s=1.0,
    )
    core = Core(slow)
    windows = [window for entry in entries(recording) for window in core.feed(entry)]
    warm = [window for window in windows if Reason.WARMING_UP not in window.reasons]
    assert len(warm) > 40
    assert all(window.usable for window in warm)
    assert all(window.quality["scalp_coupling"] is not None for window in warm)


def test_a_stream_that_takes_another_s_place_leaves_nothing_behind() -> None:
    """Neither its samples nor its scale of motion."""
    times = np.arange(300) / 10
    data = pulsating(SPEC, times)
    core = opened_core(fast_plan(SPEC, policy=LOOSE))
    feed(core, times, 100 * data)
    core.feed(StreamOpened(100.0, SPEC, Origin(), "device", measured=True))
    core.feed(ClockMeasured(100.0, 0.0, None, uncertainty=0.0))
    again = feed(core, 100 + times, data)
    fresh = feed(opened_core(fast_plan(SPEC, policy=LOOSE)), 100 + times, data)
    assert [everything(w)[2:] for w in again] == [everything(w)[2:] for w in fresh]
