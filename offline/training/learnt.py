"""What a training learnt, on people (or sessions) it was not fitted to, beside the linear model on the same.

The spared windows also chose a network's epoch, and those that are held out in turn chose among models: these
figures are a little too good.  What a recipe is worth, `offline.evaluation` says.
"""

from typing import Any

import numpy as np
from torch import nn

from models.networks import SOLVED_KINDS
from models.networks.blend import Blend
from models.probabilities import probabilities
from offline.estimators.baselines import fit_linear
from offline.samples.recipe import Recipe
from offline.samples.samples import Samples
from offline.samples.sides import with_one_montage
from offline.stats.person_accuracy import person_accuracy
from offline.training.ensemble import member_seeds
from offline.training.feature_table import Rows
from offline.training.temperature import logits_of
from offline.training.train import Trained
from offline.training.validation import Validation, validation_split


def learnt(samples: Samples, recipe: Recipe, within: Rows, trained: Trained) -> dict[str, Any] | None:
    """Balanced accuracy by person of a model and of the linear model, on windows that neither was fitted to.

    Parameters
    ----------
    samples, recipe, within : Samples, Recipe, (n,) intp
        As the model was trained (`offline.training.train.train_within`).
    trained : Trained
        It.

    Returns
    -------
    dict or None
        JSON types: ``on`` whom, ``balanced_accuracy``, ``linear`` (the linear model's) and ``gained``
        (whether the first is more); None where nobody was spared.
    """
    if (choice := trained.how.get("choice")) is not None:
        of = {each["model"]: each["balanced_accuracy"] for each in choice["candidates"]}
        if "linear" not in of:
            return None
        return _beside("training people held out in turn", of[choice["chosen"]], of["linear"])
    if recipe.model.kind in SOLVED_KINDS:
        return None
    network = trained.fitted.network
    members: list[tuple[nn.Module, Validation]] = [(network, trained.validation)]
    if isinstance(network, Blend):
        fraction = recipe.training.validation_fraction
        seeds = member_seeds(samples, recipe, within, trained.seed)
        members = [
            (member, validation_split(samples.table, within, seed=seed, fraction=fraction))
            for member, seed in zip(network.members, seeds, strict=True)
        ]
    found = [_both(samples, member, split) for member, split in members if len(split.validation)]
    if not found:
        return None
    own, linear = np.mean(found, axis=0).tolist()
    return _beside(str(trained.validation.kind), own, linear)


def _both(samples: Samples, network: nn.Module, split: Validation) -> tuple[float, float]:
    table, simple = samples.table, with_one_montage(samples)
    own = table.rows(split.validation)
    fitted, _ = fit_linear(simple.X[split.train], table.target[split.train], table.unit[split.train])
    return (
        person_accuracy(
            probabilities(logits_of(network, samples.X[split.validation])), own.target, own.person
        ),
        person_accuracy(fitted.predict_proba(simple.X[split.validation]), own.target, own.person),
    )


def _beside(on: str, own: float, linear: float) -> dict[str, Any]:
    rounded, beside = round(own, 6), round(linear, 6)
    return {"on": on, "balanced_accuracy": rounded, "linear": beside, "gained": rounded > beside}
