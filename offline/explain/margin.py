"""The number that is explained."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn


class Margin(nn.Module):
    """Of a classifier, the logit of one label less the mean of the others.

    It maps ``(batch, n_channels, n_samples)`` to logits ``(batch, n_labels)``.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        """Margins (batch,) of windows (batch, n_channels, n_samples), each of its label (batch,) int64."""
        logits = self.network(x)
        own = logits.gather(1, label[:, None])[:, 0]
        return own - (logits.sum(dim=1) - own) / (logits.shape[1] - 1)


def predicted(network: nn.Module, X: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """The label that the network gives each window, (n,) int64, of (n, n_channels, n_samples)."""
    with torch.inference_mode():
        labels: npt.NDArray[np.int64] = network(torch.from_numpy(X)).argmax(dim=1).numpy()
    return labels
