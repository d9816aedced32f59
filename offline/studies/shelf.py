"""What fits gave, kept by all that it depends on: a run that was stopped takes up what it finds."""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from offline.base.process_pool import Workers
from offline.base.result_cache import Arrays, expect, load_result, make_folder, put_result
from offline.base.sample_table import SampleTable
from offline.studies import tables
from offline.studies.base import Study
from offline.studies.division import PERMUTED
from offline.studies.work import Done, StudyTask, perform, perform_together

REVISION = 2
"""Raise it when what a task does changes: what was kept before is then not taken up."""
MOST_TOGETHER = 20
"""Labellings that share what looks at no label: kept together, and lost together where a run ends."""


class Shelf:
    """A folder of what tasks gave, by what they depend on.

    Parameters
    ----------
    folder : path
        Made if need be.
    of : str
        Digest of the data.
    study : Study
        Whose tasks.
    """

    def __init__(self, folder: Path, of: str, study: Study) -> None:
        self.folder = folder
        make_folder(folder)
        self._n_settings = len(study.settings)
        self._moves_matrices = study.unlabelled is None and study.table in tables.OF_MATRICES
        self._of = [of, study.name, study.table, [dict(each) for each in study.settings], REVISION]
        if study.unlabelled is not None:
            self._of.append(dict(study.unlabelled))
        if study.revision > 1:  # the first has the names that there were before studies had revisions
            self._of.append(f"revision {study.revision}")
        if tables.REVISION > 2:  # likewise
            self._of.append(f"tables {tables.REVISION}")

    def path(self, task: StudyTask) -> Path:
        """Where a task's outcome lies."""
        fold = [hashlib.sha256(part.astype(np.int64).tobytes()).hexdigest() for part in _sides(task)]
        content = [*self._of, task.arm, task.fold.name, fold, task.labelling, task.setting, task.centred]
        if task.centred and self._moves_matrices:  # before, they had been centred like any table
            content += ["matrices moved together"]
        if task.columns is not None:  # where there are none, the name is what it was before there could be
            content += [task.columns.said()]
        return self.folder / f"{hashlib.sha256(json.dumps(content).encode()).hexdigest()[:32]}.npz"

    def load(self, task: StudyTask) -> Done | None:
        """What was kept, if anything whole was: what a full disk or a crash damaged is computed again."""

        def made_of(kept: Arrays) -> Done:
            n, log_odds = len(task.fold.test), kept["log_odds"]
            setting = int(expect(kept["setting"], "i", ()))
            if not 0 <= setting < self._n_settings:
                raise ValueError(f"it names setting {setting} of {self._n_settings}")
            expect(log_odds, "f", (n,) if log_odds.ndim == 1 else (n, None))
            return Done(log_odds, setting, float(expect(kept["seconds"], "f", ())))

        return load_result(self.path(task), made_of)

    def keep(self, task: StudyTask, done: Done) -> None:
        """Write it wholly or not at all."""
        put_result(
            self.path(task), log_odds=done.log_odds, setting=done.setting, seconds=np.float64(done.seconds)
        )


def _sides(task: StudyTask) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    return task.fold.train, task.fold.test


def perform_all(
    shelf: Shelf,
    study: Study,
    X: Path,
    table: SampleTable,
    tasks: Sequence[StudyTask],
    *,
    workers: Workers,
    tell: Callable[[str, int, int, str], None],
) -> list[Done]:
    """What is kept, and the rest computed; in the tasks' order.

    Parameters
    ----------
    shelf : Shelf
        What is kept already, and what is added.
    study : Study
        What is fitted; sent to every process.
    X : path
        The table, (n, n_features) float32.
    table : SampleTable
        One row a person.
    tasks : sequence of Task
        In canonical order.
    workers : Workers
        Who shares them.
    tell : callable
        Told whenever some are done.
    """
    done = {i: kept for i, task in enumerate(tasks) if (kept := shelf.load(task)) is not None}
    todo = _together(study, table, tasks, [i for i in range(len(tasks)) if i not in done])
    tell(study.name, len(done), len(tasks), f"{len(done)} kept from before" if done else "")
    calls = [(study, X, table, [tasks[i] for i in some]) for some in todo]
    for number, outcomes in workers.each(_perform, calls):
        for i, outcome in zip(todo[number], outcomes, strict=True):
            shelf.keep(tasks[i], outcome)
            done[i] = outcome
        tell(study.name, len(done), len(tasks), tasks[todo[number][0]].arm)
    return [done[i] for i in range(len(tasks))]


def _together(
    study: Study, table: SampleTable, tasks: Sequence[StudyTask], todo: Sequence[int]
) -> list[list[int]]:
    """Which tasks are computed in one go: labellings of one fold, where a study reads before it fits."""
    if not study.reads or table.target.max() > 1:
        return [[i] for i in todo]
    groups: dict[object, list[int]] = {}
    for i in todo:
        task = tasks[i]
        alone = task.arm != PERMUTED
        people = (task.fold.name, *(side.tobytes() for side in _sides(task)))
        groups.setdefault(i if alone else people, []).append(i)
    return [own[i : i + MOST_TOGETHER] for own in groups.values() for i in range(0, len(own), MOST_TOGETHER)]


def _perform(study: Study, X: Path, table: SampleTable, tasks: Sequence[StudyTask]) -> list[Done]:
    values = np.load(X, mmap_mode="r", allow_pickle=False)
    if len(tasks) == 1:
        return [perform(study, values, table, tasks[0])]
    return perform_together(study, values, table, tasks)
