"""An ensemble: networks of different seeds and different people spared, served as one model.

Each learns from most people and is stopped by others, so that over the ensemble nearly everybody is learnt
from.  Their logits are averaged (`models.networks.blend`).

Lakshminarayanan B, Pritzel A, Blundell C (2017). Simple and scalable predictive uncertainty estimation using
deep ensembles. NeurIPS 30.
"""

import hashlib
from typing import Any

import numpy as np
import torch

from models.networks import BLEND
from models.networks.blend import Blend
from offline.base.progress import Tell
from offline.samples.recipe import Recipe
from offline.samples.samples import Samples
from offline.training.feature_table import Rows
from offline.training.fit import FittedNetwork
from offline.training.temperature import fit_temperature, logits_of
from offline.training.train import Trained, train_within
from offline.training.validation import Validation, validation_split

DRAWS = 20
"""Seeds that are tried for each member, for people who were not spared before."""


def train_ensemble(
    samples: Samples, recipe: Recipe, within: Rows, *, seed: int, progress: Tell | None, task: str
) -> Trained:
    """Train ``training.ensemble`` networks and average their logits.

    One temperature is set on what each member's own spared windows get of it: a little too high, for an
    average is surer than its members with reason.

    Parameters
    ----------
    samples, recipe, seed, progress, task
        See `offline.training.train.train_within`.
    within : (n,) intp
        The samples that may be used at all.
    """
    n = recipe.training.ensemble
    training = recipe.training.model_copy(update={"ensemble": 1})
    single = recipe.model_copy(update={"training": training})
    members = [
        train_within(samples, single, within, seed=own, progress=progress, task=f"{task} ({k + 1} of {n})")
        for k, own in enumerate(member_seeds(samples, recipe, within, seed))
    ]
    spared = [each.validation.validation for each in members]
    temperature = 1.0
    if any(len(rows) for rows in spared):
        logits = [
            logits_of(each.fitted.network, samples.X[rows])
            for each, rows in zip(members, spared, strict=True)
            if len(rows)
        ]
        temperature = fit_temperature(np.concatenate(logits), samples.table.target[np.concatenate(spared)])
    network = blended(members, [1.0 / n] * n)
    split = Validation(
        members[0].validation.kind,
        np.unique(np.concatenate([each.validation.train for each in members])),
        np.unique(np.concatenate(spared)),
    )
    how = {"ensemble": [figures_of_training(each) for each in members]}
    return Trained(
        FittedNetwork(network, (), 0, False), split, temperature, seed, BLEND, params_of(members), how
    )


def member_seeds(samples: Samples, recipe: Recipe, within: Rows, seed: int) -> list[int]:
    """A seed for each member, by which people (or sessions) are spared who were spared least so far.

    ``within``, (n,) intp, are the samples of training.
    """
    spared = np.zeros(len(samples), dtype=np.int64)
    found = []
    for k in range(recipe.training.ensemble):
        draws = [_seed_of(seed, k, draw) for draw in range(DRAWS)]
        splits = [
            validation_split(
                samples.table, within, seed=each, fraction=recipe.training.validation_fraction
            ).validation
            for each in draws
        ]
        before = [float(spared[rows].mean()) if len(rows) else 0.0 for rows in splits]
        best = int(np.argmin(before))
        spared[splits[best]] += 1
        found.append(draws[best])
    return found


def blended(members: list[Trained], share: list[float]) -> Blend:
    """One model of these, in evaluation mode, their logits multiplied by these numbers and summed."""
    network = Blend([each.fitted.network for each in members])
    network.share.copy_(torch.tensor(share, dtype=torch.float32))
    return network.eval()


def params_of(members: list[Trained]) -> dict[str, Any]:
    """What `models.networks.registry.make_model` makes a blend of these from."""
    return {"members": [{"kind": each.kind, "params": dict(each.params)} for each in members]}


def figures_of_training(trained: Trained) -> dict[str, Any]:
    """Epochs and losses of a network, or how else a member came about; JSON types."""
    fitted = trained.fitted
    if not fitted.history:
        return dict(trained.how)
    last = fitted.history[fitted.best_epoch - 1]
    losses = {key: round(last[key], 6) for key in ("train_loss", "valid_loss") if key in last}
    return {"best_epoch": fitted.best_epoch, "epochs": len(fitted.history), **losses, "seed": trained.seed}


def _seed_of(seed: int, member: int, draw: int) -> int:
    return int.from_bytes(hashlib.sha256(f"ensemble:{seed}:{member}:{draw}".encode()).digest()[:4], "big")
