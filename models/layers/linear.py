"""Weighted sums of columns: every linear model, however it was fitted."""

from dataclasses import dataclass

import numpy as np

from models.arrays import Floats


@dataclass(frozen=True, eq=False)
class Linear:
    """Weighted sums of columns; as the last layer, the logit of each label.

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
