"""Three labels by person: the figures of scikit-learn, and those of two labels where there are two."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import recall_score, roc_auc_score

from offline.base.predictions import Predictions
from offline.base.sample_table import SampleTable
from offline.evaluation.evaluate import evaluate
from offline.stats.intervals import bootstrap_sd
from offline.stats.permutation import can_change, permuted_labels
from offline.stats.person_classes import PersonClasses
from offline.stats.primary import Pairs, person_scores
from offline.stats.primary_figure import primary
from tests.offline.support import group_recipe, series_cohort


def said(n_people: int, n_labels: int, seed: int, windows: int = 3) -> Predictions:
    rng = np.random.default_rng(seed)
    y = np.arange(n_people) % n_labels
    whose = np.repeat(np.arange(n_people), windows)
    logits = rng.normal(size=(len(whose), n_labels)) + 0.8 * np.eye(n_labels)[y[whose]]
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    n = len(whose)
    return Predictions(
        labels=tuple("abcd"[:n_labels]),
        fold=np.full(n, "one"),
        condition=np.full(n, "condition"),
        sample=np.arange(n),
        person=np.array([f"p{i:02d}" for i in whose]),
        y=y[whose],
        scores=scores,
        repeat=np.zeros(n, dtype=np.int64),
    )


@given(n_people=st.integers(6, 20), seed=st.integers(0, 1000))
def test_three_labels_give_the_figures_of_scikit_learn(n_people: int, seed: int) -> None:
    table = said(n_people, 3, seed)
    classes = PersonClasses.of(table)
    mean = classes.log_probability[0]
    probability = np.exp(mean)
    each = [
        roc_auc_score(classes.y == k, mean[:, k] - np.log(np.delete(probability, k, axis=1).sum(axis=1)))
        for k in range(3)
    ]
    assert classes.figure("auc", classes.y)[0] == pytest.approx(np.mean(each))
    balanced = recall_score(classes.y, mean.argmax(axis=1), average="macro")
    assert classes.figure("balanced_accuracy", classes.y)[0] == pytest.approx(balanced)
    assert np.sum(classes.figures(table.labels)["predicted"]) == n_people


@given(n_people=st.integers(4, 20), seed=st.integers(0, 1000))
def test_two_labels_give_what_the_code_for_two_gives(n_people: int, seed: int) -> None:
    table = said(n_people, 2, seed)
    scores, classes = person_scores(table), PersonClasses.of(table)
    for metric in ("auc", "balanced_accuracy"):
        wanted = Pairs.of(scores).figure(metric, scores.positive)[0]
        assert classes.figure(metric, classes.y)[0] == pytest.approx(wanted)


def test_people_who_count_twice_count_twice() -> None:
    table = said(9, 3, 1)
    classes = PersonClasses.of(table)
    times = np.ones((9, 2))
    times[4, 1] = 2.0
    again = np.flatnonzero(table.person == "p04")
    extra = table.rows(np.concatenate([np.arange(len(table)), again]))
    extra.person[len(table) :] = "p99"
    for metric in ("balanced_accuracy", "auc"):
        assert classes.figure(metric, classes.y, times)[0] == pytest.approx(
            primary(table, metric, by_person=True)
        )
    wanted = primary(extra, "balanced_accuracy", by_person=True)
    assert classes.figure("balanced_accuracy", classes.y, times)[1] == pytest.approx(wanted)
    assert bootstrap_sd(classes, classes.y, "auc", seed=0) == pytest.approx(0.1, abs=0.09)


def test_three_groups_are_evaluated_with_p_and_interval(tmp_path: Path) -> None:
    cohort = series_cohort(tmp_path, [*"abc" * 5], volumes=80)
    recipe = group_recipe(training={"epochs": 1}, evaluation={"permutations": 19, "model_permutations": 0})
    evaluate(cohort, recipe, tmp_path / "out", show=False)
    results = json.loads((tmp_path / "out/results.json").read_text())
    ridge = results["conditions"]["ridge"]["by_person"]
    assert ridge["auc"]["p"] >= 0.05
    assert ridge["auc"]["interval"][0] < ridge["auc"]["value"] < ridge["auc"]["interval"][1]
    assert ridge["n"] == {"a": 5, "b": 5, "c": 5}
    assert results["null"]["mean"]["balanced_accuracy"] == pytest.approx(1 / 3, abs=0.1)


def table_of(target: list[int], recording: list[str], person: list[str]) -> SampleTable:
    n = len(target)
    names, people = np.array(recording), np.array(person)
    empty = np.full(n, "")
    start = np.arange(n, dtype=float)
    return SampleTable(names, people, empty, empty, start, start + 1.0, np.array(target, dtype=np.int64))


def test_where_a_recording_has_one_label_a_persons_recordings_change_places() -> None:
    table = table_of([0, 0, 1, 1, 1, 0], ["a", "a", "b", "b", "c", "d"], ["p", "p", "p", "p", "q", "q"])
    seen = {tuple(permuted_labels(table, k, seed=0, by_person=False).tolist()) for k in range(40)}
    assert seen == {(0, 0, 1, 1, 1, 0), (1, 1, 0, 0, 1, 0), (0, 0, 1, 1, 0, 1), (1, 1, 0, 0, 0, 1)}
    assert can_change(table, by_person=False)


def test_labels_that_cannot_change_places_are_known() -> None:
    table = table_of([0, 0, 1, 1], ["a", "a", "b", "b"], ["p", "p", "q", "q"])
    assert not can_change(table, by_person=False)
    assert can_change(table, by_person=True)
