"""Whoever was measured together is on one side of everything, drawn together and permuted together."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import RecipeError
from offline.base.cohort import Cohort, CohortRow, read_cohort
from offline.base.row_splits import own_folds, ten_folds, ten_folds_of_anybody, ten_folds_of_sites_and_labels
from offline.base.sample_table import SampleTable
from offline.base.splits import Fold, evaluation_folds, fewer_people, site_folds
from offline.base.together import parted, together_hints, units_of
from offline.evaluation.leakage.protocols import HONEST, OVERLAPPING, STRANGERS
from offline.evaluation.leakage.window_audits import audit_ridge
from offline.evaluation.leakage.windows import plan_windows
from offline.stats.intervals import bootstrap_mean_sd, draw_people
from offline.stats.permutation import permuted_blocks, permuted_people
from offline.training.feature_table import FeatureTable
from offline.training.ridge import penalty_folds
from offline.training.validation import ValidationKind, validation_split


def table_of(sizes: list[int], labels: list[list[int]], per_person: int = 4) -> SampleTable:
    """Units of so many people each, and the labels of each one's windows by turns (one: the person's)."""
    person, unit, y, start = [], [], [], []
    k = 0
    for n in sizes:
        members = [f"p{i:02d}" for i in range(k, k + n)]
        for i, name in enumerate(members):
            own = labels[(k + i) % len(labels)]
            for w in range(per_person):
                person.append(name)
                unit.append("+".join(members))
                y.append(own[w % len(own)])
                start.append(10.0 * w)
        k += n
    names, begin = np.array(person), np.array(start)
    empty = np.full(len(names), "")
    target = np.array(y, dtype=np.int64)
    return SampleTable(names, names, names, empty, begin, begin + 7.0, target, together=np.array(unit))


def unparted(table: SampleTable, folds: list[Fold]) -> None:
    """No unit stands on both sides, and everybody is predicted once."""
    assert len(folds) > 1
    assert sorted(np.concatenate([fold.test for fold in folds]).tolist()) == list(range(len(table)))
    for fold in folds:
        assert not set(table.unit[fold.train]) & set(table.unit[fold.test])
        assert len(fold.train) + len(fold.test) == len(table)
        assert set(fold.held_out) == set(table.person[fold.test].tolist())


SIZES = st.lists(st.integers(1, 3), min_size=4, max_size=16)


@given(SIZES, st.integers(0, 20))
@settings(max_examples=40, deadline=None)
def test_units_are_on_one_side_of_the_folds_whatever_the_labels_are(sizes: list[int], seed: int) -> None:
    within = table_of(sizes, [[0, 1]])
    unparted(within, evaluation_folds(within.person, within.target, seed=seed, unit=within.together))
    alternating = [[i % 2] * 4 for i in range(sum(sizes))]
    own = table_of(sizes, alternating)
    folds = evaluation_folds(own.person, own.target, seed=seed, unit=own.together)
    unparted(own, folds)
    assert all(set(own.target[fold.train]) == {0, 1} for fold in folds)


def test_up_to_twenty_units_are_left_out_one_by_one() -> None:
    table = table_of([2] * 20, [[0, 1]])
    folds = evaluation_folds(table.person, table.target, unit=table.together)
    assert [len(fold.held_out) for fold in folds] == [2] * 20
    assert folds[0].name == "p00+p01"


def test_a_label_of_one_unit_alone_is_refused() -> None:
    table = table_of([2, 2, 2], [[0], [0], [1], [1], [1], [1]])
    with pytest.raises(RecipeError, match="held by 1 of 3 groups"):
        evaluation_folds(table.person, table.target, unit=table.together)


@given(st.integers(0, 30))
@settings(max_examples=20, deadline=None)
def test_early_stopping_and_penalties_part_no_unit(seed: int) -> None:
    table = table_of([2] * 8, [[0, 1]])
    everybody = np.arange(len(table))
    split = validation_split(table, everybody, seed=seed)
    assert split.kind is ValidationKind.PEOPLE
    assert not set(table.unit[split.train]) & set(table.unit[split.validation])
    for by_person, labels in ((False, table), (True, table_of([2] * 8, [[0], [1]]))):
        rows = FeatureTable(np.zeros((len(labels), 3)), labels, by_person).rows(everybody)
        assert rows.together is not None
        inner = penalty_folds(rows, seed=seed)
        assert inner
        for train, out in inner:
            assert not set(rows.together[train]) & set(rows.together[out])


def test_few_units_stop_early_by_time_and_never_by_a_partners_session() -> None:
    table = table_of([2, 2], [[0, 1]], per_person=40)
    split = validation_split(table, np.arange(len(table)), seed=0)
    assert split.kind is ValidationKind.ENDS
    assert table.stop[split.train].max() <= table.start[split.validation].min()


def test_a_learning_curve_takes_partners_one_after_the_other() -> None:
    table = table_of([2] * 6, [[0, 1]])
    fold = evaluation_folds(table.person, table.target, unit=table.together)[0]
    for n in (2, 4, 6):
        own = table.rows(fewer_people(fold, table, n).train)
        assert len(own.people) == n
        assert len(set(own.unit.tolist())) == n // 2


def test_folds_of_rows_and_sites_part_no_unit() -> None:
    table = table_of([2] * 15, [[0], [0], [1], [1]], per_person=1)
    for folds in (
        ten_folds(table, seed=1),
        ten_folds_of_sites_and_labels(table),
        ten_folds_of_anybody(table.person, seed=0, unit=table.together),
        own_folds(table, 30),
    ):
        unparted(table, folds)
    apart = replace(table, site=np.array(["a", "b"] * 15))  # partners at two sites
    assert site_folds(apart) == []
    assert len(site_folds(replace(apart, together=None))) == 2


@given(st.integers(0, 50))
@settings(max_examples=20, deadline=None)
def test_labels_go_from_unit_to_unit(seed: int) -> None:
    """Twins who share a label share one in every permutation; of opposite labels, both are there again."""
    rng = np.random.default_rng(seed)
    alike = table_of([2] * 8, [[0], [0], [1], [1]])
    y = permuted_people(alike, rng)
    for unit in np.unique(alike.unit):
        assert len(set(y[alike.unit == unit].tolist())) == 1
    opposite = table_of([2] * 8, [[0], [1]])
    y = permuted_people(opposite, rng)
    for unit in np.unique(opposite.unit):
        assert set(y[opposite.unit == unit].tolist()) == {0, 1}


def test_partners_with_one_order_of_blocks_keep_it_in_common() -> None:
    table = table_of([2] * 5, [[0, 1, 0, 1, 1, 0, 0, 1]], per_person=8)
    table = replace(
        table, start=np.tile(np.arange(8) * 100.0, 10), stop=np.tile(np.arange(8) * 100.0, 10) + 7
    )
    y = permuted_blocks(table, np.random.default_rng(0)).reshape(5, 2, 8)
    assert np.array_equal(y[:, 0], y[:, 1])
    assert len(np.unique(y[:, 0], axis=0)) > 1


def test_units_are_drawn_whole_and_twins_are_no_two_people() -> None:
    unit = np.repeat([f"u{i:02d}" for i in range(12)], 2)
    y = np.tile([0, 0, 1, 1], 6)
    times = draw_people(y, seed=0, draws=50, unit=unit).reshape(12, 2, 50)
    assert np.array_equal(times[:, 0], times[:, 1])
    values = np.repeat(np.random.default_rng(0).normal(size=12), 2)  # twins who are the same
    honest, strangers = bootstrap_mean_sd(values, seed=0, unit=unit), bootstrap_mean_sd(values, seed=0)
    alone = bootstrap_mean_sd(values[::2], seed=0)
    assert honest is not None
    assert strangers is not None
    assert honest == pytest.approx(alone)
    assert honest > 1.3 * strangers


def test_the_audit_shows_what_a_partner_in_training_gives() -> None:
    """Each unit has a pattern of its own: strangers' folds learn it from the partner, whole units do not."""
    table = table_of([2] * 16, [[0], [0], [1], [1]])
    unit = np.unique(table.unit, return_inverse=True)[1]
    figures = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        features = rng.normal(size=(16, 30))[unit] + 0.1 * rng.normal(size=(len(table), 30))
        data = FeatureTable(features, table, True)
        found = audit_ridge(data, permutations=0, divisions=1, seed=seed)["protocols"][str(STRANGERS)]
        figures.append([found[twin]["auc"]["value"] for twin in ("leaky", "honest")])
    leaky, honest = np.mean(figures, axis=0)
    assert leaky > honest + 0.2
    assert honest < 0.65
    tasks = list(plan_windows(lambda _: data, [(None, 0)]))
    assert {str(task.protocol) for task in tasks} >= {str(HONEST), str(OVERLAPPING), str(STRANGERS)}
    for task in tasks:
        if task.protocol is HONEST:
            assert not set(table.unit[task.fold.train]) & set(table.unit[task.fold.test])
    strangers = audit_ridge(replace(data, table=replace(table, together=None)), permutations=0, divisions=1)
    assert str(STRANGERS) not in strangers["protocols"]


def rows_of(folder: Path, **columns: list[str]) -> Cohort:
    """A cohort of people whose other columns are given, or whose column ``together`` is."""
    n = len(next(iter(columns.values())))
    together = columns.pop("together", [""] * n)
    rows = [
        CohortRow(
            folder / f"{i}.snirf",
            f"p{i}",
            values={name: cells[i] for name, cells in columns.items()},
            line=i + 2,
            together=together[i],
        )
        for i in range(n)
    ]
    return Cohort(folder / "cohort.tsv", tuple(rows))


def test_a_column_says_who_was_measured_together(tmp_path: Path) -> None:
    cohort = rows_of(tmp_path, together=["a", "a", "b", "", "b", "c"])
    assert units_of(cohort) == {"p0": "p0+p1", "p1": "p0+p1", "p2": "p2+p4", "p4": "p2+p4"}
    assert units_of(rows_of(tmp_path, family=["x", "n/a", "x"]), "family") == {"p0": "p0+p2", "p2": "p0+p2"}
    assert units_of(rows_of(tmp_path, family=["x", "y"])) == {}
    with pytest.raises(RecipeError, match=r"names the column 'famly'.*family"):
        units_of(rows_of(tmp_path, family=["x", "x"]), "famly")
    twice = rows_of(tmp_path, together=["a", "b"])
    twice = replace(twice, rows=(twice.rows[0], replace(twice.rows[1], person="p0")))
    with pytest.raises(RecipeError, match="expected one 'together' a person"):
        units_of(twice)
    assert [each.detail for each in parted(units_of(cohort), ["p1"])] == ["p0"]


def test_the_column_is_read_and_changes_the_cohorts_hash_only_where_it_says_something(tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(name)
    hashes = []
    for head, cell in (("", ""), ("\ttogether", "\tn/a"), ("\ttogether", "\tone")):
        rows = [f"{name}.txt\t{name}{cell}" for name in "ab"]
        (tmp_path / "cohort.tsv").write_text("\n".join([f"recording\tperson{head}", *rows]) + "\n")
        hashes.append(read_cohort(tmp_path).content_hash())
    assert hashes[0] == hashes[1] != hashes[2]
    assert units_of(read_cohort(tmp_path)) == {"a": "a+b", "b": "a+b"}
    assert read_cohort(tmp_path).rows[0].values == {}


@pytest.mark.parametrize(
    ("group", "together", "label", "told"),
    [
        (["1", "1", "2", "2", "3", "3"], None, None, True),
        (["1", "1", "2", "2", "3", "3"], "group", None, False),
        (["1", "1", "2", "2", "3", "3"], None, "group", False),
        (["1", "1", "1", "1", "1", "2"], None, None, False),
        (["A", "A", "B", "B"], None, None, False),  # as well the two groups of a small study
        (["A", "A", "A", "A", "A", "B", "B", "B", "B", "B"], None, None, False),
    ],
)
def test_a_column_group_of_pairs_is_asked_about(
    tmp_path: Path, group: list[str], together: str | None, label: str | None, told: bool
) -> None:
    hints = together_hints(rows_of(tmp_path, group=group), together, label)
    assert bool(hints) == told
    if told:
        assert 'evaluation.together = "group"' in hints[0].text
