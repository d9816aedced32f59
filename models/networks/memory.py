"""Memory of a window's channels and likeness of mirrored ones, and one linear layer that is solved for.

What is described of resting children with autism.  Memory is the exponent H with which a signal's changes
grow with the time between two looks (structure function of second order, ``E[(x(t + s) - x(t))^2]`` as
``s^(2 H)``): 0.5 for a random walk, near 0 for what is soon forgotten.  A window of 7 s sees only the shorter
of those times.  Likeness is the correlation of two channels of one chromophore that lie as in a mirror.

Xu L, Liu Y, Yu J, Li X, Yu X, Cheng H, Li J (2020). Characterizing autism spectrum disorder by deep learning
spontaneous brain activity from functional near-infrared spectroscopy. J Neurosci Methods 331:108538.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from models.errors import RecipeError
from models.networks.parts.sizes import check_sizes
from models.networks.ridge import logits_of_features

Pairs = Sequence[Sequence[int]]
FEWEST_SAMPLES = 8
"""Of a window, for a few times between two looks."""
LEAST = 1e-20
"""Mean square, relative to the window's largest value, under which a channel stands still."""
MOST_ALIKE = 0.999
"""Correlation above which Fisher's z would say nothing but that two channels are one."""


def memory_features(x: Tensor, pairs: Pairs) -> Tensor:
    """Memory of each channel, and likeness of each pair.

    Parameters
    ----------
    x : (batch, n_chans, n_times) float
        Windows, in the pipeline's units; 8 samples or more.
    pairs : sequence of (int, int)
        Channels that mirror each other (`realtime.stages.homologues.mirrored`).

    Returns
    -------
    (batch, n_chans + n_pairs) float
        Exponents, then Fisher's z of the correlations.  Of a channel that stands still: 0.
    """
    n_times = x.shape[2]
    lags = np.unique(np.geomspace(1, max(n_times // 4, 2), 6).round().astype(int))
    log_lag = np.log(lags) - np.log(lags).mean()
    along = torch.as_tensor(log_lag / (log_lag @ log_lag), dtype=x.dtype, device=x.device)
    size = torch.stack(
        [(x[:, :, lag:] - x[:, :, :-lag]).square().mean(dim=2) for lag in lags.tolist()], dim=2
    )
    still = size.amin(dim=2) <= LEAST * x.abs().amax(dim=(1, 2)).clamp_min(1.0)[:, None]
    slope = (size.clamp_min(torch.finfo(x.dtype).tiny).log() * along).sum(dim=2)
    memory = torch.where(still, torch.zeros_like(slope), 0.5 * slope)
    if not len(pairs):
        return memory
    left, right = ([int(pair[side]) for pair in pairs] for side in (0, 1))
    centred = x - x.mean(dim=2, keepdim=True)
    scale = centred.square().sum(dim=2).sqrt()
    product = (centred[:, left] * centred[:, right]).sum(dim=2)
    r = product / (scale[:, left] * scale[:, right]).clamp_min(LEAST)
    return torch.cat([memory, r.clamp(-MOST_ALIKE, MOST_ALIKE).atanh()], dim=1)


class WindowMemory(nn.Module):
    """A linear model of `memory_features`.

    Parameters
    ----------
    n_chans, n_times, n_outputs : int
        Channels and samples (8 at least) of a window, and labels; of two, one question is asked.
    pairs : sequence of (int, int)
        Channels that mirror each other.

    Raises
    ------
    RecipeError
        The window is too short, or a pair names a channel that is not there.
    """

    def __init__(self, n_chans: int, n_times: int, n_outputs: int, *, pairs: Pairs = ()) -> None:
        super().__init__()
        check_sizes(
            "memory", least_times=FEWEST_SAMPLES, n_chans=n_chans, n_times=n_times, n_outputs=n_outputs
        )
        if beyond := [pair for pair in pairs if max(pair) >= n_chans]:
            raise RecipeError(
                f"Model 'memory': pairs has {list(beyond[0])}, but a window has {n_chans} channels; expected "
                f"numbers up to {n_chans - 1}."
            )
        self.pairs = tuple((int(left), int(right)) for left, right in pairs)
        n_features, n_questions = n_chans + len(pairs), 1 if n_outputs == 2 else n_outputs
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
        return (memory_features(x, self.pairs) - self.mean) / self.scale

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
