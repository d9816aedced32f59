"""Models that are solved for, not trained step by step, in the form that a bundle holds.

Each predicts as the baseline of the same name, to the rounding of single precision.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from models.arrays import Floats
from models.networks import LIKENESS, LINEAR, MEMORY
from models.networks.registry import make_model
from models.networks.ridge import FEATURES
from offline.estimators.baselines import fit_logistic, window_features
from offline.samples.likeness import compared_channels, likeness_of
from offline.samples.memory_features import memory_features
from offline.samples.samples import Samples
from offline.training.feature_table import FeatureTable, Rows
from offline.training.ridge import fit_ridge
from realtime.stages.homologues import mirrored


@dataclass(frozen=True, eq=False)
class Solved:
    """A model that was solved for.

    Parameters
    ----------
    network : torch.nn.Module
        In evaluation mode.
    params : mapping
        Its parameters, those that were found in the recordings among them.
    how : mapping
        Penalties and what they were chosen on, JSON types.
    """

    network: nn.Module
    params: Mapping[str, Any]
    how: Mapping[str, Any]


def solve(
    kind: str, params: Mapping[str, Any], samples: Samples, which: Rows, *, by_person: bool, seed: int
) -> Solved:
    """Fit ridge, linear, memory or likeness.

    Penalties are chosen (and ridge's log odds calibrated) on people of training who are held out in turn; so
    nobody is spared, and no temperature is needed.

    Parameters
    ----------
    kind : str
        One of `models.networks.SOLVED_KINDS`.
    params : mapping
        As a recipe has them.
    samples : Samples
        All.
    which : (n,) intp
        Those of training.
    by_person : bool
        Whether the label is the person's: then a person is one row, but for the linear model, whose rows are
        windows always.
    seed : int
        Who is held out together.
    """
    n_labels = len(samples.labels)
    if kind == MEMORY:
        params = {**params, "pairs": [list(pair) for pair in mirrored(samples.behind)]}
        features = memory_features(samples.X, params["pairs"])
    elif kind == LIKENESS:
        pairs, others = compared_channels(samples.behind)
        params = {
            **params,
            "pairs": [list(pair) for pair in pairs],
            "others": [list(pair) for pair in others],
        }
        features = likeness_of(samples.X, pairs, others)
    else:
        features = _chosen(window_features(samples.X), params.get("features", FEATURES))
    if kind == LINEAR:
        numbers, how = _logistic(features[which], samples, which)
    else:
        data = FeatureTable(features, samples.table, by_person, n_labels)
        fitted = fit_ridge(data, which, seed=seed)
        found, how = fitted.discriminant, fitted.how
        numbers = {
            "mean": found.mean,
            "scale": found.scale,
            "weight": found.weights * found.slope,
            "bias": -found.middle * found.slope,
        }
    _, n_chans, n_times = samples.X.shape
    network = make_model(kind, params, n_chans=n_chans, n_times=n_times, n_outputs=n_labels)
    network.load_state_dict({name: torch.from_numpy(np.float32(each)) for name, each in numbers.items()})
    return Solved(network.eval(), params, how)


def _chosen(features: Floats, names: Any) -> Floats:
    """The columns of these of `FEATURES`, in their order."""
    parts = np.split(features, len(FEATURES), axis=1)
    return np.concatenate([part for name, part in zip(FEATURES, parts, strict=True) if name in names], axis=1)


def _logistic(features: Floats, samples: Samples, which: Rows) -> tuple[dict[str, Floats], dict[str, Any]]:
    own = samples.table.rows(which)
    fitted, strength = fit_logistic(features, own.target, own.unit)
    scaler, regression = (step for _, step in fitted.steps)
    numbers = {
        "mean": scaler.mean_,
        "scale": scaler.scale_,
        "weight": regression.coef_.T,
        "bias": regression.intercept_,
    }
    return numbers, {"inverse_penalty": strength, "rows": len(which)}
