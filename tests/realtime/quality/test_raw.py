"""Raw quality: from the samples of one window alone, NaN where too little of a channel was measured."""

import numpy as np
import pytest

from realtime.quality.buffer import RecentSamples
from realtime.quality.raw import RawQuality, measure_raw, samples_key
from realtime.quality.scalp_coupling import ScalpCoupling
from realtime.signal import Chunk
from tests.realtime.support import intensity_spec

RATE, N = 10.0, 70
SPEC = intensity_spec(3)  # channels 0 and 1 are pair 0, 2 and 3 pair 1, 4 and 5 pair 2
PULSE = ScalpCoupling(SPEC, length_s=7.0, low=0.7, high=1.5)


def signal(seed: int = 0) -> np.ndarray:
    """A pulse in every channel, much noise in those of pair 2."""
    rng = np.random.default_rng(seed)
    pulse = np.sin(2 * np.pi * 1.1 * np.arange(N) / RATE)
    noise = rng.normal(size=(6, N)) * np.array([0.05, 0.05, 0.3, 0.3, 3.0, 3.0])[:, np.newaxis]
    return np.asarray(5.0 + pulse + noise)


def measured(data: np.ndarray, *, start: float = 0.0, missing: np.ndarray | None = None) -> RawQuality:
    recent = RecentSamples(len(data))
    times = start + np.arange(data.shape[1]) / RATE
    lacks = np.zeros(data.shape, dtype=bool) if missing is None else missing
    recent.take(Chunk(SPEC, data, times, lacks), np.zeros(len(times)))
    found = measure_raw(recent, slice(0, len(times)), start, RATE, PULSE)
    assert found is not None
    return found


def test_the_samples_are_known_by_start_last_time_number_and_rate() -> None:
    recent = RecentSamples(6)
    recent.take(Chunk(SPEC, signal(), np.arange(N) / RATE, np.zeros((6, N), dtype=bool)), np.zeros(N))
    assert samples_key(recent, slice(10, 30), 1.0, RATE) == (1.0, 2.9, 20, RATE)
    assert samples_key(recent, slice(30, 30), 3.0, RATE) == (3.0, 3.0, 0, RATE)


@pytest.mark.parametrize("n", [0, 1])
def test_fewer_than_two_samples_show_nothing(n: int) -> None:
    recent = RecentSamples(6)
    recent.take(Chunk(SPEC, signal(), np.arange(N) / RATE, np.zeros((6, N), dtype=bool)), np.zeros(N))
    assert measure_raw(recent, slice(5, 5 + n), 0.5, RATE, PULSE) is None
    assert measure_raw(recent, slice(5, 7), 0.5, RATE, PULSE) is not None


def test_times_are_from_the_windows_start() -> None:
    found = measured(signal(), start=1e5)
    np.testing.assert_allclose(found.times, np.arange(N) / RATE, atol=1e-9)
    assert found.coupling == pytest.approx(measured(signal()).coupling)


def test_the_summary_is_the_median_over_pairs_of_those_known() -> None:
    found = measured(signal())
    assert found.coupling[0] > found.coupling[1] > found.coupling[2]
    assert found.summary["scalp_coupling"] == round(float(np.median(found.coupling)), 4)
    assert found.summary["peak_power"] == round(float(np.median(found.power)), 4)
    missing = np.zeros((6, N), dtype=bool)
    missing[5] = True
    two = measured(signal(), missing=missing)
    assert two.summary["scalp_coupling"] == round(float(np.mean(found.coupling[:2])), 4)
    missing[:] = True
    assert measured(signal(), missing=missing).summary == {"scalp_coupling": None, "peak_power": None}


def test_a_channel_of_which_less_than_half_was_measured_is_unknown_and_spoils_no_other() -> None:
    data, missing = signal(), np.zeros((6, N), dtype=bool)
    missing[2, :36] = True  # 34 of 70 are there
    missing[0, ::2] = True  # exactly half is
    found, whole = measured(data, missing=missing), measured(data)
    assert found.unknown.tolist() == [2]
    assert np.isnan(found.coupling).tolist() == [False, True, False]
    assert np.isnan(found.power).tolist() == [False, True, False]
    assert np.isnan(found.flat).tolist() == np.isnan(found.saturated).tolist() == [0, 0, 1, 0, 0, 0]
    assert found.coupling[2] == pytest.approx(whole.coupling[2])
    # Of what is unknown nothing moves: it is NaN nowhere else.
    assert np.isfinite(found.own_change).all()
    assert not found.moved[2].any()
    np.testing.assert_array_equal(found.moved[[1, 3, 4, 5]], whole.moved[[1, 3, 4, 5]])


def test_a_channel_without_a_partner_may_be_unknown_too() -> None:
    spec = intensity_spec(2).pick([0, 1, 2])
    missing = np.zeros((3, N), dtype=bool)
    missing[2] = True
    recent = RecentSamples(3)
    recent.take(Chunk(spec, signal()[:3], np.arange(N) / RATE, missing), np.zeros(N))
    coupling = ScalpCoupling(spec, length_s=7.0, low=0.7, high=1.5)
    found = measure_raw(recent, slice(0, N), 0.0, RATE, coupling)
    assert found is not None
    assert found.unknown.tolist() == [2]
    assert np.isfinite(found.coupling).tolist() == [True]


def test_missing_samples_are_interpolated_for_the_pulse_and_for_motion() -> None:
    ramp = np.tile(np.arange(N, dtype=float), (6, 1))
    missing = np.zeros((6, N), dtype=bool)
    missing[1, 20:30] = True
    spoilt = ramp.copy()
    spoilt[missing] = 1e9
    np.testing.assert_allclose(measured(spoilt, missing=missing).moved, measured(ramp).moved)


def test_a_flat_channel_and_a_saturated_one_are_found() -> None:
    data = signal() + np.arange(N) * 1e-9
    data[0, 10:31] = data[0, 10]
    data[3] = np.minimum(data[3], np.sort(data[3])[-20])
    found = measured(data)
    assert found.flat == pytest.approx([2.0, 0, 0, found.flat[3], 0, 0])
    assert found.saturated[3] > 0.1
    assert found.saturated[[1, 2, 4, 5]].tolist() == [0, 0, 0, 0]
    assert measured(signal()).flat.tolist() == [0] * 6


def test_what_overflows_is_not_known_and_raises_nothing() -> None:
    found = measured(signal() * 1e300)
    assert found.coupling.shape == (3,)
