"""The maps of one network on windows that it did not learn from."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import nn

from models.arrays import Floats
from offline.explain.gradients import guided, integrated_gradients
from offline.explain.margin import predicted
from offline.explain.occlusion import occlude
from offline.explain.sanity import likeness, with_new_weights

Windows = npt.NDArray[np.float32]
MOST_WINDOWS = 200
"""So many windows, evenly spread, are explained; more say the same for longer."""
STRETCH_S = 1.0
"""Occlusion hides so much of a window at once."""
DIGITS = 6
"""Significant, of maps as they are written."""

METHODS: Mapping[str, str] = MappingProxyType(
    {
        "occlusion": "fall of the margin when a place is hidden for a second",
        "integrated gradients": "share of the margin, from an empty window on",
        "guided": "guided gradient (deconvolution) times the window",
    }
)
"""Method to what its map shows."""


def explain(
    network: nn.Module,
    X: Windows,
    places: Sequence[int],
    rate: float,
    *,
    methods: Sequence[str],
    seed: int,
    draws: int = 3,
) -> list[dict[str, Any]]:
    """Explain what a network predicts for windows.

    Parameters
    ----------
    network : torch.nn.Module
        In evaluation mode, on the CPU.
    X : (n, n_channels, n_samples) float32
        Windows that it did not learn from.
    places : sequence of int
        The source-detector pair of each channel, from 0.
    rate : float
        Hz.
    methods : sequence of str
        Of `METHODS`.
    seed : int
        Of the weights drawn anew.
    draws : int
        How often they are.

    Returns
    -------
    list of dict
        Of each method, in JSON types: ``method``; ``channels`` and ``times``, the map's mean size over
        windows and the other axis; ``windows``, how many were explained; ``like_untrained``, the rank
        correlation of the whole map with those of networks whose weights are drawn anew.

    Raises
    ------
    RecipeError
        "guided" is asked of a network without a rectifier.
    """
    chosen = X[np.unique(np.linspace(0, len(X) - 1, min(len(X), MOST_WINDOWS)).round().astype(int))]
    untrained = [with_new_weights(network, seed + i) for i in range(draws)]
    out = []
    for method in methods:
        show = _maps(method, places, rate)
        own, *others = (
            np.abs(show(each, chosen, predicted(each, chosen))).mean(axis=0) for each in (network, *untrained)
        )
        alike = float(np.mean([likeness(own, other) for other in others]))
        means = {"channels": own.mean(axis=1), "times": own.mean(axis=0)}
        out.append(
            {"method": method}
            | {axis: [float(f"{v:.{DIGITS}g}") for v in values] for axis, values in means.items()}
            | {"windows": len(chosen), "like_untrained": round(alike, DIGITS)}
        )
    return out


def _maps(
    method: str, places: Sequence[int], rate: float
) -> Callable[[nn.Module, Windows, npt.NDArray[np.int64]], Floats]:
    if method == "occlusion":
        return partial(occlude, places=places, stretch=max(round(STRETCH_S * rate), 1))
    return guided if method == "guided" else integrated_gradients
