"""By block: everything follows from the prediction table; a course of accuracy, bits, and what was lost."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from offline.base.predictions import Predictions
from offline.evaluation.block_figures import best_of, block_figures, lost_blocks
from offline.evaluation.nulls import RidgeNulls
from offline.evaluation.over_block import seconds_of, transfer, wait_of
from offline.evaluation.summary import NO_NULLS, NullsOfFigures, nulls_for
from offline.report.blocks import counted, lost_words, transfer_words
from offline.samples.recipe import Recipe
from offline.samples.sample_account import SampleAccount, blocks_lost_words
from offline.stats.blocks import by_block
from offline.stats.null import Null
from offline.stats.primary_figure import primary
from offline.stats.transfer import wolpaw_bits
from tests.offline.support import task_recipe

ENDS = (4.0, 5.0, 6.0, 7.0)
"""Seconds into a block at which windows end."""


def recipe(delay: float = 3.0, lasts: float = 7.0) -> Recipe:
    interval = {"events": ["1"], "delay_s": delay, "duration_s": lasts}
    other = {"events": ["2"], "delay_s": delay + 2.0, "duration_s": lasts + 5.0}
    labels = {"source": "events", "target": "event", "intervals": {"rest": interval, "task": other}}
    return task_recipe(labels=labels)


def predictions(
    right: Any, people: int = 12, blocks: int = 8, conditions: tuple[str, ...] = ("cgrnn", "linear")
) -> Predictions:
    """Windows of people's blocks, labels by turns; ``right`` gives the probability of the true one."""
    rows = [
        (condition, f"p{person:02d}", block, end, right(condition, person, block, end))
        for condition in conditions
        for person in range(people)
        for block in range(blocks)
        for end in ENDS
    ]
    condition, person, block, ends, p = (np.array(column) for column in zip(*rows, strict=True))
    y = (block % 2).astype(np.int64)
    return Predictions(
        labels=("rest", "task"),
        fold=person,
        condition=condition,
        sample=np.tile(np.arange(len(rows) // len(conditions)), len(conditions)),
        person=person,
        y=y,
        scores=np.where(y[:, np.newaxis] == [0, 1], p[:, np.newaxis], 1 - p[:, np.newaxis]),
        repeat=np.zeros(len(rows), dtype=np.int64),
        recording=person,
        block=block.astype(np.int64),
        event=np.where(y, "2", "1"),
        into_block=ends,
    )


def found(table: Predictions, accounts: list[SampleAccount] | None = None, **more: Any) -> dict[str, Any]:
    its = block_figures(
        table,
        recipe(),
        accounts or [],
        simple=["linear", "time"],
        nulls=NO_NULLS,
        order=None,
        own_null=None,
        **more,
    )
    assert its is not None
    json.dumps(its, allow_nan=False)
    return its


def late(condition: str, person: int, block: int, end: float) -> float:
    """Each first window is wrong, faintly; later ones are right, in "linear" of half the people."""
    if end == ENDS[0]:
        return 0.4
    return 0.9 if condition == "cgrnn" or person % 2 else 0.2


def test_figures_are_those_of_blocks_and_differences_are_within_people() -> None:
    table = predictions(late)
    its = found(table)
    for name in ("cgrnn", "linear"):
        for metric in ("auc", "balanced_accuracy"):
            value = primary(by_block(table.of_condition(name)), metric, by_person=False)  # type: ignore[arg-type]
            assert its["conditions"][name][metric]["value"] == value
    assert its["conditions"]["cgrnn"]["balanced_accuracy"]["value"] == 1.0
    assert its["conditions"]["linear"]["balanced_accuracy"]["value"] == 0.5  # half of the people all wrong
    low, high = its["compared"]["linear"]["figure"]["interval"]
    assert low < its["compared"]["linear"]["figure"]["difference"] == 0.5 < high
    assert its["blocks"] == {"rest": 48, "task": 48}
    assert its["best_simple"] == "linear"


def test_windows_have_no_say_in_how_much_a_block_counts() -> None:
    """Thirty windows of one wrong block weigh no more than one window of a right one."""
    table = predictions(lambda c, p, block, end: 0.1 if block == 0 else 0.9)
    many = Predictions.concatenate([table, *[table.rows(table.columns["block"] == 0)] * 30])
    for key in ("auc", "balanced_accuracy"):
        once, often = (found(each)["conditions"]["cgrnn"][key] for each in (table, many))
        assert often["value"] == pytest.approx(once["value"])


def test_a_person_with_blocks_of_one_label_has_no_figure_and_is_named() -> None:
    table = predictions(late)
    table = table.rows((table.person != "p03") | (table.y == 1))
    its = found(table)
    assert its["without_a_figure"] == ["p03"]
    assert its["conditions"]["cgrnn"]["balanced_accuracy"]["value"] == 1.0
    assert "p03 had no block of some label" in counted(its)


def test_the_course_of_a_block() -> None:
    table = predictions(late)
    points = found(table)["over_seconds"]["cgrnn"]
    assert [point["seconds"] for point in points] == [5.0, 6.0, 7.0]
    assert all(point["blocks"] == 96 for point in points)
    assert [point["window"]["value"] for point in points] == [1.0, 1.0, 1.0]
    # All windows of the block are all windows so far at its end.
    end = points[-1]["so_far"]["value"]
    assert end == primary(by_block(table.of_condition("cgrnn")), "balanced_accuracy", by_person=False)
    # A window that comes later changes nothing before it.
    unlike = replace(table, scores=np.where(table.columns["into_block"][:, None] > 6, 0.5, table.scores))
    before = found(unlike)["over_seconds"]["cgrnn"]
    assert [p["so_far"] for p in before[:2]] == [p["so_far"] for p in points[:2]]


def test_a_lost_window_leaves_the_evidence_before_it() -> None:
    table = predictions(late)
    kept = (table.columns["block"] != 2) | (table.columns["into_block"] < 6)
    points = found(table.rows(kept))["over_seconds"]["cgrnn"]
    assert [point["blocks"] for point in points] == [96, 96, 96]
    whole = found(table.rows(table.columns["into_block"] > 5))["over_seconds"]["cgrnn"]
    assert whole[0]["blocks"] == 0
    assert whole[0]["so_far"]["value"] is None


def test_seconds_are_those_at_which_all_labels_last() -> None:
    table = predictions(late)
    assert seconds_of(table, recipe()) == [5.0, 6.0, 7.0]
    assert (
        len(seconds_of(replace(table, into_block=table.columns["into_block"] + 900), recipe(lasts=900))) <= 24
    )
    assert seconds_of(table, recipe(lasts=4.2)) == [4.2]
    short = table.rows((table.columns["into_block"] < 6.5) | (table.y == 1))  # "rest" ends sooner than said
    assert seconds_of(short, recipe(lasts=30.0)) == [5.0, 6.0, 7.0]
    assert wait_of(recipe()) == 3.0  # "task" waits two seconds longer, which is not everybody's
    assert wait_of(recipe(delay=-8.0)) == 0.0


def test_bits_a_minute_name_the_best_second_and_what_pauses_cost() -> None:
    accounts = [SampleAccount("r", f"p{i:02d}", 9, 9, {}, {}, 0.0, recorded_s=300.0) for i in range(12)]
    its = found(predictions(late), accounts)["transfer"]["cgrnn"]
    assert its["second"] == 5.0
    assert its["seconds_needed"] == 8.0
    assert its["above_chance"] is True
    assert its["bits"] == wolpaw_bits(its["accuracy"], 2)
    assert its["bits_per_minute"] == pytest.approx(60 * its["bits"] / 8.0)
    # 96 blocks in an hour.
    assert its["bits_per_minute_as_recorded"] == pytest.approx(96 * its["bits"] / 60)
    assert "bits a minute" in transfer_words("cgrnn", its)


def test_an_accuracy_at_chance_carries_nothing_and_is_said_to() -> None:
    rng = np.random.default_rng(0)
    its = found(predictions(lambda *_: rng.uniform(0.2, 0.8)))["transfer"]["cgrnn"]
    assert its["above_chance"] is False
    assert its["bits_interval"][0] == 0.0
    assert "not shown to be above 0" in transfer_words("cgrnn", its)
    never = found(predictions(lambda *_: 0.1))["transfer"]["cgrnn"]
    assert never["bits"] == 0.0
    assert "not shown to be above 0" in transfer_words("cgrnn", never)


def test_few_people_have_no_interval_and_the_words_say_so() -> None:
    its = found(predictions(late, people=4))
    assert its["transfer"]["cgrnn"]["above_chance"] is None
    assert "not known" in transfer_words("cgrnn", its["transfer"]["cgrnn"])
    assert transfer([], 2, wait=0.0, accounts=[]) is None
    assert "no information transfer rate" in transfer_words("cgrnn", None)


def test_the_clock_is_a_simple_comparison_too() -> None:
    figures = {
        "time": {"auc": {"value": 0.9}},
        "linear": {"auc": {"value": 0.7}},
        "x": {"auc": {"value": 1.0}},
    }
    assert best_of(figures, ["linear", "time"], "auc") == "time"
    assert best_of({"linear": {"auc": {"value": None}}}, ["linear", "time"], "auc") is None
    table = predictions(lambda c, *_: 0.9 if c == "time" else 0.6, conditions=("cgrnn", "linear", "time"))
    noisy = replace(table, scores=np.where((table.condition == "linear")[:, None], 0.5, table.scores))
    assert list(found(noisy)["over_seconds"]) == ["cgrnn", "time", "linear"]


def test_lost_blocks_are_counted_by_label_and_person() -> None:
    accounts = [
        SampleAccount("a", "x", 1, 1, {}, {}, 0.0, 1.0, {"rest": 5, "task": 5}, {"task": {"motion": 2}}),
        SampleAccount(
            "b", "x", 1, 1, {}, {}, 0.0, 1.0, {"rest": 5, "task": 5}, {"task": {"motion": 1, "gap": 1}}
        ),
        SampleAccount("c", "y", 1, 1, {}, {}, 0.0, 1.0, {"rest": 5, "task": 5}),
    ]
    lost = lost_blocks(accounts)
    assert lost["asked"] == {"rest": 15, "task": 15}
    assert lost["lost"] == {"task": {"motion": 3, "gap": 1}}
    assert list(lost["by_person"]) == ["x"]
    assert lost["by_person"]["x"]["asked"] == {"rest": 10, "task": 10}
    assert "4 of 30 blocks" in lost_words({"lost": lost})
    assert blocks_lost_words(accounts) == "4 of 30 blocks lost (3 motion, 1 gap)"
    assert "All 10 blocks" in lost_words({"lost": lost_blocks(accounts[2:])})


def test_labels_of_people_have_no_figures_by_block() -> None:
    plain = replace(predictions(late), recording=None, block=None, event=None, into_block=None)
    assert block_figures(plain, recipe(), [], simple=[], nulls=NO_NULLS, order=None, own_null=None) is None


def test_by_block_p_is_of_the_orders_common_to_all_where_one_is_shared() -> None:
    blocks = {metric: np.linspace(0.4, 0.6, 39) for metric in ("auc", "balanced_accuracy")}
    sure = Null({metric: np.full(39, 1.0) for metric in blocks}, Null(dict(blocks)))
    order = sure.counted(2, exact=True)
    assert order.of_blocks is not None
    assert (order.of_blocks.like_true, order.of_blocks.exact) == (2, True)
    nulls = NullsOfFigures(sure, order, sure).of_blocks
    assert nulls.fitting is order.of_blocks
    assert nulls.beside is sure.of_blocks
    assert nulls.fitting.p(0.9, "auc") == pytest.approx(2 / 41)
    chosen = nulls_for("ridge", "ridge", RidgeNulls(sure, order), None, None)
    assert chosen.fitting is order
    assert nulls_for("linear", "ridge", RidgeNulls(sure, order), None, None).fitting is None
