"""The primary figure: people compared within a round, each counting the same."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from offline.base.predictions import Predictions
from offline.stats.intervals import draw_people
from offline.stats.person_metrics import decision_curve, partial_auc, people_figures, predictive_values
from offline.stats.primary import Pairs, PersonScores, own_figures, person_scores
from offline.stats.primary_figure import primary


def scores_of(rows: np.ndarray, positive: np.ndarray) -> PersonScores:
    people = tuple(f"p{i:02d}" for i in range(len(positive)))
    return PersonScores(people, positive, rows)


def windows(n_people: int, seed: int, *, per_person: int = 7) -> Predictions:
    """One label a person, two folds, windows in disorder."""
    rng = np.random.default_rng(seed)
    whose = rng.permutation(np.repeat(np.arange(n_people), per_person))
    p = rng.uniform(0.01, 0.99, len(whose))
    return Predictions(
        labels=("a", "b"),
        fold=np.where(whose < n_people // 2, "f0", "f1"),
        condition=np.full(len(whose), "m"),
        sample=np.arange(len(whose)),
        person=np.array([f"p{i:02d}" for i in whose]),
        y=(whose % 2).astype(np.int64),
        scores=np.stack([1 - p, p], axis=1),
        repeat=np.zeros(len(whose), dtype=np.int64),
    )


def test_a_person_is_the_mean_log_odds_of_their_windows() -> None:
    table = windows(6, 0)
    found = person_scores(table)
    p = table.scores[table.person == "p03", 1]
    assert found.log_odds[1, 3] == pytest.approx(np.log(p / (1 - p)).mean())
    assert np.isnan(found.log_odds[0, 3])
    assert found.positive.tolist() == [False, True] * 3


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_auc_agrees_with_scikit_learn_and_ties_count_half(seed: int) -> None:
    rng = np.random.default_rng(seed)
    positive = rng.permutation(np.arange(20) < 8)
    rows = np.round(rng.normal(size=(3, 20)), 1)
    pairs = Pairs.of(scores_of(rows, positive))
    theirs = np.mean([roc_auc_score(positive, row) for row in rows])
    assert pairs.figure("auc", positive)[0] == pytest.approx(theirs)
    assert partial_auc(scores_of(rows[:1], positive)) == pytest.approx(
        roc_auc_score(positive, rows[0], max_fpr=0.2)
    )


def test_rounds_are_never_compared() -> None:
    """Two perfect rounds whose scores share no scale are perfect together."""
    positive = np.array([False, True, False, True])
    nan = np.nan
    rows = np.array([[-9.0, -8.0, nan, nan], [nan, nan, 8.0, 9.0]])
    assert Pairs.of(scores_of(rows, positive)).figure("auc", positive)[0] == 1.0


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_counting_people_is_having_them_several_times(seed: int) -> None:
    rng = np.random.default_rng(seed)
    positive = np.arange(12) % 2 == 0
    row = rng.normal(size=12)
    pairs = Pairs.of(scores_of(row[None], positive))
    times = draw_people(positive, seed=seed, draws=3)
    assert times[positive].sum(axis=0).tolist() == [6.0] * 3
    for k in range(3):
        again = np.repeat(np.arange(12), times[:, k].astype(int))
        said = row[again] > 0
        assert pairs.figure("auc", positive, times)[k] == pytest.approx(
            roc_auc_score(positive[again], row[again])
        )
        bal = 0.5 * (said[positive[again]].mean() + (~said[~positive[again]]).mean())
        assert pairs.figure("balanced_accuracy", positive, times)[k] == pytest.approx(bal)


def test_swapped_labels_turn_the_figure_round_and_order_does_not_matter() -> None:
    table = windows(10, 3)
    value = primary(table, "auc", by_person=True)
    assert value is not None
    order = np.random.default_rng(0).permutation(len(table))
    assert primary(table.rows(order), "auc", by_person=True) == pytest.approx(value)
    scores = person_scores(table)
    assert Pairs.of(scores).figure("auc", ~scores.positive)[0] == pytest.approx(1 - value)


def test_labels_within_a_recording_give_everybody_a_figure_of_their_own() -> None:
    """A person with a thousand windows counts as one with ten."""
    y = np.array([0, 1] * 500 + [0, 1] * 5)
    p = np.concatenate([y[:1000] * 0.8 + 0.1, 0.9 - y[1000:] * 0.8])
    person = np.array(["a"] * 1000 + ["b"] * 10)
    n = len(y)
    table = Predictions(
        ("x", "y"),
        person,
        np.full(n, "m"),
        np.arange(n),
        person,
        y,
        np.stack([1 - p, p], 1),
        np.zeros(n, int),
    )
    assert own_figures(table, "auc") == {"a": 1.0, "b": 0.0}
    assert primary(table, "auc", by_person=False) == 0.5
    assert primary(table, "balanced_accuracy", by_person=False) == 0.5


def test_net_benefit_is_bounded_by_a_perfect_and_by_an_empty_prediction() -> None:
    positive = np.array([True] * 4 + [False] * 6)
    perfect = decision_curve(positive, positive.astype(float))
    assert perfect is not None
    assert all(row["benefit"] == pytest.approx(0.4) for row in perfect)
    no_one = decision_curve(positive, np.zeros(10))
    assert no_one is not None
    assert all(row["benefit"] == 0.0 for row in no_one)
    everybody = decision_curve(positive, np.ones(10), 0.1)
    assert everybody is not None
    assert all(row["benefit"] == pytest.approx(row["everybody"]) for row in everybody)
    assert decision_curve(np.ones(3, dtype=bool), np.ones(3)) is None


def test_figures_of_people() -> None:
    positive = np.array([True] * 5 + [False] * 5)
    row = np.array([2.0, 1.0, 1.0, 1.0, -1.0, -1.0, -1.0, -2.0, 0.5, -1.0])
    scores = scores_of(row[None], positive)
    found = people_figures(scores, Pairs.of(scores), 0.02)
    assert found["sensitivity"] == 0.8
    assert found["specificity"] == 0.8
    assert found["at_prevalence"]["ppv"] == pytest.approx(0.016 / (0.016 + 0.196))
    assert found["calibration"]["expected_error"] is None  # ten people say nothing of it
    assert predictive_values(0.8, None, 0.1) is None
    assert people_figures(scores, Pairs.of(scores), None)["at_prevalence"] is None


def test_a_certain_prediction_has_finite_odds() -> None:
    """Of 1 and of 1 - 1e-6 alike: log(1e6 - 1)."""
    table = windows(6, 0)
    table.scores[:] = 0.0, 1.0
    odds = person_scores(table).log_odds
    np.testing.assert_allclose(odds[np.isfinite(odds)], np.log(1e6 - 1), rtol=1e-9)
    table.scores[:] = 1.0, 0.0
    odds = person_scores(table).log_odds
    np.testing.assert_allclose(odds[np.isfinite(odds)], -np.log(1e6 - 1), rtol=1e-9)


def test_of_two_labels_the_figure_is_the_second_ones_and_of_more_their_mean() -> None:
    rng = np.random.default_rng(3)
    n = 90
    y = np.arange(n) % 3
    scores = rng.dirichlet(np.ones(3), n) + 0.3 * np.eye(3)[y]
    three = Predictions(
        labels=("a", "b", "c"),
        fold=np.full(n, "f"),
        condition=np.full(n, "m"),
        sample=np.arange(n),
        person=np.full(n, "p"),
        y=y,
        scores=scores,
        repeat=np.zeros(n, dtype=np.int64),
    )
    areas = [roc_auc_score(y == label, scores[:, label]) for label in range(3)]
    assert own_figures(three, "auc")["p"] == pytest.approx(np.mean(areas))
    two = Predictions(
        labels=("a", "b"),
        fold=three.fold,
        condition=three.condition,
        sample=three.sample,
        person=three.person,
        y=(y == 2).astype(np.int64),
        scores=scores[:, 1:],
        repeat=three.repeat,
    )
    assert own_figures(two, "auc")["p"] == pytest.approx(areas[2])
