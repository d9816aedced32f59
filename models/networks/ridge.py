"""Ridge and linear: mean, slope and spread of each channel, and one linear layer that is solved for.

What every network must beat, as models that go live themselves.  Their numbers come from
`offline.training.closed_form`; here they are only applied.
"""

from collections.abc import Sequence

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
    features : sequence of str
        Which of `FEATURES` it sees.  Of means alone it is a discriminant analysis of window means (Fisher
        1936) whose shrinkage is chosen.
    """

    def __init__(
        self, n_chans: int, n_times: int, n_outputs: int, *, features: Sequence[str] = FEATURES
    ) -> None:
        super().__init__()
        check_sizes("ridge", n_chans=n_chans, n_times=n_times, n_outputs=n_outputs)
        self.seen = tuple(name for name in FEATURES if name in features)
        n_features, n_questions = len(self.seen) * n_chans, 1 if n_outputs == 2 else n_outputs
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
        of = {"mean": mean}
        if "slope" in self.seen:
            of["slope"] = (x * along).sum(dim=2)
        if "spread" in self.seen:
            of["spread"] = (x - mean[:, :, None]).square().mean(dim=2).sqrt()
        return (torch.cat([of[name] for name in self.seen], dim=1) - self.mean) / self.scale

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
        return logits_of_features(self.features(x), self.weight, self.bias)


class WindowLinear(WindowRidge):
    """The same form with the numbers of a logistic regression."""


def logits_of_features(features: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Logits of features, the same in any batch.

    Parameters
    ----------
    features : (batch, n_features) float32
        Standardised.
    weight, bias : (n_features, n_columns), (n_columns,) float32
        One column is the log odds of the second of two labels; otherwise there is one a label.

    Returns
    -------
    (batch, n_outputs) float32
        No unit.
    """
    # Summed row by row: a matrix product's last bits would depend on the size of the batch.
    odds = (features[:, :, None] * weight).sum(dim=1) + bias
    return torch.cat([-0.5 * odds, 0.5 * odds], dim=1) if odds.shape[1] == 1 else odds
