"""Continuous targets of people, predicted by linear models of people (and sites) that were never seen.

A person is one row.  Every model is compared with what predicts the mean of the training people.
Permutations of a target that share a fold are fitted in one go.
"""

import sys
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from models.errors import RecipeError
from offline.base.progress import Tell
from offline.base.row_splits import folds_of_sites, ten_folds_of_anybody
from offline.base.splits import Fold
from offline.estimators.ridge import predict_by_ridge
from offline.evaluation.runner import run_tasks
from offline.evaluation.tasks import FitResult, FitTask, Scores
from offline.features.by_site import centred
from offline.stats.permutation import permuted_units
from offline.stats.regression import FIGURES, ContinuousPredictions, figures_of, values_of

Names = npt.NDArray[np.str_]
MEAN, SITE = "mean of the others", ", unseen site"
FEWEST = 4


@dataclass(frozen=True)
class ContinuousFit:
    """How a task of a continuous target is fitted.

    Parameters
    ----------
    features : str
        Which of the procedure's, or `MEAN`.
    centred : bool
        Whether each site's features are centred on its own people, the held-out site's too.
    beyond : str
        Features from which training people's targets follow linearly: that is taken out of everybody's
        targets first.  Empty takes nothing out.
    """

    features: str
    centred: bool = False
    beyond: str = ""


ContinuousTask = FitTask[ContinuousFit]


@dataclass(frozen=True, eq=False)
class ContinuousProcedure:
    """Fits ridge regressions to a row a person.

    Scores are (n_test, 2): the target as it is compared, and what was predicted.

    Parameters
    ----------
    features : mapping of str to (n, n_features) float32 or float64
        By name.
    targets : (n, 1 + n_permutations) float64
        The true ones first.
    site : (n,) str
        Where each was recorded.
    by_site : bool
        Whether a target is in SDs of its site from the site's mean; otherwise it is as it is.
    """

    features: Mapping[str, npt.NDArray[np.floating]]
    targets: Floats
    site: Names
    by_site: bool = False
    most_together: int = sys.maxsize

    def shared_by(self, task: ContinuousTask) -> Hashable:
        """Permutations of one fold."""
        return task.fit, task.fold

    def fit_predict(
        self, tasks: Sequence[ContinuousTask], *, tell: Tell, folder: Path | None
    ) -> list[tuple[Scores, dict[str, Any]]]:
        """See `Procedure`: the target and what was predicted, (n_test, 2) float64."""
        fold, fit = tasks[0].fold, tasks[0].fit
        columns = [0 if task.permutation is None else 1 + task.permutation for task in tasks]
        y = self._target(fold, fit, columns)
        if fit.features == MEAN:
            predicted = np.broadcast_to(y[fold.train].mean(axis=0), (len(fold.test), len(tasks)))
        else:
            X = np.asarray(self.features[fit.features], dtype=np.float64)
            X = centred(X, self.site) if fit.centred else X
            predicted = predict_by_ridge(X[fold.train], y[fold.train], X[fold.test])
        both = np.stack([y[fold.test], predicted], axis=2)
        return [(both[:, k], {}) for k in range(len(tasks))]

    def _target(self, fold: Fold, fit: ContinuousFit, columns: Sequence[int]) -> Floats:
        y = np.take(self.targets, columns, axis=1)
        if self.by_site:
            y = in_site_units(y, self.site, fold.train)
        if fit.beyond:
            known = np.asarray(self.features[fit.beyond], dtype=np.float64)
            y = y - predict_by_ridge(known[fold.train], y[fold.train], known)
        return y


def in_site_units(targets: Floats, site: Names, known: npt.NDArray[np.intp]) -> Floats:
    """Targets in SDs of their site from its mean, (n, n_targets) float64 without unit.

    The rows ``known``, (m,) intp, give a site's mean and SD; where a site has none of them, all its rows do.
    """
    trained = np.zeros(len(site), dtype=bool)
    trained[known] = True
    out = np.empty_like(targets)
    for name in np.unique(site):
        here = site == name
        by = here & trained if (here & trained).any() else here
        spread = targets[by].std(axis=0)
        out[here] = (targets[here] - targets[by].mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return out


def evaluate_continuous(
    features: Mapping[str, Floats],
    y: Floats,
    person: Names,
    site: Names,
    *,
    unit: Names | None = None,
    permutations: int,
    repeats: int = 1,
    seed: int = 0,
) -> tuple[ContinuousPredictions, dict[str, Any]]:
    """Predict a target from every table of features.

    Parameters
    ----------
    features : mapping of condition to (n, n_features) float64
        A row a person; the first is the one whose procedure is repeated on permuted targets.
    y : (n,) float64
        Their targets.
    person, site : (n,) str
        Who they are, and where they were recorded.
    unit : (n,) str or None
        Who was measured together.
    permutations : int
        Of the targets.
    repeats : int
        Divisions into folds.
    seed : int
        What chance follows from.

    Returns
    -------
    ContinuousPredictions, dict
        The one table, and figures of every condition with the null; JSON types.

    Raises
    ------
    RecipeError
        There are too few people, or everybody has the same target.
    """
    if len(y) < FEWEST or np.ptp(y) == 0:
        raise RecipeError(
            f"There are {len(y)} people with an amount, {len(np.unique(y))} of them different; expected "
            f"{FEWEST} people or more who differ."
        )
    first, sites = next(iter(features)), folds_of_sites(person, site, unit)

    def tens(number: int) -> list[Fold]:
        return ten_folds_of_anybody(person, seed=seed + number, unit=unit)

    tasks: list[ContinuousTask] = []
    for name in (*features, MEAN):
        fit = ContinuousFit(name)
        tasks += [
            FitTask(fold, name, fit, repeat=repeat) for repeat in range(repeats) for fold in tens(repeat)
        ]
        tasks += [FitTask(fold, name + SITE, fit) for fold in sites]
    fit = ContinuousFit(first)
    tasks += [FitTask(fold, first, fit, k) for k in range(permutations) for fold in tens(1 + k)]
    each = [permuted_units(y, site, unit, np.random.default_rng([seed, k])) for k in range(permutations)]
    procedure = ContinuousProcedure(features, np.column_stack([y, *each]), site)
    units = None if unit is None else dict(zip(person.tolist(), unit.tolist(), strict=True))
    found = evaluated(run_tasks(procedure, tasks), person, seed=seed, units=units)
    figures: dict[str, Any] = {"conditions": {each.condition: each.figures for each in found}, "null": None}
    if (null := found[0].null) is not None:
        figures["null"] = {
            "of": f"the whole procedure of {first} on amounts permuted between people of one site",
            "permutations": permutations,
            "mean": {name: float(np.mean(values)) for name, values in null.items()},
        }
    return ContinuousPredictions.concatenate([each.table for each in found]), figures


class ConditionFigures(NamedTuple):
    """One condition: what was predicted of true targets, its figures, and those of permuted targets."""

    condition: str
    table: ContinuousPredictions
    figures: dict[str, Any]
    null: dict[str, Floats] | None
    seconds: float


def evaluated(
    results: Sequence[FitResult[ContinuousFit]],
    person: Names,
    site: Names | None = None,
    *,
    seed: int = 0,
    units: Mapping[str, str] | None = None,
) -> list[ConditionFigures]:
    """Put results, of true and of permuted targets, together by their conditions.

    Parameters
    ----------
    results : sequence of FitResult
        Of one procedure.
    person : (n,) str
        Who its rows are.
    site : (n,) str, optional
        Where: people are then compared within a fold and a site only.  Of a group alone, a site with few of
        it has higher targets (in its own units), and what predicts the site would seem to predict the target.
    seed : int
        Of the intervals.
    units : mapping of person to str, or None
        Who was measured together.
    """
    groups: dict[str, dict[int | None, list[FitResult[ContinuousFit]]]] = {}
    for each in results:
        groups.setdefault(each.task.condition, {}).setdefault(each.task.permutation, []).append(each)
    out = []
    for condition, by_number in groups.items():
        tables = {number: _table(own, person, site) for number, own in by_number.items()}
        numbers = sorted(number for number in tables if number is not None)
        true, values = tables[None], [values_of(tables[number]) for number in numbers]
        null = {name: np.array([its[name] for its in values]) for name in FIGURES} if values else None
        figures = figures_of(true, null, seed=seed, units=units)
        if by_number[None][0].task.fit.features == MEAN:
            # The mean of the others falls where a person's own target is high: not a correlation.
            figures["r"] = {"value": None, "interval": None, "p": None}
        seconds = sum(each.seconds for own in by_number.values() for each in own)
        out.append(ConditionFigures(condition, true, figures, null, seconds))
    return out


def _table(
    results: Sequence[FitResult[ContinuousFit]], person: Names, site: Names | None
) -> ContinuousPredictions:
    """In order of results; within sites in order of people, so that a draw of rows is one of people."""
    parts = []
    for each in results:
        test, n = each.task.fold.test, len(each.scores)
        fold = np.full(n, each.task.fold.name)
        fold = fold if site is None else np.char.add(np.char.add(fold, ", "), site[test])
        repeat, condition = np.full(n, each.task.repeat), np.full(n, each.task.condition)
        parts.append(
            ContinuousPredictions(repeat, fold, condition, person[test], each.scores[:, 0], each.scores[:, 1])
        )
    table = ContinuousPredictions.concatenate(parts)
    return table if site is None else table.rows(np.lexsort((table.person, table.repeat)))
