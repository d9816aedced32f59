"""Motion: artefacts of real sizes in signals without any, so that the truth is known."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from models.arrays import Bools, Floats
from offline.recordings import read_recording
from offline.simulation import Simulation, simulate_person
from offline.simulation.artefacts import draw_motion, fast_sd, motion_courses
from realtime.channels.mne_info import info_from_spec
from realtime.signal import SignalSpec
from realtime.stages.motion import Motion
from tools.bench.motion_scores import MotionScore, density_spec, mean_of, run, score, whole_pairs

SKIP_S = 90.0
EDGE_S = 5.0
"""Both ends of the recordings ring with the filters of whoever exported them."""
QUIET = 8.0
"""A channel without a step of so many robust SDs is taken for free of artefacts."""
UNTOUCHED, OURS, PEER = "uncorrected", "motion stage, online", "TDDR, whole recording (MNE)"
ON_CLEAN = "on the signal without artefacts: "

Case = tuple[SignalSpec, Floats, Floats]
"""Channels, the true optical density, and the same with artefacts, (n_channels, n_samples)."""


def real_cases(folder: Path, draws: int) -> Iterator[Case]:
    """The tapping recordings' quiet pairs, with 2 spikes and half a shift a minute of about 10 SD put in."""
    for index, path in enumerate(sorted(folder.glob("subj*/*.nirs"))):
        recording = read_recording(path)
        rate = 1.0 / float(np.median(np.diff(recording.times)))
        edge = round(EDGE_S * rate)
        light = recording.data[:, edge:-edge]
        measured: Bools = np.asarray(~recording.missing[:, edge:-edge].any(axis=1))
        density = -np.log(np.where(measured[:, None], light / light.mean(axis=1, keepdims=True), 1.0))
        steps = np.abs(np.diff(density, axis=1))
        limit = QUIET * 1.4826 * np.median(steps, axis=1, keepdims=True)
        rows = whole_pairs(recording.spec, measured & (steps <= limit).all(axis=1))
        spec, truth = density_spec(recording.spec.pick(rows)).with_rate(rate), density[rows]
        for draw in range(draws):
            sizes = Simulation(seconds=truth.shape[1] / rate, rate=rate)
            drawn = draw_motion(sizes, (2019, index, draw), 0, len(rows))
            courses = motion_courses(np.arange(truth.shape[1]) / rate, drawn)
            yield spec, truth, truth + fast_sd(truth, rate)[:, None] * courses


def simulated_cases(people: int) -> Iterator[Case]:
    """Simulated people, who move or keep still."""
    moving = Simulation(seconds=390.0, bad_pairs=0.0, n_short=0)
    still = replace(moving, spikes_per_minute=0.0, shifts_per_minute=0.0)
    for person in range(people):
        truth, moved = (
            -np.log(simulate_person(settings, (2019, person), 0)[0].data) for settings in (still, moving)
        )
        spec = density_spec(simulate_person(still, (2019, person), 0)[0].spec)
        level = truth.mean(axis=1, keepdims=True)
        yield spec, truth - level, moved - level


def offline_tddr(spec: SignalSpec, data: Floats) -> Floats:
    """MNE's, over all of it at once, (n_channels, n_samples)."""
    import mne

    with mne.utils.use_log_level("error"):
        raw = mne.io.RawArray(data.copy(), info_from_spec(spec))
        return np.asarray(mne.preprocessing.nirs.temporal_derivative_distribution_repair(raw).get_data())


def online(spec: SignalSpec, data: Floats) -> Floats:
    """The stage; its warm-up takes the first value that it gives."""
    out = run(Motion(spec), data)
    first = int(np.flatnonzero(np.isfinite(out).all(axis=0))[0])
    out[:, :first] = out[:, first : first + 1]
    return out


def measure_motion(cases: Iterator[Case]) -> dict[str, MotionScore]:
    """Score everything on every case; means over cases."""
    found: dict[str, list[MotionScore]] = {}
    for spec, truth, moved in cases:
        tried = {
            UNTOUCHED: moved,
            OURS: online(spec, moved),
            PEER: offline_tddr(spec, moved),
            ON_CLEAN + OURS: online(spec, truth),
            ON_CLEAN + PEER: offline_tddr(spec, truth),
        }
        for name, data in tried.items():
            found.setdefault(name, []).append(score(spec, data, truth, skip_s=SKIP_S))
    return {name: mean_of(scores) for name, scores in found.items()}
