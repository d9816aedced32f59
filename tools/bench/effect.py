"""``python -m tools.bench.effect``: how near training comes to what can be had, on simulated people.

The peer is the ceiling: the best scorer that was found, made from a thousand people, on the same fresh
people.  Learning curves of the CGRNN and of the linear baseline are given with it.
"""

import json
import time

import numpy as np
from cyclopts import App
from sklearn.metrics import roc_auc_score

from models.arrays import Floats
from offline.estimators.baselines import fit_linear
from offline.samples.recipe import Recipe
from offline.samples.recipe_sections import Training
from offline.simulation.ceilings import by_person, compare, latent_auc, rich_window_features, scorers
from offline.training.fit import fit_network
from tools.bench.effect_people import (
    SimulatedPeople,
    drawn_people,
    judged,
    log_odds,
    mean_features,
    people_of,
    rest_recipe,
    settings_of,
)

app = App(name="effect", help="Training against the ceiling of simulated cohorts.", help_format="plaintext")


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

    recipe = rest_recipe()
    for d in effects:
        settings = settings_of(d, recipe, seconds=seconds, pairs=pairs)
        began = time.perf_counter()
        many, spare, fresh = (
            people_of(settings, recipe, n, seed) for seed, n in enumerate((teachers, people, people))
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
                    found.append(predict(drawn_people(many, n, draw), fresh, recipe, epochs))
                compared = np.mean([compare(scores, ceiling, positive) for scores in found], axis=0)
                own, more, error = compared.tolist()
                print(
                    f"| {what}, {n} people, mean of {len(found)} | {own:.3f} | {more:+.3f} | {error:.3f} |",
                    flush=True,
                )
    print(f"\n{people} fresh people a cohort. {json.dumps(describe_machine())}")


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
            by_person(log_odds(model.predict_proba(values)), each.whose, len(each.group))
            for values, each in zip(features[1:], (spare, fresh), strict=True)
        ]
        found[f"{name} on features"] = (roc_auc_score(spare.group == 1, scores[0]), scores[1])
        means = [
            mean_features(values, each) for values, each in zip(features, (many, spare, fresh), strict=True)
        ]
        model.fit(means[0], many.group)
        scores = [log_odds(model.predict_proba(values)) for values in means[1:]]
        found[f"{name} on a person's mean features"] = (roc_auc_score(spare.group == 1, scores[0]), scores[1])
    network = _fit(many, recipe, epochs, len(many.group) // 10)
    scores = [judged(network, each) for each in (spare, fresh)]
    found["CGRNN"] = (roc_auc_score(spare.group == 1, scores[0]), scores[1])
    for name, (value, scores_) in found.items():
        new = roc_auc_score(fresh.group == 1, scores_)
        print(f"  windows, {name}: {value:.3f} on spare people, {new:.3f} on fresh")
    best = max(found, key=lambda name: found[name][0])
    return best, found[best][1]


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


def _cgrnn(people: SimulatedPeople, fresh: SimulatedPeople, recipe: Recipe, epochs: int) -> Floats:
    spared = max(2 * (len(people.group) // 8), 4)
    return judged(_fit(people, recipe, epochs, spared), fresh)


def _linear(people: SimulatedPeople, fresh: SimulatedPeople, recipe: Recipe, epochs: int) -> Floats:
    model, _ = fit_linear(people.X, people.y, people.whose.astype(str))
    return by_person(log_odds(model.predict_proba(fresh.X)), fresh.whose, len(fresh.group))


if __name__ == "__main__":
    app()
