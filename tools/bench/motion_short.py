"""Superficial signal: a simulated one that is known to the last digit, and a real cap with short channels."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from models.arrays import Floats
from offline.recordings import read_recording
from offline.simulation import Simulation, TaskBlocks, simulate_person
from offline.simulation.optics import optical_density
from offline.simulation.person import clean_haemoglobin
from offline.simulation.probe import make_pairs
from offline.simulation.session import SimulatedSession
from realtime.channels.mne_info import info_from_spec
from realtime.pipeline import Pipeline
from realtime.signal import Chunk, SignalSpec
from realtime.stages.references import references_of, split_by_distance
from realtime.stages.short_channel import ShortChannel
from tools.bench.motion_scores import MotionScore, density_spec, in_band, mean_of, run, score

SKIP_S = 120.0
BELOW_M = 0.01
UNTOUCHED = "uncorrected"
OURS = "short_channel stage, online"
PEER = "regression, whole recording (MNE-NIRS)"
SAME = "regression, whole recording, same wavelength"
Correct = Callable[[SignalSpec, Floats], Floats]
"""Optical density of all channels in, of the long ones out, (n_channels, n_samples)."""


def online(spec: SignalSpec, data: Floats) -> Floats:
    """The stage as it is by default."""
    return run(ShortChannel(spec), data)


def mne_nirs(spec: SignalSpec, data: Floats) -> Floats:
    """MNE-NIRS 0.7's, which takes the short channel that lies nearest, whatever its wavelength.

    Centred before, as its own optical density would be.
    """
    import mne
    from mne_nirs.signal_enhancement import short_channel_regression

    _, long = split_by_distance(spec, BELOW_M)
    with mne.utils.use_log_level("error"):
        raw = mne.io.RawArray(data - data.mean(axis=1, keepdims=True), info_from_spec(spec))
        return np.asarray(short_channel_regression(raw, max_dist=BELOW_M).get_data()[long])


def offline(spec: SignalSpec, data: Floats) -> Floats:
    """Least squares over all of it with the references that the stage takes: the stage without causality."""
    short, long = split_by_distance(spec, BELOW_M)
    out = data[long].copy()
    for row, places in enumerate(references_of(spec, short, long, "nearest")):
        x = data[short[places[0]]]
        x, y = x - x.mean(), out[row] - out[row].mean()
        out[row] -= x * float(x @ y / (x @ x))
    return out


CONDITIONS: Mapping[str, Correct] = {
    UNTOUCHED: lambda spec, data: data[split_by_distance(spec, BELOW_M)[1]],
    OURS: online,
    PEER: mne_nirs,
    SAME: offline,
}


def measure_simulated(people: int, conditions: Mapping[str, Correct] = CONDITIONS) -> dict[str, MotionScore]:
    """Against what the brain did: slow cerebral fluctuations and the response; means over people.

    What the scalp did too (slow fluctuations, Mayer waves, breath and pulse) is superficial.
    """
    found: dict[str, list[MotionScore]] = {}
    for person in range(people):
        spec, data, brain, scalp = known((2019, person))
        _, long = split_by_distance(spec, BELOW_M)
        for name, correct in conditions.items():
            its = score(
                spec.pick(long), correct(spec, data), brain[long], skip_s=SKIP_S, superficial=scalp[long]
            )
            found.setdefault(name, []).append(its)
    return {name: mean_of(scores) for name, scores in found.items()}


def known(seed: tuple[int, int]) -> tuple[SignalSpec, Floats, Floats, Floats]:
    """Channels, optical density as measured, and what of it is the brain's and the scalp's.

    The simulation mixes scalp S and brain C as ``sqrt(s) S + sqrt(1 - s) C + R`` for a superficial share s;
    three shares tell the three apart, and one without a task tells the response from the rhythms R.
    """
    whole = Simulation(seconds=480.0, spikes_per_minute=0.0, shifts_per_minute=0.0, bad_pairs=0.0)
    s, t = whole.superficial, 0.8
    idle = replace(whole, task=TaskBlocks(size=0.0))

    def clean(settings: Simulation) -> Floats:
        return clean_haemoglobin(SimulatedSession.of(settings, seed, 0))

    none, some, much = (clean(replace(idle, superficial=share)) for share in (0.0, s, t))
    left = np.array([[np.sqrt(s), np.sqrt(1 - s) - 1], [np.sqrt(t), np.sqrt(1 - t) - 1]])
    both = np.linalg.solve(left, np.stack([some - none, much - none]).reshape(2, -1))
    cerebral = both[1].reshape(none.shape)
    short = [i for i, pair in enumerate(make_pairs(whole)) if pair.short]
    cerebral[:, short] = 0.0
    brain = np.sqrt(1 - s) * cerebral + clean(whole) - some
    recording, truth = simulate_person(whole, seed, 0)
    paths = truth.person.pathlength * np.array([pair.distance for pair in make_pairs(whole)])

    def light(values: Floats) -> Floats:
        density = optical_density(values, paths, whole.wavelengths)
        return np.asarray(density.reshape(len(recording.spec), -1))

    measured = -np.log(recording.data)
    measured -= measured.mean(axis=1, keepdims=True)
    return density_spec(recording.spec), measured, light(brain), light(clean(whole) - brain)


def measure_real(folder: Path, conditions: Mapping[str, Correct] = CONDITIONS) -> dict[str, dict[str, float]]:
    """The Cortivision recording: what is left of the scalp, and of a response that was put in.

    Returns
    -------
    dict
        For each condition ``superficial``: share of the variance, in the band, that the nearest short channel
        explains (median over long channels); ``response``: how much is left of a response of known size
        that was added to the long channels alone (1 is all).
    """
    recording = read_recording(
        folder / "sub-001_task-fingertapping_recording.xdf",
        layout=folder / "sub-001_task-fingertapping_nirs.json",
        stream="raw",
    )
    stages: list[dict[str, Any]] = [{"stage": "optical_density"}, {"stage": "resample", "rate": 8.0}]
    pipeline = Pipeline(stages, recording.spec)
    chunk = Chunk(recording.spec, recording.data, recording.times, recording.missing)
    out = Chunk.concatenate([piece.chunk for piece in pipeline.process(chunk)])
    spec = pipeline.spec_out
    data = np.where(out.missing, np.nan, out.data)
    data = data[:, np.isfinite(data).all(axis=0)]
    short, long = split_by_distance(spec, BELOW_M)
    near = [short[places[0]] for places in references_of(spec, short, long, "nearest")]
    spec = _placed(spec, dict(zip([*long, *short], [*near, *short], strict=True)))
    late = slice(round(SKIP_S * spec.rate), None)
    reference = in_band(spec, data)[near][:, late]
    response = _response(data.shape[1], spec.rate)
    added = data.copy()
    added[long] += response
    course = in_band(spec.pick(long[:1]), response[None])[0, late]
    found = {}
    for name, correct in conditions.items():
        plain = in_band(spec.pick(long), correct(spec, data))[:, late]
        more = in_band(spec.pick(long), correct(spec, added))[:, late] - plain
        r = [np.corrcoef(a, b)[0, 1] for a, b in zip(plain, reference, strict=True)]
        found[name] = {
            "superficial": float(np.median(np.square(r))),
            "response": float(np.median(more @ course / (course @ course))),
        }
    return found


def _placed(spec: SignalSpec, near: Mapping[int, int]) -> SignalSpec:
    """Positions, which the recording lacks and MNE needs: each channel lies at its short one's place."""
    channels = []
    for row, channel in enumerate(spec.channels):
        x, half = 0.1 * (spec.channels[near[row]].source or 0), (channel.distance or 0.0) / 2
        channels.append(
            replace(
                channel,
                position=(x, 0.0, 0.0),
                source_position=(x, -half, 0.0),
                detector_position=(x, half, 0.0),
            )
        )
    return replace(spec, channels=tuple(channels))


def _response(n_samples: int, rate: float) -> Floats:
    """Optical density that rises and falls by 0.01 for 10 s at unforeseeable times."""
    rng = np.random.default_rng(2019)
    times = np.arange(n_samples) / rate
    onsets = np.cumsum(rng.uniform(20.0, 40.0, round(times[-1] / 30)))
    return np.asarray(0.01 * sum(np.exp(-0.5 * ((times - onset - 7.0) / 4.0) ** 2) for onset in onsets))
