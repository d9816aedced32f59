"""What an evaluation fits and how it is reported, put together once: all that follows takes it.

Each task carries the recipe of its condition (`WindowFit.recipe`), which `fit_and_predict.fit_predict` reads;
all else that follows takes the plan, tasks and tables.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from offline.base.sample_table import SampleTable
from offline.base.splits import Fold
from offline.estimators.baselines import window_features
from offline.evaluation.conditions import Condition, divisions_of
from offline.evaluation.fit_and_predict import TRAITS, settings_kept
from offline.evaluation.own_minutes import OWN_MINUTES
from offline.evaluation.tasks import FitTask
from offline.evaluation.windows import (
    OUT_OF_DISTRIBUTION,
    WindowFit,
    WindowTask,
    order_for,
    permuted_samples,
)
from offline.samples.labels import refuse_two_labels
from offline.samples.recipe import Recipe
from offline.samples.samples import Samples
from offline.samples.sides import with_one_montage
from offline.stats.label_order import LabelOrder
from offline.stats.primary import Metric
from offline.stats.traits import traits_vary
from offline.training.feature_table import FeatureTable

CONDITIONS = "conditions"
"""Tag of the tasks that fill the prediction table."""
NETWORK_NULL = "network's null"
"""Tag of the recipe's own network on permuted labels."""


@dataclass(frozen=True, eq=False)
class EvaluationPlan:
    """Samples, what is fitted to them, and what figures are of.

    Parameters
    ----------
    samples : Samples
        All.
    recipe : Recipe
        What is evaluated.
    conditions : sequence of Condition
        What is compared; the recipe's own network first.
    """

    samples: Samples
    recipe: Recipe
    conditions: Sequence[Condition]

    @property
    def model(self) -> str:
        """The recipe's own, as tables name it."""
        return self.conditions[0].name

    @property
    def seed(self) -> int:
        """What all chance follows from."""
        return self.recipe.training.seed

    @property
    def metric(self) -> Metric:
        """Which figure was fixed beforehand."""
        return self.recipe.evaluation.metric

    @property
    def by_time(self) -> bool:
        """Whether parts of recordings are held out, not people."""
        return self.recipe.evaluation.by == "time"

    @property
    def permutations(self) -> int:
        """Of the labels, for the ridge model's null and the map of channels; 0 is none."""
        return 0 if self.by_time else self._within_budget(self.recipe.evaluation.permutations)

    @property
    def model_permutations(self) -> int:
        """Of the labels, for the recipe's own network; 0 is none."""
        return self._within_budget(self.recipe.evaluation.model_permutations)

    def _within_budget(self, wanted: int) -> int:
        most = self.recipe.budget.permutations
        return wanted if most is None else min(wanted, most)

    @cached_property
    def model_fit(self) -> WindowFit:
        """The recipe's own network by the recipe's settings alone: what its null and its audit fit."""
        return WindowFit(self.model, settings_kept(self.recipe))

    @property
    def by_person(self) -> bool:
        """Whether a person is predicted once: the label is theirs."""
        return self.recipe.labels.target == "person"

    @cached_property
    def simple(self) -> Samples:
        """What simple models are fitted to."""
        return with_one_montage(self.samples)

    @cached_property
    def features(self) -> FeatureTable:
        """What the ridge model is fitted to."""
        samples = self.simple
        features = window_features(samples.X)
        return FeatureTable(features, samples.table, self.by_person, len(samples.labels))

    @cached_property
    def divisions(self) -> list[tuple[int, Fold]]:
        """The folds of every repeat.

        Raises
        ------
        RecipeError
            There are too few people.
        """
        return divisions_of(self.samples.table, self.recipe)

    @cached_property
    def order(self) -> LabelOrder | None:
        """The orders of the labels; None where labels are people's, or parts of recordings are held out."""
        return order_for(self.samples.table, self.recipe)

    @property
    def shared_order(self) -> LabelOrder | None:
        """The same, where recordings share an order, so that position tells the label."""
        return self.order if self.order is not None and self.order.shared else None

    def permuted_table(self, number: int | None) -> SampleTable:
        """With the labels of a permutation, as tasks of this number are fitted to; the true ones for None."""
        samples = self.samples
        return (samples if number is None else permuted_samples(samples, self.recipe, number)).table

    def tasks(self) -> list[WindowTask]:
        """All that is fitted but the audits: conditions, the network's null, novel windows, curves.

        Raises
        ------
        RecipeError
            There are too few people, or somebody has two labels.
        """
        if self.by_person:
            refuse_two_labels(self.samples.table)
        table, traits = self.samples.table, traits_vary(self.samples.traits)
        tasks = [
            FitTask(fold, each.name, each.fit, repeat=repeat, tag=CONDITIONS)
            for each in self.conditions
            if traits or each.fit.model != TRAITS
            for repeat, fold in each.folds(table, self.divisions)
        ]
        # Each permutation is divided by its own labels.
        tasks += [
            FitTask(fold, self.model, self.model_fit, permutation=number, repeat=repeat, tag=NETWORK_NULL)
            for number in range(self.model_permutations)
            for repeat, fold in divisions_of(self.permuted_table(number), self.recipe)
        ]
        if not self.by_time:  # a session's own person is never part of what it was fitted to
            novel = WindowFit(OUT_OF_DISTRIBUTION, self.recipe)
            tasks += [
                FitTask(fold, novel.model, novel, repeat=repeat, tag=OUT_OF_DISTRIBUTION)
                for repeat, fold in self.divisions
            ]
        if self.recipe.evaluation.calibration:
            curve = WindowFit(OWN_MINUTES, settings_kept(self.recipe))
            tasks += [
                FitTask(fold, curve.model, curve, repeat=repeat, tag=OWN_MINUTES)
                for repeat, fold in self.divisions
                if repeat == 0
            ]
        return tasks
