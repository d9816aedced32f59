"""Never a person on both sides, every label on both sides where early stopping listens."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import RecipeError
from offline.base.sample_table import SampleTable
from offline.base.splits import evaluation_folds, leave_one_person_out, person_folds, time_folds
from offline.training.validation import ValidationKind, validation_split


def _table(sizes: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """People with so many windows each, and labels that change within them."""
    person = np.concatenate([[f"p{i:02d}"] * n for i, n in enumerate(sizes)])
    y = np.concatenate([np.arange(n) % 2 for n in sizes])
    return person, y


@pytest.mark.parametrize(("n", "folds"), [(4, 4), (9, 9), (10, 5), (30, 5)])
def test_few_people_are_left_out_one_of_each_label_and_many_in_five_folds(n: int, folds: int) -> None:
    person = np.array([f"p{i:02d}" for i in range(2 * n)])
    y = np.arange(2 * n) % 2
    found = evaluation_folds(person, y)
    assert len(found) == folds
    for fold in found:
        assert np.bincount(y[fold.test]).tolist() == [n // folds] * 2


@given(st.lists(st.integers(2, 12), min_size=2, max_size=40), st.integers(0, 9))
@settings(max_examples=40, deadline=None)
def test_folds_part_people_and_predict_every_window_once(sizes: list[int], seed: int) -> None:
    person, y = _table(sizes)
    for folds in (leave_one_person_out(person), evaluation_folds(person, y, seed=seed)):
        predicted = np.concatenate([fold.test for fold in folds])
        assert sorted(predicted.tolist()) == list(range(len(person)))
        for fold in folds:
            assert not set(person[fold.train]) & set(person[fold.test])
            assert len(fold.train) + len(fold.test) == len(person)
            assert set(fold.held_out) == set(person[fold.test])


@given(st.integers(2, 12), st.integers(2, 12), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_with_one_label_a_person_every_fold_holds_out_people_of_every_label(
    a: int, b: int, seed: int
) -> None:
    person = np.repeat([f"p{i:02d}" for i in range(a + b)], 3)
    y = np.repeat([0] * a + [1] * b, 3)
    for fold in evaluation_folds(person, y, seed=seed):
        assert set(y[fold.test]) == {0, 1}
        assert set(y[fold.train]) == {0, 1}
        assert not set(person[fold.train]) & set(person[fold.test])


def test_folds_follow_from_people_and_not_from_the_order_of_windows() -> None:
    person, y = _table([5] * 30)
    shuffled = np.random.default_rng(0).permutation(len(y))
    assert [fold.name for fold in leave_one_person_out(person)] == [
        fold.name for fold in leave_one_person_out(person[shuffled])
    ]


def test_too_few_people_are_an_error_that_counts_them() -> None:
    with pytest.raises(RecipeError, match="found 1: ann"):
        leave_one_person_out(np.array(["ann", "ann"]))
    with pytest.raises(RecipeError, match="expected 2 to 3"):
        person_folds(np.repeat(["a", "b", "c"], 2), np.tile([0, 1], 3), 4)
    with pytest.raises(RecipeError, match="held by one person only"):
        evaluation_folds(np.array(["a", "b", "c"]), np.array([0, 1, 0]))


def _cohort(people: int, sessions: int, windows: int = 40, length: float = 7.0) -> SampleTable:
    rows = [
        (f"p{p}", f"s{s}", f"p{p}s{s}", t)
        for p in range(people)
        for s in range(sessions)
        for t in range(windows)
    ]
    start = np.array([row[3] for row in rows], dtype=float)
    return SampleTable(
        person=np.array([row[0] for row in rows]),
        session=np.array([row[1] for row in rows]),
        recording=np.array([row[2] for row in rows]),
        site=np.full(len(rows), ""),
        start=start,
        stop=start + length,
        target=(start // 5).astype(np.int64) % 2,
    )


@given(st.integers(1, 9), st.integers(1, 3), st.integers(0, 999))
@settings(max_examples=60, deadline=None)
def test_validation_keeps_every_label_on_both_sides_and_shares_no_unit(
    people: int, sessions: int, seed: int
) -> None:
    table = _cohort(people, sessions)
    split = validation_split(table, np.arange(len(table)), seed=seed)
    expected = (
        ValidationKind.PEOPLE
        if people >= 5
        else ValidationKind.SESSIONS
        if sessions > 1
        else ValidationKind.ENDS
    )
    assert split.kind is expected
    assert not set(split.train) & set(split.validation)
    for side in (split.train, split.validation):
        assert set(table.target[side]) == {0, 1}
    if split.kind is ValidationKind.PEOPLE:
        assert not set(table.person[split.train]) & set(table.person[split.validation])
    if split.kind is ValidationKind.SESSIONS:
        assert not set(table.recording[split.train]) & set(table.recording[split.validation])
        assert set(table.person[split.train]) == set(table.person)  # no one is lost to training
    if split.kind is ValidationKind.ENDS:
        for name in set(table.recording):
            own = table.recording == name
            last = table.stop[np.intersect1d(split.train, np.flatnonzero(own))].max()
            first = table.start[np.intersect1d(split.validation, np.flatnonzero(own))].min()
            assert first - last >= 7.0 - 1e-9


def test_people_of_one_label_each_are_spared_so_that_training_keeps_both() -> None:
    person = np.repeat([f"p{i}" for i in range(6)], 4)
    y = np.repeat([0, 0, 0, 0, 1, 1], 4)
    start = np.tile(np.arange(4.0), 6)
    for seed in range(20):
        table = SampleTable(person, person, person, person, start, start + 1, y)
        split = validation_split(table, np.arange(24), seed=seed)
        assert split.kind is ValidationKind.PEOPLE
        assert set(y[split.train]) == {0, 1} == set(y[split.validation])


def test_where_nothing_can_be_spared_it_says_so() -> None:
    one = np.array(["a", "a"])
    start = np.array([0.0, 1.0])
    table = SampleTable(one, one, one, one, start, start + 7, np.array([0, 1]))
    split = validation_split(table, np.arange(2), seed=0)
    assert split.kind is ValidationKind.NONE
    assert split.train.tolist() == [0, 1]
    assert split.validation.size == 0


@given(st.lists(st.integers(3, 40), min_size=6, max_size=14), st.integers(2, 3), st.floats(0, 10))
@settings(max_examples=60, deadline=None)
def test_no_trial_is_on_both_sides_of_a_division_by_time(lengths: list[int], parts: int, gap: float) -> None:
    """Trials of unequal lengths, one after the other: some reach over the border of two parts."""
    block = np.repeat(np.arange(len(lengths)), lengths)
    names, start = np.full(len(block), "r"), np.arange(len(block), dtype=float)
    table = SampleTable(
        names,
        names,
        names,
        names,
        start,
        start + 7.0,
        block % 2,
        block=block,
        event=np.full(len(block), "cue"),
    )
    try:
        folds = time_folds(table, blocks=parts, gap_s=gap)
    except RecipeError:
        return  # a part without a trial, or none of a label left: told
    assert sorted(np.concatenate([fold.test for fold in folds]).tolist()) == list(range(len(table)))
    for fold in folds:
        assert not set(block[fold.train]) & set(block[fold.test])
        before, after = table.stop[fold.train], table.start[fold.train]
        first, last = table.start[fold.test].min(), table.stop[fold.test].max()
        assert np.all((before <= first - gap) | (after >= last + gap))


def test_a_recording_of_one_label_is_no_trial_in_time() -> None:
    recording = np.repeat(["a", "b"], 40)
    person, start = np.full(80, "p"), np.tile(np.arange(40.0), 2)
    plain = SampleTable(recording, person, recording, person, start, start + 2, np.repeat([0, 1], 40))
    whole = replace(plain, block=np.zeros(80, dtype=np.int64), event=np.full(80, ""))
    for one, other in zip(*(time_folds(each, blocks=4, gap_s=1.0) for each in (plain, whole)), strict=True):
        assert np.array_equal(one.test, other.test)
        assert np.array_equal(one.train, other.train)
