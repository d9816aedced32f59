"""What is done to windows while they are learnt from: each change is one that a bedside makes by itself.

Gain differs from optode to optode (coupling), pathlength from person to person, noise from sample to
sample; a response comes a little earlier or later; a source-detector pair may be lost.  Everything is drawn
anew each time that a window is learnt from, and nothing is done to windows that are predicted.
"""

from collections.abc import Sequence

import torch

from models.errors import RecipeError
from offline.samples.recipe_sections import Training


class Augmentation:
    """Changes windows at random, by torch's generator.

    Parameters
    ----------
    asked : Training
        How much of each change; a channel that is dropped is set to 0, as windows hold rejected channels.
    pairs : sequence of int
        Source-detector pair of each channel, from 0: channels of one are dropped together, one pair stays.
    rate : float
        Of the windows, Hz; what a time shift would bring in from outside is held at the edge's value.

    Raises
    ------
    RecipeError
        Channels are to be dropped and there is only one pair.
    """

    def __init__(self, asked: Training, pairs: Sequence[int], rate: float) -> None:
        self.dropout, self.changes = asked.channel_dropout, asked.augmentation
        self.shift = round(self.changes.time_shift_s * rate)
        self.pair_of = torch.tensor(list(pairs))
        self.n_pairs = max(pairs) + 1
        if self.dropout > 0.0 and self.n_pairs == 1:
            raise RecipeError(
                f"training.channel_dropout is {self.dropout}, but the network's input has a "
                f"single source-detector pair ({len(pairs)} channel{'s' * (len(pairs) > 1)}), and one must "
                "stay; expected 0. Take it out of the recipe, or give the network more channels."
            )

    def __call__(self, windows: torch.Tensor) -> torch.Tensor:
        """Windows, (n, n_channels, n_samples) float32, changed; the same tensor where nothing is asked."""
        its = self.changes
        n, n_channels, n_samples = windows.shape
        there = (windows != 0.0).any(dim=2, keepdim=True) if its.noise else None
        if self.shift:
            moved = torch.randint(-self.shift, self.shift + 1, (n, 1))
            column = (torch.arange(n_samples) + moved).clamp(0, n_samples - 1)
            windows = windows.gather(2, column[:, None].expand(n, n_channels, n_samples))
        if its.pathlength:
            windows = windows * torch.exp(its.pathlength * torch.randn(n, 1, 1))
        if its.gain:
            factor = torch.exp(its.gain * torch.randn(n, self.n_pairs))
            windows = windows * factor[:, self.pair_of, None]
        if there is not None:  # a rejected channel stays 0
            windows = windows + its.noise * torch.randn(windows.shape) * there
        return self._dropped(windows)

    def _dropped(self, windows: torch.Tensor) -> torch.Tensor:
        if self.dropout == 0.0:
            return windows
        drawn = torch.rand(len(windows), self.n_pairs)
        kept = drawn >= self.dropout
        kept.scatter_(1, drawn.argmax(dim=1, keepdim=True), True)
        return windows * kept[:, self.pair_of, None]
