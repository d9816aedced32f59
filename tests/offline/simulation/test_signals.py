"""What is generated has the sizes, exponents and correlations that are claimed for it."""

from dataclasses import replace

import numpy as np
import pytest

from models.arrays import Floats
from offline.simulation.noise import dfa_exponent
from offline.simulation.person import clean_haemoglobin, simulate_person
from offline.simulation.physiology import slow
from offline.simulation.session import SimulatedSession
from offline.simulation.settings import Simulation

# Everybody at the median, nothing but physiology and noise: what the default sizes speak of.
# 25 minutes, the length of the recordings that were measured: what has a long memory has a
# standard deviation that grows with the length.
MEDIAN = Simulation(
    seconds=1500.0,
    task=None,
    spread=0.0,
    n_short=0,
    bad_pairs=0.0,
    spikes_per_minute=0.0,
    shifts_per_minute=0.0,
)
SEEDS = range(4)


def band_rms(series: Floats, rate: float, low: float, high: float) -> Floats:
    """Root mean square of (..., n_samples) between two frequencies, by a Hann-windowed spectrum."""
    n_samples = series.shape[-1]
    window = np.hanning(n_samples)
    spectrum = np.abs(np.fft.rfft((series - series.mean(axis=-1, keepdims=True)) * window, axis=-1)) ** 2
    spectrum *= 2.0 / (n_samples * np.sum(window**2))
    frequency = np.fft.rfftfreq(n_samples, 1.0 / rate)
    return np.sqrt(spectrum[..., (frequency >= low) & (frequency < high)].sum(axis=-1))


@pytest.fixture(scope="module")
def hbo() -> Floats:
    return np.array([clean_haemoglobin(SimulatedSession.of(MEDIAN, seed, 0))[0] for seed in SEEDS])


def uncorrelated(settings: Simulation, seed: int) -> SimulatedSession:
    """A session in which HbO and HbR share nothing."""
    session = SimulatedSession.of(settings, seed, 0)
    return replace(session, correlations=np.zeros(len(session.pairs)))


@pytest.mark.parametrize(
    ("low", "high", "expected", "tolerance"),
    [
        (0.01, 0.07, 0.217e-6, 0.12),
        (0.07, 0.13, 0.113e-6, 0.15),
        (0.15, 0.4, 0.043e-6, 0.2),  # the slow part's foot adds to the breath
        (0.9, 3.3, 0.116e-6, 0.03),  # with the overtone
    ],
)
def test_bands_hold_what_real_recordings_hold(
    hbo: Floats, low: float, high: float, expected: float, tolerance: float
) -> None:
    found = np.sqrt(np.mean(band_rms(hbo, MEDIAN.rate, low, high) ** 2))
    assert found == pytest.approx(expected, rel=tolerance)


def test_the_pulse_is_where_it_is_said_to_be(hbo: Floats) -> None:
    spectrum = np.mean(np.abs(np.fft.rfft(hbo, axis=-1)) ** 2, axis=(0, 1))
    frequency = np.fft.rfftfreq(hbo.shape[-1], 0.1)
    cardiac = (frequency > 0.8) & (frequency < 1.8)
    centre = np.average(frequency[cardiac], weights=spectrum[cardiac])
    assert centre == pytest.approx(1.26, abs=0.02)


def test_whole_size_and_intensity_are_those_of_real_recordings(hbo: Floats) -> None:
    assert np.median(hbo.std(axis=-1)) == pytest.approx(0.61e-6, rel=0.2)
    variation = []
    for seed in SEEDS:
        data = simulate_person(MEDIAN, seed, 0)[0].data
        assert (data > 0).all()
        variation.append(data.std(axis=1) / data.mean(axis=1))
    assert np.median(variation) == pytest.approx(0.028, rel=0.25)


def test_measurement_noise_is_as_large_as_said() -> None:
    quiet = replace(MEDIAN, slow_rms=0.0, cardiac_rms=0.0, mayer_rms=0.0, respiration_rms=0.0, seconds=200.0)
    density = -np.log(simulate_person(quiet, 1, 0)[0].data).reshape(20, 2, -1)
    density -= density.mean(axis=-1, keepdims=True)
    assert concentrations(density)[:, 0].std() == pytest.approx(0.045e-6, rel=0.03)


def concentrations(density: Floats) -> Floats:
    """Solve the Beer-Lambert law of 3 cm pairs for (n_pairs, 2, n_samples): HbO, HbR in mol/L.

    The coefficients are written out, from Prahl's table (1/(M cm), decadic) as MNE has it: an
    independent way back from light.
    """
    table = np.array([[586.0, 1548.52], [1058.0, 691.32]])
    return np.linalg.inv(np.log(10.0) * table * 3.0 * 6.0) @ density


@pytest.mark.parametrize("exponent", [1.0, 1.23, 1.31, 1.5])
def test_long_memory_has_its_exponent(exponent: float) -> None:
    settings = replace(MEDIAN, rate=2.0, seconds=3000.0, dfa_hbo=exponent, dfa_hbr=exponent + 0.08)
    found = []
    for seed in range(6):
        series = slow(uncorrelated(settings, seed))
        found.append([[dfa_exponent(row, 2.0, 30.0, 500.0) for row in rows] for rows in series])
    hbo_found, hbr_found = np.mean(found, axis=(0, 2))
    assert hbo_found == pytest.approx(exponent, abs=0.06)
    assert hbr_found == pytest.approx(exponent + 0.08, abs=0.06)


def test_fluctuation_analysis_knows_white_noise_and_brownian_motion() -> None:
    white = np.random.default_rng(0).standard_normal(40_000)
    assert dfa_exponent(white, 10.0, 5.0, 200.0) == pytest.approx(0.5, abs=0.05)
    assert dfa_exponent(np.cumsum(white), 10.0, 5.0, 200.0) == pytest.approx(1.5, abs=0.08)


def test_mirrored_pairs_are_correlated_as_drawn_and_others_only_through_the_scalp() -> None:
    settings = replace(MEDIAN, rate=2.0, homotopic=0.7, superficial=0.3)
    correlation = np.zeros((20, 20))
    for seed in range(30):
        session = uncorrelated(settings, seed)
        assert session.person.homotopic == pytest.approx(0.7)
        hbo, _ = slow(session)
        # Differences are nearly white, so that the estimate is steady.
        correlation += np.corrcoef(np.diff(hbo[:, ::20], axis=1)) / 30
    mirrored = [correlation[i, i + 10] for i in range(10)]
    assert np.mean(mirrored) == pytest.approx(0.3 + 0.7 * 0.7, abs=0.05)
    assert np.mean(correlation[:10, :10][~np.eye(10, dtype=bool)]) == pytest.approx(0.3, abs=0.05)


def test_short_pairs_see_the_scalp_only() -> None:
    settings = replace(MEDIAN, rate=2.0, n_short=4)
    hbo, _ = slow(uncorrelated(settings, 0))
    assert np.corrcoef(hbo[20:]) == pytest.approx(np.ones((4, 4)))
    assert not np.allclose(np.corrcoef(hbo[:20])[0, 1:], 1.0)


def test_hbo_and_hbr_are_correlated_as_drawn_and_not_by_rule() -> None:
    settings = replace(MEDIAN, spread=1.0, rate=5.0, seconds=1000.0)
    drawn, found = [], []
    for seed in range(20):
        session = SimulatedSession.of(settings, seed, 0)
        drawn.append(session.correlations)
        found.append([np.corrcoef(o, r)[0, 1] for o, r in zip(*clean_haemoglobin(session), strict=True)])
    assert np.corrcoef(np.ravel(drawn), np.ravel(found))[0, 1] > 0.7
    many = [SimulatedSession.of(settings, seed, 0).correlations for seed in range(400)]
    # Real recordings have quartiles of -0.43 and 0.51 and a median of -0.03.
    assert np.quantile(many, [0.25, 0.5, 0.75]) == pytest.approx([-0.45, 0.0, 0.45], abs=0.08)
