"""What alignment does to a person's signal, beyond the law of every stage."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.arrays import Floats
from models.errors import RecipeError, SignalError
from offline.samples.left_of_block import left_of_block
from realtime.signal import Channel, Chunk, Kind, SignalSpec
from realtime.stages.align import MOST_CHANNELS, Align

RATE = 5.0


def _spec(n: int) -> SignalSpec:
    return SignalSpec(tuple(Channel(name=f"{i}", kind=Kind.HBO, unit="mol/L") for i in range(n)), RATE)


def _aligned(data: Floats, **of: float) -> Floats:
    """Output of the last 300 s or less, without what is warming up."""
    spec = _spec(len(data))
    times = np.arange(data.shape[1]) / RATE
    out = Align(spec, **of).process(Chunk(spec, data, times, np.zeros(data.shape, dtype=bool)))
    return out.data[:, ~out.missing.any(axis=0)]


def _person(seed: int, n: int = 6, seconds: float = 3000.0) -> Floats:
    """Independent noise, mixed as nobody else's, (n, n_samples)."""
    rng = np.random.default_rng(seed)
    mixed = (np.eye(n) + 0.2 * rng.standard_normal((n, n))) * 10.0 ** rng.uniform(-7, -5, n)[:, None]
    return mixed @ rng.standard_normal((n, round(seconds * RATE))) + 1e-5 * rng.standard_normal((n, 1))


@pytest.mark.parametrize("seed", range(3))
def test_every_person_comes_out_with_covariance_identity(seed: int) -> None:
    out = _aligned(_person(seed), memory_s=1500.0, shrinkage=0.001)
    np.testing.assert_allclose(np.cov(out[:, -5000:]), np.eye(6), atol=0.1)


@given(st.integers(0, 2**32))
@settings(max_examples=20, deadline=None)
def test_size_and_level_of_a_channel_change_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    data = _person(seed % 7, seconds=200.0)
    other = data * 10.0 ** rng.uniform(-3, 3, (6, 1)) + data.std() * rng.uniform(-5, 5, (6, 1))
    np.testing.assert_allclose(_aligned(other), _aligned(data), atol=1e-6)


def test_a_channel_stays_most_like_itself() -> None:
    data = _person(1)
    out = _aligned(data)
    alike = np.corrcoef(np.concatenate([out, data[:, -out.shape[1] :]]))[:6, 6:]
    assert (alike.argmax(axis=1) == np.arange(6)).all()


def test_fully_shrunk_only_centres_and_scales() -> None:
    data = _person(2)
    out = _aligned(data, memory_s=1000.0, shrinkage=1.0)[:, -4000:]
    np.testing.assert_allclose(np.corrcoef(out), np.corrcoef(data[:, -4000:]), atol=0.02)
    np.testing.assert_allclose(out.std(axis=1), 1.0, atol=0.1)


def test_a_channel_that_drops_out_does_not_take_the_others_with_it() -> None:
    data, spec = _person(3, seconds=400.0), _spec(6)
    missing = np.zeros(data.shape, dtype=bool)
    missing[2, 1000:] = True
    stage = Align(spec)
    out = stage.process(Chunk(spec, data, np.arange(data.shape[1]) / RATE, missing))
    assert out.missing[2, 1000:].all()
    assert not out.missing[[0, 1, 3, 4, 5], 1000:].any()
    assert np.abs(out.data[[0, 1, 3, 4, 5], 1000:]).max() < 10.0


def test_what_lasts_is_known_to_be_taken_out() -> None:
    def left(memory_s: float) -> float:
        return left_of_block([{"stage": "align", "memory_s": memory_s}], RATE, 45.0).at(40.0)

    assert left(15.0) < 0.5 < 0.8 < left(300.0)


@pytest.mark.parametrize(
    ("of", "told"),
    [
        ({"memory_s": 0.0}, "memory_s = 0.0; expected a number above 0"),
        ({"shrinkage": 0.0}, "at least 0.001"),
        ({"update_s": 400.0}, "at least once a memory"),
        ({"warmup_s": 3.0}, "two updates or more"),
    ],
)
def test_wrong_settings_are_refused_before_any_signal(of: dict[str, float], told: str) -> None:
    with pytest.raises(RecipeError, match=told):
        Align(_spec(2), **of)


def test_too_many_channels_are_refused() -> None:
    with pytest.raises(SignalError, match="513 channels reach it; expected 512 or fewer"):
        Align(_spec(MOST_CHANNELS + 1))


def test_a_slow_signal_declares_the_warm_up_that_it_needs() -> None:
    spec = SignalSpec(_spec(2).channels, 0.1)
    stage = Align(spec, warmup_s=4.0)
    data, times = np.random.default_rng(0).normal(size=(2, 9)), np.arange(0.0, 90.0, 10.0)
    out = stage.process(Chunk(spec, data, times, np.zeros(data.shape, dtype=bool)))
    assert stage.warmup_s == 20.0
    assert np.flatnonzero(~out.missing[0])[0] == 2
