"""Where an order is shared: position alone misleads the usual null, and not this one."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from offline.base.predictions import Predictions
from offline.base.sample_table import SampleTable
from offline.evaluation.order_null import common_orders, order_null, position_removed, position_terms
from offline.evaluation.ridge_null import ridge_null, ridge_within_recordings
from offline.stats.label_order import LabelOrder, label_order
from offline.stats.primary_figure import primary
from offline.training.feature_table import FeatureTable

WINDOWS, PEOPLE = 3, 12
TWO = (0, 1, 1, 0, 1, 0, 0, 1)
FOUR = (0, 1, 2, 3, 1, 2, 3, 0, 2, 3, 0, 1, 3, 0, 1, 2)


def cohort(
    order: tuple[int, ...], rng: np.random.Generator, *, drift: float = 0.0, effect: float = 0.0
) -> tuple[FeatureTable, LabelOrder]:
    """Windows of people who share an order, with a drift over the session that all share, and an effect."""
    n_blocks = len(order)
    position = np.tile(np.repeat(np.arange(n_blocks), WINDOWS), PEOPLE)
    person = np.repeat([f"p{i:02d}" for i in range(PEOPLE)], n_blocks * WINDOWS)
    start = position * 100.0 + np.tile(np.arange(WINDOWS) * 5.0, PEOPLE * n_blocks)
    y = np.array(order)[position]
    course = rng.normal(size=(n_blocks, 6)).cumsum(axis=0)
    features = rng.normal(size=(len(y), 6)) + drift * course[position]
    features[:, 0] += effect * (y == 1)
    table = SampleTable(person, person, person, np.full(len(y), ""), start, start + 7.0, y.astype(np.int64))
    found = label_order(table)
    assert found is not None
    return FeatureTable(features, table, False, len(set(order))), found


def auc(data: FeatureTable, y: np.ndarray, **more: Any) -> float:
    (parts,) = ridge_within_recordings(data, [y], repeats=1, seed=0, **more)
    value = primary(Predictions.concatenate(parts), "auc", by_person=False)
    assert value is not None
    return value


def test_drift_alone_is_significant_by_the_usual_null_and_not_by_common_orders() -> None:
    misled, warned = 0, 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        data, order = cohort(tuple(rng.permutation(TWO).tolist()), rng, drift=0.5)
        found = auc(data, data.table.target)
        usual = ridge_null(data, permutations=39, seed=0).p(found, "auc")
        own = order_null(data, order, permutations=100, seed=0).p(found, "auc")
        assert usual is not None
        assert own is not None
        misled += usual <= 0.05
        warned += own > 0.05
    assert misled >= 8
    assert warned >= 9


def test_an_effect_beside_a_drift_stands_out_from_other_common_orders() -> None:
    data, order = cohort(TWO, np.random.default_rng(1), drift=0.2, effect=2.0)
    null = order_null(data, order, permutations=100, seed=0)
    assert (null.exact, null.like_true, null.size) == (True, 2, 68)
    assert null.p(auc(data, data.table.target), "auc") == pytest.approx(2 / 70)


def test_a_renamed_order_gives_what_the_true_one_gives() -> None:
    data, order = cohort(TWO, np.random.default_rng(2), drift=0.5)
    y = data.table.target
    assert auc(data, 1 - y) == pytest.approx(auc(data, y), abs=1e-12)
    labels, exact = common_orders(order, 100, seed=0)
    assert exact
    assert not any(np.array_equal(own, y) or np.array_equal(own, 1 - y) for own in labels)


def test_too_many_orders_are_drawn_at_random_and_four_labels_are_fitted_at_once_as_one_by_one() -> None:
    data, order = cohort(FOUR, np.random.default_rng(3), effect=1.0)
    null = order_null(data, order, permutations=19, seed=0)
    assert (null.exact, null.like_true, null.size) == (False, 1, 19)
    y = [order.permuted(k, seed=0) for k in range(3)]
    together = list(ridge_within_recordings(data, y, repeats=1, seed=0))
    for own, parts in zip(y, together, strict=True):
        (alone,) = ridge_within_recordings(data, [own], repeats=1, seed=0)
        for a, b in zip(parts, alone, strict=True):
            np.testing.assert_allclose(a.scores, b.scores, atol=1e-9)


def test_what_position_explains_is_removed_by_what_training_people_show_alone() -> None:
    """A drift by rounds goes; nothing of the held-out people's own features can change how."""
    rng = np.random.default_rng(4)
    data, order = cohort(TWO, rng, effect=1.0)
    rounds = np.array([3.0, -2.0, 1.0, -4.0])[order.position // 2]
    drifting = replace(data, features=data.features + rounds[:, np.newaxis])
    plain, removed = (position_removed(each, order, permutations=19, seed=0) for each in (data, drifting))
    assert plain is not None
    assert removed is not None
    assert removed.own["auc"] == pytest.approx(plain.own["auc"], abs=1e-9)
    assert removed.terms == "the round and the place within the round"
    assert removed.label_share == pytest.approx(0.0, abs=1e-12)


def test_held_out_people_do_not_enter_what_is_removed() -> None:
    data, order = cohort(TWO, np.random.default_rng(5), drift=0.5, effect=1.0)
    first = data.table.person == "p00"
    other = data.features.copy()
    other[first] += 5.0  # a constant of one held-out person moves that person's scores alone
    changed = position_removed(replace(data, features=other), order, permutations=19, seed=0)
    same = position_removed(data, order, permutations=19, seed=0)
    assert changed is not None
    assert same is not None
    assert changed.own["auc"]["p00"] == pytest.approx(same.own["auc"]["p00"], abs=1e-9)


@pytest.mark.parametrize(
    ("order", "terms"),
    [
        (TWO, "the round and the place within the round"),
        ((0, 1, 0, 1, 0, 1), "the round (the place within it is the label)"),
        ((0, 1, 1, 1, 0), "position in the session and its square"),
        ((0, 1, 0), "position in the session"),
        ((0, 1), None),
    ],
)
def test_no_more_of_position_is_removed_than_is_not_the_label(
    order: tuple[int, ...], terms: str | None
) -> None:
    data, found = cohort(order, np.random.default_rng(0))
    removed = position_terms(found)
    assert (None if removed is None else removed[0]) == terms
    if removed is not None:
        assert removed[2] < 1.0
        assert removed[1].shape[0] == len(data.table)


def test_without_another_order_nothing_can_be_told() -> None:
    data, order = cohort((0, 1), np.random.default_rng(0), effect=3.0)
    null = order_null(data, order, permutations=19, seed=0)
    assert (null.size, null.exact) == (0, True)
    assert null.p(1.0, "auc") == 1.0
