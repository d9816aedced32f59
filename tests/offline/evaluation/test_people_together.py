"""The five dyads of the resting recordings: together in a whole evaluation, and as strangers in its audit."""

import json
from pathlib import Path

import numpy as np

from offline.base.cohort import read_cohort
from offline.evaluation.evaluate import evaluate
from offline.samples.recipe import Recipe
from offline.samples.samples import collect
from offline.stats.label_order import label_order
from tests.offline.support import task_recipe


def dyads(data_dir: Path, folder: Path, column: str) -> Path:
    """Ten people, 1 with 2, 3 with 4 and so on; one of each dyad has label A."""
    files = sorted((data_dir / "fnirs/rest").glob("*.snirf"))
    rows = [
        f"{file}\tsub-{k + 1:02d}\tdyad-{k // 2 + 1}\t{'AB'[(k + k // 2) % 2]}"
        for k, file in enumerate(files)
    ]
    table = folder / "cohort.tsv"
    table.write_text("\n".join([f"recording\tperson\t{column}\tlabel", *rows]) + "\n")
    return table


def recipe_of(**evaluation: object) -> Recipe:
    return task_recipe(
        rate=4,
        window={"length_s": 8.0, "step_s": 4.0},
        labels={"source": "column", "target": "person", "column": "label"},
        model={"kind": "ridge"},
        evaluation={"permutations": 20} | evaluation,
    )


def test_a_dyad_is_on_one_side_of_every_division_of_an_evaluation(data_dir: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    evaluate(dyads(data_dir, tmp_path, "together"), recipe_of(), out, audited=True, show=False)
    results = json.loads((out / "results.json").read_text())
    assert (results["people"], results["units"]) == (10, 5)
    assert "10 people in 5 units of those measured together" in results["says"]
    assert "says nothing about others" in results["says"]  # five dyads are no ten people
    assert results["conditions"]["ridge"]["by_person"]["auc"]["interval"] is None
    for fold in results["folds"]:
        held = fold.split("+")
        assert {int(name[-2:]) % 2 for name in held} == {0, 1}
        assert all(f"sub-{int(name[-2:]) + 2 * (int(name[-2:]) % 2) - 1:02d}" in held for name in held)
    audit = json.loads((out / "audit.json").read_text())
    strangers = audit["protocols"]["partners as if they were strangers"]
    assert "on one side" in strangers["explained"]
    assert strangers["leaky"]["auc"]["value"] != strangers["honest"]["auc"]["value"]
    assert "partners as if they were strangers" in (out / "report.html").read_text(encoding="utf-8")


def test_a_column_group_of_pairs_that_nobody_named_is_remarked(data_dir: Path, tmp_path: Path) -> None:
    cohort = read_cohort(dyads(data_dir, tmp_path, "group"))
    samples = collect(cohort, recipe_of())
    assert samples.table.together is None
    assert any('set evaluation.together = "group"' in line for line in samples.remarks)
    named = collect(cohort, recipe_of(together="group"))
    assert not any("group" in line for line in named.remarks)
    assert len(np.unique(named.table.unit)) == 5


def test_partners_of_whom_one_is_left_out_are_remarked(data_dir: Path, tmp_path: Path) -> None:
    cohort = read_cohort(dyads(data_dir, tmp_path, "together"))
    samples = collect(cohort, recipe_of(), exclude_people=["sub-01"])
    assert any("measured together with is left out" in line for line in samples.remarks)
    assert label_order(samples.table) is None  # a label a person has no order
    assert set(np.unique(samples.table.unit)) >= {"sub-01+sub-02"}
