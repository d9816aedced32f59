"""Channels that a model is shown, standardised by some of the windows."""

from dataclasses import dataclass, replace

import numpy as np

from offline.base.window_store import channels_of
from offline.samples.samples import Samples


@dataclass(frozen=True)
class VisibleChannels:
    """Channels that a leakage protocol, or its honest twin, shows its model.

    Each is standardised by the mean and standard deviation of the samples ``standard``.
    """

    channels: tuple[int, ...]
    standard: tuple[int, ...]

    def of(self, samples: Samples) -> Samples:
        """The samples as they are shown."""
        X = np.asarray(channels_of(samples.X, self.channels))
        own = X[list(self.standard)]
        mean = own.mean(axis=(0, 2), dtype=np.float64)
        scale = own.std(axis=(0, 2), dtype=np.float64)
        shown = (X - mean[:, np.newaxis]) / np.where(scale > 0, scale, 1.0)[:, np.newaxis]
        return replace(
            samples,
            X=shown.astype(np.float32),
            behind=samples.behind.pick(self.channels),
        )
