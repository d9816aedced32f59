"""Training: from a cohort and a recipe to a bundle.

The cohort is replayed and a model is fitted.  For a network people (or sessions) are spared for early
stopping, and its temperature is set on what it was not fitted to; others are solved for, or made of several
(`offline.training.choice`).  Everything is written down on the card, people only as salted hashes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from models.bundle import write_bundle
from models.bundle_files import check_target
from models.cards.card import Card
from models.errors import RecipeError
from models.networks import BEST, BLEND, COMBINED_KINDS, SOLVED_KINDS
from models.networks.virtual_probe import placed
from offline.base.cohort import read_cohort
from offline.base.progress import Tell, shown
from offline.base.seeds import seed_of
from offline.base.spelling import canonical
from offline.samples.labels import refuse_two_labels
from offline.samples.recipe import Recipe, check_model_of
from offline.samples.recipe_sections import Training
from offline.samples.samples import Samples, collect
from offline.samples.span import Span
from offline.samples.twice import refuse_shared
from offline.training.augmentation import Augmentation
from offline.training.closed_form import solve
from offline.training.fit import FittedNetwork, fit_network
from offline.training.mirroring import Mirroring
from offline.training.pretrained import read_encoder, refuse_seen, told_of_seen
from offline.training.temperature import fit_temperature, logits_of
from offline.training.validation import Validation, ValidationKind, validation_split


@dataclass(frozen=True, eq=False)
class Trained:
    """A model trained on some of the samples, and what all chance followed from.

    Parameters
    ----------
    fitted : FittedNetwork
        It; without a history where it was solved for, or is made of several.
    validation : Validation
        What it learnt from, and what early stopping listened to.  The members of an ensemble are each spared
        others, so there the two sides overlap.
    temperature : float
        Set on the validation windows; 1 where there are none.
    seed : int
        Of all chance.
    kind, params : str, mapping
        As `models.networks.registry.make_model` takes them; what was found in the recordings is among them.
    how : mapping
        How it came about beside that: penalties, members, what was chosen among; JSON types.
    """

    fitted: FittedNetwork
    validation: Validation
    temperature: float
    seed: int
    kind: str
    params: Mapping[str, Any]
    how: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class TrainedBundle:
    """A bundle that was written: its hash, its card but for the hash, and the network with its history."""

    hash: str
    card: Card
    trained: Trained


def train_within(
    samples: Samples,
    recipe: Recipe,
    within: npt.NDArray[np.intp],
    *,
    seed: int,
    progress: Tell | None = None,
    task: str = "train",
    start: Mapping[str, torch.Tensor] | None = None,
) -> Trained:
    """Fit the recipe's model to these samples.

    A network spares some of them and has its temperature set on these; they also chose the epoch, so the
    temperature is a little too sure of itself.

    Parameters
    ----------
    samples, recipe : Samples, Recipe
        All samples; its ``model`` and ``training``.
    within : (n,) intp
        The samples that may be used at all.
    seed : int
        Of all chance; the same gives the same weights, bit for bit.
    progress, task : callable or None, str
        Called after every epoch, and what to call it then.
    start : mapping or None
        First weights by name, instead of ones drawn at random.

    Raises
    ------
    RecipeError
        A label has no window to learn from, nothing is left to drop channels from, or training diverges.
    """
    kind = recipe.model.kind
    if start is not None:
        refuse_further(recipe)
    if kind in COMBINED_KINDS:
        from offline.training.choice import train_combined  # which trains each member by this function

        return train_combined(samples, recipe, within, seed=seed, progress=progress, task=task)
    if recipe.training.ensemble > 1 and kind not in SOLVED_KINDS:
        from offline.training.ensemble import train_ensemble  # likewise

        return train_ensemble(samples, recipe, within, seed=seed, progress=progress, task=task)
    if kind in SOLVED_KINDS:
        _check_labels(samples, within)
        by_person = recipe.labels.target == "person"
        solved = solve(kind, recipe.model.params, samples, within, by_person=by_person, seed=seed)
        nobody = Validation(ValidationKind.NONE, within, within[:0])
        fitted = FittedNetwork(solved.network, (), 0, False)
        return Trained(fitted, nobody, 1.0, seed, kind, solved.params, solved.how)
    return _train_network(samples, recipe, within, seed, progress, task, start)


def _train_network(
    samples: Samples,
    recipe: Recipe,
    within: npt.NDArray[np.intp],
    seed: int,
    progress: Tell | None,
    task: str,
    start: Mapping[str, torch.Tensor] | None,
) -> Trained:
    """Spare some of these samples, fit a network to the others, set the temperature on the spared."""
    y = samples.table.target
    fraction = recipe.training.validation_fraction
    split = validation_split(samples.table, within, seed=seed, fraction=fraction)
    _check_labels(samples, split.train)

    def on_epoch(epoch: int, most: int, loss: float, valid: float | None) -> None:
        remark = f"loss {loss:.3f}" + ("" if valid is None else f", unseen {valid:.3f}")
        if progress is not None:
            progress(task, epoch, most, remark)

    fitted = fit_network(
        samples.X,
        y,
        split.train,
        split.validation,
        name=recipe.model.kind,
        params=recipe.model.params,
        n_outputs=len(samples.labels),
        settings=fit_settings(recipe),
        seed=seed,
        on_epoch=on_epoch,
        augment=Augmentation(recipe.training, samples.places, recipe.rate),
        mirror=_mirroring(samples, recipe),
        behind=samples.behind,
        encoder=None if recipe.training.pretrained is None else read_encoder(recipe.training.pretrained),
        start=start,
    )
    temperature = 1.0
    if len(split.validation):
        logits = logits_of(fitted.network, samples.X[split.validation])
        temperature = fit_temperature(logits, y[split.validation])
    return Trained(fitted, split, temperature, seed, recipe.model.kind, recipe.model.params)


def _check_labels(samples: Samples, rows: npt.NDArray[np.intp]) -> None:
    present = np.unique(samples.table.target[rows])
    absent = [label for i, label in enumerate(samples.labels) if i not in present]
    if absent:
        raise RecipeError(
            f"No training window has label {' or '.join(map(repr, absent))}: the people or the part of the "
            "recordings that remain for training have none. Add people, or change labels in the recipe."
        )


def refuse_further(recipe: Recipe) -> None:
    """Refuse to train what has no single set of weights to go on from (RecipeError)."""
    kind, ensemble = recipe.model.kind, recipe.training.ensemble
    what = {BLEND: "is made of several models", BEST: "is chosen among several models"}.get(kind)
    if kind in SOLVED_KINDS:
        what = "is solved for from all its windows"
    elif ensemble > 1:
        what = f"is an ensemble of {ensemble}"
    elif recipe.input.montage == "own":
        what = "of recordings with their own channels each"
    if what is not None:
        raise RecipeError(
            f"{kind!r} {what} and cannot be trained further: train on the old and the new people together, "
            "without --from."
        )


def train(
    cohort_path: str | Path,
    recipe: Recipe,
    out: str | Path,
    *,
    seed: int | None = None,
    exclude_people: Sequence[str] = (),
    lock: Sequence[str] = (),
    span: Span | None = None,
    report: Path | None = None,
    progress: Tell | None = None,
) -> TrainedBundle:
    """Train on a cohort and write the bundle.

    Parameters
    ----------
    cohort_path, out : path
        The cohort's table, or the folder of ``cohort.tsv``; the bundle's folder.
    seed : int or None
        Instead of the recipe's.
    exclude_people, lock : sequence of str
        People who are held out; who are set aside for comparisons with bundles that descend from this one.
    span : Span or None
        Train only on this part of each recording.
    report : path or None
        Folder of an evaluation of this recipe on this cohort, for the card.
    progress : callable or None
        Called with progress; None shows it where there is a terminal.

    Raises
    ------
    HemostreamError
        Whatever is wrong with recipe, cohort, recordings or folder.
    """
    check_model_of(recipe)  # before hours of replay
    if recipe.labels.continuous:
        raise RecipeError(
            "labels.continuous: an amount can be evaluated (hemostream evaluate), but a bundle predicts "
            "labels. Give a column of labels."
        )
    if recipe.model.channels != "all":
        raise RecipeError(
            'model.channels is "best": such a network can be evaluated, but a bundle holds networks of all '
            'channels. Name the channel\'s pair in input.channels, and set model.channels = "all".'
        )
    seed = seed_of(recipe.training.seed, seed)
    check_target(out)
    if report is not None and span is not None:
        raise RecipeError(
            "An evaluation is of whole recordings, and only a part of each is to be trained on: leave out "
            "either the report or the part."
        )
    from offline.training.card import card_of  # these need to know what `Trained` is
    from offline.training.learnt import learnt
    from offline.training.unseen import read_evaluation

    cohort = read_cohort(cohort_path)
    with shown(progress) as tell:
        lock = [canonical(person) for person in lock]
        if both := sorted({*lock} & {canonical(person) for person in exclude_people}):
            raise RecipeError(
                f"{', '.join(both)}: both locked and excluded; expected one of the two. Locked people "
                "stand in the card, for comparing later bundles; excluded ones are only left out."
            )
        evaluated = None
        if report is not None:  # what is wrong with it is found before minutes of replay
            evaluated = read_evaluation(report, recipe, cohort, excluded=exclude_people, locked=lock)
        aside = (*exclude_people, *lock)
        samples = collect(cohort, recipe, span=span, exclude_people=aside, progress=tell)
        refuse_shared(samples.shared)
        refuse_seen(recipe.training.pretrained, samples, lock)
        samples = told_of_seen(recipe.training.pretrained, samples)
        if recipe.labels.target == "person":
            refuse_two_labels(samples.table)
        within = np.arange(len(samples))
        trained = train_within(samples, recipe, within, seed=seed, progress=tell)
        beside = learnt(samples, recipe, within, trained)
    trained = replace(trained, how={**trained.how, "learnt": beside})
    card = card_of(samples, recipe, cohort, trained, span, locked=lock, evaluated=evaluated)
    network = trained.fitted.network
    if samples.montages is not None:
        network = placed(network, samples.montages.first)  # which the card describes
    return TrainedBundle(write_bundle(out, card, network), card, trained)


def _mirroring(samples: Samples, recipe: Recipe) -> Mirroring | None:
    if not recipe.training.augmentation.mirror:
        return None
    pairs = [(one, other) for one, other in recipe.labels.mirror]
    montages = None if samples.montages is None else list(samples.montages.distinct)
    return Mirroring(samples.behind, samples.labels, pairs, montages)


def fit_settings(recipe: Recipe) -> Training:
    """How the recipe wants a network fitted, within its budget of epochs."""
    epochs = min(recipe.training.epochs, recipe.budget.epochs or recipe.training.epochs)
    limited = {"epochs": epochs, "min_epochs": min(recipe.training.min_epochs, epochs)}
    return recipe.training.model_copy(update=limited)
