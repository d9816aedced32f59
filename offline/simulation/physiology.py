"""Spontaneous fluctuations of haemoglobin: slow noise of long memory, Mayer waves, breath, pulse.

HbO and HbR are correlated as drawn for each pair, not by rule.  In the slow part the two share
that much of their coefficients, so each keeps an exponent of its own; a rhythm is the same in
both but for a turn of its phase, whose cosine is the correlation.
"""

from dataclasses import dataclass

import numpy as np

from models.arrays import Floats
from offline.simulation.noise import (
    Complexes,
    coefficients,
    frequencies,
    long_memory_density,
    peak_density,
    synthesise,
)
from offline.simulation.people import Person, Seed, chance
from offline.simulation.probe import Pair
from offline.simulation.settings import Simulation


@dataclass(frozen=True, eq=False)
class Haemoglobin:
    """Concentrations of all pairs of a probe.

    Parameters
    ----------
    hbo, hbr : (n_pairs, n_samples) float64, mol/L
        Differences from the mean over all time.
    """

    hbo: Floats
    hbr: Floats

    def __add__(self, other: "Haemoglobin") -> "Haemoglobin":
        return Haemoglobin(self.hbo + other.hbo, self.hbr + other.hbr)


def draw_correlations(settings: Simulation, person: Person, seed: Seed, n_pairs: int) -> Floats:
    """Draw the correlation of HbO and HbR of each pair: half the variance is the person's.

    Returns
    -------
    (n_pairs,) float64
    """
    z = chance(seed, "hbo_hbr").standard_normal(n_pairs) * settings.spread * np.sqrt(0.5)
    return np.asarray(np.tanh(person.hbo_hbr + settings.hbo_hbr_spread * z))


def slow(
    settings: Simulation,
    person: Person,
    pairs: tuple[Pair, ...],
    correlations: Floats,
    seed: Seed,
    session: int,
) -> Haemoglobin:
    """Noise of long memory: superficial, the same everywhere, and cerebral, alike in mirrored pairs.

    Parameters
    ----------
    settings, person, pairs, seed, session
        What is simulated.
    correlations : (n_pairs,) float64
        Of HbO and HbR.
    """
    n_synthesised, frequency = frequencies(settings.n_samples, settings.rate)
    half, n_long = settings.n_pairs // 2, settings.n_pairs
    scalp = coefficients(chance(seed, session, "scalp"), 2, frequency)

    def cerebral(name: str) -> Complexes:
        left, own = coefficients(chance(seed, session, name), 2 * half, frequency).reshape(2, half, -1)
        right = person.homotopic * left + np.sqrt(1.0 - person.homotopic**2) * own
        return np.concatenate([left, right])  # (n_long, n_frequencies)

    share = settings.superficial
    mixed: list[Complexes] = []
    for index, name in enumerate(("cerebral", "cerebral_hbr")):
        whole = np.repeat(np.sqrt(share) * scalp[index : index + 1], len(pairs), axis=0)
        whole[:n_long] += np.sqrt(1.0 - share) * cerebral(name)
        mixed.append(whole)
    in_phase = correlations[:, np.newaxis]
    for_hbr = in_phase * mixed[0] + np.sqrt(1.0 - in_phase**2) * mixed[1]
    out = []
    for drawn, exponent, size in (
        (mixed[0], person.dfa_hbo, 1.0),
        (for_hbr, person.dfa_hbr, settings.hbr_size),
    ):
        density = long_memory_density(frequency, exponent, size * settings.slow_rms * person.fluctuation)
        out.append(synthesise(drawn, density, frequency, n_synthesised, settings.n_samples))
    return Haemoglobin(out[0], out[1])


def _wander(settings: Simulation, seed: Seed, session: int, name: str) -> Floats:
    """A slow series of unit size that makes a rate vary; (n_samples,)."""
    n_synthesised, frequency = frequencies(settings.n_samples, settings.rate)
    drawn = coefficients(chance(seed, session, name), 1, frequency)
    density = peak_density(frequency, 0.04, 0.02, 1.0)
    return synthesise(drawn, density, frequency, n_synthesised, settings.n_samples)[0]


def _mayer(settings: Simulation, person: Person, seed: Seed, session: int) -> Floats:
    """Mayer waves and their quadrature, (2, n_samples) mol/L.

    The slow part reaches into 0.07-0.13 Hz; the waves make up what is missing there.
    """
    n_synthesised, frequency = frequencies(settings.n_samples, settings.rate)
    band = np.linspace(0.0, 0.13, 1301)
    inside = band >= 0.07
    tail = long_memory_density(band, person.dfa_hbo, settings.slow_rms)
    share = float(np.trapezoid(tail[inside], band[inside]))
    rms = np.sqrt(max(settings.mayer_rms**2 - share, 0.0))
    drawn = coefficients(chance(seed, session, "mayer"), 1, frequency)
    density = peak_density(frequency, person.mayer_hz, 0.01, float(rms))
    return synthesise(
        np.concatenate([drawn, -1j * drawn]), density, frequency, n_synthesised, settings.n_samples
    )


def rhythms(
    settings: Simulation,
    person: Person,
    pairs: tuple[Pair, ...],
    correlations: Floats,
    seed: Seed,
    session: int,
) -> Haemoglobin:
    """Mayer waves, breathing and pulse: one course each a person, of differing strength from pair to pair.

    Parameters
    ----------
    settings, person, pairs, seed, session
        What is simulated.
    correlations : (n_pairs,) float64
        Of HbO and HbR.
    """
    breath_wander = _wander(settings, seed, session, "breath")
    pulse_wander = _wander(settings, seed, session, "pulse")
    start = chance(seed, session, "phases").uniform(0.0, 2.0 * np.pi, 2)
    step = 2.0 * np.pi / settings.rate
    breath = start[0] + step * np.cumsum(person.respiration_hz * (1.0 + 0.08 * breath_wander))
    # The pulse quickens with the breath (respiratory sinus arrhythmia).
    pulse = start[1] + step * np.cumsum(
        person.cardiac_hz * (1.0 + 0.03 * pulse_wander + 0.02 * np.cos(breath))
    )
    overtone = 0.3
    beat = np.exp(1j * pulse) + overtone * np.exp(2j * pulse)
    courses = {
        "mayer": _mayer(settings, person, seed, session),
        "respiration": settings.respiration_rms * np.sqrt(2.0) * np.array([np.cos(breath), np.sin(breath)]),
        "cardiac": settings.cardiac_rms
        * np.sqrt(2.0 / (1.0 + overtone**2))
        * np.array([beat.real, beat.imag]),
    }
    turned = np.sqrt(1.0 - correlations**2)
    hbo = np.zeros((len(pairs), settings.n_samples))
    hbr = np.zeros_like(hbo)
    for name, (course, quadrature) in courses.items():
        drawn = chance(seed, "strength", name).standard_normal(len(pairs))
        strength = person.fluctuation * np.exp(0.25 * settings.spread * drawn)
        hbo += strength[:, np.newaxis] * course
        hbr += settings.hbr_size * (
            np.outer(strength * correlations, course) + np.outer(strength * turned, quadrature)
        )
    return Haemoglobin(hbo, hbr)
