"""Logits of a fitted network, and the temperature by which they are calibrated."""

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp
from torch import nn

from offline.base.window_store import Windows

Labels = npt.NDArray[np.int64]

COLDEST, HOTTEST = 0.05, 20.0
"""Temperatures that calibration may choose."""


def logits_of(network: nn.Module, X: Windows, *, batch_size: int = 256) -> npt.NDArray[np.float32]:
    """What a network says of windows.

    Parameters
    ----------
    network : torch.nn.Module
        In evaluation mode, on the CPU.
    X : (n_windows, n_channels, n_samples) float32
        Windows.
    batch_size : int
        Windows at once.

    Returns
    -------
    (n_windows, n_labels) float32
        Logits.
    """
    with torch.inference_mode():
        parts = [
            network(torch.from_numpy(X[i : i + batch_size])).numpy() for i in range(0, len(X), batch_size)
        ]
    return np.concatenate(parts)


def fit_temperature(logits: npt.NDArray[np.float32], y: Labels) -> float:
    """The temperature with the least log loss (Guo et al. 2017), labels weighing the same.

    Parameters
    ----------
    logits : (n_windows, n_labels) float32
        Of windows that the network was not fitted to.
    y : (n_windows,) int64
        Their labels.

    Returns
    -------
    float
        From `COLDEST` to `HOTTEST`.
    """
    values = logits.astype(np.float64)
    weight = 1.0 / np.bincount(y, minlength=values.shape[1])[y]

    def loss(log_temperature: float) -> float:
        scaled = values / np.exp(log_temperature)
        each = logsumexp(scaled, axis=1) - scaled[np.arange(len(y)), y]
        return float(np.average(each, weights=weight))

    found = minimize_scalar(loss, bounds=(np.log(COLDEST), np.log(HOTTEST)), method="bounded")
    return float(np.exp(found.x))
