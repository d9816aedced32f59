"""A blend: several models of one window, their log probabilities averaged.

A weighted mean of logits differs from that of log probabilities by a number that all labels share, so it
gives the same probabilities: a product of experts (Hinton 2002, Neural Computation 14:1771-1800).  It is also
what an ensemble of one network over seeds and folds is served as (Lakshminarayanan et al. 2017, NeurIPS 30).
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Blend(nn.Module):
    """Weighted sum of the logits of its members.

    Parameters
    ----------
    members : sequence of torch.nn.Module
        One or more, each ``(batch, n_chans, n_times)`` to logits ``(batch, n_outputs)``.

    Attributes
    ----------
    share : (n_members,) float32 tensor
        What each member's logits are multiplied by: its weight over its own temperature.
    """

    def __init__(self, members: Sequence[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.share: Tensor
        self.register_buffer("share", torch.full((len(members),), 1.0 / len(members)))

    def forward(self, x: Tensor) -> Tensor:
        """Logits of windows.

        Parameters
        ----------
        x : (batch, n_chans, n_times) float32
            Windows as the pipeline gives them (normalised, no unit).

        Returns
        -------
        (batch, n_outputs) float32
            No unit.
        """
        total = self.share[0] * self.members[0](x)
        for share, member in zip(self.share[1:], self.members[1:], strict=True):
            total = total + share * member(x)
        return total
