"""What goes wrong between head and device: motion, and pairs that are badly coupled."""

from typing import NamedTuple

import numpy as np

from models.arrays import Bools, Floats
from offline.simulation.people import Seed, chance
from offline.simulation.session import SimulatedSession
from offline.simulation.settings import Simulation

SHIFT_RISE_S = 0.3


class HeadMotion(NamedTuple):
    """When the head moved, and how much each pair felt of it."""

    spikes: Floats  # (n_spikes,): peaks, s
    shifts: Floats  # (n_shifts,): middles, s
    spike_sizes: Floats  # (n_spikes,), in standard deviations of the clean optical density, signed
    shift_sizes: Floats  # (n_shifts,), likewise
    spike_widths: Floats  # (n_spikes,): time over which a spike falls to 1/e, s
    gains: Floats  # (n_pairs, n_spikes + n_shifts): factor of each pair on each spike, then on each shift


def draw_motion(settings: Simulation, seed: Seed, session: int, n_pairs: int) -> HeadMotion:
    """Draw the motion of a session: both sorts at random times, shared by all pairs."""
    rng = chance(seed, session, "motion")
    minutes = settings.seconds / 60.0
    n_spikes = int(rng.poisson(settings.spikes_per_minute * minutes))
    n_shifts = int(rng.poisson(settings.shifts_per_minute * minutes))

    def sizes(n: int) -> Floats:
        return np.asarray(
            settings.motion_sd * np.exp(0.4 * rng.standard_normal(n)) * rng.choice([-1.0, 1.0], size=n)
        )

    return HeadMotion(
        spikes=np.sort(rng.uniform(0.0, settings.seconds, n_spikes)),
        shifts=np.sort(rng.uniform(0.0, settings.seconds, n_shifts)),
        spike_sizes=sizes(n_spikes),
        shift_sizes=sizes(n_shifts),
        spike_widths=rng.uniform(0.1, 0.8, n_spikes),
        gains=np.exp(0.5 * rng.standard_normal((n_pairs, n_spikes + n_shifts))),
    )


def motion_courses(times: Floats, motion: HeadMotion) -> Floats:
    """What each pair sees of motion at times (s): (n_pairs, n_samples) float64, unit as of `HeadMotion`."""
    courses = [
        size * np.exp(-np.abs(times - peak) / width)
        for peak, size, width in zip(motion.spikes, motion.spike_sizes, motion.spike_widths, strict=True)
    ]
    courses += [
        size / (1.0 + np.exp(np.clip(-(times - middle) / (SHIFT_RISE_S / 4.0), -50.0, 50.0)))
        for middle, size in zip(motion.shifts, motion.shift_sizes, strict=True)
    ]
    if not courses:
        return np.zeros((len(motion.gains), len(times)))
    return np.asarray(motion.gains @ np.array(courses))


def fast_sd(density: Floats, rate: float) -> Floats:
    """Standard deviation above 0.01 Hz of (..., n_samples) float64: by this motion is sized. Rate in Hz."""
    n_samples = density.shape[-1]
    # A straight line from end to end is taken out first: its spectrum would leak into everything.
    line = density[..., :1] + (density[..., -1:] - density[..., :1]) * np.linspace(0.0, 1.0, n_samples)
    spectrum = np.abs(np.fft.rfft(density - line, axis=-1)) ** 2
    fast = np.fft.rfftfreq(n_samples, 1.0 / rate) > 0.01
    return np.asarray(np.sqrt(2.0 * spectrum[..., fast].sum(axis=-1)) / n_samples)


class Coupling(NamedTuple):
    """How well each pair is coupled to the head."""

    mean: Floats  # (n_pairs, 2): mean intensity at each wavelength, V
    noise: Floats  # (n_pairs,): factor on the measurement noise
    bad: Bools  # (n_pairs,): badly coupled, a fiftieth of the light and thirty times the noise


def draw_coupling(session: SimulatedSession) -> Coupling:
    """Draw the coupling of a session: the cap is put on anew each time."""
    rng, n_pairs, spread = session.chance("coupling"), len(session.pairs), session.settings.spread
    level = np.exp(0.5 * spread * rng.standard_normal((n_pairs, 1)))
    colour = np.exp(0.2 * spread * rng.standard_normal((n_pairs, 2)))
    bad = rng.uniform(size=n_pairs) < session.settings.bad_pairs
    noise = session.person.noise * np.exp(0.2 * spread * rng.standard_normal(n_pairs))
    mean = 0.5 * session.person.gain * level * colour * np.where(bad, 0.02, 1.0)[:, np.newaxis]
    return Coupling(mean, np.where(bad, 30.0, noise), bad)
