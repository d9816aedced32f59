"""A run that was killed ends as if it had not been; one process or two give the same bits."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.errors import RecipeError
from offline.base.cohort import read_cohort
from offline.base.splits import Fold, leave_one_person_out
from offline.evaluation import runner
from offline.evaluation.evaluate import WORK, evaluate
from offline.evaluation.fit_cache import FitCache
from offline.evaluation.runner import run_tasks
from offline.evaluation.tasks import FitTask
from offline.evaluation.windows import OUT_OF_DISTRIBUTION, WindowFit, WindowProcedure, WindowTask
from offline.samples.samples import collect
from tests.offline.support import group_recipe, series_cohort, task_cohort, task_recipe

FILES = ("results.json", "predictions.csv", "samples.csv")


def task(fold: Fold, model: str, **changes: Any) -> WindowTask:
    return FitTask(fold, model, WindowFit(model, task_recipe(**changes)))


def bytes_of(folder: Path) -> list[bytes]:
    return [(folder / name).read_bytes() for name in FILES]


def test_two_processes_give_the_bits_of_one(tmp_path: Path) -> None:
    cohort = task_cohort(tmp_path, sessions=1)
    recipe = task_recipe(training={"epochs": 2}, evaluation={"permutations": 0, "model_permutations": 3})
    evaluate(cohort, recipe, tmp_path / "one", show=False)
    evaluate(cohort, recipe, tmp_path / "two", workers=2, show=False)
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "two")
    assert json.loads((tmp_path / "two/run.json").read_text())["workers"] == 2
    assert not (tmp_path / "two" / WORK).exists()


def test_a_killed_run_goes_on_and_ends_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`kill -9` in the middle; what was whole is not computed again."""
    cohort = task_cohort(tmp_path, sessions=1)
    computed = []
    perform = runner.perform
    monkeypatch.setattr(runner, "perform", lambda *task: computed.append(task) or perform(*task))
    evaluate(cohort, task_recipe(), tmp_path / "whole", show=False)
    tasks = len(computed)
    script = (
        "from tests.offline.support import task_recipe; from offline.evaluation.evaluate import evaluate; "
        "import sys; "
        "evaluate(sys.argv[1], task_recipe(), sys.argv[2], show=False)"
    )
    out = tmp_path / "killed"
    words = [sys.executable, "-c", script, str(cohort), str(out)]
    process = subprocess.Popen(words, cwd=Path(__file__).parents[3])
    deadline = time.monotonic() + 120
    while len(list((out / WORK).glob("*.npz"))) < 4 and process.poll() is None:
        assert time.monotonic() < deadline, "no job was ever done"
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = len(list((out / WORK).glob("*.npz")))
    (out / WORK / "torn.1.part").write_bytes(b"PK")  # what a death while writing leaves
    computed.clear()
    evaluate(cohort, task_recipe(), out, show=False)
    assert bytes_of(out) == bytes_of(tmp_path / "whole")
    assert len(computed) == tasks - kept < tasks


def test_what_is_kept_is_used_only_for_the_very_same_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = collect(read_cohort(task_cohort(tmp_path, sessions=1)), task_recipe())
    fold, other = leave_one_person_out(samples.table.person)[:2]
    procedure = WindowProcedure(samples)
    cache = FitCache(tmp_path / "work", procedure.key)
    own = task(fold, "linear")
    assert cache.load(own) is None
    first = run_tasks(procedure, [own], cache=cache)[0]
    kept = cache.load(own)
    assert kept is not None
    assert np.array_equal(kept.scores, first.scores)
    assert kept.how == first.how
    others = (
        task(other, "linear"),
        task(fold, "ridge"),
        task(fold, "linear", training={"epochs": 3}),
        replace(own, permutation=0),
    )
    assert all(cache.load(each) is None for each in others)
    X = np.asarray(samples.X)
    X[0, 0, 0] += 1.0
    assert FitCache(tmp_path / "work", WindowProcedure(replace(samples, X=X)).key).load(own) is None

    def computed(*_: object) -> None:
        pytest.fail("it computed again")

    monkeypatch.setattr(runner, "perform", computed)
    assert run_tasks(procedure, [own], cache=cache)[0].how == first.how


@pytest.mark.parametrize("how", ["empty", "torn", "foreign", "short", "pipe"])
def test_a_kept_fold_that_is_not_whole_is_computed_again(
    tmp_path: Path, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    samples = collect(read_cohort(task_cohort(tmp_path, sessions=1)), task_recipe())
    fold = leave_one_person_out(samples.table.person)[0]
    procedure = WindowProcedure(samples)
    cache = FitCache(tmp_path / "work", procedure.key)
    own = task(fold, "linear")
    first = run_tasks(procedure, [own], cache=cache)[0]
    path = cache.path(own)
    if how == "pipe":
        path.unlink()
        os.mkfifo(path)
    elif how == "short":
        with np.load(path) as kept:
            np.savez(path, **{**kept, "scores": kept["scores"][:-1]})
    elif how == "foreign":
        other = task(fold, OUT_OF_DISTRIBUTION)
        run_tasks(procedure, [other], cache=cache)
        path.write_bytes(cache.path(other).read_bytes())
    else:
        path.write_bytes(path.read_bytes()[: 300 if how == "torn" else 0])
    again = run_tasks(procedure, [own], cache=cache)[0]
    assert np.array_equal(again.scores, first.scores)
    assert "computed again" in caplog.text
    assert cache.load(own) is not None


def test_people_with_two_labels_are_refused_where_the_label_is_the_persons(tmp_path: Path) -> None:
    cohort = series_cohort(tmp_path, ["a", "b"] * 3)
    table = cohort.read_text().replace("person-5", "person-4")  # a recording of each group
    cohort.write_text(table)
    with pytest.raises(RecipeError, match="Person person-4 has 2 labels"):
        evaluate(cohort, group_recipe(), tmp_path / "report", show=False)


def test_repeats_divide_people_anew_and_predict_everybody_in_each(tmp_path: Path) -> None:
    recipe = group_recipe(evaluation={"repeats": 3, "permutations": 25})
    results = evaluate(series_cohort(tmp_path, ["a", "b"] * 6), recipe, tmp_path / "report", show=False)
    table = results.predictions.of_condition("ridge")
    assert set(table.repeat.tolist()) == {0, 1, 2}
    for repeat in range(3):
        assert sorted(table.sample[table.repeat == repeat].tolist()) == list(range(len(table) // 3))
    ridge = results.figures["conditions"]["ridge"]["by_person"]
    assert ridge["auc"]["interval"][0] <= ridge["auc"]["value"] <= ridge["auc"]["interval"][1]
    assert ridge["auc"]["p"] is not None
    assert results.figures["conditions"]["lstm"]["by_person"]["auc"]["p"] is None  # the null is not of it
    assert results.figures["null"]["permutations"] == 25
