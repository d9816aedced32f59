"""Logits of a fitted network, and the temperature by which they are calibrated."""

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp
from torch import nn

from offline.base.window_store import Windows

Labels = npt.NDArray[np.int64]

AT_ONCE = 256
"""Windows that a network is given together."""
COLDEST, HOTTEST = 0.05, 20.0
"""Temperatures that calibration may choose."""


def logits_of(network: nn.Module, X: Windows) -> npt.NDArray[np.float32]:
    """Logits, (n_windows, n_labels) float32, of a network in evaluation mode on the CPU.

    ``X`` are windows, (n_windows, n_channels, n_samples) float32.
    """
    with torch.inference_mode():
        parts = [network(torch.from_numpy(X[i : i + AT_ONCE])).numpy() for i in range(0, len(X), AT_ONCE)]
    return np.concatenate(parts)


def fit_temperature(logits: npt.NDArray[np.float32], y: Labels) -> float:
    """The temperature with the least log loss (Guo et al. 2017), labels weighing the same.

    Of windows that the network was not fitted to, (n_windows, n_labels) float32; from `COLDEST` to `HOTTEST`.
    """
    values = logits.astype(np.float64)
    weight = 1.0 / np.bincount(y, minlength=values.shape[1])[y]

    def loss(log_temperature: float) -> float:
        scaled = values / np.exp(log_temperature)
        each = logsumexp(scaled, axis=1) - scaled[np.arange(len(y)), y]
        return float(np.average(each, weights=weight))

    found = minimize_scalar(loss, bounds=(np.log(COLDEST), np.log(HOTTEST)), method="bounded")
    return float(np.exp(found.x))
