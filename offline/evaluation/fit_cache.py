"""Results of fits, kept by all that they follow from: a run that was stopped takes up what it finds."""

import hashlib
import json
import platform
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Generic

import numpy as np

from offline.base.result_cache import Arrays, expect, load_result, make_folder, put_result
from offline.base.versions import versions
from offline.evaluation.tasks import F, FitResult, FitTask


class FitCache(Generic[F]):
    """A folder of results.  What is damaged, or of another task, counts as not there.

    Parameters
    ----------
    folder : path
        Made if need be.
    key : callable
        Of a task: all that its result follows from besides fold, condition, permutation and versions, JSON
        types.

    Raises
    ------
    HemostreamError
        The folder cannot be made.
    """

    def __init__(self, folder: Path, key: Callable[[FitTask[F]], object]) -> None:
        self.folder = folder
        self._key = key
        self._made_by = [versions(), processor()]
        make_folder(folder)

    def key(self, task: FitTask[F]) -> str:
        """Hexadecimal, of all that the task's result follows from."""
        fold = task.fold
        sides = [
            hashlib.sha256(side.astype(np.int64).tobytes()).hexdigest() for side in (fold.train, fold.test)
        ]
        content = [
            *self._made_by,
            [fold.name, list(fold.held_out), *sides],
            [task.condition, task.permutation],
            self._key(task),
        ]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def path(self, task: FitTask[F]) -> Path:
        """Where the task's result is kept."""
        return self.folder / f"{self.key(task)}.npz"

    def folder_of(self, task: FitTask[F]) -> Path:
        """A folder of the task's own, for what is done of it before it is whole."""
        return self.path(task).with_suffix("")

    def load(self, task: FitTask[F]) -> FitResult[F] | None:
        """What was kept of a task, if anything whole was."""
        path = self.path(task)

        def made_of(kept: Arrays) -> FitResult[F]:
            if str(kept["key"]) != path.stem:
                raise ValueError("it is of another task")
            how, scores = json.loads(str(expect(kept["how"], "U", ()))), kept["scores"]
            if not isinstance(how, dict) or len(scores) not in (0, len(task.fold.test)):
                raise ValueError(f"it holds {len(scores)} predictions of {len(task.fold.test)} samples")
            scores = expect(scores, "f", (None,) * scores.ndim)
            return FitResult(task, scores, how, float(expect(kept["seconds"], "f", ())))

        return load_result(path, made_of)

    def put(self, result: FitResult[F]) -> None:
        """Write a result so that it is there wholly or not at all."""
        path = self.path(result.task)
        put_result(
            path,
            key=path.stem,
            scores=result.scores,
            how=json.dumps(result.how),
            seconds=np.float64(result.seconds),
        )

    def drop(self) -> None:
        """Remove what was kept: the run is whole."""
        shutil.rmtree(self.folder, ignore_errors=True)


def processor() -> str:
    """The kind of processor, as far as the system tells."""
    return platform.processor() or platform.machine()
