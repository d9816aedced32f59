"""Orders that people share: found, counted, and permuted for everybody at once."""

from dataclasses import dataclass, replace
from itertools import permutations
from math import factorial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offline.base.cohort import Cohort, CohortRow
from offline.base.sample_table import SampleTable
from offline.samples.samples import collect
from offline.stats.label_order import LabelOrder, label_order
from tests.offline.support import task_recipe

STEP, LENGTH, BLOCK = 3.0, 7.0, 30.0
WINDOWS_A_BLOCK = 8
FOUR_BY_FOUR = [0, 1, 2, 3, 1, 2, 3, 0, 2, 3, 0, 1, 3, 0, 1, 2]


def table_of(orders: list[list[int]], *, pause_s: float = 40.0) -> SampleTable:
    """A recording a person: so many windows a block, a pause between blocks."""
    name: list[str] = []
    start: list[float] = []
    y: list[int] = []
    for i, order in enumerate(orders):
        for k, label in enumerate(order):
            own = np.arange(0.0, BLOCK - LENGTH, STEP) + k * (BLOCK + pause_s)
            start += own.tolist()
            name += [f"p{i:02d}"] * len(own)
            y += [label] * len(own)
    person, begin = np.array(name), np.array(start)
    empty = np.full(len(person), "")
    return SampleTable(person, person, person, empty, begin, begin + LENGTH, np.array(y, dtype=np.int64))


def found(orders: list[list[int]]) -> LabelOrder:
    order = label_order(table_of(orders))
    assert order is not None
    return order


def orders_of(order: LabelOrder, y: np.ndarray) -> np.ndarray:
    """Labels by unit and position."""
    out = np.full(order.orders.shape, -1)
    out[order.unit, order.position] = y
    return out


ONE_ORDER = st.lists(st.integers(0, 2), min_size=2, max_size=7).filter(lambda its: len(set(its)) > 1)


@given(ONE_ORDER, st.integers(2, 5), st.integers(0, 50))
@settings(max_examples=60, deadline=None)
def test_an_order_common_to_all_is_permuted_for_all_at_once(one: list[int], people: int, number: int) -> None:
    order = found([one] * people)
    assert order.shared
    assert order.agreement == pytest.approx(1.0)
    y = order.permuted(number, seed=3)
    assert np.array_equal(y, order.permuted(number, seed=3))
    drawn = orders_of(order, y)
    assert (drawn == drawn[0]).all()
    for begin in range(0, len(one), order.within):  # what a round holds, it holds in another order
        part = slice(begin, begin + order.within)
        assert sorted(drawn[0, part]) == sorted(one[part])


@given(ONE_ORDER)
@settings(max_examples=60, deadline=None)
def test_all_other_orders_are_tried_once_and_none_is_the_true_one_renamed(one: list[int]) -> None:
    order = found([one, one])
    every = [tuple(orders_of(order, y)[0].tolist()) for y in order.all_others(seed=0)]
    assert len(every) == len(set(every)) == order.possible - order.like_true
    renamings = [dict(zip(sorted(set(one)), names, strict=True)) for names in permutations(sorted(set(one)))]
    alike = {tuple(names[label] for label in one) for names in renamings}
    assert not alike & set(every)


def test_rounds_are_found_and_permuted_within_where_that_leaves_orders_enough() -> None:
    order = found([FOUR_BY_FOUR] * 5)
    assert order.round_length == order.within == 4
    assert order.possible == factorial(4) ** 4
    assert order.like_true == factorial(4)
    drawn = orders_of(order, order.permuted(1, seed=0))[0]
    assert all(sorted(drawn[k : k + 4]) == [0, 1, 2, 3] for k in range(0, 16, 4))
    two = found([[label for label in FOUR_BY_FOUR if label in (0, 2)]] * 5)
    assert (two.round_length, two.within) == (2, 8)  # 2 of 16 would be the least p
    assert (two.possible, two.like_true) == (70, 2)
    assert two.described(("a", "b", "c"))["smallest_p"] == pytest.approx(2 / 70)
    assert found([[0, 0, 1, 2, 1, 2]] * 3).round_length == 6


def test_blocks_of_one_label_that_follow_each_other_stay_two() -> None:
    assert found([[0, 2, 2, 0]] * 3).n_positions == 4
    merged = label_order(table_of([[0, 2, 2, 0]] * 3, pause_s=0.0))
    assert merged is not None  # without a pause between them nothing tells them apart
    assert merged.n_positions == 3


def test_orders_of_each_persons_own_are_not_shared_and_two_opposite_ones_tell_nothing() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        assert not found([rng.permutation([0, 1] * 5).tolist() for _ in range(12)]).shared
    counterbalanced = found([[0, 1, 0, 1], [1, 0, 1, 0]] * 6)
    assert counterbalanced.agreement < 0.0
    assert not counterbalanced.shared


def test_few_orders_and_nearly_all_of_one_order_are_shared() -> None:
    backwards = FOUR_BY_FOUR[::-1]
    assert found([FOUR_BY_FOUR] * 6 + [backwards] * 6).shared
    rng = np.random.default_rng(1)
    others = [rng.permutation(FOUR_BY_FOUR).tolist() for _ in range(3)]
    mostly = found([FOUR_BY_FOUR] * 17 + others)
    assert mostly.shared
    assert mostly.distinct == 4
    assert mostly.described(("a", "b", "c", "d"))["with_most_common"] == 17


def test_whoever_lost_a_block_has_a_permutation_of_their_own() -> None:
    order = found([[0, 1, 1, 0]] * 5 + [[0, 1, 1]])
    assert order.described(("a", "b"))["other_lengths"] == 1
    y = order.permuted(0, seed=0)
    theirs = ~order.in_line
    assert np.bincount(y[theirs]).tolist() == np.bincount(order.target[theirs]).tolist()


@dataclass(frozen=True, eq=False)
class NumberedTable(SampleTable):
    """Samples that know their blocks."""

    block: npt.NDArray[np.int64] | None = None


def numbered(orders: list[list[int]]) -> NumberedTable:
    """Every sample with the number of its block in the recording."""
    table = table_of(orders)
    number = np.concatenate([np.repeat(np.arange(len(order)), WINDOWS_A_BLOCK) for order in orders])
    return NumberedTable(**table.columns, block=number)


def test_blocks_with_numbers_keep_their_places_where_some_are_lost() -> None:
    table = numbered([FOUR_BY_FOUR] * 6)
    whole = label_order(table)
    assert whole is not None
    lost = ((table.person == "p01") & (table.block == 3)) | ((table.person == "p02") & (table.block >= 14))
    order = label_order(table.rows(~lost))
    assert order is not None
    assert order.described(tuple("abcd")) == whole.described(tuple("abcd"))
    y = order.permuted(5, seed=0)
    expected = whole.permuted(5, seed=0)[~lost]
    assert np.array_equal(y, expected)
    first = label_order(table.rows(table.block != 0))  # a block that nobody has is no position
    assert first is not None
    assert first.n_positions == 15
    half = label_order(table.rows(~((table.person == "p03") & (table.block > 6))))
    assert half is not None  # too little is left of this one
    assert (len(half.orders), half.described(tuple("abcd"))["other_lengths"]) == (5, 1)


def test_numbers_tell_apart_what_no_pause_does() -> None:
    table = numbered([[0, 2, 2, 0]] * 3)
    order = label_order(replace(table, start=np.tile(np.arange(len(table) // 3) * STEP, 3)))
    assert order is not None
    assert order.n_positions == 4


def test_nothing_is_found_where_there_is_one_block_or_one_recording() -> None:
    assert label_order(table_of([[0, 1, 0]])) is None
    assert label_order(table_of([[0], [1], [0]])) is None


def test_the_n_back_set_has_one_order_for_everybody(data_dir: Path) -> None:
    folder = data_dir / "fnirs/tufts_nback"
    files = sorted(folder.glob("*.snirf"))[:4]
    cohort = Cohort(folder / "x.tsv", tuple(CohortRow(file, file.name[:6]) for file in files))
    intervals = {f"{n}-back": {"events": [f"{n}-back"], "delay_s": 20, "duration_s": 60} for n in range(4)}
    recipe = task_recipe(
        labels={"source": "events", "target": "event", "intervals": intervals},
        window={"length_s": 7, "step_s": 3},
        rate=5,
        pipeline=[{"stage": "resample"}],
    )
    samples = collect(cohort, recipe)
    order = label_order(samples.table)
    assert order is not None
    assert order.described(samples.labels) == {
        "shared": True,
        "recordings": 4,
        "other_lengths": 0,
        "distinct": 1,
        "most_common": [f"{n}-back" for n in FOUR_BY_FOUR],
        "with_most_common": 4,
        "agreement": 1.0,
        "positions": 16,
        "round_length": 4,
        "permuted_within": 4,
        "possible_orders": 24**4,
        "smallest_p": 24 / 24**4,
    }
