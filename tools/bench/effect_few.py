"""``python -m tools.bench.effect_few``: what can be learnt from few people, on simulated groups.

Networks, pre-trained and not, beside models that are solved for, beside the few statistics that the simulated
effect lies in, and beside what is chosen inside the training people; all judged on the same fresh people.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from cyclopts import App
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from models.arrays import Floats
from models.networks.registry import make_model
from models.networks.virtual_probe import VirtualProbe
from offline.base.progress import silent
from offline.base.reproducible import reproducible
from offline.base.sample_table import SampleTable
from offline.estimators.baselines import fit_linear, window_features
from offline.samples.likeness import compared_channels, likeness_of
from offline.samples.memory_features import memory_features
from offline.samples.recipe import Recipe
from offline.samples.recipe_sections import ModelSection, Training
from offline.simulation.ceilings import by_person
from offline.training.choice import choose
from offline.training.feature_table import FeatureTable
from offline.training.fit import fit_network
from offline.training.placement import place_on
from offline.training.pretrained import PretrainedEncoder
from offline.training.pretraining import UnlabelledWindows, trained_encoder
from offline.training.ridge import fit_ridge
from offline.training.temperature import logits_of
from realtime.signal import SignalSpec
from realtime.stages.homologues import mirrored
from tools.bench.effect_people import (
    SimulatedPeople,
    behind_of,
    drawn_people,
    log_odds,
    people_of,
    rest_recipe,
    settings_of,
)
from tools.bench.machine import describe_machine

PROBE = {"places": 4}
MEMBERS = ("ridge", "linear", "memory", "likeness", "CGRNN")
"""What `best` chooses among."""
INNER_FOLDS = 3
Says = Callable[[SimulatedPeople], Floats]
"""Log odds of windows, (n,) float64."""

app = App(name="effect_few", help="Simulated groups, learnt from few people.", help_format="plaintext")


@dataclass(frozen=True, eq=False)
class LearningSetting:
    """What models need besides people."""

    behind: SignalSpec
    recipe: Recipe
    epochs: int
    encoder: PretrainedEncoder | None


@app.default
def effect_few(
    work: Path,
    *,
    effect: float = 2.0,
    sizes: tuple[int, ...] = (24, 48, 96),
    pool: int = 288,
    fresh: int = 400,
    unlabelled: int = 240,
    draws: int = 3,
    epochs: int = 20,
    models: tuple[str, ...] = (),
) -> None:
    """Train on few people, judge on many others, and write table.md.

    Parameters
    ----------
    work : Path
        Folder of simulated windows, of every figure, and of the table; what is there is not computed again.
    effect : float
        Cohen's d of memory and of homotopic correlation.
    sizes : tuple of int
        Training people.
    pool, fresh, unlabelled : int
        People who are trained on in turn, who are judged, and whom pre-training sees without labels.
    draws : int
        Trainings on different people for each size, as far as the pool has so many.
    epochs : int
        Most of a training.
    models : tuple of str
        Some of `MODELS`; all where none is named.
    """
    recipe = rest_recipe()
    work.mkdir(parents=True, exist_ok=True)
    settings = settings_of(effect, recipe)
    behind = behind_of(settings, recipe)
    people = {}
    for name, n, seed in (("pool", pool, 0), ("fresh", fresh, 2), ("unlabelled", unlabelled, 7)):
        made = partial(people_of, settings, recipe, n, seed, recordings=False)
        people[name] = _kept(work / f"{name}-{n}.npz", made)
    its = LearningSetting(behind, recipe, epochs, _pretrained(people["unlabelled"], behind, recipe))
    found: dict[str, dict[str, list[float]]] = _read(work / "figures.json")
    for n in sizes:
        for draw in range(max(1, min(draws, pool // n))):
            own = drawn_people(people["pool"], n, draw)
            for name in models or MODELS:
                values = found.setdefault(name, {}).setdefault(str(n), [])
                if len(values) <= draw:
                    values.append(_area(MODELS[name](own, its), people["fresh"]))
                    (work / "figures.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
                    print(n, draw, name, round(values[-1], 3), flush=True)
    lines = [f"| from people | {' | '.join(map(str, sizes))} |", "|---|" + "---|" * len(sizes)]
    for name in MODELS:
        cells = [_cell(found.get(name, {}).get(str(n), [])) for n in sizes]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    (work / "table.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines), json.dumps(describe_machine()), sep="\n\n")


def _cell(values: list[float]) -> str:
    """Mean over trainings on different people, the least and the greatest, and how many there are."""
    if not values:
        return ""
    return f"{np.mean(values):.3f} ({min(values):.3f} to {max(values):.3f}; {len(values)})"


def _area(says: Says, fresh: SimulatedPeople) -> float:
    scores = by_person(says(fresh), fresh.whose, len(fresh.group))
    return float(roc_auc_score(fresh.group == 1, scores))


def _read(path: Path) -> dict[str, dict[str, list[float]]]:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _kept(path: Path, made: Callable[[], SimulatedPeople]) -> SimulatedPeople:
    if not path.exists():
        new = made()
        np.savez(path, X=new.X, whose=new.whose, whole=new.whole, group=new.group)
    with np.load(path, allow_pickle=False) as kept:
        return SimulatedPeople(kept["X"], kept["whose"], kept["whole"], kept["group"])


def _pretrained(people: SimulatedPeople, behind: SignalSpec, recipe: Recipe) -> PretrainedEncoder:
    """An encoder that saw other people's windows without their labels."""
    n_times = people.X.shape[2]
    how = recipe.model_copy(
        update={
            "model": ModelSection(kind="virtual_probe", params=PROBE),
            "training": recipe.training.model_copy(update={"epochs": 8}),
        }
    )
    with reproducible(0):
        probe, made = (
            make_model("virtual_probe", PROBE, n_chans=n, n_times=n_times, n_outputs=2)
            for n in (len(behind), 1)
        )
        assert isinstance(probe, VirtualProbe)
        assert isinstance(made, VirtualProbe)
        place_on(probe, behind)
        probe.spread_over_channels(torch.ones(len(behind), dtype=torch.bool))
        windows = UnlabelledWindows(people.X, people.whose.astype(str), probe, ())
        spared = people.whose % 5 == 0
        weights, losses = trained_encoder(
            made, [windows], [np.flatnonzero(~spared)], [np.flatnonzero(spared)], how, silent
        )
    print("pre-trained, loss of each epoch:", [round(each, 3) for each in losses], flush=True)
    return PretrainedEncoder(weights, {"rate": behind.rate, "filters": 16, "kernel": 5, "layers": 1})


def _table(people: SimulatedPeople) -> SampleTable:
    n, person = len(people.X), np.char.mod("%05d", people.whose)
    empty, at = np.full(n, ""), np.arange(n, dtype=np.float64)
    return SampleTable(person, person, empty, empty, at, at + 7.0, people.y)


def _solved(
    features: Callable[[Any, LearningSetting], Floats],
) -> Callable[[SimulatedPeople, LearningSetting], Says]:
    """The ridge model of people, on the mean features of each."""

    def fit(people: SimulatedPeople, its: LearningSetting) -> Says:
        data = FeatureTable(features(people.X, its), _table(people), by_person=True)
        fitted = fit_ridge(data, np.arange(len(people.X)))
        return lambda others: fitted.discriminant.log_odds(features(others.X, its))[:, 0]

    return fit


def _memory(X: Any, its: LearningSetting) -> Floats:
    return memory_features(X, mirrored(its.behind))


def _likeness(X: Any, its: LearningSetting) -> Floats:
    return likeness_of(X, *compared_channels(its.behind))


def _pooled(X: Any, its: LearningSetting) -> Floats:
    """The same, averaged over the head for each chromophore: two numbers of each, memory and likeness."""
    values, pairs = _memory(X, its), mirrored(its.behind)
    n = len(its.behind)
    kind = np.array([channel.kind.value for channel in its.behind.channels])
    of_pair = np.array([kind[left] for left, _ in pairs])
    parts = [values[:, :n][:, kind == each].mean(axis=1) for each in np.unique(kind)]
    parts += [values[:, n:][:, of_pair == each].mean(axis=1) for each in np.unique(kind)]
    return np.stack(parts, axis=1)


def _linear(people: SimulatedPeople, its: LearningSetting) -> Says:
    model, _ = fit_linear(people.X, people.y, people.whose.astype(str))
    return lambda others: log_odds(model.predict_proba(others.X))


def _network(
    kind: str, params: Mapping[str, Any], *, pretrained: bool = False
) -> Callable[[SimulatedPeople, LearningSetting], Says]:
    def fit(people: SimulatedPeople, its: LearningSetting) -> Says:
        validation = people.whose < max(2 * (len(people.group) // 8), 4)
        settings = Training(epochs=its.epochs, patience=4, batch_size=64 if len(people.X) < 8000 else 256)
        network = fit_network(
            people.X,
            people.y,
            np.flatnonzero(~validation),
            np.flatnonzero(validation),
            name=kind,
            params=params,
            n_outputs=2,
            settings=settings,
            seed=0,
            behind=its.behind,
            encoder=its.encoder if pretrained else None,
        ).network

        def says(others: SimulatedPeople) -> Floats:
            logits = logits_of(network, others.X).astype(np.float64)
            return np.asarray(logits[:, 1] - logits[:, 0])

        return says

    return fit


def _best(people: SimulatedPeople, its: LearningSetting) -> Says:
    """One of `MEMBERS`, or their blend, by training people who are held out in turn (`choice.choose`)."""
    n = len(people.group)
    folds = StratifiedKFold(INNER_FOLDS, shuffle=True, random_state=0).split(np.zeros(n), people.group)
    logits = np.zeros((len(MEMBERS), len(people.X), 2))
    for learn, check in folds:
        inner, held = _only(people, learn), _only(people, check)
        rows = np.isin(people.whose, check)
        for m, name in enumerate(MEMBERS):
            said = MODELS[name](inner, its)(held)
            logits[m, rows] = np.stack([-0.5 * said, 0.5 * said], axis=1)
    chosen, how = choose("best", MEMBERS, logits, _table(people))
    print("  chosen:", how["chosen"], flush=True)
    members = {m: MODELS[MEMBERS[m]](people, its) for m in np.flatnonzero(chosen.weight).tolist()}
    share = chosen.weight / chosen.own
    return lambda others: np.sum([share[m] * its(others) for m, its in members.items()], axis=0)


def _only(people: SimulatedPeople, which: Any) -> SimulatedPeople:
    rows = np.isin(people.whose, which)
    whose = np.searchsorted(which, people.whose[rows])
    return SimulatedPeople(people.X[rows], whose, people.whole[which], people.group[which])


MODELS: Mapping[str, Callable[[SimulatedPeople, LearningSetting], Says]] = {
    "ridge": _solved(lambda X, its: window_features(X)),
    "linear": _linear,
    "memory": _solved(_memory),
    "memory, mean over the head": _solved(_pooled),
    "likeness": _solved(_likeness),
    "CGRNN": _network("cgrnn", {}),
    "virtual_probe": _network("virtual_probe", PROBE),
    "virtual_probe, pre-trained": _network("virtual_probe", PROBE, pretrained=True),
    "best of ridge, linear, memory, likeness, CGRNN": _best,
}


if __name__ == "__main__":
    app()
