"""Log odds of a study as calibrated probabilities: a line that is learnt inside the training.

A study's decision function is in a unit of its own: a ridge model's lies within -1 and 1 whatever it knows, a
network's is too sure of itself.  So people of the training are predicted by fits without their site, in a few
groups of sites; a line from their log odds to their labels is what a bundle applies behind the study's own
layers.  What the whole fit chose (a setting, a penalty) is kept in these fits: another penalty is another
unit.  Whoever is evaluated is in none of it.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from sklearn.base import clone

from models.arrays import Bools, Floats
from models.layers.linear import Linear
from offline.base.splits import Fold
from offline.studies.fitting import ScanProcedure, ScanTask, log_odds
from offline.studies.held_out_sites import few_groups_of

STEPS = 100
"""Newton's steps, at most."""
NEAR = 1e-10
"""A step so short is the last."""


@dataclass(frozen=True)
class ScanCalibration:
    """A line from a study's log odds to calibrated ones.

    Parameters
    ----------
    slope, intercept : float
        The slope is never below 0: what predicts worse than chance is not turned round.
    people, groups : int
        From how many, and in how many groups they were left out.
    """

    slope: float
    intercept: float
    people: int
    groups: int

    def __call__(self, odds: Floats) -> Floats:
        """Log odds, (n,) float64, to calibrated log odds."""
        return np.asarray(self.slope * odds + self.intercept)

    @property
    def layer(self) -> Linear:
        """The same of logits of two labels."""
        half = 0.5 * self.intercept
        return Linear(np.eye(2) * self.slope, np.array([-half, half]))

    def to_json(self) -> dict[str, Any]:
        """As a card has it."""
        return {
            "slope": self.slope,
            "intercept": self.intercept,
            "people": self.people,
            "groups": self.groups,
            "of": "people of left-out sites of the training",
        }


def calibrate(procedure: ScanProcedure, task: ScanTask, fitted: Any, setting: int) -> ScanCalibration:
    """Learn the line from the people whom a task is fitted to, and nobody else.

    Parameters
    ----------
    procedure : ScanProcedure
        A study and its table; two labels.
    task : FitTask
        What is fitted; whom it predicts is not looked at.
    fitted : classifier
        Of the task.
    setting : int
        The one that it chose.
    """
    train = task.fold.train
    group = few_groups_of(procedure.table.rows(train))
    odds, known = np.zeros(len(train)), np.zeros(len(train), dtype=np.bool_)
    target = procedure.table.target[train]
    for number in np.unique(group).tolist():
        held = group == number
        if len(np.unique(target[~held])) < 2:
            continue
        rows = train[held]
        who = tuple(sorted(procedure.table.person[rows].tolist()))
        fold = Fold(who, train[~held], rows, f"{task.fold.name}, group {number}")
        inner = replace(task, fold=fold, fit=replace(task.fit, setting=setting))
        model, _, X = procedure.fit(inner, like=unfitted_like(fitted))
        odds[held], known[held] = log_odds(model, X, procedure.table.site[rows]), True
    if not known.any():
        return ScanCalibration(1.0, 0.0, 0, 0)
    slope, intercept = line_of(odds[known], target[known] == 1, group[known])
    return ScanCalibration(slope, intercept, int(known.sum()), len(np.unique(group[known])))


def unfitted_like(fitted: Any) -> Any | None:
    """A classifier that takes what another one chose by itself; None where it chose nothing that can be."""
    if not hasattr(fitted, "penalty_") or "penalties" not in fitted.get_params():
        return None
    return clone(fitted).set_params(penalties=(fitted.penalty_,))


def line_of(odds: Floats, positive: Bools, group: npt.NDArray[np.intp]) -> tuple[float, float]:
    """The line with the least log loss (Platt 1999, in Advances in Large Margin Classifiers, 61-74).

    The slope is that within groups, each with a level of its own, for each group's odds are of another fit;
    then the intercept is one for all.  Targets are Platt's, a little inside 0 and 1, so that a line exists
    where the labels are separated too.

    Parameters
    ----------
    odds : (n,) float64
        Log odds of people whom the model was not fitted to.
    positive : (n,) bool
        Who has the second label.
    group : (n,) intp
        Who was predicted by the same fit.

    Returns
    -------
    slope, intercept : float
        The slope is 0 or more.
    """
    n = int(positive.sum())
    target = np.where(positive, (n + 1.0) / (n + 2.0), 1.0 / (len(odds) - n + 2.0))
    levels = (group[:, np.newaxis] == np.unique(group)).astype(np.float64)
    spread = float((odds - levels @ (levels.T @ odds / levels.sum(axis=0))).std())
    slope = 0.0
    if spread > 0.0:
        design = np.column_stack([odds / spread, levels])
        slope = max(float(_fitted(design, target, np.zeros(len(odds)))[0]), 0.0) / spread
    intercept = _fitted(np.ones((len(odds), 1)), target, slope * odds)
    return slope, float(intercept[0])


def _fitted(design: Floats, target: Floats, offset: Floats) -> Floats:
    """Coefficients of a logistic regression, (n_columns,) float64, beside an offset that is given, (n,)."""
    line = np.zeros(design.shape[1])
    for _ in range(STEPS):
        probability = expit(design @ line + offset)
        weight = probability * (1.0 - probability)
        curve = design.T @ (design * weight[:, np.newaxis]) + NEAR * np.eye(len(line))
        step = np.linalg.solve(curve, design.T @ (target - probability))
        line = line + step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < NEAR:
            break
    return line
