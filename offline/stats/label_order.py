"""The order in which labels came in each recording, and permutations of an order that people share.

Where everybody had one order of labels, position in the session tells the label, and whatever drifts over a
session (attention, heat of the optodes, blood pressure) can be learnt in the label's place.  Permuting labels
within each person makes orders that nobody shares, so what position alone can give never shows, and p comes
out far too small.  What would have been as likely is another order *common to all*: one permutation of the
positions of the blocks, applied to everybody at once.

Where every stretch of so many blocks (`offline.stats.block_positions`) holds each label as often, the design
has rounds, and orders are permuted within them: it could have drawn no others.  Where that leaves so few
orders that no p of 0.05 is possible, blocks are exchanged over the whole session; orders that follow a drift
are among those, so this makes p larger rather than smaller.

Winkler AM, Webster MA, Vidaurre D, Nichols TE, Smith SM (2015). Multi-level block permutation. NeuroImage
123:253-268.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations, product
from math import factorial, prod, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from offline.base.sample_table import SampleTable
from offline.stats.block_positions import Positions, block_positions
from offline.stats.permutation import FEWEST, Labels

LEAST_AGREEMENT = 0.1
"""Orders whose agreement (Fleiss' kappa) is no more are not called shared."""
MOST_SD = 3.0
"""Nor those whose agreement is no more than so many SDs of that of independent orders."""
STREAM = 41
"""So that a common order of a number is drawn apart from labels permuted within people."""
MOST_RENAMED = 6
"""With more labels than that, only the true order itself is taken to be like the true order."""


@dataclass(frozen=True, eq=False)
class LabelOrder:
    """The orders of a cohort's labels.

    Parameters
    ----------
    target : (n,) int64
        True labels of the samples.
    unit, position : (n,) intp
        Whose each sample is, and its block's number there, from 0.  Units that do not have as many blocks as
        most come after those of `orders`.
    orders : (n_units, n_positions) int64
        The label of each block.
    round_length : int
        Blocks of a round of the design; the number of positions where it has none.
    """

    target: Labels
    unit: Positions
    position: Positions
    orders: Labels
    round_length: int

    @property
    def n_positions(self) -> int:
        """Blocks of a recording."""
        return self.orders.shape[1]

    @cached_property
    def distinct(self) -> int:
        """How many different orders there are."""
        return len(np.unique(self.orders, axis=0))

    @cached_property
    def most_common(self) -> tuple[tuple[int, ...], int]:
        """The order that most have, and how many have it."""
        return Counter(map(tuple, self.orders.tolist())).most_common(1)[0]

    @cached_property
    def agreement(self) -> float:
        """Fleiss' kappa of the label at a position: 1 where all share one order, 0 where it tells nothing.

        Fleiss JL (1971). Measuring nominal scale agreement among many raters. Psychological Bulletin
        76:378-382.
        """
        n = len(self.orders)
        counts = np.stack([(self.orders == label).sum(axis=0) for label in np.unique(self.orders)], axis=1)
        found = ((np.square(counts).sum(axis=1) - n) / (n * (n - 1))).mean()
        expected = np.square(counts.sum(axis=0) / counts.sum()).sum()
        return float((found - expected) / (1.0 - expected))

    @property
    def shared(self) -> bool:
        """Whether position tells the label: one order for all, or more agreement than by chance."""
        n = len(self.orders)
        by_chance = sqrt(2.0 / (self.n_positions * n * (n - 1)))
        return self.distinct == 1 or self.agreement > max(LEAST_AGREEMENT, MOST_SD * by_chance)

    @cached_property
    def within(self) -> int:
        """Blocks that are exchanged among themselves: a round, or all where rounds leave too few orders."""
        if self._smallest_p(self.round_length) <= 1.0 / (FEWEST + 1):
            return self.round_length
        return self.n_positions

    @property
    def possible(self) -> int:
        """How many common orders there are, the true one among them."""
        return self._possible(self.within)

    @cached_property
    def like_true(self) -> int:
        """How many of them are the true one with labels renamed: whatever is learnt, they give the same."""
        return self._like_true(self.within)

    @property
    def smallest_p(self) -> float:
        """No smaller p is possible, were all common orders tried."""
        return self._smallest_p(self.within)

    def _smallest_p(self, length: int) -> float:
        return self._like_true(length) / self._possible(length)

    def _rounds(self, length: int) -> list[list[int]]:
        """Of each round, which columns of `orders` stand in it; equal columns have one number."""
        _, kind = np.unique(self.orders, axis=1, return_inverse=True)
        return kind.reshape(-1, length).tolist()

    def _possible(self, length: int) -> int:
        return prod(
            factorial(length) // prod(map(factorial, Counter(each).values())) for each in self._rounds(length)
        )

    def _like_true(self, length: int) -> int:
        labels = np.unique(self.orders)
        if len(labels) > MOST_RENAMED:
            return 1
        parts = [self.orders[:, begin : begin + length] for begin in range(0, self.n_positions, length)]
        own = [Counter(map(tuple, part.T.tolist())) for part in parts]
        found = 0
        for renamed in permutations(labels.tolist()):
            to = dict(zip(labels.tolist(), renamed, strict=True))
            found += all(
                Counter({tuple(to[v] for v in column): n for column, n in each.items()}) == each
                for each in own
            )
        return found

    def others(self) -> Iterator[Positions]:
        """Every common order but those like the true one: which position comes where, (n_positions,) intp."""
        true = _renamed(self.orders)
        starts = range(0, self.n_positions, self.within)
        for kinds in product(*(_arrangements(each) for each in self._rounds(self.within))):
            whole = np.concatenate(
                [
                    _places(was, new, at)
                    for was, new, at in zip(self._rounds(self.within), kinds, starts, strict=True)
                ]
            )
            if not np.array_equal(_renamed(self.orders[:, whole]), true):
                yield whole

    def all_others(self, *, seed: int) -> list[Labels]:
        """Labels of the samples, (n,) int64 each, in `others`."""
        return [self.labels(each, _chance(seed, k)) for k, each in enumerate(self.others())]

    def permuted(self, number: int, *, seed: int) -> Labels:
        """Labels of the samples, (n,) int64, in a common order at random: it follows from seed and number."""
        rng = _chance(seed, number)
        starts = range(0, self.n_positions, self.within)
        return self.labels(np.concatenate([begin + rng.permutation(self.within) for begin in starts]), rng)

    def labels(self, order: Positions, rng: np.random.Generator | None = None) -> Labels:
        """Labels of the samples, (n,) int64, had everybody's blocks come in this order.

        A unit with another number of blocks has a permutation of its own, or without a generator none.
        """
        out = self.target.copy()
        known = self.in_line
        out[known] = self.orders[self.unit[known], order[self.position[known]]]
        for rows in self._others_of:
            if rng is None:
                break
            _, first, block = np.unique(self.position[rows], return_index=True, return_inverse=True)
            out[rows] = rng.permutation(self.target[rows][first])[block]
        return out

    @property
    def in_line(self) -> npt.NDArray[np.bool_]:
        """Samples of units with as many blocks as most, (n,) bool."""
        return self.unit < len(self.orders)

    @cached_property
    def _others_of(self) -> list[Positions]:
        """Samples of each unit with another number of blocks."""
        return [np.flatnonzero(self.unit == unit) for unit in np.unique(self.unit[~self.in_line])]

    def described(self, labels: tuple[str, ...]) -> dict[str, Any]:
        """JSON types: how many orders there are, whether they are shared, and how they are permuted."""
        order, most = self.most_common
        return {
            "shared": self.shared,
            "recordings": len(self.orders),
            "other_lengths": len(self._others_of),
            "distinct": self.distinct,
            "most_common": [labels[label] for label in order],
            "with_most_common": most,
            "agreement": round(self.agreement, 6),
            "positions": self.n_positions,
            "round_length": None if self.round_length == self.n_positions else self.round_length,
            "permuted_within": self.within,
            "possible_orders": self.possible,
            "smallest_p": self.smallest_p,
        }


def label_order(table: SampleTable) -> LabelOrder | None:
    """The orders of these samples' labels; None where two recordings of as many blocks are not to be had."""
    found = block_positions(table)
    if found is None or len(np.unique(found[2])) < 2:
        return None
    unit, position, orders = found
    return LabelOrder(table.target, unit, position, orders, _round_length(orders))


def _round_length(orders: Labels) -> int:
    """The shortest stretch of blocks in which, again and again, everybody has each label as often."""
    n = orders.shape[1]
    labels = np.unique(orders)
    for length in range(2, n):
        if n % length == 0:
            counts = (orders.reshape(len(orders), -1, length, 1) == labels).sum(axis=2)
            if (counts == counts[:, :1]).all() and (counts[:, 0] > 0).all():
                return length
    return n


def _renamed(orders: Labels) -> Labels:
    """Orders with labels numbered as they first come, so that renaming them makes no difference."""
    _, first, which = np.unique(orders, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[which].reshape(orders.shape)


def _arrangements(kinds: list[int]) -> Iterator[list[int]]:
    """Every distinct order of these numbers (Knuth, The Art of Computer Programming 7.2.1.2, algorithm L)."""
    now = sorted(kinds)
    while True:
        yield list(now)
        j = len(now) - 2
        while j >= 0 and now[j] >= now[j + 1]:
            j -= 1
        if j < 0:
            return
        k = len(now) - 1
        while now[j] >= now[k]:
            k -= 1
        now[j], now[k] = now[k], now[j]
        now[j + 1 :] = reversed(now[j + 1 :])


def _places(was: list[int], new: list[int], begin: int) -> Positions:
    """Which position of a round comes where, (n,) intp, so that its columns' kinds come in the new order."""
    free = {kind: [begin + i for i, own in enumerate(was) if own == kind] for kind in set(was)}
    return np.array([free[kind].pop(0) for kind in new], dtype=np.intp)


def _chance(seed: int, number: int) -> np.random.Generator:
    return np.random.default_rng([STREAM, seed, number])
