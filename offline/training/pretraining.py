"""Pre-training without labels: an encoder learns which halves of a window belong together.

Of many windows of many people and places it is given the first halves and the second halves, and must find
which follows which (contrastive predictive coding: van den Oord A, Li Y, Vinyals O, 2018, arXiv:1807.03748;
the symmetric form of Chen T et al., 2020, ICML, 1597-1607). Nothing of it depends on a montage, so recordings
at rest and cohorts of other montages serve alike.
"""

import copy
import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from models.errors import RecipeError
from models.networks.registry import make_model, parameters_of
from models.networks.virtual_probe import VirtualProbe
from offline.base.cohort import Cohort
from offline.base.people_hash import person_hash
from offline.base.progress import Tell, silent
from offline.base.reproducible import reproducible
from offline.samples.channels import choose_channels
from offline.samples.fingerprints import Fingerprint, signals_for_card
from offline.samples.reader import CohortReader
from offline.samples.recipe import Recipe
from offline.samples.replay import replay
from offline.samples.samples import kept_of, plan_of
from offline.training.placement import place_on
from offline.training.pretrained import ENCODER, PretrainedEncoder
from realtime.pipeline import Pipeline

TOGETHER = 128
"""Windows among which the other half is looked for."""
PROJECTED = 32
"""Numbers that halves are compared by."""
SHARPNESS = 10.0
"""Factor on the cosine of two halves."""
SPARED = 5
"""One person of so many is spared, and chooses the epoch."""


@dataclass(frozen=True, eq=False)
class UnlabelledWindows:
    """All usable windows of a cohort, and a probe that knows its montage.

    Parameters
    ----------
    X : (n, n_channels, n_samples) float32
        As the pipeline gives them.
    person : (n,) str
        Whose each is.
    probe : VirtualProbe
        At places of its own, which are not learnt.
    signals : tuple of Fingerprint
        One a recording.
    """

    X: npt.NDArray[np.float32]
    person: npt.NDArray[np.str_]
    probe: VirtualProbe
    signals: tuple[Fingerprint, ...]


def pretrain(
    cohorts: Sequence[Cohort], recipe: Recipe, *, seed: int | None = None, progress: Tell | None = None
) -> PretrainedEncoder:
    """Replay cohorts and train the encoder on all their usable windows.

    Parameters
    ----------
    cohorts : sequence of Cohort
        Montages and labels may differ; all are read and filtered as the recipe says.
    recipe : Recipe
        Input, pipeline, window, the network's parameters; epochs and learning rate.
    seed : int or None
        Instead of the recipe's.
    progress : callable or None
        Called after every recording and every epoch.

    Raises
    ------
    RecipeError
        There are too few windows to compare.
    HemostreamError
        A recording cannot be read or replayed, or positions are not known.
    """
    tell = progress or silent
    seed = recipe.training.seed if seed is None else seed
    params = parameters_of(recipe.model.kind) | recipe.model.params
    with reproducible(seed):
        found = [_windows_of(cohort, recipe, tell) for cohort in cohorts]
        people = sorted({str(person) for each in found for person in each.person})
        spared = people[SPARED - 1 :: SPARED]
        learn = [np.flatnonzero(~np.isin(each.person, spared)) for each in found]
        check = [np.flatnonzero(np.isin(each.person, spared)) for each in found]
        if sum(map(len, learn)) < TOGETHER:
            raise RecipeError(
                f"Pre-training compares {TOGETHER} windows at once; the recordings give "
                f"{sum(map(len, learn))}. Add recordings, or shorten the step of windows."
            )
        made = make_model(
            recipe.model.kind, recipe.model.params, n_chans=1, n_times=found[0].X.shape[2], n_outputs=2
        )
        assert isinstance(made, VirtualProbe)
        trained, losses = trained_encoder(made, found, learn, check, recipe, tell)
    cohort_hashes = [cohort.content_hash() for cohort in cohorts]
    salt = hashlib.sha256(f"{cohort_hashes}:{recipe.hash}:pretrained".encode()).hexdigest()[:32]
    facts = {
        "format": 1,
        "network": recipe.model.kind,
        **{name: params[name] for name in ENCODER},
        "rate": recipe.rate,
        "cohort_hashes": cohort_hashes,
        "recipe_hash": recipe.hash,
        "seed": seed,
        "people": len(people),
        "people_salt": salt,
        "people_hashes": sorted({person_hash(salt, person) for person in people}),
        "signals": signals_for_card([its for each in found for its in each.signals], salt),
        "windows": sum(map(len, learn)),
        "spared_people": len(spared),
        "epochs": len(losses),
        "loss": round(min(losses), 4),
        "chance": round(math.log(TOGETHER), 4),
    }
    return PretrainedEncoder(trained, facts)


def _windows_of(cohort: Cohort, recipe: Recipe, tell: Tell) -> UnlabelledWindows:
    names = [Path(row.recording).name for row in cohort.rows]
    reader = CohortReader(cohort, recipe.input, cohort.rows, names)
    specs, _ = reader.specs(tell)
    spec, _ = choose_channels(specs, recipe.input, recipe.kinds)
    plan = plan_of(recipe, spec, ("first", "second"))  # labels that nobody asks for
    behind = Pipeline(plan.pipeline, spec).spec_out
    n_times = round(recipe.window.length_s * recipe.rate)
    made = make_model(
        recipe.model.kind, recipe.model.params, n_chans=len(behind), n_times=n_times, n_outputs=2
    )
    assert isinstance(made, VirtualProbe)
    place_on(made, behind)
    made.spread_over_channels(torch.ones(len(behind), dtype=torch.bool))
    parts: list[npt.NDArray[np.float32]] = []
    person: list[str] = []
    for i, (row, name) in enumerate(zip(cohort.rows, names, strict=True)):
        tell("replay", i, len(names), name)
        usable = replay(reader.read(i), plan).usable
        if usable:
            kept = kept_of(usable, recipe.rate)
            parts.append(np.asarray(kept[np.arange(len(kept))], dtype=np.float32))
            person += [row.person] * len(usable)
    tell("replay", len(names), len(names), "")
    X = np.concatenate(parts) if parts else np.empty((0, len(behind), n_times), dtype=np.float32)
    return UnlabelledWindows(X, np.array(person, dtype=np.str_), made, tuple(reader.fingerprints))


def trained_encoder(
    made: VirtualProbe,
    found: Sequence[UnlabelledWindows],
    learn: Sequence[npt.NDArray[np.intp]],
    check: Sequence[npt.NDArray[np.intp]],
    recipe: Recipe,
    tell: Tell,
) -> tuple[dict[str, torch.Tensor], list[float]]:
    """Weights of the epoch that did best on spared people (or the last), and the loss of each epoch.

    Of each cohort's windows ``learn`` and ``check``, (n,) intp, are rows of training and of spared people;
    weights, by name, (...) float32, have the shapes of the encoder's.
    """
    encoder, how = made.encoder, recipe.training
    n_parts = min(encoder.segments, found[0].X.shape[2] // 2)
    project = nn.Linear(encoder.first.out_channels * n_parts, PROJECTED)
    learnt = [*encoder.parameters(), *project.parameters()]
    optimiser = torch.optim.AdamW(learnt, how.learning_rate, weight_decay=how.weight_decay)
    losses: list[float] = []
    best = copy.deepcopy(encoder.state_dict())
    for epoch in range(recipe.training.epochs):
        seen = []
        for each, rows in _batches(found, learn):
            loss = _loss(encoder, project, each, rows)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            seen.append(loss.item())
        with torch.no_grad():
            unseen = [float(_loss(encoder, project, each, rows)) for each, rows in _batches(found, check)]
        losses.append(float(np.mean(unseen or seen)))
        tell("pretrain", epoch + 1, recipe.training.epochs, f"loss {losses[-1]:.3f}")
        if not unseen or losses[-1] == min(losses):
            best = copy.deepcopy(encoder.state_dict())
    return best, losses


def _batches(
    found: Sequence[UnlabelledWindows], rows: Sequence[npt.NDArray[np.intp]]
) -> list[tuple[UnlabelledWindows, npt.NDArray[np.intp]]]:
    """Whole batches, each of one cohort (of one montage), in a drawn order."""
    out = []
    for each, its in zip(found, rows, strict=True):
        drawn = its[torch.randperm(len(its)).numpy()]
        out += [(each, drawn[i : i + TOGETHER]) for i in range(0, len(drawn) - TOGETHER + 1, TOGETHER)]
    return [out[i] for i in torch.randperm(len(out)).tolist()]


def _loss(
    encoder: nn.Module, project: nn.Module, each: UnlabelledWindows, rows: npt.NDArray[np.intp]
) -> torch.Tensor:
    """Of finding the second half of each window by its first, and the other way round, nats."""
    with torch.no_grad():
        at_places = each.probe.at_places(torch.from_numpy(each.X[rows]))
    n, n_places = at_places.shape[:2]
    series = at_places[
        torch.arange(n), torch.randint(n_places, (n,))
    ]  # (n, n_kinds, n_times), one place each
    half, kinds = series.shape[2] // 2, each.probe.kind.unique()
    one, other = (
        nn.functional.normalize(project(encoder(part, kinds).flatten(1)), dim=1)
        for part in (series[:, :, :half], series[:, :, -half:])
    )
    alike = SHARPNESS * one @ other.T
    true = torch.arange(n)
    return (nn.functional.cross_entropy(alike, true) + nn.functional.cross_entropy(alike.T, true)) / 2
