"""Figures against scikit-learn's where it has them, and None where nothing is determined."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, brier_score_loss, matthews_corrcoef, roc_auc_score

from models.errors import HemostreamError
from offline.base.predictions import Predictions, read_predictions, write_predictions
from offline.evaluation.summary import summary, what_it_says
from offline.stats.metrics import auc, brier, figures


def _predictions(n: int = 60, seed: int = 0, labels: tuple[str, ...] = ("rest", "tapping")) -> Predictions:
    rng = np.random.default_rng(seed)
    scores = rng.dirichlet(np.ones(len(labels)), n)
    person = np.array([f"p{i % 3}" for i in range(n)])
    return Predictions(
        labels,
        person,
        np.full(n, "cgrnn"),
        np.arange(n),
        person,
        rng.integers(0, len(labels), n),
        scores,
        np.zeros(n, dtype=np.int64),
    )


@given(st.integers(0, 10_000))
@settings(max_examples=50, deadline=None)
def test_agrees_with_scikit_learn(seed: int) -> None:
    table = _predictions(seed=seed)
    said = table.scores.argmax(axis=1)
    found = figures(table)
    assert found["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(table.y, said))
    assert found["mcc"] == pytest.approx(matthews_corrcoef(table.y, said))
    assert found["brier"] == pytest.approx(brier_score_loss(table.y, table.scores[:, 1]))
    one_fold = np.full(len(table), "one")
    assert auc(table.y == 1, table.scores[:, 1], one_fold) == pytest.approx(
        roc_auc_score(table.y, table.scores[:, 1])
    )
    assert found["sensitivity"] == pytest.approx(np.mean(said[table.y == 1] == 1))
    assert found["specificity"] == pytest.approx(np.mean(said[table.y == 0] == 0))


def test_scores_are_compared_within_a_fold_only() -> None:
    """Two perfect rankers whose scales differ are perfect together; pooled they would not be."""
    positive = np.array([False, True, False, True])
    score = np.array([0.1, 0.2, 0.8, 0.9])
    assert auc(positive, score, np.array(["a", "a", "b", "b"])) == 1.0
    assert auc(positive, score, np.full(4, "a")) == 0.75


def test_what_is_not_determined_is_none() -> None:
    table = _predictions()
    only = table.rows(table.y == 0)
    found = figures(only)
    assert found["sensitivity"] is None
    assert found["auc"] is None
    assert found["balanced_accuracy"] is None
    assert found["majority_rate"] == 1.0
    empty = figures(table.rows(np.zeros(len(table), dtype=bool)))
    assert empty["accuracy"] is None
    assert empty["n"] == {"rest": 0, "tapping": 0}


def test_more_than_two_labels() -> None:
    table = _predictions(labels=("a", "b", "c"), n=300)
    said = table.scores.argmax(axis=1)
    found = figures(table)
    assert set(found["recall"]) == {"a", "b", "c"}
    assert found["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(table.y, said))
    assert found["mcc"] == pytest.approx(matthews_corrcoef(table.y, said))
    assert brier(table.y, np.eye(3)[table.y]) == 0.0


def test_mean_over_people_weighs_everyone_the_same() -> None:
    """Ninety right windows of one person and ten wrong ones of another are one half, not 90 %."""
    y = np.zeros(100, dtype=np.int64)
    scores = np.tile([1.0, 0.0], (100, 1))
    scores[90:] = [0.0, 1.0]
    person = np.array(["a"] * 90 + ["b"] * 10)
    table = Predictions(
        ("x", "y"),
        person,
        np.full(100, "m"),
        np.arange(100),
        person,
        y,
        scores,
        np.zeros(100, dtype=np.int64),
    )
    condition = summary(table, by_person=False)["conditions"]["m"]
    assert condition["pooled"]["accuracy"] == 0.9
    assert condition["mean_over_people"]["accuracy"] == 0.5
    assert condition["persons"]["b"]["accuracy"] == 0.0


def test_few_people_say_nothing_about_others() -> None:
    assert summary(_predictions(), by_person=False)["says"] == "3 people: says nothing about others"
    assert "says nothing" not in what_it_says(10)


@given(st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_figures_do_not_depend_on_the_order_of_rows(seed: int) -> None:
    table = _predictions(seed=seed)
    order = np.random.default_rng(seed).permutation(len(table))
    shuffled = table.rows(order)
    for name, value in figures(table).items():
        assert figures(shuffled)[name] == (value if isinstance(value, dict) else pytest.approx(value))


def test_table_survives_its_file(tmp_path: Path) -> None:
    table = _predictions()
    path = tmp_path / "predictions.csv"
    write_predictions(path, table)
    again = read_predictions(path)
    assert again.labels == table.labels
    for name in ("repeat", "fold", "condition", "sample", "person", "y", "scores"):
        assert np.array_equal(getattr(again, name), getattr(table, name)), name
    path.write_text("a,b\n1,2\n")
    with pytest.raises(HemostreamError, match="expected repeat, fold"):
        read_predictions(path)
