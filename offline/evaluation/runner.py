"""Folds as jobs: each is done once, kept, and the same wherever and whenever it is done.

A job is a fold and an arm.  Its name says all that its outcome depends on: samples, recipe, who is held out,
versions; so a run that was killed takes up what it finds, and nothing that was made otherwise.  All chance
in it follows from its content.  With the same kind of CPU and the same versions the outcome is the
same, bit for bit, from this process, from many, or from another machine's: each computes with one thread.
"""

import hashlib
import json
import platform
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from threadpoolctl import threadpool_limits

from offline.base.process_pool import Workers
from offline.base.progress import Tell
from offline.base.result_cache import Arrays, expect, load_result, make_folder, put_array, put_result
from offline.base.splits import Fold
from offline.base.versions import versions
from offline.base.window_store import KeptWindows
from offline.evaluation.fit_and_predict import judge, unlike_training
from offline.evaluation.network_null import relabelled
from offline.samples.recipe import Recipe
from offline.samples.samples import Samples
from offline.training.visible_channels import Sight

UNLIKE = "unlike training"
"""The job that counts novel windows rather than judging any."""


@dataclass(frozen=True, eq=False)
class Job:
    """What is to be computed.

    Parameters
    ----------
    fold : Fold
        Who is trained on and who judged.
    arm : str
        What judges, or `UNLIKE`.
    recipe : Recipe
        Of this arm.
    labelling : int or None
        Number of the permuted labelling that it is fitted to; None is the true one.
    sight : Sight or None
        What the model is let see, where that is not everything.
    """

    fold: Fold
    arm: str
    recipe: Recipe
    labelling: int | None = None
    sight: Sight | None = None


@dataclass(frozen=True, eq=False)
class JobOutcome:
    """What a job gave.

    Parameters
    ----------
    scores : (n_judged, n_labels) float64
        Probabilities of the fold's judged samples; none for `UNLIKE`.
    how : dict
        How it came about, JSON types.
    seconds : float
        What it took when it was computed.
    """

    scores: npt.NDArray[np.float64]
    how: dict[str, Any]
    seconds: float


Elsewhere = Callable[[Samples, Sequence[Job], Sequence[int]], Iterator[tuple[int, JobOutcome]]]
"""Computes some of the jobs, and gives each with its number as it comes to an end."""
_ALONE = threading.Lock()


class OutcomeStore:
    """A folder in which outcomes are kept until a run is whole.

    Parameters
    ----------
    folder : path
        Made if need be.
    samples : Samples
        What jobs are about.

    Raises
    ------
    HemostreamError
        The folder cannot be made.
    """

    def __init__(self, folder: Path, samples: Samples) -> None:
        self.folder = folder
        self.samples = samples
        self._of = _digest(samples)
        make_folder(folder)

    def path(self, job: Job) -> Path:
        """Where the job's outcome is kept: a name that follows from all that it depends on."""
        content = {
            "samples": self._of,
            "recipe": job.recipe.hash,
            "held_out": list(job.fold.held_out),
            "train": hashlib.sha256(job.fold.train.astype(np.int64).tobytes()).hexdigest(),
            "test": hashlib.sha256(job.fold.test.astype(np.int64).tobytes()).hexdigest(),
            "arm": job.arm,
            "labelling": job.labelling,
            "sight": None if job.sight is None else [job.sight.channels, job.sight.standard],
            "versions": versions(),
            "processor": processor(),
        }
        return self.folder / f"{hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()}.npz"

    def aside(self, job: Job) -> Path:
        """A folder of the job's own, for what is done of it before it is whole."""
        return self.path(job).with_suffix("")

    def load(self, job: Job) -> JobOutcome | None:
        """What was kept of a job, if anything whole was."""
        n_scores = 0 if job.arm == UNLIKE else len(job.fold.test)

        def made_of(kept: Arrays) -> JobOutcome:
            how = json.loads(str(expect(kept["how"], "U", ())))
            if not isinstance(how, dict):
                raise TypeError(f"it says {type(how).__name__} of how it was made")
            scores = expect(kept["scores"], "f", (n_scores, len(self.samples.labels)))
            return JobOutcome(scores, how, float(expect(kept["seconds"], "f", ())))

        return load_result(self.path(job), made_of)

    def keep(self, job: Job, outcome: JobOutcome) -> None:
        """Write an outcome so that it is there wholly or not at all."""
        put_result(
            self.path(job),
            scores=outcome.scores,
            how=json.dumps(outcome.how),
            seconds=np.float64(outcome.seconds),
        )

    def drop(self) -> None:
        """Remove what was kept: the run is whole."""
        shutil.rmtree(self.folder, ignore_errors=True)


def processor() -> str:
    """The kind of processor, as far as the system tells."""
    return platform.processor() or platform.machine()


def perform(samples: Samples, job: Job, tell: Tell | None = None, kept: Path | None = None) -> JobOutcome:
    """Compute a job with one thread.

    Parameters
    ----------
    samples : Samples
        All.
    job : Job
        Which.
    tell : callable or None
        Told of every epoch.
    kept : path or None
        A folder of the job's own, for what is done of a search.
    """
    began = time.perf_counter()
    if job.labelling is not None:
        samples = relabelled(samples, job.recipe, job.labelling)
    if job.sight is not None:
        samples = job.sight.of(samples)
    # Torch's generator and its number of threads belong to the process: one job at a time.
    with _ALONE, _one_thread():
        if job.arm == UNLIKE:
            scores, how = np.zeros((0, len(samples.labels))), unlike_training(samples, job.fold)
        else:
            scores, how = judge(samples, job.recipe, job.fold, job.arm, tell, kept)
    return JobOutcome(scores, how, time.perf_counter() - began)


def perform_all(
    store: OutcomeStore,
    jobs: Sequence[Job],
    *,
    workers: int = 1,
    elsewhere: Elsewhere | None = None,
    tell: Tell,
) -> list[JobOutcome]:
    """Compute what is not kept yet, and return everything in the jobs' order.

    Parameters
    ----------
    store : Store
        What is kept already, and what is added.
    jobs : sequence of Job
        In canonical order.
    workers : int
        Processes; 1 computes here.
    elsewhere : callable or None
        Computes them instead (`offline.evaluation.dask_cluster`).
    tell : callable
        Told of every job.
    """
    outcomes = {i: kept for i, job in enumerate(jobs) if (kept := store.load(job)) is not None}
    todo = [i for i in range(len(jobs)) if i not in outcomes]
    tell("folds", len(outcomes), len(jobs), f"{len(outcomes)} kept from before" if outcomes else "")
    if elsewhere is not None:
        done = elsewhere(store.samples, jobs, todo) if todo else iter(())
    else:
        done = _here(store, jobs, todo, tell) if workers == 1 else _apart(store, jobs, todo, workers)
    for i, outcome in done:
        store.keep(jobs[i], outcome)
        outcomes[i] = outcome
        tell("folds", len(outcomes), len(jobs), f"{jobs[i].arm} without {jobs[i].fold.name}"[:60])
    return [outcomes[i] for i in range(len(jobs))]


def _here(
    store: OutcomeStore, jobs: Sequence[Job], todo: Sequence[int], tell: Tell
) -> Iterator[tuple[int, JobOutcome]]:
    for i in todo:
        yield i, perform(store.samples, jobs[i], tell, store.aside(jobs[i]))


def _apart(
    store: OutcomeStore, jobs: Sequence[Job], todo: Sequence[int], workers: int
) -> Iterator[tuple[int, JobOutcome]]:
    """In processes that share the windows through a file: they are not copied into each."""
    windows = store.folder / "windows.npy"
    X = store.samples.X
    put_array(windows, X.signal if isinstance(X, KeptWindows) else np.asarray(X))
    empty = replace(store.samples, X=np.empty((0, *X.shape[1:]), dtype=np.float32))
    at = X.at if isinstance(X, KeptWindows) else None
    with Workers(workers, _begin, (windows, empty, at)) as shared:
        calls = [(jobs[i], store.aside(jobs[i])) for i in todo]
        for number, outcome in shared.each(_perform_apart, calls):
            yield todo[number], outcome
    windows.unlink(missing_ok=True)


_SHARED: list[Samples] = []


def _begin(windows: Path, samples: Samples, at: npt.NDArray[np.int64] | None) -> None:
    shared = np.load(windows, mmap_mode="r", allow_pickle=False)
    X = shared if at is None else KeptWindows(shared, at, samples.X.shape[2])
    _SHARED[:] = [replace(samples, X=X)]


def _perform_apart(job: Job, kept: Path) -> JobOutcome:
    return perform(_SHARED[0], job, kept=kept)


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1, user_api="blas"):
            yield
    finally:
        torch.set_num_threads(before)


def _digest(samples: Samples) -> str:
    """What the samples are, in a few characters."""
    found = hashlib.sha256(
        repr((samples.X.shape, samples.labels, samples.names, samples.places, samples.traits)).encode()
    )
    for rows in range(0, len(samples.X), 1024):
        found.update(np.ascontiguousarray(samples.X[rows : rows + 1024]).tobytes())
    for table in (samples.table, samples.feature_summary):
        for field in fields(table):
            values = getattr(table, field.name)
            found.update(repr((field.name, values.shape, values.dtype.str)).encode())
            found.update(np.ascontiguousarray(values).tobytes())
    return found.hexdigest()
