"""A sine lands in its cell at any repetition time; noise of one kind looks the same in any scan."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import HemostreamError
from models.features.series import blocks
from models.features.spectra import LowFrequency, Spectrum, amplitudes
from tests.models.features.computed import computed


@given(seconds=st.floats(0.6, 2.0), where=st.floats(0.02, 0.22))
@settings(max_examples=40, deadline=None)
def test_a_sine_lands_in_its_cell(seconds: float, where: float) -> None:
    n_times = round(500 / seconds)
    X = np.sin(2 * np.pi * where * np.arange(n_times) * seconds)[np.newaxis, np.newaxis]
    found = computed(Spectrum(), X, seconds)[0]
    assert abs(found.argmax() - (where - 0.01) / 0.01 + 0.5) < 0.75


@pytest.mark.parametrize("standardised", [True, False])
def test_white_noise_has_one_amplitude_at_any_length_and_rate(standardised: bool) -> None:
    """One-sided density of white noise of SD s: s ** 2 * 2 * TR; its root's mean is sqrt(pi / 4) of it."""
    rng = np.random.default_rng(0)
    for n_times, seconds in ((150, 2.0), (600, 2.0), (300, 0.8)):
        X = rng.normal(size=(3, 60, n_times)) * 5
        (block,) = blocks(X, np.full(3, seconds))
        found = amplitudes(block, standardised=standardised)[:, :, 1:-1].mean(axis=2).mean()
        scale = (1 if standardised else 5) * np.sqrt(2 * seconds)
        np.testing.assert_allclose(found, np.sqrt(np.pi / 4) * scale, rtol=0.07)


def test_low_frequencies_by_hand() -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(2, 4, 200)) * np.array([1, 2, 3, 4])[:, np.newaxis]
    X[1, 3] = 0.0
    amplitude = np.abs(np.fft.rfft(X - X.mean(axis=2, keepdims=True), axis=2))
    frequency = np.fft.rfftfreq(200, 2.0)
    inside = (frequency >= 0.01) & (frequency < 0.08)
    band = amplitude[:, :, inside].mean(axis=2)
    plain = computed(LowFrequency(), X, 2.0)
    np.testing.assert_allclose(plain[0], band[0] / band[0].mean(), rtol=1e-9)
    np.testing.assert_allclose(plain[1, :3], band[1, :3] / band[1, :3].mean(), rtol=1e-9)
    assert plain[1, 3] == 0
    fraction = computed(LowFrequency(fraction=True), X, 2.0)
    whole = amplitude[:, :, 1:].sum(axis=2)
    np.testing.assert_allclose(fraction[0], amplitude[0][:, inside].sum(axis=1) / whole[0], rtol=1e-9)
    np.testing.assert_allclose(computed(LowFrequency(), X * 1e3, 2.0), plain)


def test_a_band_that_is_not_reached_is_one_declared_number() -> None:
    """0.2 Hz are reached with 2.5 s: no cell above.  With 2 s 0.25 Hz, all cells."""
    X = np.random.default_rng(2).normal(size=(2, 3, 150))
    found = computed(Spectrum(unreached=-1.0), X, [2.0, 2.5]).reshape(2, 3, 24)
    assert (found[0] != -1).all()
    assert (found[1, :, :19] != -1).all()
    assert (found[1, :, 19:] == -1).all()
    with pytest.raises(HemostreamError, match=r"repetition time of 12 s and reaches 0.0416667 Hz"):
        computed(LowFrequency(), X, 12.0)


def test_a_scan_too_short_for_a_band_says_how_long_it_must_be() -> None:
    X = np.random.default_rng(3).normal(size=(1, 3, 15))
    said = r"Scan 0 has 15 volumes; low frequencies \(0.01 to 0.027 Hz\) needs at least 59"
    with pytest.raises(HemostreamError, match=said):
        computed(LowFrequency(high=0.027), X, 2.0)


@given(
    seconds=st.floats(0.4, 3.0),
    n_times=st.integers(10, 400),
    band=st.sampled_from([(0.01, 0.027), (0.027, 0.073), (0.073, 0.198)]),
)
@settings(max_examples=60, deadline=None)
def test_what_is_said_to_be_needed_is_enough(seconds: float, n_times: int, band: tuple[float, float]) -> None:
    X = np.random.default_rng(4).normal(size=(1, 1, 700))
    feature = LowFrequency(low=band[0], high=band[1])
    try:
        computed(feature, X[:, :, :n_times], seconds)
    except HemostreamError as error:
        needed = int(str(error).partition("at least ")[2].split(".")[0])
        assert needed > n_times
        assert np.isfinite(computed(feature, X[:, :, :needed], seconds)).all()


def test_an_edge_belongs_to_the_band_above() -> None:
    """A frequency on an edge is in one band, at whatever length it comes to lie on it."""
    bands = [LowFrequency(fraction=True, low=low, high=low + 0.05) for low in (0.05, 0.1)]
    for n_times in range(100, 400, 10):
        time = np.arange(n_times) * 2.0
        X = np.cos(2 * np.pi * 0.1 * time)[np.newaxis, np.newaxis]
        below, above = (computed(band, X, 2.0)[0, 0] for band in bands)
        assert above > 1000 * below
