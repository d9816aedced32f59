"""The causal band-pass: its declarations, its start, its dropouts."""

import numpy as np
import pytest
from scipy.signal import butter, sosfilt, sosfilt_zi

from models.arrays import Floats
from models.errors import SignalError
from realtime.signal import Channel, Chunk, Kind, SignalSpec
from realtime.stages.bandpass import Bandpass
from realtime.stages.filtering import group_delay, settling_time

RATE = 8.0


def _spec(n: int, rate: float = RATE) -> SignalSpec:
    return SignalSpec(tuple(Channel(name=f"c{i}", kind=Kind.HBO, unit="mol/L") for i in range(n)), rate)


def _chunk(data: Floats) -> Chunk:
    return Chunk(_spec(len(data)), data, np.arange(data.shape[1]) / RATE, np.isnan(data))


def test_delay_and_warm_up_are_the_measured_ones() -> None:
    """FIELD-NOTES: 0.01-0.2 Hz delays 8 s at 0.02 Hz, 4 s at 0.03, 2 s at 0.05 and settles in about 68 s."""
    sos = butter(2, [0.01, 0.2], "bandpass", output="sos", fs=RATE)
    for frequency, delay in [(0.02, 8.0), (0.03, 4.0), (0.05, 2.0)]:
        assert group_delay(sos, frequency, RATE) == pytest.approx(delay, abs=0.25)
    stage = Bandpass(_spec(1), low=0.01, high=0.2)
    assert stage.warmup_s == pytest.approx(68, abs=1.5)
    assert stage.delay_s == pytest.approx(group_delay(sos, np.sqrt(0.01 * 0.2), RATE))


@pytest.mark.parametrize("frequency", [0.02, 0.05, 0.1])
def test_the_group_delay_is_that_of_an_envelope(frequency: float) -> None:
    """The envelope of a slow burst leaves the filter later by the group delay."""
    sos = butter(2, [0.01, 0.2], "bandpass", output="sos", fs=RATE)
    times = np.arange(0, 4000, 1 / RATE)
    envelope = np.exp(-0.5 * ((times - 2000) / 200) ** 2)
    turning = np.exp(2j * np.pi * frequency * times)
    power = np.abs(sosfilt(sos, envelope * turning.real) + 1j * sosfilt(sos, envelope * turning.imag)) ** 2
    late = (times * power).sum() / power.sum() - 2000
    assert late == pytest.approx(group_delay(sos, frequency, RATE), abs=0.15)


def test_the_residue_of_a_step_is_small_behind_the_warm_up_and_not_before() -> None:
    sos = butter(2, [0.01, 0.2], "bandpass", output="sos", fs=RATE)
    settled = round(settling_time(sos, RATE) * RATE)
    answer = np.abs(sosfilt(sos, np.ones(8000)))
    assert answer[settled:].max() <= 0.05 < answer[settled - 1]


def test_a_constant_is_silence_from_the_first_sample_on() -> None:
    stage = Bandpass(_spec(2), low=0.1, high=1.0)
    out = stage.process(_chunk(np.full((2, 200), 5e-5)))
    assert not out.missing[:, -1].any()
    assert np.abs(out.data[~out.missing]).max() < 1e-15


def test_it_is_the_filter_it_says() -> None:
    x = np.random.default_rng(3).standard_normal(500)
    sos = butter(3, [0.1, 1.0], "bandpass", output="sos", fs=RATE)
    expected, _ = sosfilt(sos, x, zi=sosfilt_zi(sos) * x[0])
    stage = Bandpass(_spec(1), low=0.1, high=1.0, order=3)
    out = stage.process(_chunk(x[None]))
    warm = ~out.missing[0]
    assert warm.sum() == 500 - np.ceil(stage.warmup_s * RATE)
    np.testing.assert_allclose(out.data[0, warm], expected[warm], rtol=0, atol=1e-12)


@pytest.mark.parametrize("size", [1, 400])
def test_a_short_dropout_is_bridged_and_a_long_one_starts_the_channel_afresh(size: int) -> None:
    x = np.random.default_rng(4).standard_normal((3, 400))
    x[1, 200:216] = np.nan  # 2 s: as long as is bridged
    x[2, 200:217] = np.nan
    stage = Bandpass(_spec(3), low=0.1, high=1.0)
    warmup = int(np.ceil(stage.warmup_s * RATE))
    chunk = _chunk(x)
    out = Chunk.concatenate([stage.process(chunk.between(i, i + size)) for i in range(0, 400, size)])
    np.testing.assert_array_equal(np.flatnonzero(out.missing[1, warmup:]) + warmup, np.arange(200, 216))
    np.testing.assert_array_equal(
        np.flatnonzero(out.missing[2, warmup:]) + warmup, np.arange(200, 217 + warmup)
    )
    held = x[1].copy()
    held[200:216] = held[199]
    (bridged,) = Bandpass(_spec(1), low=0.1, high=1.0).process(_chunk(held[None])).data
    np.testing.assert_allclose(out.data[1, 216:], bridged[216:], atol=1e-12)
    (afresh,) = Bandpass(_spec(1), low=0.1, high=1.0).process(_chunk(x[2:, 217:])).data
    np.testing.assert_allclose(out.data[2, 217 + warmup :], afresh[warmup:], atol=1e-12)


@pytest.mark.parametrize(
    ("rate", "message"), [(0.0, "declares no rate"), (1.0, "high = 0.5 Hz.*below half of that, 0.5")]
)
def test_a_rate_that_does_not_carry_the_band_is_refused(rate: float, message: str) -> None:
    with pytest.raises(SignalError, match=message):
        Bandpass(_spec(1, rate), low=0.1, high=0.5)
