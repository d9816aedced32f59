"""The comparison of classifiers asks what its protocol says."""

import pytest

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
