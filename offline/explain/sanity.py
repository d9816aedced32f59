"""Is a map worth believing: does it depend on what was learnt, and does it recur?

Adebayo J, Gilmer J, Muelly M, Goodfellow I, Hardt M, Kim B (2018). Sanity checks for saliency maps. NeurIPS.
"""

import copy
from collections.abc import Sequence
from itertools import combinations

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import nn

from models.arrays import Floats
from offline.base.reproducible import reproducible

ALIKE = 0.7
"""A map whose ranks agree so well with those of untrained networks shows the input, not what was learnt."""


def with_new_weights(network: nn.Module, seed: int) -> nn.Module:
    """A copy of a network whose weights are all drawn anew, as before training."""
    other = copy.deepcopy(network)
    with reproducible(seed, torch.get_num_threads()):
        for module in other.modules():
            reset = getattr(module, "reset_parameters", None)
            if callable(reset):
                reset()
    return other.eval()


def likeness(first: Floats, second: Floats) -> float:
    """Spearman's rank correlation of the sizes of two maps, (n_cells,) float64 each; 0 where one is flat."""
    one, other = np.abs(first).ravel(), np.abs(second).ravel()
    if np.ptp(one) == 0.0 or np.ptp(other) == 0.0:
        return 0.0
    return float(spearmanr(one, other).statistic)


def stability(maps: Sequence[Floats]) -> float | None:
    """Mean likeness of every two folds' maps, (...) float64 of one shape; None of fewer than two."""
    pairs = [likeness(one, other) for one, other in combinations(maps, 2)]
    return float(np.mean(pairs)) if pairs else None
