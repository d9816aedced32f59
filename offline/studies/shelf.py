"""What fits gave, kept by all that it depends on: a run that was stopped takes up what it finds."""

import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from offline.sample_table import SampleTable
from offline.studies.base import Study
from offline.studies.work import Done, Task, perform

REVISION = 1
"""Raise it when what a task does changes: what was kept before is then not taken up."""


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
        folder.mkdir(parents=True, exist_ok=True)
        self._of = [of, study.name, study.table, [dict(each) for each in study.settings], REVISION]
        if study.unlabelled is not None:
            self._of.append(dict(study.unlabelled))
        if study.revision > 1:  # the first has the names that there were before studies had revisions
            self._of.append(f"revision {study.revision}")

    def path(self, task: Task) -> Path:
        """Where a task's outcome lies."""
        fold = [hashlib.sha256(part.astype(np.int64).tobytes()).hexdigest() for part in _sides(task)]
        content = [*self._of, task.arm, task.fold.name, fold, task.labelling, task.setting, task.centred]
        if task.columns is not None:  # where there are none, the name is what it was before there could be
            content += [task.columns.said()]
        return self.folder / f"{hashlib.sha256(json.dumps(content).encode()).hexdigest()[:32]}.npz"

    def load(self, task: Task) -> Done | None:
        """What was kept, if anything whole was: what a full disk or a crash damaged is computed again."""
        try:
            # Opened here: numpy leaves a file open that it cannot read.
            with self.path(task).open("rb") as file, np.load(file, allow_pickle=False) as kept:
                return Done(kept["log_odds"], int(kept["setting"]), float(kept["seconds"]))
        except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
            return None

    def keep(self, task: Task, done: Done) -> None:
        """Write it wholly or not at all."""
        part = self.path(task).with_suffix(f".{os.getpid()}.part")
        with part.open("wb") as file:
            np.savez(file, log_odds=done.log_odds, setting=done.setting, seconds=done.seconds)
        part.replace(self.path(task))


def _sides(task: Task) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    return task.fold.train, task.fold.test


def perform_all(
    shelf: Shelf,
    study: Study,
    X: Path,
    table: SampleTable,
    tasks: Sequence[Task],
    *,
    workers: int,
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
    workers : int
        Processes; 1 computes here.
    tell : callable
        Told of every task.
    """
    done = {i: kept for i, task in enumerate(tasks) if (kept := shelf.load(task)) is not None}
    todo = [i for i in range(len(tasks)) if i not in done]
    tell(study.name, len(done), len(tasks), f"{len(done)} kept from before" if done else "")
    compute = _here if workers == 1 else _apart
    for i, outcome in compute(study, X, table, tasks, todo, workers):
        shelf.keep(tasks[i], outcome)
        done[i] = outcome
        tell(study.name, len(done), len(tasks), tasks[i].arm)
    return [done[i] for i in range(len(tasks))]


def _here(
    study: Study, X: Path, table: SampleTable, tasks: Sequence[Task], todo: Sequence[int], workers: int
) -> Iterator[tuple[int, Done]]:
    values = np.load(X, mmap_mode="r", allow_pickle=False)
    for i in todo:
        yield i, perform(study, values, table, tasks[i])


def _apart(
    study: Study, X: Path, table: SampleTable, tasks: Sequence[Task], todo: Sequence[int], workers: int
) -> Iterator[tuple[int, Done]]:
    if not todo:
        return
    with ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_begin, initargs=(study, X, table)
    ) as pool:
        waiting = {pool.submit(_perform, tasks[i]): i for i in todo}
        for future in as_completed(waiting):
            yield waiting[future], future.result()


_SHARED: list[tuple[Study, npt.NDArray[Any], SampleTable]] = []


def _begin(study: Study, X: Path, table: SampleTable) -> None:
    _SHARED[:] = [(study, np.load(X, mmap_mode="r", allow_pickle=False), table)]


def _perform(task: Task) -> Done:
    return perform(*_SHARED[0], task)
