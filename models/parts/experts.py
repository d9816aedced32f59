"""A mixture of experts: `models.networks.mixture_of_experts` when it predicts."""

from dataclasses import dataclass

import numpy as np

from models.arrays import Floats


@dataclass(frozen=True, eq=False)
class Experts:
    """Experts of one hidden layer each, weighted by a gate that sees the same row.

    Parameters
    ----------
    gate_weights, gate_biases : (n_columns, n_experts), (n_experts,) float64
        Of the gate.
    hidden_weights, hidden_biases : (n_columns, n_experts * n_units), (n_experts * n_units,) float64
        Of the experts' units, one expert after the other.
    head_weights, head_biases : (n_experts, n_units, n_labels), (n_experts, n_labels) float64
        Of what they say.
    """

    gate_weights: Floats
    gate_biases: Floats
    hidden_weights: Floats
    hidden_biases: Floats
    head_weights: Floats
    head_biases: Floats

    def __call__(self, X: Floats) -> Floats:
        """(n, n_columns) float64 to log probabilities (n, n_labels) float64."""
        trust = log_normalised(X @ self.gate_weights + self.gate_biases)  # (n, n_experts)
        units = np.tanh(X @ self.hidden_weights + self.hidden_biases)
        units = units.reshape(len(X), *self.head_weights.shape[:2])  # (n, n_experts, n_units)
        said = np.einsum("neu,eul->nel", units, self.head_weights) + self.head_biases
        both = trust[:, :, np.newaxis] + log_normalised(said)  # (n, n_experts, n_labels)
        top = both.max(axis=1, keepdims=True)
        return np.asarray(top[:, 0] + np.log(np.exp(both - top).sum(axis=1)))


def log_normalised(logits: Floats) -> Floats:
    """Log probabilities of logits.

    Parameters
    ----------
    logits : (..., n) float64
        No unit.

    Returns
    -------
    (..., n) float64
        Their exponentials add up to 1 along the last axis.
    """
    top = logits - logits.max(axis=-1, keepdims=True)
    return np.asarray(top - np.log(np.exp(top).sum(axis=-1, keepdims=True)))
