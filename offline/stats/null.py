"""The null of a permutation test: the figures that a procedure gives where there is nothing to find."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from models.arrays import Floats
from offline.base.predictions import Predictions
from offline.stats.blocks import Grouping, by_block
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
    of_blocks : Null or None
        The same of whole blocks (trials), where samples have them.
    like_true : int
        Permutations that give what the true labels give, these among them; `figures` lacks them.
    exact : bool
        Whether `figures` are of every other permutation that there is.
    """

    figures: dict[Metric, Floats]
    of_blocks: "Null | None" = None
    like_true: int = 1
    exact: bool = False

    @property
    def size(self) -> int:
        """How many permutations."""
        return len(next(iter(self.figures.values())))

    def p(self, found: float, metric: Metric) -> float | None:
        """The p value of a figure (`offline.stats.permutation.p_value`)."""
        return p_value(found, self.figures[metric], like_true=self.like_true, exact=self.exact)

    def counted(self, like_true: int, *, exact: bool) -> "Null":
        """The same, and by block, of permutations that were counted (`like_true`, `exact`)."""
        of_blocks = None if self.of_blocks is None else self.of_blocks.counted(like_true, exact=exact)
        return Null(self.figures, of_blocks, like_true, exact)

    @staticmethod
    def of(predictions: Iterable[Sequence[Predictions]], *, by_person: bool) -> "Null":
        """The figures of what was predicted under each permutation, given as parts of a table."""
        figures: dict[Metric, list[float]] = {metric: [] for metric in METRICS}
        blocks: dict[Metric, list[float]] = {metric: [] for metric in METRICS}
        grouped: tuple[Predictions, Grouping] | None = None
        for parts in predictions:
            whole = Predictions.concatenate(parts)
            _add(figures, whole, by_person)
            if whole.block is not None and not by_person:
                if grouped is None or not _same_rows(grouped[0], whole):
                    grouped = whole, Grouping.of(whole)
                _add(blocks, by_block(whole, grouped[1]), by_person)
        of_blocks = None if grouped is None else Null(_arrays(blocks))
        return Null(_arrays(figures), of_blocks)


def _add(figures: dict[Metric, list[float]], table: Predictions, by_person: bool) -> None:
    for metric in METRICS:
        value = primary(table, metric, by_person=by_person)
        figures[metric].append(np.nan if value is None else value)


def _arrays(figures: dict[Metric, list[float]]) -> dict[Metric, Floats]:
    return {metric: np.array(values) for metric, values in figures.items()}


def _same_rows(one: Predictions, other: Predictions) -> bool:
    """Whether permutations were divided alike, so that blocks are the same rows."""
    names = ("repeat", "fold", "sample")
    return all(np.array_equal(one.columns[name], other.columns[name]) for name in names)
