"""Which channels are compared by the model `likeness`, and its features in double precision."""

from itertools import combinations

import numpy as np
import torch

from models.arrays import Floats
from models.errors import RecipeError
from models.networks.likeness import N_FEATURES, likeness_features
from offline.base.window_store import Windows
from realtime.signal import SignalSpec
from realtime.stages.homologues import mirrored

AT_ONCE = 512
"""Windows that are looked at together: more would only take memory."""
ChannelPairs = tuple[tuple[int, int], ...]


def compared_channels(behind: SignalSpec) -> tuple[ChannelPairs, ChannelPairs]:
    """Pairs of mirrored channels, and all other pairs of one chromophore.

    Raises
    ------
    RecipeError
        No channels mirror each other, or there are no others.
    """
    pairs, kinds = mirrored(behind), [channel.kind for channel in behind.channels]
    known = {frozenset(pair) for pair in pairs}
    others = tuple(
        (one, other)
        for one, other in combinations(range(len(kinds)), 2)
        if kinds[one] == kinds[other] and frozenset((one, other)) not in known
    )
    if not pairs or not others:
        raise RecipeError(
            f"Model 'likeness' compares mirrored channels with all others; of {len(kinds)} channels "
            f"{2 * len(pairs)} have a mirrored partner, and {len(others)} other pairs are of one kind; "
            "expected some of both. Positions must be known on both sides of the head; or take another model."
        )
    return pairs, others


def likeness_of(X: Windows, pairs: ChannelPairs, others: ChannelPairs) -> Floats:
    """`models.networks.likeness.likeness_features` of windows, (n_windows, 4) float64.

    Of windows (n_windows, n_channels, n_samples) float32, in the pipeline's units.
    """
    parts = [
        likeness_features(torch.from_numpy(np.asarray(X[i : i + AT_ONCE], np.float64)), pairs, others).numpy()
        for i in range(0, len(X), AT_ONCE)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, N_FEATURES))
