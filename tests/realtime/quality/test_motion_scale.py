"""The scale of motion goes from window to window: it follows within limits; a flat line teaches nothing."""

from dataclasses import replace

import numpy as np
import pytest

from realtime.quality.channels import ChannelQuality, made_of
from realtime.quality.policy import Policy
from realtime.signal import Chunk, SignalSpec
from tests.realtime.support import bold_spec, intensity_spec

RATE = 10.0
SPEC = bold_spec(1, rate=RATE)


def quality_of(sizes: list[float]) -> ChannelQuality:
    """Seven seconds of noise for each size."""
    rng = np.random.default_rng(0)
    data = np.concatenate([size * rng.normal(size=70) for size in sizes])[np.newaxis]
    times = np.arange(data.shape[1]) / RATE
    quality = ChannelQuality(SPEC, SPEC, length_s=7.0, policy=Policy())
    quality.recent.take(Chunk(SPEC, data, times, np.zeros(data.shape, dtype=bool)), times / 3.0)
    return quality


def moving_at(quality: ChannelQuality, end: float) -> float:
    measured = quality.measure(quality.samples_of(end - 7.0, end, RATE), end - 7.0, end, RATE)
    assert measured is not None
    return float(measured.moving[0])


def scale_of(quality: ChannelQuality) -> float:
    return float(quality.state()["scale"][0])


@pytest.mark.parametrize(
    ("step", "size", "ratio"), [(1.0, 1000.0, 0.1), (0.5, 1000.0, 0.05), (1.0, 0.03, -0.1)]
)
def test_it_changes_by_a_factor_of_e_in_ten_seconds_at_most(step: float, size: float, ratio: float) -> None:
    quality = quality_of([1.0, size, size])
    moving_at(quality, 7.0)
    first = scale_of(quality)
    assert first == pytest.approx(np.sqrt(2.0), rel=0.3)  # of changes, which have the noise of two samples
    moving_at(quality, 14.0)
    before = scale_of(quality)
    assert before == pytest.approx(first * np.exp(7 * ratio / step), rel=1e-6)
    moving_at(quality, 14.0 + step)
    assert scale_of(quality) == pytest.approx(before * np.exp(ratio), rel=1e-6)


def test_noise_that_grows_a_thousand_times_is_motion_until_the_scale_has_followed() -> None:
    quality = quality_of([1.0, 1000.0])
    assert moving_at(quality, 7.0) == 0.0
    assert moving_at(quality, 14.0) == 1.0


def test_noise_that_shrinks_is_held_against_its_own_scale() -> None:
    """A step of a tenth of the noise of before shows where the noise is gone."""
    quality = quality_of([1.0, 0.05])
    assert moving_at(quality, 7.0) == 0.0
    assert moving_at(quality, 14.0) == 0.0


def test_a_flat_line_leaves_the_scale_as_it_was() -> None:
    quality = quality_of([1.0, 0.0, 1.0])
    moving_at(quality, 7.0)
    before = scale_of(quality)
    assert moving_at(quality, 14.0) == 0.0
    assert scale_of(quality) == before
    assert moving_at(quality, 21.0) == 0.0


def test_a_channel_that_was_dead_has_no_scale_yet() -> None:
    quality = quality_of([0.0, 1.0])
    moving_at(quality, 7.0)
    assert scale_of(quality) == 0.0
    assert moving_at(quality, 14.0) == 0.0
    assert scale_of(quality) > 0.5


def test_a_restored_one_has_the_same_scale() -> None:
    one, other = quality_of([1.0, 1000.0]), quality_of([50.0])
    moving_at(one, 7.0)
    moving_at(other, 7.0)
    other.restore(one.state())
    assert moving_at(other, 14.0) == moving_at(one, 14.0) == 1.0
    assert scale_of(other) == scale_of(one)


def test_the_uncertainty_of_a_window_is_the_largest_of_its_samples_to_a_microsecond() -> None:
    quality = quality_of([1.0, 1.0])
    assert quality.time_uncertainty(quality.samples_of(0.0, 7.0, RATE)) == 2.3  # the completing one at 6.9 s
    assert quality.time_uncertainty(quality.samples_of(0.0, 7.1, RATE)) == 2.333333
    assert quality.time_uncertainty(slice(140, 140)) == 0.0


def test_a_channel_that_is_made_of_fewer_repeats_its_first() -> None:
    region = replace(bold_spec(1).channels[0], name="region")
    light = intensity_spec(1).channels  # two wavelengths of one pair
    spec_in = SignalSpec((*light, region), RATE)
    spec_out = SignalSpec((replace(light[0], name="S1_D1 hbo"), region), RATE)
    assert made_of(spec_in, spec_out).tolist() == [[0, 2], [1, 2]]
    three = SignalSpec((*light, replace(light[1], name="S1_D1 900"), region), RATE)
    assert made_of(three, spec_out).tolist() == [[0, 3], [1, 3], [2, 3]]
