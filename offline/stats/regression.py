"""Targets that are amounts (a symptom score, an age): what was predicted of people, and how good it is.

The same table as for labels, with numbers in place of classes; every figure is a pure function of it, and by
person.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from models.errors import HemostreamError
from offline.base.columns import ColumnTable, read_csv, write_csv
from offline.stats.intervals import DRAWS
from offline.stats.metrics import FEWEST_FOR_OTHERS
from offline.stats.permutation import p_value

FIGURES = ("r", "R2", "MAE")


@dataclass(frozen=True, eq=False)
class ContinuousPredictions(ColumnTable):
    """One row for each person whom a condition predicted in a repeat: the amount, and what was predicted."""

    repeat: npt.NDArray[np.int64]
    fold: npt.NDArray[np.str_]
    condition: npt.NDArray[np.str_]
    person: npt.NDArray[np.str_]
    y: Floats
    predicted: Floats

    @property
    def conditions(self) -> tuple[str, ...]:
        """In order of first appearance."""
        return tuple(dict.fromkeys(self.condition.tolist()))

    def of_condition(self, condition: str) -> "ContinuousPredictions":
        """Rows of one condition."""
        return self.rows(self.condition == condition)


def figures_of(
    table: ContinuousPredictions,
    null: dict[str, Floats] | None = None,
    *,
    seed: int = 0,
    units: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Figures of one condition: correlation, explained share of the variance, mean absolute error.

    People are correlated within a fold: over all folds, what a model predicts from nothing but the mean of
    its training people falls where the predicted people have more, and noise would give a correlation well
    below 0.  The explained share is against the mean of everybody, so it is below 0 where guessing would be
    better.  Figures of several repeats are averaged; intervals draw people again.

    Parameters
    ----------
    null : dict of str to (n,) float64, or None
        The same figures on permuted amounts, where the whole procedure was repeated.
    units : mapping of person to str, or None
        Who was measured together: they are drawn together.

    Returns
    -------
    dict
        ``people``, and for each figure ``value``, ``interval`` (None under ten people) and ``p``; JSON types.
    """
    n_people = len(table.people)
    whose = [units.get(person, person) for person in table.people] if units else list(table.people)
    members = [np.flatnonzero(np.array(whose) == name) for name in sorted(set(whose))]
    values = values_of(table)
    drawn: list[dict[str, float]] = []
    if len(members) >= FEWEST_FOR_OTHERS:
        # Each repeat predicts the same people in an order of its own; whoever is drawn is drawn in all.
        by_person = table.rows(np.argsort(table.person, kind="stable"))
        rng = np.random.default_rng(seed)
        draws = (
            np.concatenate([members[i] for i in rng.integers(0, len(members), len(members))])
            for _ in range(DRAWS // 4)
        )
        rounds = _rounds(by_person)
        drawn = [_averaged([own.rows(rows) for own in rounds]) for rows in draws]
    out: dict[str, Any] = {"people": n_people}
    for name in FIGURES:
        sign = -1.0 if name == "MAE" else 1.0
        p = None if null is None else p_value(sign * values[name], sign * null[name])
        known = np.isfinite(values[name])
        ends = np.nanquantile([its[name] for its in drawn], [0.025, 0.975]).tolist() if drawn else None
        out[name] = {"value": values[name] if known else None, "interval": ends, "p": p if known else None}
    return out


def values_of(table: ContinuousPredictions) -> dict[str, float]:
    """The figures alone, averaged over repeats."""
    return _averaged(_rounds(table))


def _rounds(table: ContinuousPredictions) -> list[ContinuousPredictions]:
    return [table.rows(table.repeat == repeat) for repeat in np.unique(table.repeat)]


def _averaged(rounds: list[ContinuousPredictions]) -> dict[str, float]:
    each = [_figures(own.y, own.predicted, own.fold) for own in rounds]
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
    columns = {name: column.tolist() for name, column in table.columns.items()}
    write_csv(path, columns, line_end="\r\n")


def read_continuous(path: Path) -> ContinuousPredictions:
    """Read what `write_continuous` wrote.

    Raises
    ------
    HemostreamError
        The file's columns are not those of the table.
    """
    columns = read_csv(path)
    kinds = {"repeat": np.int64, "fold": np.str_, "condition": np.str_, "person": np.str_}
    names = [each.name for each in fields(ContinuousPredictions)]
    if list(columns) != names:
        raise HemostreamError(f"{path.name} has columns {list(columns)}; expected {', '.join(names)}.")
    return ContinuousPredictions(
        *(np.array(columns[name], dtype=kinds.get(name, np.float64)) for name in names)
    )
