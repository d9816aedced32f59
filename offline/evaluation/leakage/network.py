"""The audit of windows with the recipe's own network, each task one of the evaluation's like any fold.

Windows, folds, channels and numbers of training windows are those of the ridge model's audit, so the two can
be laid side by side.  Settings are the recipe's in every task: nothing is searched.  Labels are permuted as
often as the recipe asks for a null of the network (``network_permutations``); 0 leaves the true ones alone.
"""

from collections.abc import Sequence
from functools import cache, cached_property, partial
from typing import Any

from offline.estimators.baselines import window_features
from offline.evaluation.conditions import settings_kept
from offline.evaluation.leakage.by_person import audit_by_person
from offline.evaluation.leakage.protocols import AuditTask, LabelsOf
from offline.evaluation.leakage.windows import AuditWindows, plan_windows
from offline.evaluation.tasks import FitResult, FitTask
from offline.evaluation.windows import WindowFit, WindowTask
from offline.samples.recipe import Recipe
from offline.samples.samples import Samples
from offline.stats.permutation import permuted_labels
from offline.training.visible_channels import Sight

NETWORK_AUDIT = "network's audit"
"""Tag of the tasks."""


class NetworkAudit:
    """What the network is fitted to, and what comes of it.

    Parameters
    ----------
    samples : Samples
        Two labels.
    recipe : Recipe
        Whose network is audited; one of all channels.
    by_person : bool
        Whether the label is the person's.
    permutations : int
        Of the labels.
    """

    def __init__(self, samples: Samples, recipe: Recipe, *, by_person: bool, permutations: int) -> None:
        self._samples = samples
        self._recipe = recipe
        self._windows = AuditWindows.of(window_features(samples.X), samples.table, by_person=by_person)
        seed = recipe.training.seed
        self._labels: LabelsOf = cache(
            partial(permuted_labels, samples.table, seed=seed, by_person=recipe.labels.target == "person")
        )
        numbers = (None, *range(permutations))
        self._rounds = [(n, seed + (0 if n is None else n + 1)) for n in numbers]

    @cached_property
    def tasks(self) -> list[AuditTask]:
        """Every fold of every protocol, for the true labels and for permuted ones."""
        planned = plan_windows(self._windows, self._labels, self._rounds)
        return [task for tasks in planned for task in tasks]

    def fits(self) -> list[WindowTask]:
        """The tasks as those of an evaluation, in their order."""
        bare, out = settings_kept(self._recipe), []
        for task in self.tasks:
            number = task.permutation
            channels = self._windows.channels(task, self._labels(number))
            sight = Sight(channels=tuple(channels.tolist()), standard=tuple(task.normalisation.tolist()))
            fit = WindowFit(self._recipe.network.arm, bare, sight)
            out.append(FitTask(task.fold, str(task.protocol), fit, number, tag=NETWORK_AUDIT))
        return out

    def found(self, results: Sequence[FitResult[WindowFit]]) -> dict[str, Any]:
        """What the protocols gave.

        Parameters
        ----------
        results : sequence of FitResult
            Of `fits`, in their order.
        """
        scores = [each.scores for each in results]
        return audit_by_person(
            list(zip(self.tasks, scores, strict=True)),
            self._windows,
            self._labels,
            metric=self._recipe.evaluation.metric,
            seed=self._recipe.training.seed,
            model=self._recipe.network.arm,
            names=self._samples.labels,
        )
