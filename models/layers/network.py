"""A feed-forward network over a table: a stacked auto-encoder or a deep belief network when it predicts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from models.arrays import Floats
from models.errors import BundleError, near_match

BENDS: dict[str, Callable[[Floats], Any]] = {
    "none": lambda a: a,
    "tanh": np.tanh,
    "logistic": lambda a: 0.5 * (1.0 + np.tanh(0.5 * a)),  # this form never overflows
    "relu": lambda a: np.maximum(a, 0.0),
}
"""What a unit makes of its sum."""


@dataclass(frozen=True, eq=False)
class TableNetwork:
    """Layers of units, each of which sees all of the layer below.

    Parameters
    ----------
    numbers : (n_numbers,) float64
        Of each layer, the lowest first: its weights ``(units below, units)`` row by row, then its biases.
    sizes : tuple of int
        Columns, then units of each layer; those of the last are logits, or features.
    bends : tuple of {"none", "tanh", "logistic", "relu"}
        Of `BENDS`, one a layer.
    """

    numbers: Floats
    sizes: tuple[int, ...]
    bends: tuple[str, ...]

    def __post_init__(self) -> None:
        for bend in self.bends:
            if bend not in BENDS:
                raise BundleError(f"A network's bend is {bend!r}. {near_match(str(bend), BENDS)}")
        wanted = sum((below + 1) * units for below, units in pairwise(self.sizes))
        if len(self.numbers) != wanted or len(self.bends) != len(self.sizes) - 1:
            raise BundleError(
                f"A network of sizes {tuple(self.sizes)} has {len(self.numbers)} numbers and "
                f"{len(self.bends)} bends; expected {wanted} and {len(self.sizes) - 1}. "
                "The bundle is damaged."
            )

    def layers(self) -> list[tuple[Floats, Floats]]:
        """Weights (units below, units) float64 and biases (units,) float64 of each layer."""
        found, at = [], 0
        for below, units in pairwise(self.sizes):
            weights = self.numbers[at : at + below * units].reshape(below, units)
            at += (below + 1) * units
            found.append((weights, self.numbers[at - units : at]))
        return found

    def __call__(self, X: Floats) -> Floats:
        """(n, n_columns) float64 to (n, units of the last layer) float64."""
        for (weights, biases), bend in zip(self.layers(), self.bends, strict=True):
            X = np.asarray(BENDS[bend](X @ weights + biases))
        return X


def network_of(layers: Sequence[tuple[Floats, Floats]], bends: Sequence[str]) -> TableNetwork:
    """A network from its layers.

    Parameters
    ----------
    layers : sequence of (weights, biases)
        ``(units below, units) float64`` and ``(units,) float64``, the lowest first.
    bends : sequence of str
        One a layer.
    """
    sizes = (len(layers[0][0]), *(len(biases) for _, biases in layers))
    numbers = [np.asarray(part, dtype=np.float64).ravel() for layer in layers for part in layer]
    return TableNetwork(np.concatenate(numbers), sizes, tuple(bends))


def standardised(weights: Floats, biases: Floats, mean: Floats, scale: Floats) -> tuple[Floats, Floats]:
    """The layer that gives of raw columns what the given one gives of standardised ones.

    Parameters
    ----------
    weights, biases : (n_columns, units) float64, (units,) float64
        Of the layer that sees ``(X - mean) / scale``.
    mean, scale : (n_columns,) float64
        Of the columns.
    """
    inner = weights / scale[:, np.newaxis]
    return inner, biases - mean @ inner
