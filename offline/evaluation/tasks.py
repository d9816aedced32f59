"""What an evaluation fits, whatever it is fitted to: tasks, results, and what a procedure must be able to do.

A task is a fold under a condition.  Windows, scans, continuous targets and sites each have a procedure that
fits and predicts; drawing folds, permuting labels, keeping results, sharing the work and making tables of it
are the same for all.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from offline.base.progress import Tell
from offline.base.splits import Fold

F = TypeVar("F")
Scores = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FitTask(Generic[F]):
    """One fit: to a fold's training samples, predicting its test samples.

    Parameters
    ----------
    fold : Fold
        Who is trained on and who is predicted.
    condition : str
        What is compared, as tables name it.
    fit : object
        How it is fitted, in the procedure's own terms.
    permutation : int or None
        Number of the permuted labels that it is fitted to; None for the true ones.
    repeat : int
        Which division into folds the fold is of.
    tag : str
        What the task is a part of: results are grouped by it.
    """

    fold: Fold
    condition: str
    fit: F
    permutation: int | None = None
    repeat: int = 0
    tag: str = ""


@dataclass(frozen=True, eq=False)
class FitResult(Generic[F]):
    """What a task gave.

    Parameters
    ----------
    task : FitTask
        Which.
    scores : (n_test, ...) float64
        What was predicted of the fold's test samples, as the procedure has it; may have no rows.
    how : dict
        How it came about, JSON types.
    seconds : float, s
        What it took when it was computed.
    """

    task: FitTask[F]
    scores: Scores
    how: dict[str, Any]
    seconds: float


class Procedure(Protocol[F]):
    """Fits and predicts, for `offline.evaluation.runner`."""

    @property
    def most_together(self) -> int:
        """Tasks at most that are fitted in one go: kept together, and lost together where a run ends."""

    def shared_by(self, task: FitTask[F]) -> Hashable | None:
        """Tasks with the same value are fitted in one go; None where nothing could be shared."""

    def fit_predict(
        self, tasks: Sequence[FitTask[F]], *, tell: Tell, folder: Path | None
    ) -> list[tuple[Scores, dict[str, Any]]]:
        """Scores of each task, (n_test, ...) float64, and how they came about.

        Parameters
        ----------
        tasks : sequence of FitTask
            One, or several with the same `shared_by`.
        tell : callable
            Called with progress within the fit.
        folder : path or None
            Of the task's own, where something could be kept before it is whole.
        """


def tagged(results: Sequence[FitResult[F]], tag: str) -> list[FitResult[F]]:
    """Results of the tasks with this tag, in order."""
    return [each for each in results if each.task.tag == tag]
