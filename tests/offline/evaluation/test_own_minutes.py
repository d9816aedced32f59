"""What a person's own minutes are worth: what calibrates, what is predicted, and what the curves say."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import RecipeError
from offline.base.cohort import read_cohort
from offline.base.sample_table import SampleTable
from offline.base.splits import leave_one_person_out
from offline.evaluation.evaluate import evaluate, plan_evaluation
from offline.evaluation.own_minutes import ALONE, CALIBRATED, curves, divided, own_minutes
from offline.report.own_minutes import own_minutes as section_of
from offline.report.page import ReportPage
from offline.samples.samples import Samples, collect
from offline.training.adaptation import blocks_of
from tests.offline.support import group_recipe, task_cohort, task_recipe, write_homer, write_table

MINUTES = (0.0, 0.5, 1.0)
ASKED = {"permutations": 0, "calibration": list(MINUTES), "gap_s": 5.0}


def _table(recordings: int, blocks: int, pause: float, seed: int) -> SampleTable:
    rng = np.random.default_rng(seed)
    names, starts, targets = [], [], []
    for recording in range(recordings):
        at = 20.0
        for block in range(blocks):
            for start in np.arange(at, at + rng.uniform(8, 30), 1.0):
                if rng.random() < 0.8:
                    names.append(f"r{recording}")
                    starts.append(start)
                    targets.append(block % 2)
            at = starts[-1] + 4.0 + pause if starts else at
    n, text = len(names), np.full(len(names), "p")
    start = np.array(starts)
    return SampleTable(
        np.array(names), text, text, np.full(n, ""), start, start + 4.0, np.array(targets, dtype=np.int64)
    )


@given(
    recordings=st.integers(1, 3),
    blocks=st.integers(2, 9),
    pause=st.floats(0, 40),
    gap=st.floats(0, 60),
    seed=st.integers(0, 2**32),
)
@settings(max_examples=60, deadline=None)
def test_what_calibrates_comes_first_and_shares_no_block_with_what_is_predicted(
    recordings: int, blocks: int, pause: float, gap: float, seed: int
) -> None:
    table = _table(recordings, blocks, pause, seed)
    block = blocks_of(table)
    parts, test = divided(table, block, MINUTES, gap_s=gap)
    assert not parts[0].any()
    for fewer, more in pairwise(parts):
        assert (more | ~fewer).all()
    assert not (parts[-1] & test).any()
    assert not set(block[parts[-1]].tolist()) & set(block[test].tolist())
    if parts[-1].any() and test.any():
        last = int(np.flatnonzero(parts[-1]).max())
        assert np.flatnonzero(test).min() > last
        same = test & (table.recording == table.recording[last])
        assert (table.start[same] >= table.stop[last] + gap).all()
    # Minutes are of labelled signal: no part covers more.
    for part, minutes in zip(parts, MINUTES, strict=True):
        covered = {
            (str(name), round(second, 1))
            for name, start in zip(table.recording[part], table.start[part], strict=True)
            for second in np.arange(start, start + 4.0, 0.5)
        }
        assert len(covered) * 0.5 <= 60.0 * minutes + 1.0


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    """Two people who respond alike, and one the other way round."""
    folder = tmp_path_factory.mktemp("minutes")
    rows = []
    for p, effect in enumerate((0.004, 0.004, -0.004)):
        write_homer(folder / f"p{p}.nirs", seed=p, seconds=300.0, effect=effect)
        rows.append((f"p{p}.nirs", f"person-{p}"))
    return collect(read_cohort(write_table(folder, rows)), task_recipe())


RECIPE = task_recipe(model={"kind": "ridge"}, evaluation=ASKED)


def test_a_person_who_differs_gains_and_nothing_is_gained_without_minutes(samples: Samples) -> None:
    fold = leave_one_person_out(samples.table.person)[2]
    its = own_minutes(samples, RECIPE, fold, seed=0)["people"]["person-2"]
    before = its["uncalibrated"]
    assert its[CALIBRATED][0] == before
    assert its["possible"] == [False, True, True]
    assert before["windows"] < 0.2 < 0.8 < its[CALIBRATED][-1]["windows"]
    assert its[CALIBRATED][-1]["blocks"] > 0.8
    assert its[CALIBRATED][-1]["log_loss"] < before["log_loss"]
    assert its[ALONE][0]["windows"] == 0.5
    assert its[ALONE][-1]["windows"] > 0.8


def test_labels_that_are_predicted_are_not_learnt_from(samples: Samples) -> None:
    """Others' figures aside, what is fitted is the same whatever the later labels are."""
    fold = leave_one_person_out(samples.table.person)[2]
    own = samples.table.rows(fold.test)
    _, test = divided(own, blocks_of(own), MINUTES, gap_s=5.0)
    target = samples.table.target.copy()
    target[fold.test[test]] = 1 - target[fold.test[test]]
    turned = replace(samples, table=replace(samples.table, target=target))
    one, other = (own_minutes(each, RECIPE, fold, seed=0)["people"]["person-2"] for each in (samples, turned))
    assert one["moved"] == other["moved"]
    for which in (CALIBRATED, ALONE):
        for a, b in zip(one[which], other[which], strict=True):
            assert a["windows"] == pytest.approx(1.0 - b["windows"], abs=1e-5)


def test_who_has_too_little_is_left_out_by_name(samples: Samples) -> None:
    long = RECIPE.model_copy(
        update={"evaluation": RECIPE.evaluation.model_copy(update={"calibration": (0.0, 60.0)})}
    )
    fold = leave_one_person_out(samples.table.person)[0]
    how = own_minutes(samples, long, fold, seed=0)
    assert how == {"people": {"person-0": {"left_out": "no labelled window after the most minutes"}}}
    found = curves({fold.name: how}, long, "ridge")
    assert found is not None
    assert found["people"] == 0
    section = section_of({"calibration": found, "labels": ["rest", "task"]})
    assert section is not None
    text = ReportPage("r", [section]).html()
    assert "Nobody has enough labelled signal" in text
    assert "person-0 (no labelled window after the most minutes)" in text
    assert curves({}, long, "ridge") is None


def test_one_person_has_a_curve_and_says_nothing_about_others(samples: Samples) -> None:
    fold = leave_one_person_out(samples.table.person)[1]
    found = curves({fold.name: own_minutes(samples, RECIPE, fold, seed=0)}, RECIPE, "ridge")
    assert found is not None
    assert found["uncalibrated"]["windows"]["interval"] is None
    section = section_of({"calibration": found, "labels": ["rest", "task"]})
    assert section is not None
    assert "one person says nothing about others" in ReportPage("r", [section]).html()
    assert section_of({"labels": ["rest", "task"]}) is None


def test_means_are_over_people_and_differences_are_paired(samples: Samples) -> None:
    folds = leave_one_person_out(samples.table.person)
    how = {fold.name: own_minutes(samples, RECIPE, fold, seed=0) for fold in folds}
    found = curves(how, RECIPE, "ridge")
    assert found is not None
    assert found["people"] == 3
    own = [how[fold.name]["people"][fold.name] for fold in folds]
    for k in range(len(MINUTES)):
        its = found[CALIBRATED]["windows"][k]
        gains = [each[CALIBRATED][k]["windows"] - each["uncalibrated"]["windows"] for each in own]
        assert its["difference"]["value"] == pytest.approx(np.mean(gains))
        low, high = its["difference"]["interval"]
        assert low <= np.mean(gains) <= high
    json.dumps(found, allow_nan=False)


def test_partners_are_one_in_the_intervals(samples: Samples) -> None:
    folds = leave_one_person_out(samples.table.person)
    how = {fold.name: own_minutes(samples, RECIPE, fold, seed=0) for fold in folds}
    together = np.where(samples.table.person == folds[0].name, folds[0].name, "both")
    paired = replace(samples, table=replace(samples.table, together=together))
    assert own_minutes(paired, RECIPE, folds[1], seed=0)["people"][folds[1].name]["unit"] == "both"
    widths = []
    for unit in ({}, {"unit": "both"}):
        theirs = {**how[folds[1].name]["people"], **how[folds[2].name]["people"]}
        told = {who: {**its, **unit} for who, its in theirs.items()}
        found = curves({folds[0].name: how[folds[0].name], "pair": {"people": told}}, RECIPE, "ridge")
        assert found is not None
        low, high = found[CALIBRATED]["log_loss"][-1]["difference"]["interval"]
        widths.append(high - low)
    assert widths[1] > 1.5 * widths[0]  # Student's t of one degree of freedom


def test_it_stands_in_results_and_on_the_page(tmp_path: Path) -> None:
    cohort = task_cohort(tmp_path, people=3, sessions=1, seconds=240.0, effect=0.004)
    out = tmp_path / "report"
    recipe = task_recipe(training={"epochs": 2}, evaluation=ASKED)
    costs = plan_evaluation(cohort, recipe)
    assert "calibration" in [cost.condition for cost in costs]
    evaluate(cohort, recipe, out, show=False)
    results = json.loads((out / "results.json").read_text())
    assert results["calibration"]["minutes"] == list(MINUTES)
    assert results["calibration"]["model"] == "cgrnn"
    page = (out / "report.html").read_text()
    assert "A new person&#39;s own minutes" in page or "A new person's own minutes" in page
    assert "own minutes alone" in page
    assert json.loads((out / "report.json").read_text())["calibration"]["people"] == 3


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"calibration": [2, 1]}, "expected each once, ascending"),
        ({"calibration": [1, 1]}, "expected each once, ascending"),
        ({"calibration": [-1]}, "calibration"),
        ({"calibration": [1], "by": "time"}, "evaluation.calibration moves a model"),
    ],
)
def test_what_cannot_be_is_refused(asked: dict[str, object], told: str) -> None:
    with pytest.raises(RecipeError, match=told):
        task_recipe(evaluation=asked)
    with pytest.raises(RecipeError, match=r"evaluation\.calibration moves a model"):
        group_recipe(evaluation={"calibration": [1]})
