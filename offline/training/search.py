"""Settings chosen within an outer fold: one Optuna study each, evaluated on people a trial has not seen.

Trials are made in order, and before each the sampler is seeded from the fold and the trial's number.  So a
study that was cut off goes on as if it had not been: finished trials in the cache are added to a new study,
and an unfinished one is run again under its own number.

Bergstra J, Bardenet R, Bengio Y, Kegl B (2011). Algorithms for hyper-parameter optimization. NIPS 24.
"""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

from models.decode import decode
from models.errors import RecipeError
from models.probabilities import probabilities
from offline.base.progress import Tell
from offline.base.result_cache import load_text, make_folder, put_text
from offline.base.splits import Fold, fewest_units, person_folds
from offline.samples.recipe import Recipe, check_model_of
from offline.samples.recipe_search import Range
from offline.samples.recipe_sections import Training
from offline.samples.samples import Samples
from offline.stats.person_loss import person_losses
from offline.training.temperature import logits_of
from offline.training.train import train_within

FIRST_AT_RANDOM = 8
"""Trials before the sampler looks at what earlier ones gave."""


@dataclass(frozen=True)
class SearchResult:
    """The recipe with the chosen settings, and how: every trial's settings and loss, the best; JSON types."""

    recipe: Recipe
    how: dict[str, Any]


def searches(recipe: Recipe) -> bool:
    """Whether a network of this recipe has its settings chosen."""
    return recipe.budget.trials > 0 and len(recipe.search.ranges) > 0


def check_search(recipe: Recipe) -> None:
    """Refuse ranges that name what is not there, or hold what cannot be (RecipeError, with the value)."""
    for key, its in recipe.search.ranges.items():
        for value in its.ends:
            candidate(recipe, {".".join(key): value})


def candidate(recipe: Recipe, values: Mapping[str, Any]) -> Recipe:
    """The recipe with some settings ("training.NAME", "model.NAME") replaced, checked as if they were its.

    Raises
    ------
    RecipeError
        A setting is unknown or its value cannot be.
    """
    own: dict[str, dict[str, Any]] = {"training": {}, "model": {}}
    for key, value in values.items():
        section, _, name = key.partition(".")
        own[section][name] = value
    checked = decode(
        Training,
        recipe.training.model_dump() | own["training"],
        error=RecipeError,
        what="search.training cannot be",
        advice="Correct the range in the recipe.",
    )
    model = recipe.model.model_copy(update={"params": {**recipe.model.params, **own["model"]}})
    found = recipe.model_copy(update={"training": checked, "model": model})
    check_model_of(found)
    return found


def search(
    samples: Samples,
    recipe: Recipe,
    fold: Fold,
    *,
    seed: int,
    kept: Path | None = None,
    tell: Tell | None = None,
) -> SearchResult:
    """Choose settings for one outer fold, of whose training samples alone anything is looked at.

    Parameters
    ----------
    samples, recipe : Samples, Recipe
        All samples; its ``search`` and ``budget``.
    seed : int
        Of the fold: what all chance follows from.
    kept : path or None
        A folder of this fold's own, for finished trials.
    tell : callable or None
        Called after every trial.

    Raises
    ------
    RecipeError
        There are too few training people to spare any, or no trial could be fitted.
    """
    distributions = {".".join(key): _distribution(its) for key, its in recipe.search.ranges.items()}
    inner = search_folds(samples, fold, recipe.budget.inner_folds, seed)
    with _quietly():
        study = optuna.create_study(direction="minimize")
        trials: list[dict[str, Any]] = []
        for number in range(recipe.budget.trials):
            file = None if kept is None else kept / f"trial-{number:05d}.json"
            if file is None or (done := _read(file, distributions)) is None:
                study.sampler = optuna.samplers.TPESampler(
                    seed=_seed_of(seed, number), n_startup_trials=FIRST_AT_RANDOM
                )
                values = study.ask(distributions).params
                chosen = candidate(recipe, values)
                done = {"settings": values, "loss": _loss(samples, chosen, inner, seed)}
                if file is not None:
                    make_folder(file.parent)
                    put_text(file, json.dumps(done))
                study.tell(number, done["loss"], state=_state(done))
            else:
                study.add_trial(_again(done, distributions))
            trials.append(done)
            if tell is not None:
                remark = "not finite" if done["loss"] is None else f"loss {done['loss']:.4f}"
                tell(f"settings without {fold.name}", number + 1, recipe.budget.trials, remark)
    losses = [math.inf if trial["loss"] is None else trial["loss"] for trial in trials]
    best = int(np.argmin(losses))
    if losses[best] == math.inf:
        raise RecipeError(
            f"None of {len(trials)} settings could be fitted without {fold.name}: the loss was never finite. "
            "Lower the learning rates in search.training."
        )
    how = {"trials": trials, "best": best, "inner_folds": len(inner)}
    return SearchResult(candidate(recipe, trials[best]["settings"]), how)


def search_folds(samples: Samples, fold: Fold, wanted: int, seed: int) -> list[Fold]:
    """Divide a fold's training people once more; into fewer parts where people (of a label) are fewer.

    Raises
    ------
    RecipeError
        Fewer than two people, or fewer than two of a label.
    """
    own = samples.table.rows(fold.train)
    labels = {person: set(own.target[own.person == person].tolist()) for person in own.people}
    most = len(own.people)
    if own.together is not None:
        most = fewest_units(own.person, own.target, own.together)
    elif all(len(each) == 1 for each in labels.values()):
        counts = np.bincount([each.copy().pop() for each in labels.values()], minlength=len(samples.labels))
        most = int(counts.min())
    if most < 2:
        raise RecipeError(
            f"Settings cannot be searched without {fold.name}: the training people who remain are "
            f"{len(own.people)}, and too few of a label to be divided again; expected 2 of each or more. Set "
            "budget.trials = 0, or add people."
        )
    divided = person_folds(own.person, own.target, min(wanted, most), seed=seed, unit=own.together)
    return [Fold(each.held_out, fold.train[each.train], fold.train[each.test]) for each in divided]


def _loss(samples: Samples, recipe: Recipe, inner: list[Fold], seed: int) -> float | None:
    """Log loss by unseen person, everybody weighing the same; None where a fit fails."""
    of_people: list[float] = []
    for k, fold in enumerate(inner):
        try:
            trained = train_within(samples, recipe, fold.train, seed=_seed_of(seed, k))
        except RecipeError as error:
            if "loss became" not in str(error):
                raise
            return None
        p = probabilities(logits_of(trained.fitted.network, samples.X[fold.test]), trained.temperature)
        table = samples.table.rows(fold.test)
        of_people += person_losses(p, table.target, table.person).values()
    return float(np.mean(of_people))


def _distribution(its: Range) -> BaseDistribution:
    if its.choices:
        return CategoricalDistribution(list(its.choices))
    if isinstance(its.low, int) and isinstance(its.high, int):
        return IntDistribution(its.low, its.high, log=its.log)
    assert its.low is not None
    assert its.high is not None
    return FloatDistribution(its.low, its.high, log=its.log)


def _again(done: Mapping[str, Any], distributions: Mapping[str, BaseDistribution]) -> Any:
    return create_trial(
        params=done["settings"], distributions=dict(distributions), value=done["loss"], state=_state(done)
    )


def _state(done: Mapping[str, Any]) -> TrialState:
    return TrialState.FAIL if done["loss"] is None else TrialState.COMPLETE


def _seed_of(seed: int, number: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}:{number}".encode()).digest()[:4], "big")


def _read(file: Path, distributions: Mapping[str, BaseDistribution]) -> dict[str, Any] | None:
    """A finished trial, if it is whole and of these settings."""

    def made_of(text: str) -> dict[str, Any]:
        found = json.loads(text)
        done = {"settings": dict(found["settings"]), "loss": found["loss"]}
        if done["settings"].keys() != distributions.keys():
            raise ValueError("it is of another search")
        _again(done, distributions)  # refuses values outside their ranges
        return done

    return load_text(file, made_of)


@contextmanager
def _quietly() -> Iterator[None]:
    """Without Optuna's own lines: progress is reported in ours."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
