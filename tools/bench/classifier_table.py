"""Figures of the comparison of classifiers: one row of its table, and rows against each other.

Where people are ten or more they are what is drawn; of fewer people blocks are drawn within each person and
label, so that these figures say nothing about anybody else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from offline.base.predictions import Predictions
from offline.stats.blocks import by_block
from offline.stats.intervals import DRAWS
from offline.stats.metrics import FEWEST_FOR_OTHERS, Figure, mean_of
from offline.stats.primary import METRICS, Metric, own_figures

Ends = tuple[float, float]
BA: Metric = "balanced_accuracy"


@dataclass(frozen=True, eq=False)
class RowFigures:
    """What a row of the table says.

    Parameters
    ----------
    window : mapping of metric to float or None
        By window, mean over people; empty of what is fitted to blocks.
    block : Predictions
        One row a block.
    p : mapping of metric to float or None
        By block, of the null that fits the design; empty where none was computed.
    """

    window: Mapping[Metric, Figure]
    block: Predictions
    p: Mapping[Metric, Figure]

    @classmethod
    def of(cls, table: Predictions, p: Mapping[Metric, Figure] | None = None) -> "RowFigures":
        """Of windows."""
        window = {metric: mean_of(own_figures(table, metric).values()) for metric in METRICS}
        return cls(window, by_block(table), p or {})

    def value(self, metric: Metric) -> Figure:
        """By block, mean over people."""
        return mean_of(own_figures(self.block, metric).values())

    @property
    def people(self) -> int:
        """Who has a figure by block."""
        return sum(each is not None for each in own_figures(self.block, BA).values())


def drawn(rows: Sequence[RowFigures], metric: Metric, *, seed: int = 0, draws: int = DRAWS) -> Floats:
    """Figures by block of some rows on the same draws: (n_rows, draws) float64.

    Of people where they are `FEWEST_FOR_OTHERS` or more, of blocks within person and label where they are
    fewer.
    """
    if rows[0].people >= FEWEST_FOR_OTHERS:
        return _people_drawn(rows, metric, seed, draws)
    return _blocks_drawn(rows, metric, seed, draws)


def _people_drawn(rows: Sequence[RowFigures], metric: Metric, seed: int, draws: int) -> Floats:
    own = [own_figures(each.block, metric) for each in rows]
    people = [person for person in own[0] if all(each.get(person) is not None for each in own)]
    values = np.array([[each[person] for person in people] for each in own], dtype=np.float64)
    chosen = np.random.default_rng(seed).integers(0, len(people), (draws, len(people)))
    return np.asarray(values[:, chosen].mean(axis=2))


def _blocks_drawn(rows: Sequence[RowFigures], metric: Metric, seed: int, draws: int) -> Floats:
    """Of two labels; a person's AUC compares blocks of one fold only, as everywhere."""
    names = [_names(each.block) for each in rows]
    shared = sorted(set.intersection(*(set(its.tolist()) for its in names)))
    tables = []
    for each, its in zip(rows, names, strict=True):
        at = {name: i for i, name in enumerate(its.tolist())}
        tables.append(each.block.rows(np.array([at[name] for name in shared])))
    first, rng = tables[0], np.random.default_rng(seed)
    out: list[list[Floats]] = [[] for _ in rows]
    for person in first.people:
        of_label = [np.flatnonzero((first.person == person) & (first.y == label)) for label in (0, 1)]
        if not all(map(len, of_label)):
            continue
        times = [rng.multinomial(len(g), np.full(len(g), 1 / len(g)), size=draws) for g in of_label]
        for table, values in zip(tables, out, strict=True):
            values.append(_figure_drawn(table, of_label, times, metric))
    return np.stack([np.nanmean(values, axis=0) for values in out])


def _figure_drawn(
    table: Predictions,
    of_label: Sequence[npt.NDArray[np.intp]],
    times: Sequence[npt.NDArray[np.int64]],
    metric: Metric,
) -> Floats:
    """A person's figure, (draws,) float64, where blocks of each label count so many times."""
    if metric == BA:
        right = np.argmax(table.scores, axis=1) == table.y
        found = [n @ right[rows] / len(rows) for n, rows in zip(times, of_label, strict=True)]
        return np.asarray(np.mean(found, axis=0))
    low, high = (table.scores[rows, 1] for rows in of_label)
    together = table.rounds[of_label[1]][:, np.newaxis] == table.rounds[of_label[0]]
    won = together * ((high[:, np.newaxis] > low) + 0.5 * (high[:, np.newaxis] == low))
    with np.errstate(invalid="ignore"):
        return np.asarray(
            ((times[1] @ won) * times[0]).sum(axis=1) / ((times[1] @ together) * times[0]).sum(axis=1)
        )


def _names(block: Predictions) -> npt.NDArray[np.str_]:
    assert block.recording is not None
    assert block.block is not None
    return np.array([f"{r}/{b}" for r, b in zip(block.recording, block.block, strict=True)])


def ends_of(draws: Floats) -> Ends:
    """95 % of some draws, (n,) float64."""
    low, high = np.nanquantile(draws, [0.025, 0.975])
    return float(low), float(high)


@dataclass(frozen=True, eq=False)
class Apart:
    """One row less another of the same set, in balanced accuracy by block.

    Parameters
    ----------
    other : str
        Which.
    value : float
        The difference, mean over people.
    draws : (n,) float64
        The same over draws.
    """

    other: str
    value: float
    draws: Floats


def less_best(rows: Mapping[str, RowFigures], name: str, simple: Sequence[str]) -> Apart | None:
    """A row less the best other simple row of its set; None where it is not there.

    The best is taken by the outer folds, so the difference is a little against the row.
    """
    if name not in rows:
        return None
    others = {each: rows[each].value(BA) for each in simple if each in rows and each != name}
    known = {each: value for each, value in others.items() if value is not None}
    own = rows[name].value(BA)
    if own is None or not known:
        return None
    best = max(known, key=lambda each: known[each])
    two = drawn([rows[name], rows[best]], BA)
    return Apart(best, own - known[best], two[0] - two[1])


def mean_apart(each: Sequence[Apart]) -> tuple[float, Ends]:
    """Mean over sets, and 95 % of its draws: sets as they are, people (or blocks) drawn in each."""
    n = min(len(its.draws) for its in each)
    draws = np.mean([its.draws[:n] for its in each], axis=0)
    return float(np.mean([its.value for its in each])), ends_of(draws)
