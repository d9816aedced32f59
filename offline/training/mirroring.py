"""Left and right swapped while windows are learnt from, and with them the labels that mirror.

What is learnt of one hand is then learnt of the other: half of the windows come from a mirrored head.
"""

from collections.abc import Sequence

import torch

from models.errors import RecipeError
from realtime.signal import SignalSpec
from realtime.stages.homologues import homologous_pairs

WHO = "training.augmentation.mirror"


class Mirroring:
    """Mirrors each window with probability one half, by torch's generator.

    Homologous channels (`realtime.stages.homologues`) change places; differences of homologues change their
    sign; a channel without a homologue stays.

    Parameters
    ----------
    behind : SignalSpec
        The channels of the windows.
    labels : sequence of str
        What targets stand for.
    pairs : sequence of pairs of str
        Labels that are each other's mirror image; others stay.
    montages : sequence of sequence of int, or None
        Channels of each montage where there are several: homologues are of one montage.

    Raises
    ------
    RecipeError
        A label is unknown.
    SignalError
        Positions are not known, or no two channels are homologous.
    """

    def __init__(
        self,
        behind: SignalSpec,
        labels: Sequence[str],
        pairs: Sequence[tuple[str, str]],
        montages: Sequence[Sequence[int]] | None = None,
    ) -> None:
        order = list(range(len(behind)))
        is_difference = [channel.mirror_pair != (None, None) for channel in behind.channels]
        mirrored: set[int] = set()
        for rows in [order[:]] if montages is None else montages:
            if own := [i for i in rows if not is_difference[i]]:
                for a, b in homologous_pairs(behind.pick(own), who=WHO):
                    left, right = own[a], own[b]
                    if not {left, right} & mirrored:  # montages may share channels
                        order[left], order[right] = right, left
                        mirrored |= {left, right}
        self._order = torch.tensor(order)
        self._sign = torch.tensor([-1.0 if each else 1.0 for each in is_difference])[:, None]
        image = list(range(len(labels)))
        for one, other in pairs:
            if missing := [label for label in (one, other) if label not in labels]:
                raise RecipeError(
                    f"labels.mirror names {missing[0]!r}; expected labels of the recipe: {', '.join(labels)}."
                )
            image[labels.index(one)], image[labels.index(other)] = labels.index(other), labels.index(one)
        self._image = torch.tensor(image)

    def mirrored(self, windows: torch.Tensor) -> torch.Tensor:
        """All windows, (n, n_channels, n_samples) float32, from a mirrored head."""
        return windows[:, self._order] * self._sign

    def __call__(self, windows: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Windows, (n, n_channels, n_samples) float32, and targets, (n,) int64, half of them mirrored."""
        chosen = torch.rand(len(windows)) < 0.5
        turned = torch.where(chosen[:, None, None], self.mirrored(windows), windows)
        return turned, torch.where(chosen, self._image[targets], targets)
