"""A key that had another name once is refused with its name of today."""

import pytest

from models.decode import decode
from models.errors import RecipeError
from offline.samples.recipe import Recipe
from tests.offline.support import task_recipe

OLD = {
    ("evaluation", "parts"): "blocks",
    ("evaluation", "apart_s"): "gap_s",
    ("evaluation", "network_permutations"): "model_permutations",
    ("labels", "amount"): "continuous",
    ("model", "name"): "kind",
    ("search", "network"): "model",
}


@pytest.mark.parametrize(("section", "key"), OLD)
def test_an_old_key_is_refused_with_its_new_name(section: str, key: str) -> None:
    values = task_recipe().model_dump(mode="json")
    new = OLD[section, key]
    values[section][key] = values[section].pop(new)
    with pytest.raises(RecipeError, match=rf"{section}\.{key}: unknown\. Its name is '{new}' now"):
        decode(Recipe, values, error=RecipeError, what="The recipe")


def test_the_old_section_is_refused_with_its_new_name() -> None:
    values = task_recipe().model_dump(mode="json")
    values["network"] = values.pop("model")
    with pytest.raises(RecipeError, match=r"network: unknown\. Its name is 'model' now"):
        decode(Recipe, values, error=RecipeError, what="The recipe")


def test_a_key_that_never_was_is_refused_with_its_near_match() -> None:
    values = task_recipe().model_dump(mode="json")
    values["evaluation"]["gaps_s"] = 3.0
    with pytest.raises(RecipeError, match=r"evaluation\.gaps_s: unknown\. .*gap_s"):
        decode(Recipe, values, error=RecipeError, what="The recipe")
