"""Evaluation by unseen person: in every fold, everything is fitted to the others alone.

One prediction table comes out, and every figure follows from it.  ``results.json`` holds what is the
same from one run to the next; times and the machine stand in ``run.json``.
"""

import hashlib
import json
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from models.errors import HemostreamError
from models.networks import check_network
from models.probabilities import probabilities
from offline.baselines import fit_linear, majority
from offline.cohort import Cohort, read_cohort
from offline.fitting import logits_of
from offline.metrics import summary
from offline.novelty import fit_novelty, share_unlike
from offline.predictions import Predictions, write_predictions
from offline.progress import Tell, shown
from offline.recipe import Recipe
from offline.recipe_sections import Network
from offline.sample_table import write_table
from offline.samples import Samples, collect
from offline.splits import Fold, evaluation_folds
from offline.tables import print_results
from offline.training import train_within
from offline.versions import versions

LINEAR, MAJORITY = "linear", "majority"
WRITTEN = ("results.json", "run.json", "predictions.csv", "samples.csv")


@dataclass(frozen=True, eq=False)
class Results:
    """What an evaluation found.

    Parameters
    ----------
    predictions : Predictions
        The one table.
    figures : mapping
        What is in ``results.json``: JSON types, nothing of when or where.
    run : mapping
        What is in ``run.json``: times, versions, machine.
    """

    predictions: Predictions
    figures: dict[str, Any]
    run: dict[str, Any]


def evaluate(
    cohort_path: str | Path,
    recipe: Recipe,
    out: str | Path,
    *,
    networks: Sequence[str] = (),
    progress: Tell | None = None,
    show: bool = True,
) -> Results:
    """Judge every person by what was fitted to the others; write the report and print its table.

    Parameters
    ----------
    cohort_path : path
        The cohort's table, or the folder of ``cohort.tsv``.
    recipe : Recipe
        What is done.
    out : path
        Folder for ``results.json``, ``run.json``, ``predictions.csv`` and ``samples.csv``.
    networks : sequence of str
        Networks to judge beside the recipe's own, each with its default parameters.
    progress : callable or None
        Told of progress; None shows it where there is a terminal.
    show : bool
        Whether the table is printed, person by person.

    Raises
    ------
    HemostreamError
        Whatever is wrong with recipe, cohort, recordings or folder.
    """
    began = datetime.now(UTC)
    arms = _arms(recipe, networks)
    folder = _folder(out)
    cohort = read_cohort(cohort_path)
    seconds: dict[str, float] = {}
    with shown(progress) as tell:
        clock = time.perf_counter()
        samples = collect(cohort, recipe, progress=tell)
        seconds["collect"] = time.perf_counter() - clock
        folds = evaluation_folds(samples.table.person, samples.table.target, seed=recipe.training.seed)
        parts: list[Predictions] = []
        fitted: dict[str, Any] = {}
        unlike: dict[str, Any] = {}
        for done, fold in enumerate(folds):
            tell("folds", done, len(folds), f"without {fold.name}")
            unlike[fold.name] = unlike_training(samples, fold)
            for arm, arm_recipe in arms.items():
                clock = time.perf_counter()
                scores, how = judge(samples, arm_recipe, fold, arm, tell)
                seconds[f"{fold.name}: {arm}"] = time.perf_counter() - clock
                fitted.setdefault(fold.name, {})[arm] = how
                parts.append(_table(samples, fold, arm, scores))
        tell("folds", len(folds), len(folds), "")
    predictions = in_canonical_order(Predictions.concatenate(parts), tuple(arms))
    results = Results(
        predictions, _figures(samples, recipe, cohort, fitted, unlike, predictions), _run(began, seconds)
    )
    _write(folder, results, samples)
    if show:
        print_results(results.figures)
    return results


def judge(
    samples: Samples, recipe: Recipe, fold: Fold, arm: str, progress: Tell | None = None
) -> tuple[npt.NDArray[np.float64], dict[str, Any]]:
    """Fit one arm to a fold's training people and judge the held-out ones.

    Parameters
    ----------
    samples : Samples
        All.
    recipe : Recipe
        Its ``network`` is the arm's.
    fold : Fold
        Who is trained on and who judged.
    arm : str
        ``"linear"``, ``"majority"``, or the name of a network.
    progress : callable or None
        Told of every epoch.

    Returns
    -------
    (n_judged, n_labels) float64, dict
        Probabilities for the fold's judged samples, and how the arm was fitted (JSON types).
    """
    table = samples.table
    X, y = samples.X[fold.train], table.target[fold.train]
    if arm in (LINEAR, MAJORITY):
        if arm == LINEAR:
            model, strength = fit_linear(X, y, table.person[fold.train])
            how: dict[str, Any] = {"inverse_penalty": strength}
        else:
            model, how = majority().fit(X, y), {}
        scores = np.zeros((len(fold.test), len(samples.labels)))
        scores[:, model.classes_] = model.predict_proba(samples.X[fold.test])
        return scores, how | {"windows": len(y)}
    seed = fold_seed(fold, recipe)
    task = f"{arm} without {fold.name}"
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
    return probabilities(logits, trained.temperature), how


def unlike_training(samples: Samples, fold: Fold) -> dict[str, Any]:
    """How many windows of the held-out people, labelled or not, a session would not judge for being novel.

    Parameters
    ----------
    samples : Samples
        All.
    fold : Fold
        Who is trained on and who judged.

    Returns
    -------
    dict
        JSON types; the abstentions are counted here only: every labelled window is judged in the table.
    """
    held_out = np.isin(samples.seen.person, fold.held_out)
    novelty, how = fit_novelty(samples.seen.rows(~held_out))
    theirs = samples.seen.rows(held_out)
    share = share_unlike(novelty, theirs)
    return {"windows": len(theirs), "share": round(share, 4), "threshold": novelty.threshold, "fitted": how}


def fold_seed(fold: Fold, recipe: Recipe) -> int:
    """A seed that follows from who is held out, the network and the recipe's seed; never from when.

    Not from the recipe's hash: a key that a later version adds must not draw other first weights.
    """
    text = json.dumps([list(fold.held_out), recipe.network.name, recipe.training.seed])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def in_canonical_order(table: Predictions, arms: Sequence[str]) -> Predictions:
    """The rows by arm (in this order), then by sample."""
    rank = {arm: i for i, arm in enumerate(arms)}
    order = np.lexsort((table.sample, np.array([rank[arm] for arm in table.arm.tolist()])))
    return replace(
        table,
        **{name: getattr(table, name)[order] for name in ("fold", "arm", "sample", "person", "y", "scores")},
    )


def _arms(recipe: Recipe, networks: Sequence[str]) -> dict[str, Recipe]:
    """The recipe of every arm, the recipe's own network first and the baselines last."""
    check_network(recipe.network.name, recipe.network.params)
    arms = {recipe.network.name: recipe}
    for name in networks:
        check_network(name, {})
        arms.setdefault(name, recipe.model_copy(update={"network": Network(name=name)}))
    return arms | {LINEAR: recipe, MAJORITY: recipe}


def _table(samples: Samples, fold: Fold, arm: str, scores: npt.NDArray[np.float64]) -> Predictions:
    n = len(fold.test)
    return Predictions(
        labels=samples.labels,
        fold=np.full(n, fold.name),
        arm=np.full(n, arm),
        sample=fold.test.astype(np.int64),
        person=samples.table.person[fold.test],
        y=samples.table.target[fold.test],
        scores=scores,
    )


def _figures(
    samples: Samples,
    recipe: Recipe,
    cohort: Cohort,
    fitted: dict[str, Any],
    unlike: dict[str, Any],
    predictions: Predictions,
) -> dict[str, Any]:
    return {
        "recipe": {"name": recipe.name, "hash": recipe.hash, "network": recipe.network.name},
        "cohort_hash": cohort.content_hash(),
        "labels": list(samples.labels),
        "protocol": "every window is judged by what was fitted to other people only",
        "channels": len(samples.names),
        "remarks": list(samples.remarks),
        "recordings": [asdict(account) for account in samples.accounts],
        "folds": {name: fitted[name] for name in sorted(fitted)},
        "unlike_training": {name: unlike[name] for name in sorted(unlike)},
        **summary(predictions),
    }


def _run(began: datetime, seconds: dict[str, float]) -> dict[str, Any]:
    return {
        "began_utc": began.isoformat(timespec="seconds"),
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
        "versions": versions(),
        "machine": {
            "system": platform.platform(),
            "processor": platform.machine(),
            "torch_threads": torch.get_num_threads(),
        },
    }


def _folder(out: str | Path) -> Path:
    """The folder of the report, made before anything is computed."""
    folder = Path(out)
    if folder.is_dir() and (others := sorted({each.name for each in folder.iterdir()} - set(WRITTEN))):
        raise HemostreamError(
            f"{folder} is not empty and is no report (it holds {', '.join(others[:5])}); "
            "nothing was computed. Give a new folder."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HemostreamError(f"The report's folder {folder} cannot be made: {error.strerror}.") from error
    return folder


def _write(folder: Path, results: Results, samples: Samples) -> None:
    write_predictions(folder / "predictions.csv", results.predictions)
    write_table(folder / "samples.csv", samples.table, samples.labels)
    for name, values in (("results.json", results.figures), ("run.json", results.run)):
        text = json.dumps(values, indent=1, allow_nan=False, ensure_ascii=False)
        (folder / name).write_text(text + "\n", encoding="utf-8")
