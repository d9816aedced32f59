"""Targets that are amounts (a symptom score, an age): what was predicted of people, and how good it is.

The same table as for labels, with numbers in place of classes; every figure is a pure function of it, and by
person.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from models.errors import HemostreamError
from models.files.private import open_private
from offline.stats.intervals import DRAWS
from offline.stats.metrics import FEWEST_FOR_OTHERS
from offline.stats.permutation import p_value

FIGURES = ("r", "R2", "MAE")


@dataclass(frozen=True, eq=False)
class ContinuousPredictions:
    """One row for each person that a condition judged in a repeat.

    Parameters
    ----------
    repeat : (n,) int64
        Division into folds.
    fold, condition, person : (n,) str
        Who judged, what, and whom.
    y, predicted : (n,) float64
        The amount, and what was predicted.
    """

    repeat: npt.NDArray[np.int64]
    fold: npt.NDArray[np.str_]
    condition: npt.NDArray[np.str_]
    person: npt.NDArray[np.str_]
    y: Floats
    predicted: Floats

    def __len__(self) -> int:
        return len(self.y)

    @property
    def conditions(self) -> tuple[str, ...]:
        """In order of first appearance."""
        return tuple(dict.fromkeys(self.condition.tolist()))

    def of_condition(self, condition: str) -> "ContinuousPredictions":
        """Rows of one condition."""
        return self.take(np.flatnonzero(self.condition == condition))

    def take(self, rows: npt.NDArray[np.intp]) -> "ContinuousPredictions":
        """These rows, (m,) intp, in this order."""
        return ContinuousPredictions(*(getattr(self, each.name)[rows] for each in fields(self)))

    @staticmethod
    def concatenate(parts: Sequence["ContinuousPredictions"]) -> "ContinuousPredictions":
        """Join, in order."""
        return ContinuousPredictions(
            *(
                np.concatenate([getattr(p, each.name) for p in parts])
                for each in fields(ContinuousPredictions)
            )
        )


def figures_of(
    table: ContinuousPredictions, null: dict[str, Floats] | None = None, *, seed: int = 0
) -> dict[str, Any]:
    """Figures of one condition: correlation, explained share of the variance, mean absolute error.

    People are correlated within a fold: over all folds, what a model says from nothing but the mean of its
    training people falls where the judged have more, and noise would give a correlation well below 0.  The
    explained share is against the mean of everybody, so it is below 0 where guessing would be better.
    Figures of several repeats are averaged; intervals draw people again.

    Parameters
    ----------
    table : ContinuousPredictions
        Rows of one condition.
    null : dict of str to (n,) float64, or None
        The same figures on permuted amounts, where the whole procedure was repeated.
    seed : int
        Of the draws.

    Returns
    -------
    dict
        ``people``, and for each figure ``value``, ``interval`` (None under ten people) and ``p``; JSON types.
    """
    people = sorted(set(table.person.tolist()))
    values = values_of(table)
    out: dict[str, Any] = {"people": len(people)}
    drawn: dict[str, list[float]] = {name: [] for name in FIGURES}
    if len(people) >= FEWEST_FOR_OTHERS:
        # Each repeat judges the same people in an order of its own; whoever is drawn is drawn in all.
        by_person = table.take(np.argsort(table.person, kind="stable"))
        rounds = [by_person.take(np.flatnonzero(by_person.repeat == k)) for k in np.unique(table.repeat)]
        rng = np.random.default_rng(seed)
        for _ in range(DRAWS // 4):
            rows = rng.integers(0, len(people), len(people))
            each = [_figures(own.y[rows], own.predicted[rows], own.fold[rows]) for own in rounds]
            for name in FIGURES:
                drawn[name].append(float(np.mean([its[name] for its in each])))
    for name in FIGURES:
        ends = np.nanquantile(drawn[name], [0.025, 0.975]) if drawn[name] else None
        sign = -1.0 if name == "MAE" else 1.0
        p = None if null is None else p_value(sign * values[name], sign * null[name])
        out[name] = {
            "value": _known(values[name]),
            "interval": None if ends is None else [float(ends[0]), float(ends[1])],
            "p": p if np.isfinite(values[name]) else None,
        }
    return out


def values_of(table: ContinuousPredictions) -> dict[str, float]:
    """The figures alone, averaged over repeats."""
    each = []
    for repeat in np.unique(table.repeat):
        own = table.repeat == repeat
        each.append(_figures(table.y[own], table.predicted[own], table.fold[own]))
    return {name: float(np.mean([its[name] for its in each])) for name in FIGURES}


def _figures(y: Floats, predicted: Floats, fold: npt.NDArray[np.str_]) -> dict[str, float]:
    total = float(np.sum(np.square(y - y.mean())))
    own, estimate = (_within(values, fold) for values in (y, predicted))
    size = float(np.sqrt((own @ own) * (estimate @ estimate)))
    return {
        "r": float(own @ estimate) / size if size > 1e-12 * max(total, 1e-300) else 0.0,
        "R2": 1.0 - float(np.sum(np.square(y - predicted))) / total if total > 0 else float("nan"),
        "MAE": float(np.mean(np.abs(y - predicted))),
    }


def _within(values: Floats, fold: npt.NDArray[np.str_]) -> Floats:
    """Less the mean of each fold."""
    _, whose = np.unique(fold, return_inverse=True)
    return np.asarray(values - (np.bincount(whose, values) / np.bincount(whose))[whose])


def write_continuous(path: Path, table: ContinuousPredictions) -> None:
    """Write the table as CSV."""
    names = [each.name for each in fields(ContinuousPredictions)]
    with open_private(path, newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        for i in range(len(table)):
            writer.writerow([getattr(table, name)[i].item() for name in names])


def read_continuous(path: Path) -> ContinuousPredictions:
    """Read what `write_continuous` wrote.

    Raises
    ------
    HemostreamError
        The file's columns are not those of the table.
    """
    names = [each.name for each in fields(ContinuousPredictions)]
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = list(csv.reader(file)) or [[]]
    if header != names:
        raise HemostreamError(f"{path.name} has columns {header}; expected {', '.join(names)}.")
    repeat, fold, condition, person, y, predicted = zip(*rows, strict=True) if rows else ((),) * len(names)
    return ContinuousPredictions(
        np.array(repeat, dtype=np.int64),
        np.array(fold, dtype=np.str_),
        np.array(condition, dtype=np.str_),
        np.array(person, dtype=np.str_),
        np.array(y, dtype=np.float64),
        np.array(predicted, dtype=np.float64),
    )


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None
