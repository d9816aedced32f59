"""The null of a permutation test: the figures that a procedure gives where there is nothing to find."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from models.arrays import Floats
from offline.base.predictions import Predictions
from offline.stats.permutation import p_value
from offline.stats.primary import METRICS, Metric
from offline.stats.primary_figure import primary


@dataclass(frozen=True, eq=False)
class Null:
    """Figures under permutations of the labels.

    Parameters
    ----------
    figures : mapping of metric to (n,) float64
        Of every permutation; NaN where one is not determined.
    like_true : int
        Permutations that give what the true labels give, these among them; `figures` lacks them.
    exact : bool
        Whether `figures` are of every other permutation that there is.
    """

    figures: dict[Metric, Floats]
    like_true: int = 1
    exact: bool = False

    @property
    def size(self) -> int:
        """How many permutations."""
        return len(next(iter(self.figures.values())))

    def p(self, found: float, metric: Metric) -> float | None:
        """The p value of a figure (`offline.stats.permutation.p_value`)."""
        return p_value(found, self.figures[metric], like_true=self.like_true, exact=self.exact)

    @staticmethod
    def of(predictions: Iterable[Sequence[Predictions]], *, by_person: bool) -> "Null":
        """The figures of what was predicted under each permutation, given as parts of a table."""
        figures: dict[Metric, list[float]] = {metric: [] for metric in METRICS}
        for parts in predictions:
            whole = Predictions.concatenate(parts)
            for metric in METRICS:
                value = primary(whole, metric, by_person=by_person)
                figures[metric].append(np.nan if value is None else value)
        return Null({metric: np.array(values) for metric, values in figures.items()})
