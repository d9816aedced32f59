"""Windows of a block become one prediction by a rule that learns nothing; bits a minute follow Wolpaw."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offline.base.predictions import Predictions
from offline.stats.blocks import by_block
from offline.stats.null import Null
from offline.stats.primary_figure import primary
from offline.stats.transfer import bits_a_minute, wolpaw_bits


def table_of(scores: np.ndarray, block: np.ndarray, y: np.ndarray, **columns: np.ndarray) -> Predictions:
    n = len(scores)
    texts = np.full(n, "r")
    return Predictions(
        **{
            "labels": tuple("abc"[: scores.shape[1]]),
            "fold": texts,
            "condition": texts,
            "sample": np.arange(n),
            "person": texts,
            "y": y,
            "scores": scores,
            "repeat": np.zeros(n, dtype=np.int64),
            "recording": texts,
            "block": block,
            "event": texts,
            "into_block": np.arange(n, dtype=np.float64),
            **columns,
        }
    )


@st.composite
def tables(draw: st.DrawFn) -> Predictions:
    """Blocks of unequal numbers of windows, of two persons, some of one label only."""
    sizes = draw(st.lists(st.integers(1, 6), min_size=1, max_size=8))
    labels = draw(st.integers(2, 3))
    block = np.repeat(np.arange(len(sizes)), sizes)
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    scores = rng.dirichlet(np.ones(labels), len(block))
    y = rng.integers(0, labels, len(sizes))[block]
    person = np.where(block % 2, "p", "q")
    return table_of(scores, block, y, person=person, recording=person)


@given(tables(), st.integers(0, 1000))
def test_a_block_is_the_geometric_mean_of_its_windows_in_any_order(table: Predictions, seed: int) -> None:
    blocks = by_block(table)
    assert len(blocks) == len(np.unique(table.columns["block"]))
    assert np.allclose(blocks.scores.sum(axis=1), 1.0)
    for k in range(len(blocks)):
        rows = table.columns["block"] == blocks.columns["block"][k]
        mean = np.exp(np.log(np.maximum(table.scores[rows], 1e-6)).mean(axis=0))
        assert np.allclose(blocks.scores[k], mean / mean.sum())
        assert set(table.y[rows]) == {blocks.y[k]}
        assert set(table.person[rows]) == {blocks.person[k]}
        assert blocks.columns["into_block"][k] == table.columns["into_block"][rows].max()
    order = np.random.default_rng(seed).permutation(len(table))
    shuffled = by_block(table.rows(order))
    key = np.argsort(shuffled.columns["block"])
    assert np.allclose(shuffled.scores[key], blocks.scores[np.argsort(blocks.columns["block"])])


@given(tables(), st.integers(2, 5))
def test_a_window_said_twice_is_no_more_evidence(table: Predictions, times: int) -> None:
    again = table.rows(np.repeat(np.arange(len(table)), times))
    assert np.allclose(by_block(again).scores, by_block(table).scores)


def test_equal_windows_are_equal_blocks_however_many_they_are() -> None:
    """A classifier that knows only how common labels are has an AUC of one half by block too."""
    sizes = np.arange(1, 41)
    block = np.repeat(np.arange(40), sizes)
    scores = np.tile([0.7231, 0.2769], (len(block), 1))
    blocks = by_block(table_of(scores, block, (block % 2).astype(np.int64)))
    assert primary(blocks, "auc", by_person=False) == 0.5


def test_what_two_folds_or_conditions_predicted_stays_apart() -> None:
    scores = np.array([[0.9, 0.1], [0.9, 0.1], [0.2, 0.8], [0.2, 0.8]])
    fold = np.array(["one", "one", "other", "other"])
    for name in ("fold", "condition"):
        blocks = by_block(table_of(scores, np.zeros(4, int), np.zeros(4, int), **{name: fold}))
        assert np.allclose(blocks.scores, scores[[0, 2]])
        assert blocks.columns[name].tolist() == ["one", "other"]


@given(tables(), st.integers(0, 1000))
@settings(max_examples=30)
def test_the_null_of_blocks_is_of_blocks(table: Predictions, seed: int) -> None:
    rng = np.random.default_rng(seed)
    block = table.columns["block"]
    permuted = [replace(table, y=rng.permutation(len(table.labels))[table.y]) for _ in range(3)]
    permuted.append(permuted[0].rows(np.argsort(-block, kind="stable")))  # divided otherwise
    null = Null.of([[each] for each in permuted], by_person=False)
    assert null.of_blocks is not None
    for k, each in enumerate(permuted):
        value = primary(by_block(each), "balanced_accuracy", by_person=False)
        found = null.of_blocks.figures["balanced_accuracy"][k]
        assert np.isnan(found) if value is None else found == pytest.approx(value)
    plain = replace(table, recording=None, block=None, event=None, into_block=None)
    assert Null.of([[plain]], by_person=False).of_blocks is None


@given(st.integers(2, 8), st.floats(0, 1), st.floats(0, 1))
def test_bits_are_none_at_chance_all_at_certainty_and_never_fewer_for_more_accuracy(
    n: int, one: float, other: float
) -> None:
    low, high = sorted((one, other))
    assert wolpaw_bits(1.0 / n, n) == pytest.approx(0.0, abs=1e-12)
    assert wolpaw_bits(0.0, n) == pytest.approx(0.0, abs=1e-12)
    assert wolpaw_bits(1.0, n) == pytest.approx(np.log2(n))
    assert 0.0 <= wolpaw_bits(low, n) <= wolpaw_bits(high, n) + 1e-12
    assert wolpaw_bits(np.array([low, high]), n).tolist() == [wolpaw_bits(low, n), wolpaw_bits(high, n)]


def test_bits_by_hand() -> None:
    """1 + .9 log2 .9 + .1 log2 .1, and 2 + .9 log2 .9 + .1 log2 (.1 / 3)."""
    assert wolpaw_bits(0.9, 2) == pytest.approx(0.531, abs=1e-3)
    assert wolpaw_bits(0.9, 4) == pytest.approx(1.37, abs=5e-3)
    assert bits_a_minute(1.0, 2, 15.0) == pytest.approx(4.0)
