"""From which confidence labels are shown, and how windows add up, both from unseen people's predictions."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offline.accumulation import Law, simulate_trajectories
from offline.base.predictions import Predictions
from offline.base.sample_table import SampleTable
from offline.evaluation.served import block_of, blocks_of, evidence_law, label_threshold, lower_end
from offline.samples.recipe_labels import Labels


def predictions(
    person: np.ndarray, y: np.ndarray, scores: np.ndarray, *, fold: np.ndarray | None = None
) -> Predictions:
    n = len(y)
    return Predictions(
        tuple("abc"[: scores.shape[1]]),
        fold=person if fold is None else fold,
        condition=np.full(n, "x"),
        sample=np.arange(n),
        person=person,
        y=y,
        scores=scores,
        repeat=np.zeros(n, dtype=np.int64),
    )


def drawn(seed: int, *, n_people: int = 15, windows: int = 60, skill: float = 1.0) -> Predictions:
    """People who differ in how well they are predicted; odds of the right label around ``skill``."""
    rng = np.random.default_rng(seed)
    person = np.repeat([f"p{i:02d}" for i in range(n_people)], windows)
    y = rng.integers(0, 2, len(person))
    own = np.repeat(rng.normal(skill, 0.3, n_people), windows)
    odds = np.where(y == 1, own, -own) + rng.normal(size=len(y)) * 1.5
    p = 1 / (1 + np.exp(-odds))
    return predictions(person, y, np.stack([1 - p, p], axis=1))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), skill=st.floats(-0.5, 2.0))
def test_the_smallest_threshold_that_beats_the_majority_by_its_bound(seed: int, skill: float) -> None:
    own = drawn(seed, skill=skill)
    found = label_threshold(own)
    confidence, right = own.scores.max(axis=1), own.scores.argmax(axis=1) == own.y

    def end(threshold: float) -> float:
        shown = confidence >= threshold
        whose = np.unique(own.person, return_inverse=True)[1]
        counted, good = np.bincount(whose, shown) / 60, np.bincount(whose, shown & right) / 60
        return lower_end(good, counted, found["majority"])

    tried = [0.0, *(round(0.05 * k, 2) for k in range(11, 20))]
    if found["min_confidence"] is None:
        assert found["reason"]
        return
    at = tried.index(found["min_confidence"])
    assert end(tried[at]) > found["majority"]
    assert found["right"] >= end(tried[at])
    assert all(end(each) <= found["majority"] for each in tried[:at])
    shown = confidence >= found["min_confidence"]
    assert found["share"] == pytest.approx(shown.mean())
    assert found["right"] == pytest.approx(right[shown].mean())


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_neither_order_nor_names_nor_which_label_is_which_matter(seed: int) -> None:
    own = drawn(seed, skill=0.4)
    shuffled = own.rows(np.random.default_rng(seed).permutation(len(own.y)))
    swapped = predictions(np.char.add("q", own.person), 1 - own.y, own.scores[:, ::-1])
    found = label_threshold(own)
    for other in (label_threshold(shuffled), label_threshold(swapped)):
        assert other["min_confidence"] == found["min_confidence"]
        assert other["majority"] == pytest.approx(found["majority"])


@given(n=st.integers(2, 40), majority=st.floats(0.3, 0.9), seed=st.integers(0, 1000))
def test_the_lower_end_lies_below_the_share_and_rises_with_people(n: int, majority: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    counted = rng.uniform(0.1, 1, n)
    good = counted * rng.uniform(majority, 1, n)
    once = lower_end(good, counted, majority)
    assert once <= good.sum() / counted.sum()
    assert lower_end(np.tile(good, 4), np.tile(counted, 4), majority) >= once - 1e-12
    with_nobody = lower_end(np.append(good, 0.0), np.append(counted, 0.0), majority)
    assert with_nobody == pytest.approx(once)


def test_scores_without_skill_show_no_label() -> None:
    """Of 200 draws at most a few: the bound is of 95 %, and several thresholds are tried."""
    some = sum(label_threshold(drawn(seed, skill=0.0))["min_confidence"] is not None for seed in range(200))
    assert some <= 40


def test_a_model_that_is_always_right_shows_every_label() -> None:
    own = drawn(1)
    perfect = predictions(own.person, own.y, np.eye(2)[own.y])
    found = label_threshold(perfect)
    assert (found["min_confidence"], found["right"], found["share"]) == (0.0, 1.0, 1.0)


def test_only_what_is_sure_is_shown_where_the_rest_is_at_chance() -> None:
    rng = np.random.default_rng(0)
    person = np.repeat([f"p{i:02d}" for i in range(20)], 100)
    y = rng.integers(0, 2, len(person))
    sure = rng.random(len(y)) < 0.02
    right = np.where(sure, True, rng.random(len(y)) < 0.45)
    p = np.where(sure, 0.92, 0.6)
    p = np.where(right == (y == 1), p, 1 - p)
    found = label_threshold(predictions(person, y, np.stack([1 - p, p], axis=1)))
    assert found["min_confidence"] == 0.65
    assert found["right"] == 1.0


def test_a_label_that_is_mostly_there_anyway_is_no_skill() -> None:
    """Always the first label, with confidence: right as often as it occurs."""
    rng = np.random.default_rng(0)
    person = np.repeat([f"p{i:02d}" for i in range(20)], 50)
    y = (rng.random(len(person)) < 0.2).astype(np.int64)
    found = label_threshold(predictions(person, y, np.tile([0.9, 0.1], (len(y), 1))))
    assert found["min_confidence"] is None
    assert found["majority"] == pytest.approx(np.mean(y == 0))


def test_few_people_support_no_label() -> None:
    found = label_threshold(drawn(1, n_people=9, skill=3.0))
    assert found["min_confidence"] is None
    assert found["reason"] == "9 people; expected 10 or more"


# ------------------------------------------------------------------------------------ evidence

TRUTH = Law(centre=0.2, mu=0.6, between=0.3, within=1.0, tau=8.0)


def after(event: str, delay_s: float, duration_s: float) -> dict[str, Any]:
    return {"events": [event], "delay_s": delay_s, "duration_s": duration_s}


LEFT_RIGHT = {"left": after("L", 4.0, 16.0), "right": after("R", 5.0, 16.0)}


def labels(intervals: dict[str, Any]) -> Labels:
    return Labels.model_validate({"source": "events", "target": "event", "intervals": intervals})


def test_a_block_follows_any_of_the_events_for_as_long_as_all_labels_hold() -> None:
    assert block_of(labels(LEFT_RIGHT)) == {"events": ["L", "R"], "first_s": 5.0, "last_s": 20.0}


@pytest.mark.parametrize(
    "intervals",
    [
        {"rest": after("1", 13.0, 7.0), "task": after("1", 0.0, 9.0)},
        {"a": after("1", 0.0, 5.0), "b": after("2", 6.0, 5.0)},
        {"a": after("1", -5.0, 5.0), "b": after("2", -5.0, 5.0)},
    ],
    ids=["told apart by time alone", "no second in common", "before the event"],
)
def test_where_events_begin_no_block_there_is_no_evidence_of_blocks(intervals: dict[str, Any]) -> None:
    assert block_of(labels(intervals)) is None


def test_blocks_are_windows_of_one_label_without_a_gap() -> None:
    start = np.array([0.0, 1.0, 2.0, 20.0, 21.0, 23.0, 50.0, 51.0])
    target = np.array([0, 0, 0, 0, 0, 0, 1, 1])
    n = len(start)
    text = np.full(n, "p")
    table = SampleTable(text, text, text, np.full(n, ""), start, start + 7.0, target)
    order = np.random.default_rng(0).permutation(n)
    found = blocks_of(table.rows(order), np.full((n, 2), 0.5), "f")
    assert [len(each.times) for each in found] == [3, 3, 2]
    assert [each.positive for each in found] == [False, False, True]
    np.testing.assert_allclose(found[1].times, [7.0, 8.0, 10.0])
    assert len({each.person for each in found}) == 3


def test_blocks_are_those_of_the_table_where_it_has_them() -> None:
    """Two of one label that follow each other at once, and one of which the middle is lost."""
    start = np.array([0.0, 1.0, 5.0, 6.0, 30.0, 50.0])
    target, n = np.array([0, 0, 0, 0, 1, 1]), len(start)
    text = np.full(n, "p")
    block = np.array([0, 0, 1, 1, 2, 2])
    table = SampleTable(text, text, text, np.full(n, ""), start, start + 7.0, target, block)
    assert [len(each.times) for each in blocks_of(table, np.full((n, 2), 0.5), "f")] == [2, 2, 2]


def many_blocks(n_people: int, blocks: int) -> tuple[SampleTable, Predictions]:
    tables, scores, person, fold = [], [], [], []
    for i in range(n_people):
        for k, t in enumerate(simulate_trajectories(blocks, TRUTH, seed=100 * i, seconds=30.0)):
            n = len(t.times)
            who = np.full(n, f"p{i:02d}")
            times = t.times + 100.0 * k
            y = np.full(n, int(t.positive), dtype=np.int64)
            tables.append(SampleTable(who, who, who, np.full(n, ""), times - 7.0, times, y))
            p = 1 / (1 + np.exp(-t.log_odds))
            scores.append(np.stack([1 - p, p], axis=1))
            person.append(who)
            fold.append(np.full(n, f"fold {i % 5}"))
    table = SampleTable.concatenate(tables)
    found = predictions(
        np.concatenate(person), table.target, np.concatenate(scores), fold=np.concatenate(fold)
    )
    return table, found


def test_the_law_of_blocks_is_calibrated_where_independent_windows_are_far_too_sure() -> None:
    table, own = many_blocks(20, 16)
    found = evidence_law(own, table, labels(LEFT_RIGHT))
    assert found is not None
    assert (found["of"], found["people"], found["units"]) == ("block", 20, 320)
    law = Law(**found["law"])
    assert law.mu == pytest.approx(TRUTH.mu, rel=0.35)
    assert found["confidence"] is None
    checked = found["checked"]
    assert checked["units"] == 320
    assert checked["by_law"]["slope"] == pytest.approx(1.0, abs=0.35)
    assert checked["as_if_independent"]["slope"] < 0.6
    assert checked["by_law"]["log_loss"] < checked["as_if_independent"]["log_loss"]


def test_few_people_teach_no_law_however_many_blocks() -> None:
    table, own = many_blocks(4, 16)
    found = evidence_law(own, table, labels(LEFT_RIGHT))
    assert found is not None
    assert found["law"] is None
    assert found["reason"] == "4 people; expected 10 or more"


def test_three_labels_have_no_evidence_of_this_kind() -> None:
    table, own = many_blocks(1, 2)
    three = predictions(own.person, own.y, np.full((len(own.y), 3), 1 / 3))
    assert evidence_law(three, table, labels(LEFT_RIGHT)) is None
