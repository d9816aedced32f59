"""Stacked auto-encoder: layers that have learnt to give back their input, a softmax on top.

Xiao Z, Wu J, Wang C, Jia N, Yang X (2019). Computer-aided diagnosis of school-aged children with ASD using
full frequency bands and enhanced SAE. Experimental and Therapeutic Medicine 17:4055-4063.

The layers are learnt one after the other from corrupted input, as in Vincent P et al. (2010). Stacked
denoising autoencoders. Journal of Machine Learning Research 11:3371-3408; the training is offline's.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from models.networks.parts.sizes import check_sizes


class StackedAutoEncoder(nn.Module):
    """Encoding layers on top of each other, then one linear layer.

    Parameters
    ----------
    n_inputs : int
        Columns of the table.
    n_outputs : int
        Labels.
    hidden : sequence of int
        Units of each encoding layer, the lowest first.
    dropout : float
        Probability of dropping a unit behind each encoding layer, in training only.
    """

    def __init__(
        self, n_inputs: int, n_outputs: int, *, hidden: Sequence[int] = (100, 50), dropout: float = 0.3
    ) -> None:
        super().__init__()
        check_sizes("stacked_autoencoder", n_inputs=n_inputs, n_outputs=n_outputs, hidden=hidden)
        widths = (n_inputs, *hidden)
        self.layers = nn.ModuleList(nn.Linear(below, above) for below, above in pairwise(widths))
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(widths[-1], n_outputs)

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
        for layer in self.layers:
            x = self.drop(torch.tanh(layer(x)))  # (batch, units of the layer)
        return self.head(x)  # (batch, n_outputs)


class DenoisingAutoEncoder(nn.Module):
    """One encoding layer and the linear layer that undoes it.

    Parameters
    ----------
    encoder : torch.nn.Linear
        The layer that is to be learnt; it is shared, not copied.
    corruption : float
        Probability with which a column is set to 0 before it is encoded, in training only.
    """

    def __init__(self, encoder: nn.Linear, *, corruption: float = 0.3) -> None:
        super().__init__()
        self.encoder = encoder
        self.corruption = corruption
        self.decoder = nn.Linear(encoder.out_features, encoder.in_features)

    def forward(self, x: Tensor) -> Tensor:
        """The input again.

        Parameters
        ----------
        x : (batch, n_inputs) float32
            Columns, or units of the layer below.

        Returns
        -------
        (batch, n_inputs) float32
            In the input's unit.
        """
        if self.training:
            # Not dropout's rescaling: a column that is set to its mean says "unknown", and no more.
            x = x * (torch.rand_like(x) >= self.corruption)  # (batch, n_inputs)
        return self.decoder(torch.tanh(self.encoder(x)))  # (batch, n_inputs)
