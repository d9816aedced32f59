"""Deep belief network: restricted Boltzmann machines on top of each other, then a linear layer.

Hinton GE, Osindero S, Teh YW (2006). A fast learning algorithm for deep belief nets. Neural Computation
18:1527-1554.  In the review: Aghdam MA, Sharifi A, Pedram MM (2018), Journal of Digital Imaging 31:895-903
(depth 3); Kuang D et al. (2014), LNCS 8590:225-232; Hao AJ, He BL, Yin CH (2015), deep Bayesian network.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from models.networks.boltzmann import RestrictedBoltzmannMachine
from models.networks.parts.sizes import check_sizes


class DeepBeliefNetwork(nn.Module):
    """The feed-forward form of a stack of machines.

    Parameters
    ----------
    n_inputs : int
        Columns of the table.
    n_outputs : int
        Labels.
    hidden : sequence of int
        Hidden units of each machine, the lowest first.
    dropout : float
        Probability of dropping a unit in front of the linear layer, in training only.
    """

    def __init__(
        self, n_inputs: int, n_outputs: int, *, hidden: Sequence[int] = (100, 50, 25), dropout: float = 0.2
    ) -> None:
        super().__init__()
        check_sizes("deep_belief", n_inputs=n_inputs, n_outputs=n_outputs, hidden=hidden)
        widths = (n_inputs, *hidden)
        self.layers = nn.ModuleList(nn.Linear(below, above) for below, above in pairwise(widths))
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(widths[-1], n_outputs)

    def begin_from(self, machines: Sequence[RestrictedBoltzmannMachine]) -> None:
        """Take over what machines have learnt, one a layer, the lowest first."""
        for layer, machine in zip(self.layers, machines, strict=True):
            layer.load_state_dict({"weight": machine.weight, "bias": machine.hidden_bias})

    def features(self, x: Tensor) -> Tensor:
        """The topmost hidden units.

        Parameters
        ----------
        x : (batch, n_inputs) float32
            Standardised columns, no unit.

        Returns
        -------
        (batch, units of the last layer) float32
            From 0 to 1.
        """
        for layer in self.layers:
            x = torch.sigmoid(layer(x))  # (batch, units of the layer)
        return x

    def forward(self, x: Tensor) -> Tensor:
        """Logits of rows.

        Parameters
        ----------
        x : (batch, n_inputs) float32
            Standardised columns, no unit.

        Returns
        -------
        (batch, n_outputs) float32
            Logits, no unit.
        """
        return self.head(self.drop(self.features(x)))  # (batch, n_outputs)
