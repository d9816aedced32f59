"""The comparison of classifiers asks what its protocol says."""

from pathlib import Path

import pytest

from offline.evaluation.evaluate import evaluate
from tests.offline.support import task_cohort, task_recipe
from tools.bench import classifier
from tools.bench.classifier_sets import BEFORE, KEPT, MODELS, SETS, models_of, recipe_of


@pytest.mark.usefixtures("data_dir")
@pytest.mark.parametrize("name", SETS)
def test_every_row_is_a_recipe_and_differs_from_every_other(name: str) -> None:
    rows = models_of(name)
    recipes = {model: recipe_of(name, model, permutations=0) for model in rows}
    assert len({recipe.hash for recipe in recipes.values()}) >= len(rows) - 1  # ridge may be what ships
    before, kept = recipes[BEFORE], recipes[KEPT]
    assert before.labels.intervals.keys() == kept.labels.intervals.keys() == SETS[name].events.keys()
    for model in rows:
        if MODELS[model].lateral:
            assert before.labels.mirror == (("left", "right"),)


def test_a_row_is_what_the_evaluation_found(tmp_path: Path) -> None:
    recipe = task_recipe(model={"kind": "ridge"}, evaluation={"permutations": 19})
    results = evaluate(task_cohort(tmp_path), recipe, tmp_path / "report", show=False).figures
    row = classifier.row_of(results, "ridge")
    by_block = results["by_block"]["conditions"]["ridge"]
    assert row["balanced_accuracy"][0] == by_block["balanced_accuracy"]["value"]
    assert row["p"] == by_block["auc"]["p"]
    line = classifier.line_of("a set", "ridge", row)
    assert line.startswith("| a set | ridge | ")
    assert line.count("|") == 8
