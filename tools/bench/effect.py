"""``python -m tools.bench.effect``: how near training comes to what can be had, on simulated people.

The peer is the ceiling: the best scorer that was found, made from a thousand people, on the same fresh
people.  Learning curves of the CGRNN and of the linear baseline are given with it.
"""

import json
import time
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from cyclopts import App
from sklearn.metrics import roc_auc_score

from models.arrays import Floats
from offline.estimators.baselines import fit_linear
from offline.samples.channels import choose_channels
from offline.samples.recipe import Recipe, load_recipe
from offline.samples.recipe_sections import Training
from offline.samples.replay import replay
from offline.samples.samples import plan_of
from offline.simulation.ceilings import (
    by_person,
    compare,
    latent_auc,
    recording_features,
    rich_window_features,
    scorers,
)
from offline.simulation.person import simulate_person
from offline.simulation.settings import Simulation
from offline.training.fit import fit_network
from offline.training.temperature import logits_of
from realtime.pipeline import Pipeline
from realtime.signal import Chunk
from realtime.sources.recording import Recording

app = App(name="effect", help="Training against the ceiling of simulated cohorts.", help_format="plaintext")


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


@app.default
def effect(
    *,
    effects: tuple[float, ...] = (1.0,),
    people: int = 1000,
    teachers: int = 4000,
    sizes: tuple[int, ...] = (24, 48, 96, 192, 384, 1000),
    seconds: float = 180.0,
    pairs: int = 4,
    epochs: int = 30,
    draws: int = 3,
) -> None:
    """Simulate people twice, train on the ones, evaluate the others.

    Parameters
    ----------
    effects : tuple of float
        Cohen's d of memory and of homotopic correlation, a cohort each.
    people : int
        Fresh people who are evaluated; as many others choose what the ceiling is made from.
    teachers : int
        People from whom the ceilings' scorers learn, and of whom the learning curves take their first.
    sizes : tuple of int
        Training people of the learning curves.
    seconds : float
        Length of a recording, s.
    pairs : int
        Source-detector pairs.
    epochs : int
        Most of a training.
    draws : int
        Trainings on different people for each size (as far as there are so many).
    """
    from tools.bench.machine import describe_machine

    recipe = _recipe()
    for d in effects:
        settings = Simulation(
            seconds=seconds, rate=recipe.rate, n_pairs=pairs, n_short=0, task=None, group_effect=d,
            spikes_per_minute=0.0, shifts_per_minute=0.0, bad_pairs=0.0,
        )  # fmt: skip
        began = time.perf_counter()
        many, spare, fresh = (
            _people(settings, recipe, n, seed) for seed, n in enumerate((teachers, people, people))
        )
        print(
            f"effect {d}: {teachers + 2 * people} people in {time.perf_counter() - began:.0f} s", flush=True
        )
        positive = fresh.group == 1
        print("| what predicts | AUC by person | minus the window ceiling | SE |\n|---|---|---|---|")
        print(f"| latent parameters (exact) | {latent_auc(d):.3f} | | |")
        whole = _best_of_recordings(many, spare, fresh)
        most = roc_auc_score(positive, whole[1])
        print(f"| whole recording, best found: {whole[0]} | {most:.3f} | | |", flush=True)
        name, ceiling = _best_of_windows(many, spare, fresh, recipe, epochs)
        most = roc_auc_score(positive, ceiling)
        print(f"| windows, best found: {name} | {most:.3f} | 0 | |", flush=True)
        for n in sizes:
            for what, predict in (("CGRNN", _cgrnn), ("linear", _linear)):
                found = []
                for draw in range(max(1, min(draws, teachers // n))):
                    found.append(predict(_drawn(many, n, draw), fresh, recipe, epochs))
                compared = np.mean([compare(scores, ceiling, positive) for scores in found], axis=0)
                own, more, error = compared.tolist()
                print(
                    f"| {what}, {n} people, mean of {len(found)} | {own:.3f} | {more:+.3f} | {error:.3f} |",
                    flush=True,
                )
    print(f"\n{people} fresh people a cohort. {json.dumps(describe_machine())}")


def _recipe() -> Recipe:
    """The pipeline of the Xu recipe on all channels, windows every 2 s."""
    recipe = load_recipe("xu2019")
    return recipe.model_copy(update={"window": recipe.window.model_copy(update={"step_s": 2.0})})


def _people(settings: Simulation, recipe: Recipe, n: int, seed: int) -> SimulatedPeople:
    windows, whose, whole = [], [], []
    for i in range(n):
        recording, _ = simulate_person(settings, (seed, i), i % 2)
        spec, _ = choose_channels([("simulated", recording.spec)], recipe.input, recipe.kinds)
        replayed = replay(recording, plan_of(recipe, spec, ("A", "B")))
        windows.append(np.stack([each.data for each in replayed.usable if each.data is not None]))
        whose.append(np.full(len(windows[-1]), i))
        whole.append(_whole(recording, recipe))
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


def _best_of_recordings(
    many: SimulatedPeople, spare: SimulatedPeople, fresh: SimulatedPeople
) -> tuple[str, Floats]:
    found = {}
    for name, model in scorers(0).items():
        model.fit(many.whole, many.group)
        found[name] = (
            roc_auc_score(spare.group == 1, model.predict_proba(spare.whole)[:, 1]),
            model.predict_proba(fresh.whole)[:, 1],
        )
    best = max(found, key=lambda name: found[name][0])
    return best, found[best][1]


def _best_of_windows(
    many: SimulatedPeople, spare: SimulatedPeople, fresh: SimulatedPeople, recipe: Recipe, epochs: int
) -> tuple[str, Floats]:
    """Chosen on people who are neither trained on nor evaluated."""
    found = {}
    features = [rich_window_features(each.X) for each in (many, spare, fresh)]
    for name, model in scorers(0).items():
        model.fit(features[0], many.y)
        scores = [
            by_person(_log_odds(model.predict_proba(values)), each.whose, len(each.group))
            for values, each in zip(features[1:], (spare, fresh), strict=True)
        ]
        found[f"{name} on features"] = (roc_auc_score(spare.group == 1, scores[0]), scores[1])
        means = [
            _mean_features(values, each) for values, each in zip(features, (many, spare, fresh), strict=True)
        ]
        model.fit(means[0], many.group)
        scores = [_log_odds(model.predict_proba(values)) for values in means[1:]]
        found[f"{name} on a person's mean features"] = (roc_auc_score(spare.group == 1, scores[0]), scores[1])
    network = _fit(many, recipe, epochs, len(many.group) // 10)
    scores = [_judged(network, each) for each in (spare, fresh)]
    found["CGRNN"] = (roc_auc_score(spare.group == 1, scores[0]), scores[1])
    for name, (value, scores_) in found.items():
        new = roc_auc_score(fresh.group == 1, scores_)
        print(f"  windows, {name}: {value:.3f} on spare people, {new:.3f} on fresh")
    best = max(found, key=lambda name: found[name][0])
    return best, found[best][1]


def _mean_features(values: Floats, people: SimulatedPeople) -> Floats:
    return np.stack([values[people.whose == i].mean(axis=0) for i in range(len(people.group))])


def _log_odds(p: Floats) -> Floats:
    p1 = np.clip(p[:, 1], 1e-6, 1 - 1e-6)
    return np.asarray(np.log(p1 / (1 - p1)))


def _drawn(people: SimulatedPeople, n: int, draw: int) -> SimulatedPeople:
    """The people from n * draw on, n of them."""
    rows = (people.whose >= n * draw) & (people.whose < n * (draw + 1))
    return replace(
        people,
        X=people.X[rows],
        whose=people.whose[rows] - n * draw,
        whole=people.whole[n * draw : n * (draw + 1)],
        group=people.group[n * draw : n * (draw + 1)],
    )


def _fit(people: SimulatedPeople, recipe: Recipe, epochs: int, spared: int):  # type: ignore[no-untyped-def]
    validation = people.whose < spared
    settings = Training(epochs=epochs, patience=4, batch_size=64 if len(people.X) < 8000 else 256)
    return fit_network(
        people.X,
        people.y,
        np.flatnonzero(~validation),
        np.flatnonzero(validation),
        name="cgrnn",
        params={},
        n_outputs=2,
        settings=settings,
        seed=0,
    ).network


def _judged(network, people: SimulatedPeople) -> Floats:  # type: ignore[no-untyped-def]
    logits = logits_of(network, people.X).astype(np.float64)
    return by_person(logits[:, 1] - logits[:, 0], people.whose, len(people.group))


def _cgrnn(people: SimulatedPeople, fresh: SimulatedPeople, recipe: Recipe, epochs: int) -> Floats:
    spared = max(2 * (len(people.group) // 8), 4)
    return _judged(_fit(people, recipe, epochs, spared), fresh)


def _linear(people: SimulatedPeople, fresh: SimulatedPeople, recipe: Recipe, epochs: int) -> Floats:
    model, _ = fit_linear(people.X, people.y, people.whose.astype(str))
    return by_person(_log_odds(model.predict_proba(fresh.X)), fresh.whose, len(fresh.group))


if __name__ == "__main__":
    app()
