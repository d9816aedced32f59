"""Tasks are computed: here, by processes, or on a cluster; with the same result everywhere and at any time.

All chance in a task follows from its content, and each is computed with one thread: with the same kind of CPU
and the same versions the result is the same, bit for bit.
"""

import threading
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from threadpoolctl import threadpool_limits

from offline.base.process_pool import Workers
from offline.base.progress import Tell, silent
from offline.evaluation.fit_cache import FitCache
from offline.evaluation.tasks import F, FitResult, FitTask, Procedure

Elsewhere = Callable[[Any, Sequence[Sequence[FitTask[Any]]]], Iterator[tuple[int, list[FitResult[Any]]]]]
"""Computes groups of tasks by a procedure; gives the results of each, with its number, as they come."""
_ALONE = threading.Lock()


def run_tasks(
    procedure: Procedure[F],
    tasks: Sequence[FitTask[F]],
    *,
    cache: FitCache[F] | None = None,
    workers: Workers | None = None,
    elsewhere: Elsewhere | None = None,
    tell: Tell = silent,
    what: str = "folds",
) -> list[FitResult[F]]:
    """Compute what is not kept yet, and return everything in the tasks' order.

    Parameters
    ----------
    procedure, tasks
        What fits and predicts, and what is fitted.
    cache : FitCache or None
        What is kept already, and what is added.
    workers : Workers or None
        Processes that share the tasks; None computes here.
    elsewhere : callable or None
        Computes them instead (`offline.evaluation.dask_cluster`).
    tell : callable
        Called after every task.
    what : str
        What progress is called.
    """
    results: dict[int, FitResult[F]] = {}
    if cache is not None:
        results = {i: kept for i, task in enumerate(tasks) if (kept := cache.load(task)) is not None}
    groups = _groups(procedure, tasks, [i for i in range(len(tasks)) if i not in results])
    tell(what, len(results), len(tasks), f"{len(results)} kept from before" if results else "")
    todo = [[tasks[i] for i in group] for group in groups]
    if elsewhere is not None:
        found = elsewhere(procedure, todo) if todo else iter(())
    elif workers is None or workers.count == 1:
        found = _here(procedure, todo, cache, tell)
    else:
        found = _in_processes(procedure, todo, cache, workers)
    for number, several in found:
        for i, result in zip(groups[number], several, strict=True):
            results[i] = replace(result, task=tasks[i])
            if cache is not None:
                cache.put(results[i])
        task = todo[number][0]
        tell(what, len(results), len(tasks), f"{task.condition} without {task.fold.name}"[:60])
    return [results[i] for i in range(len(tasks))]


def perform(
    procedure: Procedure[F],
    tasks: Sequence[FitTask[F]],
    tell: Tell = silent,
    folder: Path | None = None,
) -> list[FitResult[F]]:
    """Compute tasks that are fitted in one go, with one thread (`Procedure.fit_predict`)."""
    began = time.perf_counter()
    # Torch's generator and its number of threads belong to the process: one fit at a time.
    with _ALONE, _one_thread():
        found = procedure.fit_predict(tasks, tell=tell, folder=folder)
    each = (time.perf_counter() - began) / len(tasks)
    return [FitResult(task, scores, how, each) for task, (scores, how) in zip(tasks, found, strict=True)]


def _groups(procedure: Procedure[F], tasks: Sequence[FitTask[F]], todo: Sequence[int]) -> list[list[int]]:
    """Which tasks are computed in one go."""
    groups: dict[Hashable, list[int]] = {}
    for i in todo:
        shared = procedure.shared_by(tasks[i])
        groups.setdefault(("alone", i) if shared is None else ("shared", shared), []).append(i)
    most = procedure.most_together
    return [own[i : i + most] for own in groups.values() for i in range(0, len(own), most)]


def _here(
    procedure: Procedure[F], todo: Sequence[list[FitTask[F]]], cache: FitCache[F] | None, tell: Tell
) -> Iterator[tuple[int, list[FitResult[F]]]]:
    for number, tasks in enumerate(todo):
        yield number, perform(procedure, tasks, tell, _folder(cache, tasks))


def _in_processes(
    procedure: Procedure[F], todo: Sequence[list[FitTask[F]]], cache: FitCache[F] | None, workers: Workers
) -> Iterator[tuple[int, list[FitResult[F]]]]:
    calls = [(procedure, tasks, silent, _folder(cache, tasks)) for tasks in todo]
    return workers.each(perform, calls)


def _folder(cache: FitCache[F] | None, tasks: Sequence[FitTask[F]]) -> Path | None:
    return None if cache is None else cache.folder_of(tasks[0])


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(before)
