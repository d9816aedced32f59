"""One fold, one model: fitted to the training people alone, it predicts the held-out ones."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from models.networks import RIDGE
from models.probabilities import probabilities
from offline.base.progress import Tell
from offline.base.splits import Fold
from offline.base.window_store import channels_of
from offline.estimators.baselines import fit_by_time, fit_linear, majority, window_features
from offline.evaluation.over_time import learn
from offline.evaluation.tasks import Scores
from offline.explain.maps import explain
from offline.samples.memory_features import memory_features
from offline.samples.novelty import fit_novelty, share_unlike
from offline.samples.recipe import Recipe
from offline.samples.samples import Samples
from offline.samples.sides import with_one_montage
from offline.stats.traits import trait_features
from offline.training.feature_table import FeatureTable
from offline.training.ridge import fit_ridge
from offline.training.search import search, search_folds, searches
from offline.training.single_channel import fit_channels
from offline.training.temperature import fit_temperature, logits_of
from offline.training.train import fit_settings, train_within
from offline.training.validation import validation_split
from realtime.stages.homologues import mirrored

LINEAR, MEMORY, TIME, MAJORITY = "linear", "memory and symmetry", "time", "majority"
TRAITS = "age and sex"
BASELINES = (LINEAR, RIDGE, MEMORY, TIME, TRAITS, MAJORITY)
"""What networks are compared with: the clock where labels change within a recording, age and sex where a
label is the person's and the cohort reports them."""


def fit_predict(
    samples: Samples,
    recipe: Recipe,
    fold: Fold,
    model: str,
    progress: Tell | None = None,
    folder: Path | None = None,
) -> tuple[Scores, dict[str, Any]]:
    """Fit one model to a fold's training people and predict the held-out ones.

    Parameters
    ----------
    samples : Samples
        All.
    recipe : Recipe
        Its ``model`` is the model's.
    fold : Fold
        Who is trained on and who is predicted.
    model : str
        One of `BASELINES`, or the name of a network.
    progress : callable or None
        Called after every epoch.
    folder : path or None
        Of this fit's own, for the finished trials of a search.

    Returns
    -------
    (n_test, n_labels) float64, dict
        Probabilities for the fold's test samples, and how the model was fitted (JSON types).
    """
    if recipe.evaluation.over_time:
        return _over_time(samples, recipe, fold, model, progress, folder)
    if model != recipe.model.condition:
        samples = with_one_montage(samples)
        if model in (RIDGE, MEMORY, TRAITS):
            return _ridge(samples, recipe, fold, model)
        if model in (LINEAR, TIME, MAJORITY):
            return _simple(samples, fold, model)
    seed = fold_seed(fold, recipe)
    searched: dict[str, Any] = {}
    if searches(recipe):
        found = search(samples, recipe, fold, seed=seed, kept=folder, tell=progress)
        recipe, searched = found.recipe, {"search": found.how}
    if recipe.model.channels == "best":
        return _best_channel(samples, recipe, fold, progress)
    task = f"{model} without {fold.name}"
    trained = train_within(samples, recipe, fold.train, seed=seed, progress=progress, task=task)
    logits = logits_of(trained.fitted.network, samples.X[fold.test])
    how = {
        "windows": len(trained.validation.train),
        "validation": str(trained.validation.kind),
        "validation_windows": len(trained.validation.validation),
        "epochs": len(trained.fitted.history),
        "best_epoch": trained.fitted.best_epoch,
        "temperature": trained.temperature,
        "seed": seed,
    } | dict(trained.how)
    if methods := recipe.evaluation.explain:
        network, X_test = trained.fitted.network, samples.X[fold.test]
        searched["explanations"] = explain(
            network, X_test, samples.places, samples.rate, methods=methods, seed=seed
        )
    return probabilities(logits, trained.temperature), how | searched


def _over_time(
    samples: Samples, recipe: Recipe, fold: Fold, model: str, progress: Tell | None, folder: Path | None
) -> tuple[Scores, dict[str, Any]]:
    """The same, and from people of training alone how windows add up."""
    evaluation = recipe.evaluation.model_copy(update={"over_time": False})
    once = recipe.model_copy(update={"evaluation": evaluation})
    scores, how = fit_predict(samples, once, fold, model, progress, folder)
    inner = search_folds(samples, fold, recipe.budget.inner_folds, fold_seed(fold, recipe))
    plain = settings_kept(recipe)  # explained and searched is the outer fit alone
    learnt = learn(samples.table, inner, lambda each: fit_predict(samples, plain, each, model, progress)[0])
    return scores, how | {"over_time": learnt}


def unexplained(recipe: Recipe) -> Recipe:
    """The recipe with nothing explained or learnt of evidence."""
    quiet = recipe.evaluation.model_copy(update={"explain": (), "over_time": False})
    return recipe.model_copy(update={"evaluation": quiet})


def settings_kept(recipe: Recipe) -> Recipe:
    """The recipe with nothing searched, explained or learnt of evidence: what a null repeats."""
    return unexplained(recipe).model_copy(update={"budget": recipe.budget.model_copy(update={"trials": 0})})


def _ridge(samples: Samples, recipe: Recipe, fold: Fold, model: str) -> tuple[Scores, dict[str, Any]]:
    table = samples.table
    if model == TRAITS:
        features = trait_features(samples.traits, table.person)
    elif model == MEMORY:
        features = memory_features(samples.X, mirrored(samples.behind))
    else:
        features = window_features(samples.X)
    data = FeatureTable(features, table, recipe.labels.target == "person", len(samples.labels))
    fitted = fit_ridge(data, fold.train, seed=fold_seed(fold, recipe))
    return fitted.probabilities(features[fold.test]), fitted.how


def _simple(samples: Samples, fold: Fold, model: str) -> tuple[Scores, dict[str, Any]]:
    table, n_labels = samples.table, len(samples.labels)
    y = table.target[fold.train]
    how: dict[str, Any] = {"windows": len(y)}
    if model == TIME:
        return fit_by_time(table.elapsed[fold.train], y, table.elapsed[fold.test], n_labels), how
    if model == LINEAR:
        fitted, strength = fit_linear(samples.X[fold.train], y, table.unit[fold.train])
        how = {"inverse_penalty": strength} | how
    else:
        fitted = majority().fit(np.zeros((len(y), 1, 1), dtype=np.float32), y)
    scores = np.zeros((len(fold.test), n_labels))
    scores[:, fitted.classes_] = fitted.predict_proba(samples.X[fold.test])
    return scores, how


def _best_channel(
    samples: Samples, recipe: Recipe, fold: Fold, progress: Tell | None
) -> tuple[Scores, dict[str, Any]]:
    """A network for each channel; the best of them, chosen within training, predicts."""
    seed = fold_seed(fold, recipe)
    table = samples.table
    split = validation_split(table, fold.train, seed=seed, fraction=recipe.training.validation_fraction)

    def on_epoch(epoch: int, most: int, loss: float, valid: float | None) -> None:
        if progress is not None:
            progress(f"channels without {fold.name}", epoch, most, f"loss {loss:.3f}, unseen {valid:.3f}")

    found = fit_channels(
        samples.X,
        table.target,
        split.train,
        split.validation,
        params=recipe.model.params,
        n_outputs=len(samples.labels),
        settings=fit_settings(recipe),
        seed=seed,
        on_epoch=on_epoch,
    )
    network, own = found.networks[found.best], channels_of(samples.X, [found.best])
    y = table.target[split.validation]
    temperature = fit_temperature(logits_of(network, own[split.validation]), y)
    how = {
        "windows": len(split.train),
        "validation": str(split.kind),
        "validation_windows": len(split.validation),
        "channel": samples.names[found.best],
        "best_epoch": int(found.best_epoch[found.best]),
        "temperature": temperature,
        "seed": seed,
        "ranking": [[samples.names[i], round(float(found.loss[i]), 6)] for i in found.ranking],
    }
    return probabilities(logits_of(network, own[fold.test]), temperature), how


def out_of_distribution(samples: Samples, fold: Fold) -> dict[str, Any]:
    """How many windows of the held-out people, labelled or not, a session would not classify: they are novel.

    JSON types.  Abstentions are counted here only: every labelled window is predicted in the table.
    """
    held_out = np.isin(samples.feature_summary.person, fold.held_out)
    novelty, how = fit_novelty(samples.feature_summary.rows(~held_out))
    theirs = samples.feature_summary.rows(held_out)
    share = share_unlike(novelty, theirs)
    return {"windows": len(theirs), "share": round(share, 4), "threshold": novelty.threshold, "fitted": how}


def fold_seed(fold: Fold, recipe: Recipe) -> int:
    """A seed that follows from who is held out, the network and the recipe's seed; never from when.

    Not from the recipe's hash: a key that a later version adds must not draw other first weights.
    """
    text = json.dumps([list(fold.held_out), recipe.model.kind, recipe.training.seed])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
