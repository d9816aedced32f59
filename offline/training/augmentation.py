"""What is done to windows while they are learnt from: each change is one that a bedside makes by itself.

Gain differs from place to place (coupling), pathlength from person to person, noise from sample to sample; a
response comes a little earlier or later; a place may be lost.  Everything is drawn anew each time that a
window is learnt from, and nothing is done to windows that are predicted.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from models.errors import RecipeError


@dataclass(frozen=True, kw_only=True)
class Changes:
    """How much of each; 0 is none.

    Parameters
    ----------
    channel_dropout : float
        Probability with which a place is taken out of a window (set to 0, as windows hold channels that are
        left out); one place always stays.
    gain : float
        Standard deviation of the logarithm of a factor for each place.
    pathlength : float
        The same, one factor for all channels of a window.
    noise : float
        Standard deviation of white noise on every sample, in the windows' own unit.
    time_shift : int
        Most samples by which a window is moved either way; what would come from outside it is held at
        the value of its edge.
    """

    channel_dropout: float = 0.0
    gain: float = 0.0
    pathlength: float = 0.0
    noise: float = 0.0
    time_shift: int = 0


class Augmentation:
    """Changes windows at random, by torch's generator.

    Parameters
    ----------
    changes : Changes
        Which.
    places : sequence of int
        The place of each channel, from 0.

    Raises
    ------
    RecipeError
        Places are to be dropped and there is only one.
    """

    def __init__(self, changes: Changes, places: Sequence[int]) -> None:
        self.changes = changes
        self.place_of = torch.tensor(list(places))
        self.n_places = max(places) + 1
        if changes.channel_dropout > 0.0 and self.n_places == 1:
            raise RecipeError(
                f"training.channel_dropout is {changes.channel_dropout}, but the network's input has a "
                f"single place ({len(places)} channel{'s' * (len(places) > 1)}), and one must stay; expected "
                "0. Take it out of the recipe, or give the network more channels."
            )

    def __call__(self, windows: torch.Tensor) -> torch.Tensor:
        """Windows, (n, n_channels, n_samples) float32, changed; the same tensor where nothing is asked."""
        its = self.changes
        n, n_channels, n_samples = windows.shape
        there = (windows != 0.0).any(dim=2, keepdim=True) if its.noise else None
        if its.time_shift:
            moved = torch.randint(-its.time_shift, its.time_shift + 1, (n, 1))
            column = (torch.arange(n_samples) + moved).clamp(0, n_samples - 1)
            windows = windows.gather(2, column[:, None].expand(n, n_channels, n_samples))
        if its.pathlength:
            windows = windows * torch.exp(its.pathlength * torch.randn(n, 1, 1))
        if its.gain:
            factor = torch.exp(its.gain * torch.randn(n, self.n_places))
            windows = windows * factor[:, self.place_of, None]
        if there is not None:  # a channel that is left out stays 0
            windows = windows + its.noise * torch.randn(windows.shape) * there
        return self._dropped(windows)

    def _dropped(self, windows: torch.Tensor) -> torch.Tensor:
        share = self.changes.channel_dropout
        if share == 0.0:
            return windows
        drawn = torch.rand(len(windows), self.n_places)
        kept = drawn >= share
        kept.scatter_(1, drawn.argmax(dim=1, keepdim=True), True)
        return windows * kept[:, self.place_of, None]
