"""A network that sees a few components of its channels instead of all of them."""

import torch
from torch import Tensor, nn


class Projected(nn.Module):
    """A fixed linear map of the channels, then a network.

    The map is not learnt with the network's weights: whoever makes it sets it (components of the training
    windows, say), and it travels with the weights.

    Parameters
    ----------
    inner : torch.nn.Module
        Takes ``(batch, n_components, n_times)``.
    n_chans, n_components : int
        Channels that come in, and components that the inner network sees.
    """

    def __init__(self, inner: nn.Module, n_chans: int, n_components: int) -> None:
        super().__init__()
        self.inner = inner
        self.components: Tensor
        self.register_buffer("components", torch.eye(n_components, n_chans))

    def forward(self, x: Tensor) -> Tensor:
        """Logits of windows.

        Parameters
        ----------
        x : (batch, n_chans, n_times) float32
            Windows as the pipeline gives them (normalised, no unit).

        Returns
        -------
        (batch, n_outputs) float32
            Logits, no unit.
        """
        return self.inner(torch.matmul(self.components, x))
