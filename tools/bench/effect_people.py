"""Simulated people at rest, as windows behind a pipeline: what the benches of their groups share."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from torch import nn

from models.arrays import Floats
from offline.samples.channels import choose_channels
from offline.samples.recipe import Recipe, load_recipe
from offline.samples.replay import replay
from offline.samples.samples import plan_of
from offline.simulation.ceilings import by_person, recording_features
from offline.simulation.person import simulate_person
from offline.simulation.settings import Simulation
from offline.training.temperature import logits_of
from realtime.pipeline import Pipeline
from realtime.signal import Chunk, SignalSpec
from realtime.sources.recording import Recording


@dataclass(frozen=True, eq=False)
class SimulatedPeople:
    """Simulated people: windows, whole recordings, groups."""

    X: npt.NDArray[np.float32]
    whose: npt.NDArray[np.intp]
    whole: Floats
    group: npt.NDArray[np.int64]

    @property
    def y(self) -> npt.NDArray[np.int64]:
        return self.group[self.whose]


def rest_recipe() -> Recipe:
    """The pipeline of the Xu recipe on all channels, windows every 2 s."""
    recipe = load_recipe("xu2019")
    return recipe.model_copy(update={"window": recipe.window.model_copy(update={"step_s": 2.0})})


def settings_of(d: float, recipe: Recipe, *, seconds: float = 180.0, pairs: int = 4) -> Simulation:
    """People at rest, without artefacts; Cohen's d of groups in memory and in likeness of sides."""
    return Simulation(
        seconds=seconds, rate=recipe.rate, n_pairs=pairs, n_short=0, task=None, group_effect=d,
        spikes_per_minute=0.0, shifts_per_minute=0.0, bad_pairs=0.0,
    )  # fmt: skip


def behind_of(settings: Simulation, recipe: Recipe) -> SignalSpec:
    """The channels of their windows."""
    recording, _ = simulate_person(settings, (0, 0), 0)
    spec, _ = choose_channels([("simulated", recording.spec)], recipe.input, recipe.kinds)
    return Pipeline(plan_of(recipe, spec, ("A", "B")).pipeline, spec).spec_out


def people_of(
    settings: Simulation, recipe: Recipe, n: int, seed: int, *, recordings: bool = True
) -> SimulatedPeople:
    """Simulate so many, of each group in turn, ``recordings`` with features of the whole recording too."""
    windows, whose, whole = [], [], []
    for i in range(n):
        recording, _ = simulate_person(settings, (seed, i), i % 2)
        spec, _ = choose_channels([("simulated", recording.spec)], recipe.input, recipe.kinds)
        replayed = replay(recording, plan_of(recipe, spec, ("A", "B")))
        windows.append(np.stack([each.data for each in replayed.usable if each.data is not None]))
        whose.append(np.full(len(windows[-1]), i))
        whole.append(_whole(recording, recipe) if recordings else np.zeros(0))
    return SimulatedPeople(np.concatenate(windows), np.concatenate(whose), np.stack(whole), np.arange(n) % 2)


def _whole(recording: Recording, recipe: Recipe) -> Floats:
    """Features of the whole recording, converted but neither filtered nor normalised."""
    stages = [s for s in recipe.pipeline if s["stage"] in ("optical_density", "resample", "beer_lambert")]
    pipeline = Pipeline(stages, recording.spec)
    data = [
        piece.chunk.data
        for piece in pipeline.process(
            Chunk(spec=recording.spec, data=recording.data, times=recording.times, missing=recording.missing)
        )
    ]
    channels = pipeline.spec_out.channels
    middle = [(channel.kind, np.round(np.array(channel.position), 4)) for channel in channels]
    mirrored = [(kind, np.round(place * np.array([-1, 1, 1]), 4)) for kind, place in middle]
    partners = [
        next(k for k, (other, place) in enumerate(middle) if other == kind and np.allclose(place, wanted))
        for kind, wanted in mirrored
    ]
    whole = np.concatenate(data, axis=1)
    measured = np.isfinite(whole).all(axis=0)  # the resampler begins before its first sample
    return recording_features(whole[:, measured], np.array(partners), recipe.rate)


def mean_features(values: Floats, people: SimulatedPeople) -> Floats:
    return np.stack([values[people.whose == i].mean(axis=0) for i in range(len(people.group))])


def log_odds(p: Floats) -> Floats:
    p1 = np.clip(p[:, 1], 1e-6, 1 - 1e-6)
    return np.asarray(np.log(p1 / (1 - p1)))


def drawn_people(people: SimulatedPeople, n: int, draw: int) -> SimulatedPeople:
    """The people from n * draw on, n of them."""
    rows = (people.whose >= n * draw) & (people.whose < n * (draw + 1))
    return replace(
        people,
        X=people.X[rows],
        whose=people.whose[rows] - n * draw,
        whole=people.whole[n * draw : n * (draw + 1)],
        group=people.group[n * draw : n * (draw + 1)],
    )


def judged(network: nn.Module, people: SimulatedPeople) -> Floats:
    logits = logits_of(network, people.X).astype(np.float64)
    return by_person(logits[:, 1] - logits[:, 0], people.whose, len(people.group))
