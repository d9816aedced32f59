"""Restricted Boltzmann machine: units that are seen, units that are not, no link within either.

Smolensky 1986; Hinton GE (2002). Training products of experts by minimizing contrastive divergence. Neural
Computation 14:1771-1800.  Seen units are binary, or Gaussian of variance 1 (Hinton GE, Salakhutdinov RR
(2006). Reducing the dimensionality of data with neural networks. Science 313:504-507).
"""

import torch
from torch import Tensor, nn

from models.networks.parts.sizes import check_sizes


class RestrictedBoltzmannMachine(nn.Module):
    """The machine; `offline` teaches it.

    Parameters
    ----------
    n_visible, n_hidden : int
        Units that are seen, and units that are not.
    gaussian : bool
        Whether seen units are real numbers of variance 1 rather than probabilities.
    """

    def __init__(self, n_visible: int, n_hidden: int, *, gaussian: bool = False) -> None:
        super().__init__()
        check_sizes("boltzmann", n_inputs=n_visible, n_outputs=n_hidden)
        self.gaussian = gaussian
        # Small first weights: hidden units start near 1/2 and undecided.
        self.weight = nn.Parameter(0.01 * torch.randn(n_hidden, n_visible))
        self.visible_bias = nn.Parameter(torch.zeros(n_visible))
        self.hidden_bias = nn.Parameter(torch.zeros(n_hidden))

    def hidden(self, visible: Tensor) -> Tensor:
        """Probabilities of hidden units, (batch, n_hidden) float32, given seen (batch, n_visible) float32."""
        return torch.sigmoid(visible @ self.weight.T + self.hidden_bias)

    def visible(self, hidden: Tensor) -> Tensor:
        """Means of seen units, (batch, n_visible) float32, given hidden ones (batch, n_hidden) float32."""
        mean = hidden @ self.weight + self.visible_bias
        return mean if self.gaussian else torch.sigmoid(mean)

    def forward(self, visible: Tensor) -> Tensor:
        """Seen units there and back, (batch, n_visible) float32 to the same."""
        return self.visible(self.hidden(visible))
