"""Ridge: mean, slope and spread of each channel, and one linear layer that is solved for, not trained.

What every network must beat, as a model that goes live itself.  Its numbers come from
`offline.training.closed_form`; here they are only applied.
"""

import torch
from torch import Tensor, nn

from models.networks.parts.sizes import check_sizes

FEATURES = ("mean", "slope", "spread")
"""Of each channel, in this order; all means first."""


class WindowRidge(nn.Module):
    """A linear model of simple features.

    Parameters
    ----------
    n_chans : int
        Channels of a window.
    n_times : int
        Samples of a window, at least 1.
    n_outputs : int
        Labels; with two, one question is asked, otherwise one a label.
    """

    def __init__(self, n_chans: int, n_times: int, n_outputs: int) -> None:
        super().__init__()
        check_sizes("ridge", n_chans=n_chans, n_times=n_times, n_outputs=n_outputs)
        n_features, n_questions = len(FEATURES) * n_chans, 1 if n_outputs == 2 else n_outputs
        self.mean: Tensor
        self.register_buffer("mean", torch.zeros(n_features))
        self.scale: Tensor
        self.register_buffer("scale", torch.ones(n_features))
        self.weight = nn.Parameter(torch.zeros(n_features, n_questions))
        self.bias = nn.Parameter(torch.zeros(n_questions))

    def reset_parameters(self) -> None:
        """Draw weights that learnt nothing, to compare with."""
        nn.init.normal_(self.weight, std=len(self.weight) ** -0.5)
        nn.init.zeros_(self.bias)

    def features(self, x: Tensor) -> Tensor:
        """What the weights weigh: standardised features, (batch, n_features) float32, of windows."""
        n_times = x.shape[2]
        time = torch.linspace(-0.5, 0.5, n_times, device=x.device) if n_times > 1 else x.new_zeros(1)
        along = time / time.square().sum().clamp_min(1e-30)
        mean = x.mean(dim=2)
        spread = (x - mean[:, :, None]).square().mean(dim=2).sqrt()
        features = torch.cat([mean, (x * along).sum(dim=2), spread], dim=1)
        return (features - self.mean) / self.scale

    def forward(self, x: Tensor) -> Tensor:
        """Logits of windows.

        Parameters
        ----------
        x : (batch, n_chans, n_times) float32
            Windows as the pipeline gives them (normalised, no unit).

        Returns
        -------
        (batch, n_outputs) float32
            Log odds, halved to either side where there are two labels; no unit.
        """
        # Summed row by row: a matrix product's last bits would depend on the size of the batch.
        odds = (self.features(x)[:, :, None] * self.weight).sum(dim=1) + self.bias
        return torch.cat([-0.5 * odds, 0.5 * odds], dim=1) if odds.shape[1] == 1 else odds
