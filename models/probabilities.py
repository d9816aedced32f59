"""Logits to probabilities: the one place where this is computed, live and offline."""

import numpy as np
import numpy.typing as npt

SUREST = 1e-6
"""Probabilities are kept so far from 0 and 1: a prediction of 1 has no finite odds."""


def probabilities(logits: npt.NDArray[np.floating], temperature: float = 1.0) -> npt.NDArray[np.float64]:
    """Softmax of logits divided by the temperature (Guo et al. 2017), without overflow.

    Parameters
    ----------
    logits : (..., n_labels) float32
        No unit.
    temperature : float
        Above 0; above 1 makes the probabilities less sure.

    Returns
    -------
    (..., n_labels) float64
        Each row adds up to 1.
    """
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))
