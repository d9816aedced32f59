"""Everything that an evaluation compares: networks, ablations, learning curves, baselines, unseen sites.

A condition is which model predicts, by which recipe, and who is held out meanwhile.  All conditions fill one
prediction table, so every figure, interval and comparison is made of each alike.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from models.errors import RecipeError, near_match
from models.networks.registry import COMPONENTS, check_network
from offline.base.sample_table import SampleTable
from offline.base.splits import Fold, evaluation_folds, fewer_people, site_folds, time_folds
from offline.evaluation.fit_and_predict import RIDGE, baselines_of
from offline.evaluation.tasks import FitTask
from offline.evaluation.windows import WindowFit, WindowTask
from offline.samples.recipe import Recipe, check_network_of
from offline.samples.recipe_sections import AugmentationSection, Network
from offline.training.search import check_search

UNSEEN_SITE = "unseen site"
CONDITIONS = "conditions"
"""Tag of the tasks that fill the prediction table."""


@dataclass(frozen=True)
class Condition:
    """What predicts, and whom it has not seen.

    Parameters
    ----------
    name : str
        In tables.
    model : str
        A network's, or one of the baselines (`offline.evaluation.fit_and_predict`).
    recipe : Recipe
        What it is fitted by.
    by_site : bool
        Whether whole sites are held out instead of people.
    people : int or None
        Training people; None is all.
    """

    name: str
    model: str
    recipe: Recipe
    by_site: bool = False
    people: int | None = None

    def folds(self, table: SampleTable) -> list[tuple[int, Fold]]:
        """Repeat and fold of everything that it predicts.

        Parameters
        ----------
        table : SampleTable
            All samples.

        Raises
        ------
        RecipeError
            There are too few people.
        """
        if self.by_site:
            return [(0, fold) for fold in site_folds(table)]
        divisions = divisions_of(table, self.recipe)
        if self.people is None:
            return divisions
        return [(repeat, fewer_people(fold, table, self.people)) for repeat, fold in divisions]

    def tasks(self, table: SampleTable) -> list[WindowTask]:
        """Its folds as tasks, tagged `CONDITIONS`; see `folds`.

        Parameters
        ----------
        table : SampleTable
            All samples.
        """
        fit = WindowFit(self.model, self.recipe)
        return [
            FitTask(fold, self.name, fit, repeat=repeat, tag=CONDITIONS) for repeat, fold in self.folds(table)
        ]


def divisions_of(table: SampleTable, recipe: Recipe) -> list[tuple[int, Fold]]:
    """The folds of every repeat; what is divided without chance is divided once."""
    how = recipe.evaluation
    if how.by == "time":
        return [(0, fold) for fold in time_folds(table, blocks=how.blocks, gap_s=how.gap_s)]
    out: list[tuple[int, Fold]] = []
    for repeat in range(recipe.evaluation.repeats):
        folds = evaluation_folds(table.person, table.target, seed=recipe.training.seed + repeat)
        out += [(repeat, fold) for fold in folds]
        if all(len(fold.held_out) == 1 for fold in folds):
            break
    return out


def conditions_of(
    recipe: Recipe, networks: Sequence[str], *, sites: bool, traits: bool = False
) -> list[Condition]:
    """All conditions in the order of the tables: the recipe's own network first, the baselines last.

    Parameters
    ----------
    recipe : Recipe
        What is evaluated.
    networks : sequence of str
        Others to compare it with, each with its default parameters.
    sites : bool
        Whether there are sites to hold out.
    traits : bool
        Whether ages or sexes are known.

    Raises
    ------
    RecipeError
        A network or a part to ablate is unknown, or not there to be taken away.
    """
    check_network_of(recipe)
    check_search(recipe)
    own = recipe.network.condition
    found = {own: Condition(own, own, recipe)}
    recipe = _unexplained(recipe)  # only the recipe's own network is
    for name in networks:
        check_network(name, {})
        other = recipe.model_copy(update={"network": Network(name=name)})
        check_network_of(other)
        found.setdefault(name, Condition(name, name, other))
    baselines = [Condition(name, name, recipe) for name in baselines_of(recipe, traits=traits)]
    whole = [*found.values(), *baselines]
    for part in recipe.evaluation.ablate:
        name = f"{own} without {part.replace('_', ' ')}"
        found[name] = Condition(name, own, without(recipe, part))
    for n in recipe.evaluation.learning_curve:
        for model in (own, RIDGE):
            name = f"{model}, {n} people"
            found[name] = Condition(name, model, recipe, people=n)
    at_sites = []
    if sites:
        at_sites = [
            Condition(f"{each.name}, {UNSEEN_SITE}", each.model, _unexplained(each.recipe), by_site=True)
            for each in whole
        ]
    return [*found.values(), *baselines, *at_sites]


def _unexplained(recipe: Recipe) -> Recipe:
    quiet = recipe.evaluation.model_copy(update={"explain": (), "over_time": False})
    return recipe.model_copy(update={"evaluation": quiet})


def settings_kept(recipe: Recipe) -> Recipe:
    """The recipe with nothing searched, explained or learnt of evidence: what a null repeats."""
    return _unexplained(recipe).model_copy(update={"budget": recipe.budget.model_copy(update={"trials": 0})})


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
    bare = PARTS[part](recipe)
    if bare == recipe:
        raise RecipeError(
            f"evaluation.ablate names {part!r}, which the recipe does without as it is: nothing could be "
            "taken away. Leave it out, or set the part in the recipe."
        )
    return bare


def _training(**values: Any) -> Callable[[Recipe], Recipe]:
    def bare(recipe: Recipe) -> Recipe:
        return recipe.model_copy(update={"training": recipe.training.model_copy(update=values)})

    return bare


def _changed(name: str) -> Callable[[Recipe], Recipe]:
    def bare(recipe: Recipe) -> Recipe:
        changes = recipe.training.augmentation.model_copy(update={name: 0.0})
        return _training(augmentation=changes)(recipe)

    return bare


def _params(recipe: Recipe, **values: Any) -> Recipe:
    params = {key: value for key, value in recipe.network.params.items() if key not in values}
    params |= {key: value for key, value in values.items() if value is not None}
    return recipe.model_copy(update={"network": recipe.network.model_copy(update={"params": params})})


PARTS: Mapping[str, Callable[[Recipe], Recipe]] = MappingProxyType(
    {
        "dropout": lambda recipe: _params(recipe, dropout=0.0),
        "components": lambda recipe: _params(recipe, **{COMPONENTS: None}),
        "weight_decay": _training(weight_decay=0.0),
        "early_stopping": _training(early_stopping=False),
        "class_weights": _training(class_weights="none"),
        "channel_dropout": _training(channel_dropout=0.0),
        "augmentation": _training(augmentation=AugmentationSection()),
    }
    | {name: _changed(name) for name in AugmentationSection.model_fields}
)
"""What can be ablated, and how."""
