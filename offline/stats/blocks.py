"""Windows of one block (trial) put together: one prediction a block, by one rule that learns nothing.

The probabilities of a block are those of its windows' mean log probabilities, made to sum to 1 (their
normalised geometric mean).  A mean and not a sum: windows of a block overlap and share one response, so a
sum would count the same evidence many times; and blocks that have lost windows stay on one scale with
those that have all.  The predicted label is the one that the sum would give as well.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from models.probabilities import SUREST
from offline.base.predictions import Predictions

DIGITS = 12
"""Sums of the same in another order, or of more, differ in later ones."""
RULE = "mean log probability of a block's windows, made to sum to 1; nothing is fitted"


@dataclass(frozen=True, eq=False)
class Grouping:
    """Which block each row of a prediction table is of.

    Parameters
    ----------
    whose : (n,) int64
        Number of each row's block, by repeat, fold and condition.
    first : (n_blocks,) int64
        First row of each.
    """

    whose: npt.NDArray[np.int64]
    first: npt.NDArray[np.int64]

    @classmethod
    def of(cls, table: Predictions) -> "Grouping":
        """Blocks in the order of first appearance."""
        columns = [table.columns[name] for name in ("repeat", "fold", "condition", "recording", "block")]
        numbers = np.stack([np.unique(column, return_inverse=True)[1] for column in columns], axis=1)
        _, first, whose = np.unique(numbers, axis=0, return_index=True, return_inverse=True)
        order = np.argsort(first, kind="stable")
        return cls(np.argsort(order)[whose.ravel()], first[order])

    def mean(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Mean of the rows of each block: of (n, k) float64, (n_blocks, k) float64."""
        count = np.bincount(self.whose)
        return np.stack([np.bincount(self.whose, own) / count for own in values.T], axis=1)


def by_block(table: Predictions, grouping: Grouping | None = None) -> Predictions:
    """One row for each block, by each repeat, fold and condition that predicted it.

    Parameters
    ----------
    table : Predictions
        Of windows, with their blocks.
    grouping : Grouping or None
        Of these rows, where it is known already.

    Returns
    -------
    Predictions
        In the order of first appearance; the sample is the block's first, `into_block` that of its last
        window.
    """
    assert table.into_block is not None
    own = grouping or Grouping.of(table)
    last = np.full(len(own.first), -np.inf)
    np.maximum.at(last, own.whose, table.into_block)
    scores = combined(own.mean(log_probabilities(table)))
    return replace(table.rows(own.first), scores=scores, into_block=last)


def log_probabilities(table: Predictions) -> npt.NDArray[np.float64]:
    """Of each row and label, (n, n_labels) float64, kept finite."""
    return np.asarray(np.log(np.clip(table.scores, SUREST, 1.0)))


def combined(log: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Probabilities of mean log probabilities, (n, n_labels) float64.

    Equal ones stay equal, however many were summed.
    """
    return np.asarray(softmax(np.round(log, DIGITS), axis=1))
