"""A null of the recipe's own network: the same network, fitted in all folds again, to permuted labels.

Settings (those of the recipe, whether or not others were chosen inside the folds) are kept, so the null is
conditional on them and is called that.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from offline.base.predictions import Predictions
from offline.base.splits import Fold
from offline.evaluation.null import Null
from offline.samples.recipe import Recipe
from offline.samples.samples import Samples
from offline.stats.permutation import permuted_labels
from offline.stats.primary import METRICS
from offline.stats.primary_figure import primary

CONDITIONAL = "the recipe's network on permuted labels, settings kept (conditional null)"


def relabelled(samples: Samples, recipe: Recipe, number: int) -> Samples:
    """The same samples under a permuted labelling.

    Parameters
    ----------
    samples : Samples
        With the true labels.
    recipe : Recipe
        Whose labels they are, and the seed.
    number : int
        Of the labelling: it follows from the seed and this number alone.
    """
    by_person = recipe.labels.target == "person"
    target = permuted_labels(samples.table, number, seed=recipe.training.seed, by_person=by_person)
    return replace(samples, table=replace(samples.table, target=target))


def network_null(
    samples: Samples,
    recipe: Recipe,
    judged: Sequence[tuple[int, int, Fold, npt.NDArray[np.float64]]],
    *,
    by_person: bool,
) -> Null | None:
    """Figures of all labellings.

    Parameters
    ----------
    samples : Samples
        With the true labels.
    recipe : Recipe
        What was fitted.
    judged : sequence of (int, int, Fold, (n, n_labels) float64)
        Labelling, repeat and fold, and what was said of the fold's judged samples.
    by_person : bool
        Whether a person is one judgement.

    Returns
    -------
    Null or None
        None where there are no labellings.
    """
    figures: dict[str, list[float]] = {metric: [] for metric in METRICS}
    for number in sorted({labelling for labelling, *_ in judged}):
        table = relabelled(samples, recipe, number).table
        parts = [
            Predictions(
                labels=samples.labels,
                fold=np.full(len(fold.test), fold.name),
                arm=np.full(len(fold.test), ""),
                sample=fold.test.astype(np.int64),
                person=table.person[fold.test],
                y=table.target[fold.test],
                scores=scores,
                repeat=np.full(len(fold.test), repeat, dtype=np.int64),
            )
            for labelling, repeat, fold, scores in judged
            if labelling == number
        ]
        whole = Predictions.concatenate(parts)
        for metric in METRICS:
            value = primary(whole, metric, by_person=by_person)
            figures[metric].append(np.nan if value is None else value)
    if not judged:
        return None
    return Null({metric: np.array(figures[metric]) for metric in METRICS})
