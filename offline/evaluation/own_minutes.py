"""What a new person's own labelled minutes are worth: accuracy on the rest of them against minutes.

A fold's model has never seen the person.  Their first minutes of labelled signal calibrate it, and what comes
later, the same part for every number of minutes, is predicted: by the model as it is, by the calibrated one
(`offline.training.adaptation`), and by a ridge model of those minutes alone.  Nothing is fitted to what comes
after what it predicts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import t

from models.arrays import Floats
from models.probabilities import probabilities
from offline.base.sample_table import SampleTable
from offline.base.splits import Fold
from offline.estimators.baselines import window_features
from offline.samples.recipe import Recipe
from offline.samples.samples import Samples
from offline.stats.intervals import LEVEL, standard_error
from offline.stats.metrics import balanced_accuracy
from offline.training.adaptation import FEWEST_BLOCKS, adapt, blocks_by_label, blocks_of
from offline.training.feature_table import FeatureTable
from offline.training.ridge import fit_ridge
from offline.training.temperature import logits_of
from offline.training.train import train_within

OWN_MINUTES = "calibration"
"""Model and tag of the tasks that draw these curves, one a fold."""
CALIBRATED, ALONE = "calibrated", "own minutes alone"
FIGURES = ("windows", "blocks", "log_loss")
"""Balanced accuracy of windows, of blocks by their windows' mean probability; log loss of windows (nats)."""
LEAST_P = 1e-6

Rows = npt.NDArray[np.intp]


def own_minutes(samples: Samples, recipe: Recipe, fold: Fold, *, seed: int) -> dict[str, Any]:
    """Curves of a fold's held-out people, JSON types.

    Parameters
    ----------
    samples : Samples
        All.
    recipe : Recipe
        With ``evaluation.calibration``: minutes, ascending.
    fold : Fold
        Who is trained on and who is calibrated to.
    seed : int
        Of all chance.
    """
    trained = train_within(samples, recipe, fold.train, seed=seed, task=f"{OWN_MINUTES} without {fold.name}")
    network, temperature = trained.fitted.network, trained.temperature
    minutes, labels = recipe.evaluation.calibration, samples.labels
    people: dict[str, Any] = {}
    for person in fold.held_out:
        rows = fold.test[samples.table.person[fold.test] == person]
        table = samples.table.rows(rows)
        block = blocks_of(table)
        parts, test = divided(table, block, minutes, gap_s=recipe.evaluation.gap_s)
        if why := _cannot(table, test, len(labels)):
            people[person] = {"left_out": why}
            continue
        X, y = samples.X[rows], table.target
        before = _figures(y[test], block[test], probabilities(logits_of(network, X[test]), temperature))
        its: dict[str, list[Any]] = {CALIBRATED: [], ALONE: [], "possible": [], "moved": []}
        for part in parts:
            # Fewer blocks hemostream calibrate refuses: the model stays as it is.
            possible = min(blocks_by_label(y[part], block[part], len(labels))) >= FEWEST_BLOCKS
            after, moved = before, False
            if possible:
                own = adapt(network, X[part], y[part], block[part], labels=labels, temperature=temperature)
                if moved := own.moved:
                    p = probabilities(logits_of(own.network, X[test]), temperature)
                    after = _figures(y[test], block[test], p)
            its[CALIBRATED].append(after)
            alone = _alone(X, table, block, part, test, len(labels), seed)
            its[ALONE].append(_figures(y[test], block[test], alone))
            its["possible"].append(possible)
            its["moved"].append(moved)
        people[person] = {
            "uncalibrated": before,
            "test_windows": int(test.sum()),
            "test_blocks": len(np.unique(block[test])),
            **its,
        }
        if table.together is not None:
            people[person]["unit"] = str(table.unit[0])
    return {"people": people}


def divided(
    table: SampleTable, block: npt.NDArray[np.int64], minutes: Sequence[float], *, gap_s: float
) -> tuple[list[npt.NDArray[np.bool_]], npt.NDArray[np.bool_]]:
    """What calibrates, for each number of minutes, and what is predicted after the most of them.

    Minutes are of labelled signal: what windows of labels cover, one after the other.

    Parameters
    ----------
    table : SampleTable
        One person's, recordings in their order.
    block : (n,) int64
        Number of each window's block.
    minutes : sequence of float
        Ascending.
    gap_s : float
        How far what is predicted stays from what calibrates, within a recording, s.

    Returns
    -------
    list of (n,) bool, (n,) bool
        No block is on both sides.
    """
    covered = _covered(table, block)
    parts = [covered <= 60.0 * each + 1e-6 for each in minutes]
    last = np.flatnonzero(parts[-1]).max(initial=-1)
    test = ~np.isin(block, block[parts[-1]]) & (np.arange(len(table)) > last)
    if last >= 0:
        near = (table.recording == table.recording[last]) & (table.start < table.stop[last] + gap_s)
        test &= ~near
    return parts, test


def _covered(table: SampleTable, block: npt.NDArray[np.int64]) -> Floats:
    """Labelled seconds of the person up to each window's end, (n,) float64."""
    begin = table.start.copy()
    same = block[1:] == block[:-1]
    begin[1:][same] = np.maximum(begin[1:], table.stop[:-1])[same]
    return np.cumsum(table.stop - begin)


def _cannot(table: SampleTable, test: npt.NDArray[np.bool_], n_labels: int) -> str:
    """Why nothing can be said of a person; empty where something can."""
    if not test.any():
        return "no labelled window after the most minutes"
    if len(np.unique(table.target[test])) < n_labels:
        return "not every label after the most minutes"
    return ""


def _alone(
    X: npt.NDArray[np.float32],
    table: SampleTable,
    block: npt.NDArray[np.int64],
    part: npt.NDArray[np.bool_],
    test: npt.NDArray[np.bool_],
    n_labels: int,
    seed: int,
) -> Floats:
    """Probabilities by a ridge model of some windows alone; chance where a label is not among them."""
    found = blocks_by_label(table.target[part], block[part], n_labels)
    if min(found) < 1:
        return np.full((int(test.sum()), n_labels), 1.0 / n_labels)
    # Its penalty is chosen on blocks that are held out together, of every label in each group.
    turn = np.zeros(len(table), dtype=np.int64)
    for label in range(n_labels):
        own = part & (table.target == label)
        turn[own] = np.unique(block[own], return_inverse=True)[1] % min(found)
    features = window_features(X)
    grouped = replace(table, person=turn.astype(np.str_))
    data = FeatureTable(features, grouped, by_person=False, n_labels=n_labels)
    return fit_ridge(data, np.flatnonzero(part), seed=seed).probabilities(features[test])


def _figures(y: npt.NDArray[np.int64], block: npt.NDArray[np.int64], p: Floats) -> dict[str, float]:
    """`FIGURES` of a person's windows."""
    n_labels = p.shape[1]
    number, which = np.unique(block, return_inverse=True)
    mean = np.zeros((len(number), n_labels))
    np.add.at(mean, which, p)
    of_block = np.zeros(len(number), dtype=np.int64)
    of_block[which] = y
    each = p[np.arange(len(y)), y]
    values = (
        balanced_accuracy(y, p.argmax(axis=1), n_labels),
        balanced_accuracy(of_block, mean.argmax(axis=1), n_labels),
        -np.log(np.clip(each, LEAST_P, 1.0)).mean(),
    )
    named = zip(FIGURES, values, strict=True)
    return {name: round(float(value), 6) for name, value in named if value is not None}


def curves(folds: Mapping[str, Mapping[str, Any]], recipe: Recipe, model: str) -> dict[str, Any] | None:
    """The curves of all people, JSON types; None where they were not asked for.

    Parameters
    ----------
    folds : mapping of str to mapping
        What `own_minutes` gave, by fold.
    recipe : Recipe
        Of the evaluation.
    model : str
        What is calibrated.
    """
    if not folds:
        return None
    everybody = {who: its for name in sorted(folds) for who, its in folds[name]["people"].items()}
    people = {who: its for who, its in everybody.items() if "left_out" not in its}
    minutes = list(recipe.evaluation.calibration)
    out: dict[str, Any] = {
        "model": model,
        "minutes": minutes,
        "gap_s": recipe.evaluation.gap_s,
        "people": len(people),
        "left_out": {who: its["left_out"] for who, its in everybody.items() if "left_out" in its},
        "by_person": people,
    }
    if not people:
        return out
    unit = np.array([its.get("unit", who) for who, its in people.items()])
    before = {name: np.array([its["uncalibrated"][name] for its in people.values()]) for name in FIGURES}
    out["test_blocks"] = float(np.mean([its["test_blocks"] for its in people.values()]))
    most = {"windows": 1.0, "blocks": 1.0, "log_loss": np.inf}
    out["uncalibrated"] = {
        name: _over_people(values, unit, most=most[name]) for name, values in before.items()
    }
    for which in (CALIBRATED, ALONE):
        out[which] = {
            name: [
                _over_people(values, unit, most=most[name])
                | {"difference": _over_people(values - before[name], unit, least=-np.inf)}
                for k in range(len(minutes))
                for values in [np.array([its[which][k][name] for its in people.values()])]
            ]
            for name in FIGURES
        }
    for which in ("possible", "moved"):
        out[which] = [sum(its[which][k] for its in people.values()) for k in range(len(minutes))]
    return out


def _over_people(
    values: Floats, unit: npt.NDArray[np.str_], *, least: float = 0.0, most: float = np.inf
) -> dict[str, Any]:
    """Mean over people, (n_people,), and its interval by Student's t over units, kept within what can be."""
    mean, n = float(values.mean()), len(set(unit.tolist()))
    if n < 2:
        return {"value": mean, "interval": None}
    half = float(t.ppf(0.5 + 0.5 * LEVEL, n - 1)) * standard_error(values, unit)
    return {"value": mean, "interval": [max(mean - half, least), min(mean + half, most)]}
