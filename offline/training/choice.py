"""A model made of several: their blend, or the best of them, by training people who are held out in turn.

Every member is fitted in inner folds of the training people, and predicts those who were held out.  On these
predictions alone a temperature is set for each, and weights (quarters that add up to one) are chosen by the
log loss of people.  The best is the member with the least loss; their blend only where it is better by more
than the standard error of the difference over people (over units, of those who were measured together).  The
linear model is always among the candidates, so what is chosen is never worse than it in its own inner folds.
Whoever evaluates holds out people of whom nothing of this knows: so the choosing is evaluated too.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from models.errors import RecipeError
from models.networks import BEST, BLEND
from models.probabilities import probabilities
from offline.base.progress import Tell
from offline.base.sample_table import SampleTable
from offline.base.splits import Fold, time_folds
from offline.samples.recipe import Recipe
from offline.samples.samples import Samples
from offline.stats.intervals import standard_error
from offline.stats.person_accuracy import person_accuracy
from offline.stats.person_loss import person_losses
from offline.training.ensemble import blended, figures_of_training, params_of
from offline.training.feature_table import Rows
from offline.training.fit import FittedNetwork
from offline.training.search import search_folds
from offline.training.temperature import fit_temperature, logits_of
from offline.training.train import Trained, train_within
from offline.training.validation import Validation, ValidationKind

STEPS = 4
"""Weights are multiples of one over this."""
LEAST_GAIN = 1e-3
"""A further member must lower the loss by so much, nats: one that knows nothing is not carried along."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """Members with their weights, and what they were worth on people who were held out.

    Parameters
    ----------
    weight : (n_members,) float64
        Not negative, adding up to 1.
    own : (n_members,) float64
        Temperature of each member.
    temperature : float
        Of the weighted sum of the members' logits over their own.
    losses : (n_people,) float64
        Log loss of each person, nats.
    accuracy : float
        Balanced accuracy by person.
    """

    weight: Floats
    own: Floats
    temperature: float
    losses: Floats
    accuracy: float

    @property
    def loss(self) -> float:
        """Mean over people, nats."""
        return float(self.losses.mean())


def train_combined(
    samples: Samples, recipe: Recipe, within: Rows, *, seed: int, progress: Tell | None, task: str
) -> Trained:
    """Fit the members in inner folds, choose, and fit what was chosen to all.

    Parameters
    ----------
    samples, recipe, seed, progress, task
        See `offline.training.train.train_within`.
    within : (n,) intp
        The samples that may be used at all.

    Raises
    ------
    RecipeError
        There are too few training people to hold any out.
    """
    kinds = recipe.model.member_kinds
    recipes = [recipe.model_copy(update={"model": section}) for section in recipe.model.sections]
    folds = inner_folds(samples, recipe, within, seed)
    held = np.concatenate([fold.test for fold in folds])
    logits = np.zeros((len(kinds), len(held), len(samples.labels)))
    start, steps = 0, len(folds) * len(kinds)
    for k, fold in enumerate(folds):
        stop = start + len(fold.test)
        for m, (kind, own) in enumerate(zip(kinds, recipes, strict=True)):
            name = f"{task}, {kind} in inner fold {k + 1} of {len(folds)}"
            trained = train_within(
                samples, own, fold.train, seed=_seed_of(seed, k), progress=progress, task=name
            )
            found = logits_of(trained.fitted.network, samples.X[fold.test])
            logits[m, start:stop] = found / trained.temperature
            if progress is not None:
                progress(f"{task}, inner folds", k * len(kinds) + m + 1, steps, kind)
        start = stop
    chosen, how = choose(recipe.model.kind, kinds, logits, samples.table.rows(held))
    how["folds"] = len(folds)
    members = {
        m: train_within(samples, recipes[m], within, seed=seed, progress=progress, task=f"{task}, {kinds[m]}")
        for m in np.flatnonzero(chosen.weight).tolist()
    }
    return _served(members, chosen, kinds, within, seed, how)


def _served(
    members: dict[int, Trained],
    chosen: Candidate,
    kinds: Sequence[str],
    within: Rows,
    seed: int,
    how: dict[str, Any],
) -> Trained:
    """One member as it is with its new temperature, or a blend of several."""
    how = {"choice": how, "members": {kinds[m]: figures_of_training(each) for m, each in members.items()}}
    if len(members) == 1:
        ((m, alone),) = members.items()
        return replace(alone, temperature=alone.temperature * chosen.own[m] * chosen.temperature, how=how)
    several = list(members.values())
    share = [float(chosen.weight[m] / (each.temperature * chosen.own[m])) for m, each in members.items()]
    network = blended(several, share)
    everybody = Validation(ValidationKind.NONE, within, within[:0])
    fitted = FittedNetwork(network, (), 0, False)
    return Trained(fitted, everybody, chosen.temperature, seed, BLEND, params_of(several), how)


def choose(
    kind: str, names: Sequence[str], logits: Floats, table: SampleTable
) -> tuple[Candidate, dict[str, Any]]:
    """Choose weights of members by what they said of people who were held out.

    Parameters
    ----------
    kind : {"blend", "best"}
        Whether several are averaged where that is best at all, or only where it is better beyond chance.
    names : sequence of str
        Of the members.
    logits : (n_members, n, n_labels) float64
        Of held-out windows.
    table : SampleTable
        Of these windows.

    Returns
    -------
    Candidate, dict
        What was chosen, and its competitors; JSON types.
    """
    n = len(names)
    own = np.array([fit_temperature(each.astype(np.float32), table.target) for each in logits])
    tried = [_candidate(logits, own, np.array(weight), table) for weight in weightings(n)]
    singles = [next(each for each in tried if each.weight[m] == 1.0) for m in range(n)]
    several = [each for each in tried if each.weight.max() < 1.0]
    alone = min(singles, key=lambda each: each.loss)
    together = min(several, key=lambda each: each.loss + LEAST_GAIN * np.count_nonzero(each.weight))
    first = np.unique(table.person, return_index=True)[1]  # in the order of losses
    needed = standard_error(together.losses - alone.losses, table.unit[first]) if kind == BEST else 0.0
    chosen = together if alone.loss - together.loss > needed else alone
    how = {
        "chosen": _named(chosen, names),
        "people": len(table.people),
        "candidates": [_figures(each, names) for each in (*singles, together)],
    }
    return chosen, how


def weightings(n_members: int) -> list[tuple[float, ...]]:
    """All weights in quarters that add up to one, in a fixed order."""
    counts = product(range(STEPS + 1), repeat=n_members)
    return [tuple(each / STEPS for each in count) for count in counts if sum(count) == STEPS]


def _candidate(logits: Floats, own: Floats, weight: Floats, table: SampleTable) -> Candidate:
    mixed = np.tensordot(weight / own, logits, axes=1).astype(np.float32)
    temperature = fit_temperature(mixed, table.target)
    p = probabilities(mixed, temperature)
    losses = np.array(list(person_losses(p, table.target, table.person).values()))
    return Candidate(weight, own, temperature, losses, person_accuracy(p, table.target, table.person))


def _named(candidate: Candidate, names: Sequence[str]) -> str:
    return " + ".join(name for name, weight in zip(names, candidate.weight, strict=True) if weight > 0)


def _figures(candidate: Candidate, names: Sequence[str]) -> dict[str, Any]:
    return {
        "model": _named(candidate, names),
        "weights": {
            name: float(weight) for name, weight in zip(names, candidate.weight, strict=True) if weight > 0
        },
        "log_loss": round(candidate.loss, 6),
        "balanced_accuracy": round(candidate.accuracy, 6),
    }


def inner_folds(samples: Samples, recipe: Recipe, within: npt.NDArray[np.intp], seed: int) -> list[Fold]:
    """Divisions of the training people; of the blocks of the recordings where there is one person only.

    ``within``, (n,) intp, are the samples of training.

    Raises
    ------
    RecipeError
        There are too few people of a label, or one person has too little.
    """
    wanted, table = recipe.budget.inner_folds, samples.table.rows(within)
    try:
        if len(table.people) > 1:
            return search_folds(samples, Fold((), within, within[:0]), wanted, seed)
        parts = time_folds(table, blocks=wanted, gap_s=recipe.evaluation.gap_s)
    except RecipeError as error:
        raise RecipeError(
            f"Model {recipe.model.kind!r} chooses by training people (or, of one person, parts of the "
            f"recordings) that are held out in turn, and {len(table.people)} people do not allow "
            f"{wanted} parts. Add people, lower budget.inner_folds, or name a single model in model.kind."
        ) from error
    return [Fold(each.held_out, within[each.train], within[each.test]) for each in parts]


def _seed_of(seed: int, fold: int) -> int:
    return int.from_bytes(hashlib.sha256(f"choice:{seed}:{fold}".encode()).digest()[:4], "big")
