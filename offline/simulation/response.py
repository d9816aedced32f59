"""The evoked response: blocks of a task, and what haemoglobin does in answer."""

from dataclasses import dataclass

import numpy as np
from scipy.signal import fftconvolve
from scipy.stats import gamma

from models.arrays import Floats
from offline.simulation.people import Person, Seed, chance
from offline.simulation.probe import Pair
from offline.simulation.settings import Simulation, TaskBlocks
from realtime.sources.recording import Event

OVERSAMPLING_HZ = 50.0


@dataclass(frozen=True, slots=True)
class Blocks:
    """When the task was done.

    Parameters
    ----------
    onsets : (n_blocks,) float64, seconds
        Starts of the blocks.
    sizes : (n_blocks,) float64
        Factor on the response of each block.
    """

    onsets: Floats
    sizes: Floats


def double_gamma(times: Floats, latency_s: float) -> Floats:
    """Canonical response to a brief stimulus: a peak, then an undershoot of a sixth ten seconds later.

    Friston et al. 1998, *NeuroImage* 7, 30; with 5 s it is the form that SPM uses.

    Parameters
    ----------
    times : (n_samples,) float64, seconds
        Since the stimulus.
    latency_s : float
        Mode (s) of the positive gamma density, time to peak but for the undershoot's slight pull.

    Returns
    -------
    (n_samples,) float64
        Not normalised.
    """
    return np.asarray(gamma.pdf(times, latency_s + 1.0) - gamma.pdf(times, latency_s + 11.0) / 6.0)


def block_response(times: Floats, block_s: float, latency_s: float) -> Floats:
    """Response to one block, its highest point 1.

    Parameters
    ----------
    times : (n_samples,) float64, seconds
        Since the block's onset; before it there is nothing.
    block_s, latency_s : float
        Length of the block and time to peak of the brief response (s).

    Returns
    -------
    (n_samples,) float64
    """
    # Long enough for the undershoot to end, fine enough that the block's edges do not matter.
    grid = np.arange(0.0, block_s + latency_s + 45.0, 1.0 / OVERSAMPLING_HZ)
    brief = double_gamma(grid, latency_s)
    answer = fftconvolve(brief, (grid < block_s).astype(np.float64))[: len(grid)]
    return np.asarray(np.interp(times, grid, answer / answer.max(), left=0.0, right=0.0))


def draw_blocks(settings: Simulation, task: TaskBlocks, seed: Seed, session: int) -> Blocks:
    """Draw onsets; a block that would not end within the recording is left out."""
    rng = chance(seed, session, "blocks")
    onsets: list[float] = []
    sizes: list[float] = []
    onset = task.lead_in_s
    while onset + task.block_s <= settings.seconds:
        onsets.append(round(onset, 3))
        sizes.append(float(np.exp(0.15 * settings.spread * rng.standard_normal())))
        onset += task.block_s + task.rest_s + float(rng.uniform(-task.jitter_s, task.jitter_s))
    return Blocks(np.array(onsets), np.array(sizes))


def block_events(settings: Simulation, task: TaskBlocks, blocks: Blocks) -> tuple[Event, ...]:
    """Events of the blocks and of the rests before, between and after them, in order."""
    events: list[Event] = []
    rest_from = 0.0
    for onset in [*blocks.onsets.tolist(), settings.seconds]:
        if task.rest_label and onset > rest_from:
            events.append(Event(rest_from, task.rest_label, round(onset - rest_from, 3)))
        if onset < settings.seconds:
            events.append(Event(onset, task.label, task.block_s))
            rest_from = round(onset + task.block_s, 3)
    return tuple(events)


def response_weights(pairs: tuple[Pair, ...], task: TaskBlocks) -> Floats:
    """How strongly each pair responds: the same for everybody, most on the left.

    Parameters
    ----------
    pairs : tuple of n_pairs Pair
        The probe.
    task : Task
        Says which fraction of a hemisphere's long pairs responds.

    Returns
    -------
    (n_pairs,) float64
        1 for the strongest, 0 where there is no response.
    """
    weights = np.zeros(len(pairs))
    for side, strength in ((True, 1.0), (False, 0.7)):
        here = [i for i, pair in enumerate(pairs) if not pair.short and pair.left == side]
        centres = np.array([np.add(pairs[i].source_position, pairs[i].detector_position) / 2 for i in here])
        # Around the middle of the hemisphere's first row; ties go to the lower number.
        middle = centres[min(len(here), 5) // 2]
        away = np.linalg.norm(centres - middle, axis=1)
        n_responding = max(1, round(task.responding * len(here))) if task.responding else 0
        nearest = np.argsort(away, kind="stable")[:n_responding]
        for k in nearest:
            weights[here[k]] = strength * np.exp(-0.5 * (away[k] / 0.05) ** 2)
    return weights


def evoked(times: Floats, task: TaskBlocks, blocks: Blocks, person: Person) -> Floats:
    """Time course of the response of a pair of weight 1.

    Parameters
    ----------
    times : (n_samples,) float64, seconds
        Of the recording.
    task, blocks, person : Task, Blocks, Person
        What was asked, when, of whom.

    Returns
    -------
    (n_samples,) float64, mol/L
        HbO; HbR is ``task.hbr_ratio`` times this.
    """
    course = np.zeros(len(times))
    for onset, size in zip(blocks.onsets, blocks.sizes, strict=True):
        course += size * block_response(times - onset, task.block_s, person.latency_s)
    return course * task.size * person.response
