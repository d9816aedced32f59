"""One simulated recording and everything that is true of it.

Simulated accuracy says nothing about autism: whatever a classifier finds here was put here.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from models.errors import RecipeError
from offline.simulation.artefacts import draw_coupling, draw_motion, fast_sd, motion_courses
from offline.simulation.optics import noise_density, optical_density
from offline.simulation.people import Person, Seed, chance, draw_person
from offline.simulation.physiology import Haemoglobin, draw_correlations, rhythms, slow
from offline.simulation.probe import make_pairs, make_spec
from offline.simulation.response import Blocks, block_events, draw_blocks, evoked, response_weights
from offline.simulation.settings import Simulation
from realtime.sources.recording import Recording


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnTruth:
    """What was drawn for one recording; JSON types.

    Parameters
    ----------
    person : Person
        What the person brings to every session.
    session : int
        From 0.
    responses : mapping of pair to float
        Median peak (mol/L HbO) of the response of each responding pair; a conversion that takes a
        pathlength factor of 6 sees it times ``person.pathlength / 6``.
    onsets, sizes : tuple of float
        Starts (s) of the blocks, and the factor on the response to each.
    correlations : mapping of pair to float
        Correlation drawn for HbO and HbR.
    bad_pairs : tuple of str
        Badly coupled.
    spikes, shifts : tuple of float
        Times (s) of motion.
    """

    person: Person
    session: int
    responses: Mapping[str, float]
    onsets: tuple[float, ...]
    sizes: tuple[float, ...]
    correlations: Mapping[str, float]
    bad_pairs: tuple[str, ...]
    spikes: tuple[float, ...]
    shifts: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        """As JSON types."""
        return asdict(self)


def simulate_haemoglobin(
    settings: Simulation, seed: Seed, group: int, session: int = 0
) -> tuple[Haemoglobin, Person]:
    """Clean concentrations of a session, before light, motion and noise.

    Parameters
    ----------
    settings : Simulation
        What is simulated.
    seed : int or sequence of int
        Who.
    group : int
        0 or 1.
    session : int
        From 0.

    Returns
    -------
    haemoglobin : Haemoglobin
        ``hbo`` and ``hbr``, (n_pairs, n_samples) float64, mol/L.
    person : Person
        As drawn.
    """
    pairs = make_pairs(settings)
    person = draw_person(settings, seed, group)
    correlations = draw_correlations(settings, person, seed, len(pairs))
    clean = slow(settings, person, pairs, correlations, seed, session)
    clean += rhythms(settings, person, pairs, correlations, seed, session)
    if settings.task is not None and settings.task.size > 0:
        blocks = draw_blocks(settings, settings.task, seed, session)
        times = np.arange(settings.n_samples) / settings.rate
        answer = np.outer(
            response_weights(pairs, settings.task), evoked(times, settings.task, blocks, person)
        )
        clean += Haemoglobin(answer, settings.task.hbr_ratio * answer)
    return clean, person


def simulate_person(
    settings: Simulation, seed: Seed, group: int, session: int = 0
) -> tuple[Recording, DrawnTruth]:
    """Simulate one recording.  What is found in it says nothing about autism.

    Parameters
    ----------
    settings : Simulation
        What is simulated.
    seed : int or sequence of int
        Who: the same settings and seed give the same recording, bit for bit.
    group : int
        0 (A) or 1 (B).
    session : int
        From 0: the same person on another day.

    Returns
    -------
    recording : Recording
        Intensity in volts, (2 * (n_pairs + n_short), n_samples), with the events of the task.
    truth : Truth
        Everything that was drawn.

    Raises
    ------
    RecipeError
        If the group is neither 0 nor 1.
    """
    if group not in (0, 1):
        raise RecipeError(f"Group is {group!r}; expected 0 (A) or 1 (B).")
    pairs = make_pairs(settings)
    times = np.arange(settings.n_samples) / settings.rate
    clean, person = simulate_haemoglobin(settings, seed, group, session)
    paths = person.pathlength * np.array([pair.distance for pair in pairs])
    density = optical_density(clean.hbo, clean.hbr, paths, settings.wavelengths)

    motion = draw_motion(settings, seed, session, len(pairs))
    courses = motion_courses(times, motion)
    coupling = draw_coupling(settings, seed, session, len(pairs), person.gain, person.noise)
    white = chance(seed, session, "noise").standard_normal(density.shape)
    noise = noise_density(settings.noise_rms, settings.wavelengths) * coupling.noise[..., np.newaxis] * white
    density = density + fast_sd(density, settings.rate)[..., np.newaxis] * courses[:, np.newaxis] + noise
    intensity = coupling.mean[..., np.newaxis] * np.exp(-density)  # (n_pairs, 2, n_samples)

    spec = make_spec(pairs, settings)
    task = settings.task
    blocks = draw_blocks(settings, task, seed, session) if task else Blocks(np.empty(0), np.empty(0))
    weights = response_weights(pairs, task) if task else np.zeros(len(pairs))
    size = task.size * person.response if task else 0.0
    correlations = draw_correlations(settings, person, seed, len(pairs))
    recording = Recording(
        name="simulated",
        spec=spec,
        data=intensity.reshape(len(spec), -1),
        times=times,
        missing=np.zeros((len(spec), len(times)), dtype=bool),
        events=block_events(settings, task, blocks) if task else (),
        notes={"simulated": True},
    )
    truth = DrawnTruth(
        person=person,
        session=session,
        responses={
            pair.name: float(size * w) for pair, w in zip(pairs, weights, strict=True) if size * w > 0
        },
        onsets=tuple(blocks.onsets.tolist()),
        sizes=tuple(blocks.sizes.tolist()),
        correlations={pair.name: float(c) for pair, c in zip(pairs, correlations, strict=True)},
        bad_pairs=tuple(pair.name for pair, bad in zip(pairs, coupling.bad, strict=True) if bad),
        spikes=tuple(motion.spikes.tolist()),
        shifts=tuple(motion.shifts.tolist()),
    )
    return recording, truth
