"""Spontaneous fluctuations of haemoglobin: slow noise of long memory, Mayer waves, breath, pulse.

HbO and HbR are correlated as drawn for each pair, not by rule.  In the slow part the two share
that much of their coefficients, so each keeps an exponent of its own; a rhythm is the same in
both but for a turn of its phase, whose cosine is the correlation.

Both are differences from the mean over all time, (2, n_pairs, n_samples) mol/L, HbO and HbR.
"""

import numpy as np

from models.arrays import Floats
from offline.simulation.noise import Complexes, long_memory_density, peak_density
from offline.simulation.people import chance
from offline.simulation.session import SimulatedSession


def slow(session: SimulatedSession) -> Floats:
    """Noise of long memory: superficial, the same everywhere, and cerebral, alike in mirrored pairs.

    (2, n_pairs, n_samples) float64.
    """
    settings, person, grid = session.settings, session.person, session.grid
    half, n_long = settings.n_pairs // 2, settings.n_pairs
    scalp = grid.draw(session.chance("scalp"), 2)

    def cerebral(name: str) -> Complexes:
        left, own = grid.draw(session.chance(name), 2 * half).reshape(2, half, -1)
        right = person.homotopic * left + np.sqrt(1.0 - person.homotopic**2) * own
        return np.concatenate([left, right])  # (n_long, n_frequencies)

    share = settings.superficial
    mixed: list[Complexes] = []
    for index, name in enumerate(("cerebral", "cerebral_hbr")):
        whole = np.repeat(np.sqrt(share) * scalp[index : index + 1], len(session.pairs), axis=0)
        whole[:n_long] += np.sqrt(1.0 - share) * cerebral(name)
        mixed.append(whole)
    in_phase = session.correlations[:, np.newaxis]
    for_hbr = in_phase * mixed[0] + np.sqrt(1.0 - in_phase**2) * mixed[1]
    rms = settings.slow_rms * person.fluctuation
    hbo = grid.series(mixed[0], long_memory_density(grid.frequency, person.dfa_hbo, rms))
    smaller = settings.hbr_size * settings.slow_rms * person.fluctuation
    hbr = grid.series(for_hbr, long_memory_density(grid.frequency, person.dfa_hbr, smaller))
    return np.stack([hbo, hbr])


def _wander(session: SimulatedSession, name: str) -> Floats:
    """A slow series of unit size that makes a rate vary; (n_samples,)."""
    grid = session.grid
    drawn = grid.draw(session.chance(name), 1)
    return grid.series(drawn, peak_density(grid.frequency, 0.04, 0.02, 1.0))[0]


def _mayer(session: SimulatedSession) -> Floats:
    """Mayer waves and their quadrature, (2, n_samples) mol/L.

    The slow part reaches into 0.07-0.13 Hz; the waves make up what is missing there.
    """
    settings, grid = session.settings, session.grid
    band = np.linspace(0.0, 0.13, 1301)
    inside = band >= 0.07
    tail = long_memory_density(band, session.person.dfa_hbo, settings.slow_rms)
    share = float(np.trapezoid(tail[inside], band[inside]))
    rms = np.sqrt(max(settings.mayer_rms**2 - share, 0.0))
    drawn = grid.draw(session.chance("mayer"), 1)
    density = peak_density(grid.frequency, session.person.mayer_hz, 0.01, float(rms))
    return grid.series(np.concatenate([drawn, -1j * drawn]), density)


def rhythms(session: SimulatedSession) -> Floats:
    """Mayer waves, breathing and pulse: one course each a person, of differing strength from pair to pair.

    (2, n_pairs, n_samples) float64.
    """
    settings, person = session.settings, session.person
    start = session.chance("phases").uniform(0.0, 2.0 * np.pi, 2)
    step = 2.0 * np.pi / settings.rate
    breath_rate = person.respiration_hz * (1.0 + 0.08 * _wander(session, "breath"))
    breath = start[0] + step * np.cumsum(breath_rate)
    # The pulse quickens with the breath (respiratory sinus arrhythmia).
    pulse_rate = person.cardiac_hz * (1.0 + 0.03 * _wander(session, "pulse") + 0.02 * np.cos(breath))
    pulse = start[1] + step * np.cumsum(pulse_rate)
    overtone = 0.3
    beat = np.exp(1j * pulse) + overtone * np.exp(2j * pulse)
    courses = {
        "mayer": _mayer(session),
        "respiration": settings.respiration_rms * np.sqrt(2.0) * np.array([np.cos(breath), np.sin(breath)]),
        "cardiac": settings.cardiac_rms
        * np.sqrt(2.0 / (1.0 + overtone**2))
        * np.array([beat.real, beat.imag]),
    }
    in_phase, n_pairs = session.correlations, len(session.pairs)
    turned = np.sqrt(1.0 - in_phase**2)
    hbo, hbr = np.zeros((2, n_pairs, settings.n_samples))
    for name, (course, quadrature) in courses.items():
        drawn = chance(session.seed, "strength", name).standard_normal(n_pairs)
        strength = person.fluctuation * np.exp(0.25 * settings.spread * drawn)
        hbo += strength[:, np.newaxis] * course
        hbr += settings.hbr_size * (
            np.outer(strength * in_phase, course) + np.outer(strength * turned, quadrature)
        )
    return np.stack([hbo, hbr])
