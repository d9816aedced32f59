"""Mixture of experts: small networks, and a gate that weighs them for each row.

Jacobs RA, Jordan MI, Nowlan SJ, Hinton GE (1991). Adaptive mixtures of local experts. Neural Computation
3:79-87.  In the review: Aghdam MA, Sharifi A, Pedram MM (2019), Journal of Digital Imaging 32:899-918.
"""

from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn.functional import log_softmax

from models.networks.parts.sizes import check_sizes


class MixtureOfExperts(nn.Module):
    """Experts of one hidden layer each, and a linear gate.

    Parameters
    ----------
    n_inputs : int
        Columns of the table.
    n_outputs : int
        Labels.
    experts : int
        How many.
    hidden : int
        Units of each.
    dropout : float
        Probability of dropping a unit of an expert, in training only.
    """

    def __init__(
        self, n_inputs: int, n_outputs: int, *, experts: int = 4, hidden: int = 16, dropout: float = 0.3
    ) -> None:
        super().__init__()
        check_sizes("mixture_of_experts", n_inputs=n_inputs, n_outputs=n_outputs, hidden=(experts, hidden))
        self.experts = experts
        self.gate = nn.Linear(n_inputs, experts)
        self.hidden = nn.Linear(n_inputs, experts * hidden)
        self.drop = nn.Dropout(dropout)
        bound = 1.0 / sqrt(hidden)
        self.head_weight = nn.Parameter(torch.empty(experts, hidden, n_outputs).uniform_(-bound, bound))
        self.head_bias = nn.Parameter(torch.zeros(experts, n_outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Logits of rows.

        Parameters
        ----------
        x : (batch, n_inputs) float32
            Standardised columns, no unit.

        Returns
        -------
        (batch, n_outputs) float32
            Log probabilities of the mixture: its cross entropy is the likelihood that experts compete for.
        """
        trust = log_softmax(self.gate(x), dim=1)  # (batch, experts)
        units = self.drop(torch.tanh(self.hidden(x)))  # (batch, experts * hidden)
        units = units.unflatten(1, (self.experts, -1))  # (batch, experts, hidden)
        logits = torch.einsum("beh,eho->beo", units, self.head_weight)  # (batch, experts, n_outputs)
        logits = log_softmax(logits + self.head_bias, dim=2)
        return torch.logsumexp(trust.unsqueeze(2) + logits, dim=1)  # (batch, n_outputs)
