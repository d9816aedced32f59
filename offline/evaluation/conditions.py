"""Everything that an evaluation compares: models, ablations, learning curves, baselines, unseen sites.

A condition is which model predicts, by which recipe, and who is held out meanwhile.  All conditions fill one
prediction table, so every figure, interval and comparison is made of each alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.errors import RecipeError, near_match
from models.networks import COMBINED_KINDS, RIDGE
from models.networks.registry import COMPONENTS
from offline.base.sample_table import SampleTable
from offline.base.splits import Fold, evaluation_folds, fewer_people, site_folds, time_folds
from offline.evaluation.fit_and_predict import BASELINES, TIME, TRAITS, unexplained
from offline.evaluation.windows import WindowFit
from offline.samples.recipe import Recipe, check_model_of
from offline.samples.recipe_sections import AugmentationSection, ModelSection
from offline.training.search import check_search

UNSEEN_SITE = "unseen site"
REMOVED = {
    "weight_decay": 0.0,
    "early_stopping": False,
    "class_weights": "none",
    "channel_dropout": 0.0,
    "augmentation": AugmentationSection(),
    "ensemble": 1,
    "pretrained": None,
}
"""What an ablation sets in the section ``training``."""
CHANGES = tuple(AugmentationSection.model_fields)
PARTS = ("dropout", COMPONENTS, *REMOVED, *CHANGES)
"""What can be ablated."""


@dataclass(frozen=True)
class Condition:
    """What predicts, and whom it has not seen.

    Parameters
    ----------
    name : str
        In tables.
    fit : WindowFit
        Which model, and by which recipe.
    by_site : bool
        Whether whole sites are held out instead of people.
    people : int or None
        Training people; None is all.
    """

    name: str
    fit: WindowFit
    by_site: bool = False
    people: int | None = None

    def folds(self, table: SampleTable, divisions: Sequence[tuple[int, Fold]]) -> Sequence[tuple[int, Fold]]:
        """Repeat and fold of everything that it predicts, given those of all people (`divisions_of`).

        Raises
        ------
        RecipeError
            There are too few people.
        """
        if self.by_site:
            return [(0, fold) for fold in site_folds(table)]
        if self.people is None:
            return divisions
        return [(repeat, fewer_people(fold, table, self.people)) for repeat, fold in divisions]


def divisions_of(table: SampleTable, recipe: Recipe) -> list[tuple[int, Fold]]:
    """The folds of every repeat; what is divided without chance is divided once."""
    how = recipe.evaluation
    if how.by == "time":
        return [(0, fold) for fold in time_folds(table, blocks=how.blocks, gap_s=how.gap_s)]
    out: list[tuple[int, Fold]] = []
    for repeat in range(how.repeats):
        seed = recipe.training.seed + repeat
        folds = evaluation_folds(table.person, table.target, seed=seed, unit=table.together)
        out += [(repeat, fold) for fold in folds]
        if len(folds) == len(np.unique(table.unit)):
            break
    return out


def conditions_of(recipe: Recipe, compare: Sequence[str]) -> list[Condition]:
    """All conditions in the order of the tables: the recipe's own model first, the baselines last.

    Parameters
    ----------
    recipe : Recipe
        What is evaluated.
    compare : sequence of str
        Kinds to compare it with, each with its default parameters.

    Raises
    ------
    RecipeError
        A kind, a searched setting or a part to ablate is unknown, or not there to be taken away.
    """
    check_model_of(recipe)
    check_search(recipe)
    own = recipe.model.condition
    found = {own: Condition(own, WindowFit(own, recipe))}
    recipe = unexplained(recipe)  # only the recipe's own model is
    for name in compare:
        other = recipe.model_copy(update={"model": ModelSection(kind=name)})
        check_model_of(other)
        name = other.model.condition
        found.setdefault(name, Condition(name, WindowFit(name, other)))
    absent = TRAITS if recipe.labels.target == "event" else TIME
    baselines = [
        Condition(name, WindowFit(name, recipe)) for name in BASELINES if name not in (absent, *found)
    ]
    whole = [*found.values(), *baselines]
    for part in recipe.evaluation.ablate:
        name = f"{own} without {part.replace('_', ' ')}"
        found[name] = Condition(name, WindowFit(own, without(recipe, part)))
    for people in recipe.evaluation.learning_curve:
        for model in (own, RIDGE):
            name = f"{model}, {people} people"
            found[name] = Condition(name, WindowFit(model, recipe), people=people)
    at_sites = [
        Condition(
            f"{each.name}, {UNSEEN_SITE}",
            WindowFit(each.fit.model, unexplained(each.fit.recipe)),
            by_site=True,
        )
        for each in whole
    ]
    return [*found.values(), *baselines, *at_sites]


def without(recipe: Recipe, part: str) -> Recipe:
    """The recipe with one part of its regularisation taken away, and nothing else changed.

    Parameters
    ----------
    recipe : Recipe
        As it is.
    part : str
        One of `PARTS`.

    Raises
    ------
    RecipeError
        There is no such part, or the recipe does not have it in the first place.
    """
    if part not in PARTS:
        raise RecipeError(f"evaluation.ablate names {part!r}. {near_match(part, PARTS)}")
    training, params = recipe.training, dict(recipe.model.params)
    if part in REMOVED:
        training = training.model_copy(update={part: REMOVED[part]})
    elif part in CHANGES:
        augmentation = training.augmentation.model_copy(update={part: getattr(AugmentationSection(), part)})
        training = training.model_copy(update={"augmentation": augmentation})
    elif part == COMPONENTS:
        params.pop(part, None)
    else:
        params[part] = 0.0
    if params != recipe.model.params and recipe.model.kind in COMBINED_KINDS:
        raise RecipeError(
            f"evaluation.ablate names {part!r}, a parameter of a network, but the recipe's model is "
            f"{recipe.model.kind!r}, made of several; ablate it where the network is the model."
        )
    model = recipe.model.model_copy(update={"params": params})
    ablated = recipe.model_copy(update={"training": training, "model": model})
    if ablated == recipe:
        raise RecipeError(
            f"evaluation.ablate names {part!r}, which the recipe does without as it is: nothing could be "
            "taken away. Leave it out, or set the part in the recipe."
        )
    return ablated
