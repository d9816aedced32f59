"""One fold, one model: fitted to the training people alone, it predicts the held-out ones."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.probabilities import probabilities
from offline.base.progress import Tell
from offline.base.splits import Fold
from offline.base.window_store import channels_of
from offline.estimators.baselines import fit_by_time, fit_linear, majority, window_features
from offline.evaluation.over_time import learn
from offline.evaluation.ridge import fit_ridge
from offline.explain.maps import explain
from offline.samples.memory_features import memory_features, mirrored
from offline.samples.novelty import fit_novelty, share_unlike
from offline.samples.recipe import Recipe
from offline.samples.samples import Samples
from offline.stats.traits import trait_features
from offline.training.search import inner_folds, search, searches
from offline.training.single_channel import fit_channels
from offline.training.temperature import fit_temperature, logits_of
from offline.training.train import fit_settings, train_within
from offline.training.validation import validation_split
from realtime.pipeline import Pipeline

LINEAR, RIDGE, MEMORY, TIME, MAJORITY = "linear", "ridge", "memory and symmetry", "time", "majority"
TRAITS = "age and sex"


def baselines_of(recipe: Recipe, *, traits: bool = False) -> tuple[str, ...]:
    """Baselines that networks are compared with.

    The clock only where labels change within a recording; age and sex only where a label is the person's and
    the cohort reports them (``traits``).
    """
    own = (TIME,) if recipe.labels.target == "event" else (TRAITS,) if traits else ()
    return (LINEAR, RIDGE, MEMORY, *own, MAJORITY)


def fit_predict(
    samples: Samples,
    recipe: Recipe,
    fold: Fold,
    model: str,
    progress: Tell | None = None,
    folder: Path | None = None,
) -> tuple[npt.NDArray[np.float64], dict[str, Any]]:
    """Fit one model to a fold's training people and predict the held-out ones.

    Parameters
    ----------
    samples : Samples
        All.
    recipe : Recipe
        Its ``network`` is the model's.
    fold : Fold
        Who is trained on and who is predicted.
    model : str
        One of `baselines_of`, or the name of a network.
    progress : callable or None
        Told of every epoch.
    folder : path or None
        Of this fit's own, for the finished trials of a search.

    Returns
    -------
    (n_test, n_labels) float64, dict
        Probabilities for the fold's test samples, and how the model was fitted (JSON types).
    """
    if recipe.evaluation.over_time:
        return _over_time(samples, recipe, fold, model, progress, folder)
    table = samples.table
    y = table.target[fold.train]
    if model in (RIDGE, MEMORY, TRAITS):
        return _ridge(_features(samples, recipe, model), samples, recipe, fold)
    if model == TIME:
        elapsed = table.elapsed
        n_labels = len(samples.labels)
        return fit_by_time(elapsed[fold.train], y, elapsed[fold.test], n_labels), {"windows": len(y)}
    if model in (LINEAR, MAJORITY):
        if model == LINEAR:
            fitted, strength = fit_linear(samples.X[fold.train], y, table.person[fold.train])
            how: dict[str, Any] = {"inverse_penalty": strength}
        else:
            fitted, how = majority().fit(np.zeros((len(y), 1, 1), dtype=np.float32), y), {}
        scores = np.zeros((len(fold.test), len(samples.labels)))
        scores[:, fitted.classes_] = fitted.predict_proba(samples.X[fold.test])
        return scores, how | {"windows": len(y)}
    seed = fold_seed(fold, recipe)
    searched: dict[str, Any] = {}
    if searches(recipe):
        found = search(samples, recipe, fold, seed=seed, kept=folder, tell=progress)
        recipe, searched = found.recipe, {"search": found.how}
    if recipe.network.channels == "best":
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
    }
    if methods := recipe.evaluation.explain:
        X_test = samples.X[fold.test]
        searched["explanations"] = explain(
            trained.fitted.network, X_test, samples.places, samples.rate, methods=methods, seed=seed
        )
    return probabilities(logits, trained.temperature), how | searched


def _over_time(
    samples: Samples, recipe: Recipe, fold: Fold, model: str, progress: Tell | None, folder: Path | None
) -> tuple[npt.NDArray[np.float64], dict[str, Any]]:
    """The same, and from people of training alone how windows add up."""
    evaluation = recipe.evaluation.model_copy(update={"over_time": False})
    once = recipe.model_copy(update={"evaluation": evaluation})
    scores, how = fit_predict(samples, once, fold, model, progress, folder)
    inner = inner_folds(samples, fold, recipe.budget.inner_folds, fold_seed(fold, recipe))
    # Explained and searched is the outer fit alone.
    plain = once.model_copy(
        update={
            "evaluation": evaluation.model_copy(update={"explain": ()}),
            "budget": recipe.budget.model_copy(update={"trials": 0}),
        }
    )
    learnt = learn(samples.table, inner, lambda each: fit_predict(samples, plain, each, model, progress)[0])
    return scores, how | {"over_time": learnt}


def _features(samples: Samples, recipe: Recipe, model: str) -> npt.NDArray[np.float64]:
    """What a ridge model is fitted to, (n, n_features): nothing in it is learnt from anybody."""
    if model == TRAITS:
        return trait_features(samples.traits, samples.table.person)
    if model == MEMORY:
        behind = Pipeline(recipe.pipeline, samples.spec).spec_out
        return memory_features(samples.X, mirrored(behind))
    return window_features(samples.X)


def _ridge(
    features: npt.NDArray[np.float64], samples: Samples, recipe: Recipe, fold: Fold
) -> tuple[npt.NDArray[np.float64], dict[str, Any]]:
    table = samples.table
    model = fit_ridge(
        features[fold.train],
        table.target[fold.train],
        table.person[fold.train],
        n_labels=len(samples.labels),
        by_person=recipe.labels.target == "person",
        seed=fold_seed(fold, recipe),
    )
    return model.probabilities(features[fold.test]), model.how


def _best_channel(
    samples: Samples, recipe: Recipe, fold: Fold, progress: Tell | None
) -> tuple[npt.NDArray[np.float64], dict[str, Any]]:
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
        params=recipe.network.params,
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

    Parameters
    ----------
    samples : Samples
        All.
    fold : Fold
        Who is trained on and who is held out.

    Returns
    -------
    dict
        JSON types; abstentions are counted here only: every labelled window is predicted in the table.
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
    text = json.dumps([list(fold.held_out), recipe.network.name, recipe.training.seed])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
