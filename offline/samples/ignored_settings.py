"""Settings of a recipe that its model makes no use of: said in a remark, not refused."""

from offline.samples.recipe import Recipe

USED = frozenset({"seed"})
"""Of ``[training]``, what a model that is solved for follows too: who is held out together."""


def ignored_settings(recipe: Recipe) -> list[str]:
    """A sentence on what a recipe sets and its model ignores; none where there is no such setting.

    Ridge, linear and memory (and what is made of these alone) are solved for from the windows as they are:
    nothing is passed over in epochs, and nobody is spared.

    Parameters
    ----------
    recipe : Recipe
        As it was read: a setting that is left out is not ignored.
    """
    if recipe.model.trained:
        return []
    training, changed = recipe.training, recipe.training.augmentation
    names = [name for name in type(training).model_fields if name in training.model_fields_set - USED]
    each = [f"training.{name}" for name in names if name not in ("augmentation", "pretrained")]
    if "augmentation" in names:
        each += [f"training.augmentation.{name}" for name in sorted(changed.model_fields_set)]
    if recipe.budget.epochs:
        each.append("budget.epochs")
    if not each:
        return []
    verb = "is" if len(each) == 1 else "are"
    return [
        f"{', '.join(each)}: {verb} for networks; model {recipe.model.kind!r} is solved for from the windows "
        "as they are, so nothing of it changes by that."
    ]
