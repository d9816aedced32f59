"""From the stamps onto the model's grid."""

import numpy as np
import pytest
from scipy.signal import butter

from models.arrays import Floats
from realtime.signal import Channel, Chunk, Kind, SignalSpec
from realtime.stages.base import Reset
from realtime.stages.filtering import group_delay
from realtime.stages.resample import Resample


def _spec(n: int = 1, rate: float = 10.0) -> SignalSpec:
    return SignalSpec(tuple(Channel(name=f"c{i}", kind=Kind.INTENSITY, unit="V") for i in range(n)), rate)


def _chunk(times: Floats, *rows: Floats) -> Chunk:
    data = np.array(rows)
    return Chunk(_spec(len(rows)), data, times, np.isnan(data))


def _read_at(points: Floats, times: Floats, period: float) -> Floats:
    """Where each grid point is read : (n_points,) seconds, up to a quarter period before it."""
    read = []
    for point in points:
        quarter = point - period / 4
        after, before = times[times >= quarter][0], times[times < quarter]
        last = before[-1] if len(before) else after - period
        late = max(after - point, 0) / (max(after - point, 0) + quarter - last)
        read.append(min(point, after) - late * period / 4)
    return np.array(read)


@pytest.mark.parametrize("declared", [7.88, 0.0, 20.0])
def test_the_stamps_decide_and_not_the_declared_rate(declared: float) -> None:
    """The Cortivision case: declared 7.88 Hz, really 9.13 Hz, to a grid of 8 Hz."""
    times = 40 + np.arange(1500) / 9.13 + np.random.default_rng(0).normal(0, 0.002, 1500)
    wave = 2 * np.pi * 0.1
    spec = _spec(rate=declared)
    stage = Resample(spec, rate=8.0)
    out = stage.process(Chunk(spec, np.sin(wave * times)[None], times, np.zeros((1, 1500), dtype=bool)))
    assert stage.period == pytest.approx(1 / 9.13, rel=0.01)
    np.testing.assert_array_equal(out.times, times[0] + np.arange(out.n_samples) / 8.0)
    assert out.times[-1] == pytest.approx(times[-1], abs=0.2)
    assert not out.missing.any()
    # What a wave of 0.1 Hz becomes, fitted over whole periods: as large, and late by the filter.
    settled = (out.times > times[0] + 5) & (out.times < times[0] + 155)
    at, values = out.times[settled], out.data[0, settled]
    turning = 2 * np.mean(values * np.exp(-1j * wave * at)) * 1j
    assert np.abs(turning) == pytest.approx(1, abs=0.005)
    # Points are read up to a quarter period early, 1/8 of a period on average.
    filter_delay = group_delay(butter(4, 0.8 * 4, output="sos", fs=9.13), 0.1, 9.13)
    assert -np.angle(turning) / wave == pytest.approx(filter_delay + 1 / 9.13 / 8, abs=0.001)
    # A point may be given the value of up to a quarter period before it.
    errors = values - np.imag(turning * np.exp(1j * wave * at))
    assert np.abs(errors).max() < wave / 9.13 / 4 + 0.005


def test_a_slower_or_equal_input_is_not_filtered() -> None:
    times = np.arange(0, 100, 0.2)
    stage = Resample(_spec(), rate=8.0)
    out = stage.process(_chunk(times, np.sin(0.6 * times)))
    assert stage.delay_s == 0.0
    np.testing.assert_allclose(out.data[0], np.sin(0.6 * _read_at(out.times, times, 0.2)), atol=0.003)


def test_what_the_grid_cannot_carry_is_taken_out() -> None:
    """50 Hz input, a wave of 4.6 Hz: on a 5 Hz grid it would look like 0.4 Hz."""
    times = np.arange(0, 60, 0.02)
    out = Resample(_spec(), rate=5.0).process(_chunk(times, np.sin(2 * np.pi * 4.6 * times)))
    assert np.abs(out.data[0, 25:]).max() < 0.05


def test_nothing_leaves_until_the_period_is_measured_and_then_everything() -> None:
    times = np.arange(300) / 10
    stage = Resample(_spec(), rate=10.0, measure_s=5.0)
    counts = [stage.process(_chunk(times[i : i + 1], times[i : i + 1])).n_samples for i in range(300)]
    assert counts[:50] == [0] * 50
    assert counts[50] == 51
    assert counts[51:] == [1] * 249


def test_a_measurement_needs_five_samples() -> None:
    times = 4.0 * np.arange(8, dtype=np.float64)
    stage = Resample(_spec(), rate=0.25, measure_s=5.0)
    counts = [stage.process(_chunk(times[i : i + 1], times[i : i + 1])).n_samples for i in range(8)]
    assert counts == [0, 0, 0, 0, 5, 1, 1, 1]


def test_lost_samples_do_not_slow_the_measured_rate() -> None:
    rng = np.random.default_rng(5)
    times = np.arange(300) / 10
    times = times[np.concatenate([[True], rng.random(299) > 0.3])]
    stage = Resample(_spec(), rate=10.0)
    stage.process(_chunk(times, times))
    assert stage.period == pytest.approx(0.1, rel=1e-6)


def test_a_grid_point_leaves_with_the_sample_that_comes_within_a_quarter_period() -> None:
    times = np.arange(200) / 10
    stage = Resample(_spec(), rate=10.0, measure_s=2.0)
    stage.process(_chunk(times, times))
    for off, n in [(0.026, 0), (0.024, 1)]:
        state = stage.state()
        out = stage.process(_chunk(times[-1:] + 0.1 - off, np.array([7.0])))
        assert out.n_samples == n
        if n:
            assert out.data[0, 0] == 7.0  # the sample's own value: nothing is extrapolated
        stage.restore(state)


def test_it_interpolates_between_the_two_samples_around() -> None:
    times = np.arange(0, 30, 0.25)
    values = np.random.default_rng(6).standard_normal(len(times))
    out = Resample(_spec(), rate=7.0).process(_chunk(times, values))
    expected = np.interp(_read_at(out.times, times, 0.25), times, values)
    np.testing.assert_allclose(out.data[0], expected, atol=1e-9)


def test_noise_of_the_clock_does_not_matter_however_grid_and_samples_lie() -> None:
    """At 8.3 Hz onto 8 Hz every phase occurs, also those at which the next sample takes over."""
    rng = np.random.default_rng(8)
    times = np.arange(20_000) / 8.3
    values = np.cumsum(rng.standard_normal(len(times)))
    steepest = np.abs(np.diff(values)).max() * 8.3
    expected = Resample(_spec(), rate=8.0).process(_chunk(times, values)).data[0]
    for noise in (1e-7, 1e-5, 1e-4):
        shifts = noise * rng.uniform(-1, 1, len(times))
        shifts[0] = 0.0  # the grid stays
        found = Resample(_spec(), rate=8.0).process(_chunk(times + shifts, values)).data[0]
        n = min(len(found), len(expected))
        assert n > 19_000
        assert np.abs(found[:n] - expected[:n]).max() <= 3 * noise * steepest


def test_missing_cells_and_lost_samples_leave_the_right_holes() -> None:
    times = np.arange(300) / 10
    one = np.arange(300.0)
    one[200] = np.nan
    there = np.ones(300, dtype=bool)
    there[250:260] = False
    chunk = _chunk(times[there], one[there], np.arange(300.0)[there])
    out = Resample(_spec(2), rate=10.0).process(chunk)
    assert out.n_samples == 300  # without a reset the grid has no holes
    np.testing.assert_array_equal(np.flatnonzero(out.missing[1]), np.arange(250, 261))
    np.testing.assert_array_equal(np.flatnonzero(out.missing[0]), [200, 201, *range(250, 261)])


def test_a_gap_keeps_the_grid_and_fills_nothing() -> None:
    times = 5 + np.arange(300) / 10
    later = 5 + 77.7432 + np.arange(50) / 10
    stage = Resample(_spec(), rate=8.0)
    stage.process(_chunk(times, np.ones(300)))
    stage.reset(Reset.GAP)
    out = stage.process(_chunk(later, np.ones(50)))
    numbers = np.round((out.times - times[0]) * 8)
    np.testing.assert_array_equal(out.times, times[0] + numbers / 8)
    np.testing.assert_array_equal(np.diff(numbers), 1)
    assert 0 <= out.times[0] - (later[0] - 0.025) < 1 / 8
    assert not out.missing.any()


def test_a_gap_during_the_measurement_begins_it_anew_on_the_same_grid() -> None:
    stage = Resample(_spec(), rate=8.0)
    assert stage.process(_chunk(np.arange(50) / 10, np.ones(50))).n_samples == 0
    stage.reset(Reset.GAP)
    times = 31.01 + np.arange(150) / 10
    out = stage.process(_chunk(times, np.ones(150)))
    np.testing.assert_array_equal(out.times, 31 + np.arange(out.n_samples) / 8)


@pytest.mark.parametrize("reason", [Reset.CLOCK, Reset.STREAM])
def test_another_clock_anchors_another_grid(reason: Reset) -> None:
    stage = Resample(_spec(), rate=8.0)
    stage.process(_chunk(np.arange(300) / 10, np.ones(300)))
    stage.reset(reason)
    times = 3.3333 + np.arange(300) / 4
    out = stage.process(_chunk(times, np.ones(300)))
    np.testing.assert_array_equal(out.times, times[0] + np.arange(out.n_samples) / 8)
    assert stage.period == pytest.approx(0.25)


def test_a_period_is_found_between_a_step_and_a_gap() -> None:
    """As many gaps as steps: the median of the steps lies where no step is."""
    spec = SignalSpec((Channel(name="r", kind=Kind.BOLD, unit="a.u."),), 10.0)
    times = np.array([0.0, 0.1, 3.2, 3.3, 6.4])
    stage = Resample(spec, rate=10.0, measure_s=6.0)
    stage.process(Chunk(spec, np.zeros((1, 5)), times, np.zeros((1, 5), dtype=bool)))
    assert stage.period == pytest.approx(0.1)
