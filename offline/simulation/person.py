"""One simulated recording and everything that is true of it.

Simulated accuracy says nothing about autism: whatever a classifier finds here was put here.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from models.arrays import Floats
from models.errors import RecipeError
from offline.simulation.artefacts import draw_coupling, draw_motion, fast_sd, motion_courses
from offline.simulation.optics import noise_density, optical_density
from offline.simulation.people import Person, Seed
from offline.simulation.physiology import rhythms, slow
from offline.simulation.probe import make_spec
from offline.simulation.response import Blocks, block_events, draw_blocks, evoked, response_weights
from offline.simulation.session import SimulatedSession
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
        Median peak (mol/L HbO) of the response of each responding pair (of a task with sides, to the hand
        opposite; to the other it is less by `Person.lateral`); a conversion that takes a
        pathlength factor of 6 sees it times ``person.pathlength / 6``.
    onsets, sizes : tuple of float
        Starts (s) of the blocks, and the factor on the response to each.
    labels : tuple of str
        Of the events of the blocks; of a task with sides, the hand.
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
    labels: tuple[str, ...]
    correlations: Mapping[str, float]
    bad_pairs: tuple[str, ...]
    spikes: tuple[float, ...]
    shifts: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        """As JSON types."""
        return asdict(self)


def clean_haemoglobin(session: SimulatedSession) -> Floats:
    """HbO and HbR of a session before light, motion and noise, (2, n_pairs, n_samples) float64 mol/L."""
    clean = slow(session) + rhythms(session)
    task = session.settings.task
    if task is not None and task.size > 0:
        answer = evoked(session, task)
        clean += np.stack([answer, task.hbr_ratio * answer])
    return clean


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
    truth : DrawnTruth
        Everything that was drawn.

    Raises
    ------
    RecipeError
        If the group is neither 0 nor 1.
    """
    if group not in (0, 1):
        raise RecipeError(f"Group is {group!r}; expected 0 (A) or 1 (B).")
    drawn = SimulatedSession.of(settings, seed, group, session)
    pairs, person, times = drawn.pairs, drawn.person, drawn.times
    paths = person.pathlength * np.array([pair.distance for pair in pairs])
    density = optical_density(clean_haemoglobin(drawn), paths, settings.wavelengths)

    motion = draw_motion(settings, seed, session, len(pairs))
    courses = motion_courses(times, motion)
    coupling = draw_coupling(drawn)
    white = drawn.chance("noise").standard_normal(density.shape)
    noise = noise_density(settings.noise_rms, settings.wavelengths) * coupling.noise[:, None, None] * white
    density = density + fast_sd(density, settings.rate)[..., np.newaxis] * courses[:, np.newaxis] + noise
    intensity = coupling.mean[..., np.newaxis] * np.exp(-density)  # (n_pairs, 2, n_samples)

    spec = make_spec(pairs, settings)
    task = settings.task
    blocks = draw_blocks(drawn, task) if task else Blocks([], [], [])
    weights = task.size * person.response * response_weights(pairs, task) if task else np.zeros(len(pairs))
    recording = Recording(
        name="simulated",
        spec=spec,
        data=intensity.reshape(len(spec), -1),
        times=times,
        missing=np.zeros((len(spec), len(times)), dtype=bool),
        events=block_events(settings.seconds, task, blocks) if task else (),
        notes={"simulated": True},
    )
    names = [pair.name for pair in pairs]
    truth = DrawnTruth(
        person=person,
        session=session,
        responses={name: size for name, size in zip(names, weights.tolist(), strict=True) if size > 0},
        onsets=tuple(blocks.onsets),
        sizes=tuple(blocks.sizes),
        labels=tuple(blocks.labels),
        correlations=dict(zip(names, drawn.correlations.tolist(), strict=True)),
        bad_pairs=tuple(name for name, bad in zip(names, coupling.bad, strict=True) if bad),
        spikes=tuple(motion.spikes.tolist()),
        shifts=tuple(motion.shifts.tolist()),
    )
    return recording, truth
