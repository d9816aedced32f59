"""A fully connected cascade: every neuron sees the inputs and all earlier neurons.

Deshpande, Wang, Rangaprakash & Wilamowski 2015 (IEEE Transactions on Cybernetics 45:2668-2679).
"""

from dataclasses import dataclass

import numpy as np

from models.arrays import Floats


@dataclass(frozen=True, eq=False)
class Cascade:
    """The network's forward pass.

    Parameters
    ----------
    hidden : (n_neurons, 1 + n_columns + n_neurons) float64
        Weights of the bias, the columns, and the neurons; 0 for the neuron itself and later ones.
    output : (n_out, 1 + n_columns + n_neurons) float64
        Of the outputs; one for two labels, otherwise one a label.
    """

    hidden: Floats
    output: Floats

    def __call__(self, X: Floats) -> Floats:
        """(n, n_columns) float64 to logits (n, n_labels) float64."""
        net = seen(X, self.hidden) @ self.output.T
        # An output is tanh(net), fitted to -1 and 1, so its log odds are 2 net.
        return np.concatenate([-net, net], axis=1) if net.shape[1] == 1 else np.asarray(2.0 * net)


def seen(X: Floats, hidden: Floats) -> Floats:
    """What the outputs see.

    Parameters
    ----------
    X : (n, n_columns) float64
        Inputs.
    hidden : (n_neurons, 1 + n_columns + n_neurons) float64
        As `Cascade` has them.

    Returns
    -------
    (n, 1 + n_columns + n_neurons) float64
        One, the inputs, the neurons.
    """
    first = 1 + X.shape[1]
    all_of = np.concatenate([np.ones((len(X), 1)), X, np.zeros((len(X), len(hidden)))], axis=1)
    for k, weights in enumerate(hidden):
        all_of[:, first + k] = np.tanh(all_of[:, : first + k] @ weights[: first + k])
    return all_of
