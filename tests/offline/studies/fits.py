"""One fit of a study, without a run."""

from typing import Any

from offline.base.sample_table import SampleTable
from offline.base.splits import Fold
from offline.evaluation.runner import perform
from offline.evaluation.tasks import FitResult, FitTask
from offline.studies.base import Study
from offline.studies.fitting import ScanFit, ScanProcedure, ScanTask


def fitted(study: Study, X: Any, table: SampleTable, task: ScanTask) -> FitResult[ScanFit]:
    """What a task gives."""
    return perform(ScanProcedure(study, X, table), [task])[0]


def task_of(condition: str, fold: Fold, **how: Any) -> ScanTask:
    """A task on the true labels."""
    return FitTask(fold, condition, ScanFit(**how))
