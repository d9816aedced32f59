"""Windows of recordings as what tasks are fitted to: by networks and baselines (`fit_and_predict`)."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from offline.base.progress import Tell
from offline.base.result_cache import put_array
from offline.base.sample_table import SampleTable
from offline.base.window_store import KeptWindows
from offline.evaluation.fit_and_predict import fit_predict, fold_seed, out_of_distribution
from offline.evaluation.own_minutes import OWN_MINUTES, own_minutes
from offline.evaluation.tasks import FitTask, Scores
from offline.samples.recipe import Recipe
from offline.samples.samples import Samples
from offline.stats.label_order import LabelOrder, label_order
from offline.stats.permutation import permuted_labels
from offline.training.visible_channels import VisibleChannels

OUT_OF_DISTRIBUTION = "unlike training"
"""What counts novel windows, in the place of a model."""


@dataclass(frozen=True)
class WindowFit:
    """How a task of windows is fitted.

    Parameters
    ----------
    model : str
        A network's or a baseline's name, `OUT_OF_DISTRIBUTION` or `OWN_MINUTES`.
    recipe : Recipe
        Of this condition.
    visible : VisibleChannels or None
        Channels that the model is shown, where those are not all.
    """

    model: str
    recipe: Recipe
    visible: VisibleChannels | None = None


WindowTask = FitTask[WindowFit]


@dataclass(frozen=True, eq=False)
class WindowProcedure:
    """Fits networks and baselines to windows.

    Parameters
    ----------
    samples : Samples
        All.
    stored : tuple or None
        Files of the windows' signal and of their features, if not in ``samples``, and where each begins.
    """

    samples: Samples
    stored: tuple[Path, Path, npt.NDArray[np.int64]] | None = None
    most_together: int = 1

    @cached_property
    def _digest(self) -> str:
        """Hexadecimal, of all that is in the samples."""
        samples = self.samples
        of = (samples.X.shape, samples.labels, samples.names, samples.places, samples.traits)
        found = hashlib.sha256(repr(of).encode())
        for rows in range(0, len(samples.X), 1024):
            found.update(np.ascontiguousarray(samples.X[rows : rows + 1024]).tobytes())
        for table in (samples.table, samples.feature_summary):
            for name, values in table.columns.items():
                found.update(repr((name, values.shape, values.dtype.str)).encode())
                found.update(np.ascontiguousarray(values).tobytes())
        return found.hexdigest()

    def key(self, task: WindowTask) -> object:
        """All that a result follows from, for `FitCache`."""
        fit = task.fit
        visible = None if fit.visible is None else [fit.visible.channels, fit.visible.standard]
        return [self._digest, fit.model, fit.recipe.hash, visible]

    def shared_by(self, task: WindowTask) -> None:
        """Every fit is one of its own."""

    def fit_predict(
        self, tasks: Sequence[WindowTask], *, tell: Tell, folder: Path | None
    ) -> list[tuple[Scores, dict[str, Any]]]:
        """See `Procedure`: probabilities, (n_test, n_labels) float64."""
        return [self._one(task, tell, folder) for task in tasks]

    def _one(self, task: WindowTask, tell: Tell, folder: Path | None) -> tuple[Scores, dict[str, Any]]:
        samples, fit = self._opened(), task.fit
        if task.permutation is not None:
            samples = permuted_samples(samples, fit.recipe, task.permutation)
        if fit.visible is not None:
            samples = fit.visible.of(samples)
        if fit.model == OUT_OF_DISTRIBUTION:
            return np.zeros((0, len(samples.labels))), out_of_distribution(samples, task.fold)
        if fit.model == OWN_MINUTES:
            seed = fold_seed(task.fold, fit.recipe)
            return np.zeros((0, len(samples.labels))), own_minutes(samples, fit.recipe, task.fold, seed=seed)
        return fit_predict(samples, fit.recipe, task.fold, fit.model, tell, folder)

    def _opened(self) -> Samples:
        if self.stored is None:
            return self.samples
        signal, features = (np.load(path, mmap_mode="r", allow_pickle=False) for path in self.stored[:2])
        X = KeptWindows(signal, self.stored[2], self.samples.X.shape[2])
        summary = replace(self.samples.feature_summary, features=features)
        return replace(self.samples, X=X, feature_summary=summary)

    @contextmanager
    def on_disk(self, folder: Path) -> "Iterator[WindowProcedure]":
        """With windows in a file that processes share: they are not copied into each."""
        samples, X, summary = self.samples, self.samples.X, self.samples.feature_summary
        assert isinstance(X, KeptWindows)  # as they are collected
        signal, features = folder / "windows.npy", folder / "features.npy"
        put_array(signal, X.signal)
        put_array(features, summary.features)
        empty = replace(
            samples,
            X=np.empty((0, *X.shape[1:]), dtype=np.float32),
            feature_summary=replace(summary, features=summary.features[:0]),
        )
        yield WindowProcedure(empty, (signal, features, X.at))
        for path in (signal, features):
            path.unlink(missing_ok=True)


def order_for(table: SampleTable, recipe: Recipe) -> LabelOrder | None:
    """The orders of labels that change within recordings and are predicted of other people; else None."""
    between = recipe.labels.target == "event" and recipe.evaluation.by == "people"
    return label_order(table) if between else None


def permuted_samples(samples: Samples, recipe: Recipe, number: int) -> Samples:
    """The same samples with permuted labels, which follow from the recipe's seed and this number alone.

    Where recordings share an order of labels, it is the order that is permuted, the same for all.
    """
    seed, by_person = recipe.training.seed, recipe.labels.target == "person"
    order = order_for(samples.table, recipe)
    if order is not None and order.shared:
        target = order.permuted(number, seed=seed)
    else:
        target = permuted_labels(samples.table, number, seed=seed, by_person=by_person)
    return replace(samples, table=replace(samples.table, target=target))
