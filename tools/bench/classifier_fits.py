"""A row of the comparison of classifiers, fitted in all folds and kept; and shrinkage LDA on block means."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from models.arrays import Floats
from offline.base.cohort import read_cohort
from offline.base.json_files import write_json
from offline.base.predictions import Predictions, read_predictions, write_predictions
from offline.base.sample_table import SampleTable
from offline.evaluation.conditions import divisions_of
from offline.evaluation.evaluation_plan import CONDITIONS
from offline.evaluation.fit_cache import FitCache
from offline.evaluation.order_null import common_orders
from offline.evaluation.runner import run_tasks
from offline.evaluation.tasks import FitTask
from offline.evaluation.windows import WindowFit, WindowProcedure, order_for
from offline.samples.recipe import Recipe
from offline.samples.recipe_sections import ModelSection, Training
from offline.samples.samples import Samples, collect
from offline.stats.permutation import Labels, p_value, permuted_labels
from offline.stats.primary import METRICS, Metric
from offline.stats.primary_figure import primary
from offline.training.pretrained import refuse_seen

TABLE, OF = "predictions.csv", "of.json"


class SampleCache:
    """Windows of the last few pipelines: rows differ in what is fitted more often than in the signal."""

    def __init__(self, cohort: Path, most: int = 2) -> None:
        self._cohort, self._most = cohort, most
        self._kept: dict[str, Samples] = {}

    def of(self, recipe: Recipe) -> Samples:
        """All samples of a recipe."""
        plain = {"model": ModelSection(kind="ridge"), "training": Training()}
        key = recipe.model_copy(update=plain).hash
        if key not in self._kept:
            self._kept[key] = collect(read_cohort(self._cohort), recipe)
            while len(self._kept) > self._most:
                del self._kept[next(iter(self._kept))]
        refuse_seen(recipe.training.pretrained, self._kept[key])
        return self._kept[key]


def fit_row(cache: SampleCache, recipe: Recipe, folder: Path, *, condition: str = "") -> Predictions:
    """What a recipe's model (or a baseline) says of everybody held out; read where it is there already.

    Parameters
    ----------
    cache : SampleCache
        Of the set.
    recipe : Recipe
        Of the row.
    folder : Path
        Of the row; what a killed run had fitted is taken up.
    condition : str
        A baseline instead of the recipe's model.
    """
    name = condition or recipe.model.condition
    of = [recipe.hash, name]
    if (folder / OF).exists() and json.loads((folder / OF).read_text(encoding="utf-8")) == of:
        return read_predictions(folder / TABLE)
    samples = cache.of(recipe)
    tasks = [
        FitTask(fold, name, WindowFit(name, recipe), repeat=repeat, tag=CONDITIONS)
        for repeat, fold in divisions_of(samples.table, recipe)
    ]
    procedure = WindowProcedure(samples)
    kept = FitCache[WindowFit](folder / "work", procedure.key)
    fitted = run_tasks(procedure, tasks, cache=kept)
    parts = [
        Predictions.of_fold(samples.labels, samples.table, each.task.fold, each.scores, condition=name)
        for each in fitted
    ]
    return _keep(folder, Predictions.concatenate(parts), of)


def _keep(folder: Path, table: Predictions, of: Sequence[str]) -> Predictions:
    folder.mkdir(parents=True, exist_ok=True)
    write_predictions(folder / TABLE, table)
    write_json(folder / OF, list(of))
    return table


def block_means(samples: Samples, recipe: Recipe) -> Predictions:
    """Shrinkage LDA on the means of whole blocks, in the recipe's folds: what a laboratory would take."""
    return _BlockMeans(samples, recipe).predicted(samples.table.target)


def block_means_p(samples: Samples, recipe: Recipe, permutations: int) -> dict[Metric, float | None]:
    """Its p by block: of other orders common to all where orders are shared, else of blocks permuted."""
    table, seed = samples.table, recipe.training.seed
    if recipe.evaluation.by == "time":
        return dict.fromkeys(METRICS)
    lda, order, like_true, exact = _BlockMeans(samples, recipe), order_for(table, recipe), 1, False
    if order is not None and order.shared:
        labels, exact = common_orders(order, permutations, seed=seed)
        like_true = order.like_true if exact else 1
    else:
        labels = [permuted_labels(table, k, seed=seed, by_person=False) for k in range(permutations)]
    true = lda.predicted(table.target)
    null = [lda.predicted(each) for each in labels]
    out: dict[Metric, float | None] = {}
    for metric in METRICS:
        found = primary(true, metric, by_person=False)
        others = np.array([primary(each, metric, by_person=False) for each in null], dtype=np.float64)
        out[metric] = None if found is None else p_value(found, others, like_true=like_true, exact=exact)
    return out


class _BlockMeans:
    """Means of blocks, once for all labels that they are given."""

    def __init__(self, samples: Samples, recipe: Recipe) -> None:
        self._samples, table = samples, samples.table
        assert table.block is not None  # labels come from events
        keys = np.array([f"{r}/{b}" for r, b in zip(table.recording, table.block, strict=True)])
        _, self._first, whose = np.unique(keys, return_index=True, return_inverse=True)
        means = np.asarray(samples.X[:], dtype=np.float64).mean(axis=2)
        total = np.zeros((len(self._first), means.shape[1]))
        np.add.at(total, whose, means)
        self._means: Floats = total / np.bincount(whose)[:, np.newaxis]
        self._folds = [fold for repeat, fold in divisions_of(table, recipe) if repeat == 0]

    def predicted(self, target: Labels) -> Predictions:
        """One row a block, of labels (n_windows,) int64."""
        samples, first = self._samples, self._first
        table: SampleTable = replace(samples.table, target=target)
        y = target[first]
        parts = []
        for fold in self._folds:
            train, test = np.isin(first, fold.train), np.isin(first, fold.test)
            fitted = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(
                self._means[train], y[train]
            )
            scores = np.zeros((np.count_nonzero(test), len(samples.labels)))
            scores[:, fitted.classes_] = fitted.predict_proba(self._means[test])
            own = replace(fold, test=first[test])
            parts.append(Predictions.of_fold(samples.labels, table, own, scores, condition="lda"))
        return Predictions.concatenate(parts)
