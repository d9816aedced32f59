"""Sums of columns, bent or not: linear models, perceptrons, extreme learning machines."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.arrays import Floats
from models.errors import BundleError, near_match

BENDS: dict[str, Callable[[Floats], Any]] = {
    "tanh": np.tanh,
    "logistic": lambda a: 0.5 * (1.0 + np.tanh(0.5 * a)),  # this form never overflows
    "relu": lambda a: np.maximum(a, 0.0),
}
"""What a neuron makes of its sum."""


@dataclass(frozen=True, eq=False)
class Linear:
    """Weighted sums of columns; as the last part, the logit of each label.

    Parameters
    ----------
    weights : (n_columns, n_out) float64
        One column a sum.
    bias : (n_out,) float64
        Added.
    """

    weights: Floats
    bias: Floats

    def __call__(self, X: Floats) -> Floats:
        """(n, n_columns) float64 to (n, n_out) float64."""
        return np.asarray(X @ self.weights + self.bias)


@dataclass(frozen=True, eq=False)
class Layer:
    """Neurons that see all columns.

    Parameters
    ----------
    weights : (n_columns, n_neurons) float64
        One column a neuron.
    bias : (n_neurons,) float64
        Added.
    bend : {"tanh", "logistic", "relu"}
        Of `BENDS`.
    """

    weights: Floats
    bias: Floats
    bend: str

    def __post_init__(self) -> None:
        if self.bend not in BENDS:
            raise BundleError(f"A layer's bend is {self.bend!r}. {near_match(str(self.bend), BENDS)}")

    def __call__(self, X: Floats) -> Floats:
        """(n, n_columns) float64 to (n, n_neurons) float64."""
        return np.asarray(BENDS[self.bend](X @ self.weights + self.bias))


def logits_of(odds: Floats) -> Floats:
    """A logit for each label from what an estimator gives.

    Parameters
    ----------
    odds : (n, 1) or (n, n_labels) float64
        One column: log odds of the second label, shared by both logits with opposite signs.

    Returns
    -------
    (n, n_labels) float64
        The second minus the first is the log odds.
    """
    return np.concatenate([-0.5 * odds, 0.5 * odds], axis=1) if odds.shape[1] == 1 else odds
