"""The plan counts what the run then does, and writes nothing."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from offline.evaluation.evaluate import evaluate, plan_evaluation
from offline.evaluation.planning import print_plan
from offline.training import search
from tests.offline.support import group_recipe, series_cohort, task_cohort, task_recipe


def test_fits_are_counted_as_they_are_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cohort = task_cohort(tmp_path, people=4, sessions=1)
    recipe = task_recipe(
        search={"model": {"hidden": {"choices": [2, 4]}}},
        budget={"trials": 2, "inner_folds": 3, "epochs": 2, "permutations": 5},
    )
    before = sorted(tmp_path.iterdir())
    costs = {cost.condition: cost for cost in plan_evaluation(cohort, recipe, compare=["lstm"])}
    assert sorted(tmp_path.iterdir()) == before
    made = []
    fit = search.train_within
    monkeypatch.setattr(search, "train_within", lambda *a, **k: made.append(1) or fit(*a, **k))
    evaluate(cohort, recipe, tmp_path / "out", show=False)
    folds = 4
    assert costs["cgrnn"].folds == folds
    assert costs["cgrnn"].fits == folds + len(made)
    assert costs["cgrnn"].epochs == 2 * costs["cgrnn"].fits
    assert costs["ridge"].fits == folds
    assert costs["null"].fits == 5
    assert all(cost.hours > 0 for cost in costs.values())


def test_evidence_over_time_costs_inner_fits(tmp_path: Path) -> None:
    cohort = series_cohort(tmp_path, "AB" * 6)
    plain, more = (
        plan_evaluation(
            cohort,
            group_recipe(evaluation={"permutations": 0, "over_time": asked}, budget={"inner_folds": 2}),
        )[1]
        for asked in (False, True)
    )
    assert more.fits == 3 * plain.fits


def test_the_plan_is_printed_with_its_sum(tmp_path: Path) -> None:
    costs = plan_evaluation(task_cohort(tmp_path, sessions=1), task_recipe(budget={"permutations": 0}))
    console = Console(record=True, width=120, file=StringIO())
    print_plan(costs, 2, console)
    text = console.export_text()
    assert "by 2 processes" in text
    assert "cgrnn" in text
    assert str(sum(cost.fits for cost in costs)) in text


def test_all_that_is_done_is_counted(tmp_path: Path) -> None:
    recipe = task_recipe(budget={"permutations": 5, "epochs": 2})
    cohort = task_cohort(tmp_path, people=4, sessions=1)
    costs = {cost.condition: cost for cost in plan_evaluation(cohort, recipe, audited=True)}
    assert {"collect", "unlike training", "null", "audit", "network's audit", "report"} <= costs.keys()
    assert costs["unlike training"].folds == 4
    run = evaluate(cohort, recipe, tmp_path / "out", audited=True, show=False).run["seconds"]
    assert {"collect", "unlike training", "null", "network's audit"} <= run.keys()
    console = Console(record=True, width=140, file=StringIO())
    print_plan(list(costs.values()), 1, console)
    said = console.export_text()
    assert "About" in said
    assert "at most" not in said
