"""A block is one interval after one event: numbered by events alone, and every lost one is accounted for."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.cards.card import Card
from offline.base.cohort import read_cohort
from offline.base.predictions import Predictions, read_predictions, write_predictions
from offline.base.splits import leave_one_person_out
from offline.recordings import read_recording
from offline.samples.blocks import (
    BETWEEN,
    OUTSIDE,
    SHORT,
    TOUCHES,
    LabelBlock,
    holding,
    in_order,
    overlapping,
    why_lost,
)
from offline.samples.samples import Samples, collect
from offline.samples.span import Span
from realtime.quality.policy import Reason, WindowMeasurement
from realtime.windows import Window
from tests.offline.support import group_recipe, series_cohort, task_cohort, task_recipe
from tools.commands.train import lost_of

BLOCK = LabelBlock("task", "1", 10.0, 20.0)


def window(start: float, *reasons: Reason, end: float | None = None, count: int = 1) -> Window:
    return Window(
        0, count, start, start + 4 if end is None else end, None, WindowMeasurement(1, 1, 0), reasons
    )


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 40), st.integers(1, 9)), max_size=9))
def test_blocks_are_in_order_and_one_label_never_overlaps_itself(rows: list[tuple[str, int, int]]) -> None:
    blocks = in_order(LabelBlock(label, label, start, start + long) for label, start, long in rows)
    assert [block.start for block in blocks] == sorted(block.start for block in blocks)
    for label in "ab":
        own = [block for block in blocks if block.label == label]
        assert all(one.stop <= other.start for one, other in pairwise(own))
        covered = {t for name, start, long in rows if name == label for t in range(start, start + long)}
        assert covered == {t for block in own for t in range(int(block.start), int(block.stop))}
    assert blocks == in_order(reversed(blocks))


def test_a_window_that_touches_two_blocks_has_none() -> None:
    blocks = in_order([BLOCK, LabelBlock("rest", "2", 18.0, 30.0), LabelBlock("task", "1", 30.0, 40.0)])
    assert [holding(blocks, start, start + 4) for start in (9.9, 10, 14, 14.1, 20, 26, 28, 30)] == [
        None,
        0,
        0,
        None,
        1,
        1,
        None,
        2,
    ]


@pytest.mark.parametrize(
    ("windows", "why"),
    [
        ([window(9), window(10, Reason.MOTION), window(12, Reason.MOTION, Reason.FLAT)], "motion"),
        (
            [window(10, Reason.WARMING_UP), window(12, Reason.WARMING_UP), window(14, Reason.MOTION)],
            "warming up",
        ),
        ([window(0), window(4, Reason.COVERAGE, Reason.GAP, end=40, count=8)], "gap"),
        ([window(12)], TOUCHES),
        ([window(8, Reason.MOTION), window(18, Reason.MOTION)], BETWEEN),
        ([window(0, end=12)], SHORT),
        ([], SHORT),
    ],
)
def test_why_a_block_was_lost(windows: list[Window], why: str) -> None:
    assert why_lost(BLOCK, windows, 0.0, 50.0) == why


def test_a_block_that_the_recording_does_not_hold_is_outside_it() -> None:
    assert why_lost(BLOCK, [window(0)], 0.0, 15.0) == OUTSIDE


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    return collect(read_cohort(task_cohort(tmp_path_factory.mktemp("task"), people=2)), task_recipe())


def test_every_window_knows_its_block_and_every_block_is_accounted_for(samples: Samples) -> None:
    table, wanted = samples.table, task_recipe().labels
    assert table.block is not None
    assert table.event is not None
    assert table.into_block is not None
    assert set(table.event.tolist()) == {"1"}
    begun = table.stop - table.into_block
    for account in samples.accounts:
        own = table.recording == account.recording
        found: dict[str, int] = {}
        for block in np.unique(table.block[own]):
            rows = own & (table.block == block)
            assert len(np.unique(table.target[rows])) == 1
            assert np.ptp(begun[rows]) < 1e-6  # one start
            label = samples.labels[table.target[rows][0]]
            assert table.into_block[rows].max() <= wanted.intervals[label].duration_s + 1e-6
            found[label] = found.get(label, 0) + 1
        lost = {label: sum(reasons.values()) for label, reasons in account.blocks_lost.items()}
        # Cues at 20, 40, ... 100 s; the warm-up takes the first windows.
        assert account.blocks == {"rest": 5, "task": 5}
        assert {label: n - lost.get(label, 0) for label, n in account.blocks.items()} == found
        # By events alone: the first task is block 0, its rest block 1, whichever of them was usable.
        assert {int(k) % 2 for k in table.block[own][table.target[own] == 0]} == {1}


def test_what_a_warm_up_takes_is_named(tmp_path: Path) -> None:
    slow = [*task_recipe().model_dump()["pipeline"]]
    slow[-1] = {**slow[-1], "warmup_s": 50.0}
    late = collect(read_cohort(task_cohort(tmp_path, people=1, sessions=1)), task_recipe(pipeline=slow))
    (account,) = late.accounts
    assert account.blocks_lost == {"rest": {"warming up": 1}, "task": {"warming up": 2}}
    assert late.table.block is not None
    assert late.table.block.min() == 3  # numbers of blocks do not hang on what is usable


def test_a_span_asks_only_for_blocks_inside_it(tmp_path: Path) -> None:
    cohort = read_cohort(task_cohort(tmp_path, people=1, sessions=1))
    (account,) = collect(cohort, task_recipe(), span=Span.parse("41:110")).accounts
    assert account.blocks_lost == {}


def test_labels_of_people_have_no_blocks(tmp_path: Path) -> None:
    its = collect(read_cohort(series_cohort(tmp_path, ["a", "b", "a", "b"])), group_recipe())
    assert its.table.block is None
    assert all(account.blocks == {} for account in its.accounts)


def test_the_prediction_table_carries_blocks_and_is_read_again_as_written(
    samples: Samples, tmp_path: Path
) -> None:
    parts = [
        Predictions.of_fold(
            samples.labels, samples.table, fold, np.full((len(fold.test), 2), 0.5), condition="x"
        )
        for fold in leave_one_person_out(samples.table.person)
    ]
    table = Predictions.concatenate(parts)
    for each in (table, replace(table, recording=None, block=None, event=None, into_block=None)):
        write_predictions(tmp_path / "p.csv", each)
        again = read_predictions(tmp_path / "p.csv")
        assert list(again.columns) == list(each.columns)
        assert all(np.array_equal(again.columns[name], column) for name, column in each.columns.items())


def test_real_cues_that_are_close_overlap_and_their_middle_has_no_label(data_dir: Path) -> None:
    path = next((data_dir / "fnirs/homer3_two_conditions").rglob("neuro_run07.nirs"))
    recording = read_recording(path, length_unit="cm")
    interval = {"delay_s": 5.0, "duration_s": 33.6}
    labels = {"source": "events", "target": "event"}
    labels |= {"intervals": {name: {"events": [name], **interval} for name in ("1", "2")}}
    wanted = task_recipe(labels=labels).labels
    blocks = wanted.blocks(recording.events)
    assert len(blocks) == sum(event.label in {"1", "2"} for event in recording.events) == 8
    assert overlapping(blocks) == 2
    one, other = next(pair for pair in pairwise(blocks) if pair[1].start < pair[0].stop)
    assert one.label != other.label
    # Their cues are 2.5 s apart, so neither has a window of 7 s of its own.
    for start in np.arange(one.start, other.stop - 7.0, 0.5):
        assert wanted.label_of(start, start + 7.0, recording.events) is None


def test_a_card_names_lost_blocks_and_nothing_where_none_was_lost() -> None:
    def card(lost: dict[str, int]) -> Card:
        return Card.model_construct(training={"blocks": 10, "blocks_lost": lost})

    assert lost_of(card({"motion": 2, "gap": 1})) == "Blocks lost: 3 of 10 (2 motion, 1 gap)."
    assert lost_of(card({})) == ""
