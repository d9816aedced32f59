"""How alike mirrored channels are against what all channels share, and one linear layer that is solved for.

Four numbers, whatever the montage: the mean of Fisher's z over mirrored channels (homotopic connectivity)
and over all other pairs of one chromophore, each of the window as it stands and of the window about its own
mean.  What all share (scalp, blood pressure, breathing) raises both kinds of pair, so their difference shows
the hemispheres' own likeness; and what is slower than a window shows in its level, which a running baseline
has made comparable.  Few numbers, because few people must do.

Less homotopic likeness at rest was described in children with autism:
Li J, Qiu L, Xu L, Pedapati EV, Erickson CA, Sunar U (2016). Characterization of autism spectrum disorder with
spontaneous hemodynamic activity. Biomed Opt Express 7:3871-3881.
"""

import torch
from torch import Tensor, nn

from models.errors import RecipeError
from models.networks.memory import LEAST, MOST_ALIKE, Pairs
from models.networks.parts.sizes import check_sizes
from models.networks.ridge import logits_of_features

N_FEATURES = 4
AT_ONCE = 256
"""Pairs that are multiplied together: more would only take memory."""


def likeness_features(x: Tensor, pairs: Pairs, others: Pairs) -> Tensor:
    """Mean likeness of mirrored and of other pairs.

    Parameters
    ----------
    x : (batch, n_chans, n_times) float
        Windows, each channel about its running baseline (a high-pass or a normalisation has gone before).
    pairs, others : sequence of (int, int)
        Channels that mirror each other, and all other pairs of channels of one chromophore.

    Returns
    -------
    (batch, 4) float
        Mean of Fisher's z: ``pairs`` and ``others`` of the window as it stands, then of the window about its
        own mean.  0 where there are none; a channel that stands still is like no other.
    """
    centred = x - x.mean(dim=2, keepdim=True)
    found = [_mean_z(each, those) for each in (x, centred) for those in (pairs, others)]
    return torch.stack(found, dim=1)


def _mean_z(x: Tensor, pairs: Pairs) -> Tensor:
    if not len(pairs):
        return x.new_zeros(len(x))
    scale = x.square().sum(dim=2).sqrt()
    total = x.new_zeros(len(x))
    for first in range(0, len(pairs), AT_ONCE):
        one, other = ([int(pair[side]) for pair in pairs[first : first + AT_ONCE]] for side in (0, 1))
        product = (x[:, one] * x[:, other]).sum(dim=2)
        r = product / (scale[:, one] * scale[:, other]).clamp_min(LEAST)
        total = total + r.clamp(-MOST_ALIKE, MOST_ALIKE).atanh().sum(dim=1)
    return total / len(pairs)


class WindowLikeness(nn.Module):
    """A linear model of `likeness_features`.

    Parameters
    ----------
    n_chans, n_times, n_outputs : int
        Channels and samples (2 at least) of a window, and labels; of two, one question is asked.
    pairs, others : sequence of (int, int)
        Channels that mirror each other, and all other pairs of one chromophore.

    Raises
    ------
    RecipeError
        The window is too short, or a pair names a channel that is not there.
    """

    def __init__(
        self, n_chans: int, n_times: int, n_outputs: int, *, pairs: Pairs = (), others: Pairs = ()
    ) -> None:
        super().__init__()
        check_sizes("likeness", least_times=2, n_chans=n_chans, n_times=n_times, n_outputs=n_outputs)
        for name, given in (("pairs", pairs), ("others", others)):
            if beyond := [pair for pair in given if max(pair) >= n_chans]:
                raise RecipeError(
                    f"Model 'likeness': {name} has {list(beyond[0])}, but a window has {n_chans} channels; "
                    f"expected numbers up to {n_chans - 1}."
                )
        self.pairs, self.others = _whole(pairs), _whole(others)
        n_questions = 1 if n_outputs == 2 else n_outputs
        self.mean: Tensor
        self.register_buffer("mean", torch.zeros(N_FEATURES))
        self.scale: Tensor
        self.register_buffer("scale", torch.ones(N_FEATURES))
        self.weight = nn.Parameter(torch.zeros(N_FEATURES, n_questions))
        self.bias = nn.Parameter(torch.zeros(n_questions))

    def reset_parameters(self) -> None:
        """Draw weights that learnt nothing, to compare with."""
        nn.init.normal_(self.weight, std=len(self.weight) ** -0.5)
        nn.init.zeros_(self.bias)

    def features(self, x: Tensor) -> Tensor:
        """What the weights weigh: standardised features, (batch, 4) float32, of windows."""
        return (likeness_features(x, self.pairs, self.others) - self.mean) / self.scale

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


def _whole(pairs: Pairs) -> tuple[tuple[int, int], ...]:
    return tuple((int(one), int(other)) for one, other in pairs)
