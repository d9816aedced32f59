"""The evoked response: blocks of a task, and what haemoglobin does in answer."""

from typing import NamedTuple

import numpy as np
from scipy.signal import fftconvolve
from scipy.stats import gamma

from models.arrays import Floats
from offline.simulation.probe import Pair
from offline.simulation.session import SimulatedSession
from offline.simulation.settings import TaskBlocks
from realtime.sources.recording import Event

OVERSAMPLING_HZ = 50.0


def double_gamma(times: Floats, latency_s: float) -> Floats:
    """Canonical response to a brief stimulus: a peak, then an undershoot of a sixth ten seconds later.

    Friston et al. 1998, *NeuroImage* 7, 30; with 5 s it is the form that SPM uses.

    Of times since the stimulus, (n_samples,) float64 s, not normalised; `latency_s` is the mode of the
    positive gamma density, the time to peak but for the undershoot's slight pull.
    """
    return np.asarray(gamma.pdf(times, latency_s + 1.0) - gamma.pdf(times, latency_s + 11.0) / 6.0)


def block_response(times: Floats, block_s: float, latency_s: float) -> Floats:
    """Response to one block, its highest point 1, at times since its onset, before which there is nothing.

    Times, (n_samples,) float64, the block's length and the brief response's time to peak are in s.
    """
    # Long enough for the undershoot to end, fine enough that the block's edges do not matter.
    grid = np.arange(0.0, block_s + latency_s + 45.0, 1.0 / OVERSAMPLING_HZ)
    brief = double_gamma(grid, latency_s)
    answer = fftconvolve(brief, (grid < block_s).astype(np.float64))[: len(grid)]
    return np.asarray(np.interp(times, grid, answer / answer.max(), left=0.0, right=0.0))


class Blocks(NamedTuple):
    """The blocks of a session: starts (s), a factor on the response to each, labels of their events."""

    onsets: list[float]
    sizes: list[float]
    labels: list[str]


def draw_blocks(session: SimulatedSession, task: TaskBlocks) -> Blocks:
    """Draw the blocks of a session, without one that would not end in the recording."""
    settings, rng = session.settings, session.chance("blocks")
    onsets: list[float] = []
    sizes: list[float] = []
    onset = task.lead_in_s
    while onset + task.block_s <= settings.seconds:
        onsets.append(round(onset, 3))
        sizes.append(float(np.exp(0.15 * settings.spread * rng.standard_normal())))
        onset += task.block_s + task.rest_s + float(rng.uniform(-task.jitter_s, task.jitter_s))
    labels = [task.label] * len(onsets)
    if task.lateral is not None:
        hand = session.chance("hands")
        first = hand.integers(2)  # of an odd number of blocks one hand has one more
        labels = [task.hands[i] for i in hand.permutation((np.arange(len(onsets)) + first) % 2)]
    return Blocks(onsets, sizes, labels)


def block_events(seconds: float, task: TaskBlocks, blocks: Blocks) -> tuple[Event, ...]:
    """Events of the blocks of a recording (s) and of the rests before, between and after them, in order."""
    events: list[Event] = []
    rest_from = 0.0
    for onset, label in zip([*blocks.onsets, seconds], [*blocks.labels, ""], strict=True):
        if task.rest_label and onset > rest_from:
            events.append(Event(rest_from, task.rest_label, round(onset - rest_from, 3)))
        if onset < seconds:
            events.append(Event(onset, label, task.block_s))
            rest_from = round(onset + task.block_s, 3)
    return tuple(events)


def response_weights(pairs: tuple[Pair, ...], task: TaskBlocks) -> Floats:
    """How strongly each pair responds, (n_pairs,) float64: the same in all people, at most 1.

    The left hemisphere responds more; of a task with sides both alike (to the hand opposite).
    """
    weights = np.zeros(len(pairs))
    for side, strength in ((True, 1.0), (False, 0.7 if task.lateral is None else 1.0)):
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


def evoked(session: SimulatedSession, task: TaskBlocks) -> Floats:
    """Time courses, (n_pairs, n_samples) float64 mol/L, of the HbO response."""
    times, courses = session.times, np.zeros((2, session.settings.n_samples))  # left, right hemisphere
    for onset, size, label in zip(*draw_blocks(session, task), strict=True):
        course = size * block_response(times - onset, task.block_s, session.person.latency_s)
        for side, hand in enumerate(task.hands):
            same = task.lateral is not None and label == hand
            courses[side] += course * (1.0 - session.person.lateral if same else 1.0)
    courses = courses * task.size * session.person.response
    weights = response_weights(session.pairs, task)
    return weights[:, np.newaxis] * courses[[0 if pair.left else 1 for pair in session.pairs]]
