"""What simple models see of mixed montages: the mean of each kind on each side of the head."""

from dataclasses import replace

import numpy as np

from models.networks.parts.montage import KINDS
from offline.base.window_store import KeptWindows
from offline.samples.samples import Samples
from realtime.signal import UNITS, Channel, Kind, SignalSpec
from realtime.stages.montages import montage_of

SIDES = (("left", -0.05), ("right", 0.05))
"""Where a side is drawn, m from the midline."""


def with_one_montage(samples: Samples) -> Samples:
    """The samples as they are; of mixed montages, those of the means of each kind and side.

    A channel that is 0 in a sample (rejected, missing, or of another montage) does not count there.
    """
    if samples.montages is None:
        return samples
    X = samples.X if isinstance(samples.X, KeptWindows) else _kept(samples.X)
    montage = montage_of(samples.behind)
    means = np.empty((len(montage.sides), X.signal.shape[1]), dtype=np.float32)
    for i, own in enumerate(montage.sides):
        there = np.asarray(X.signal[own], dtype=np.float64)
        means[i] = there.sum(axis=0) / np.maximum(np.count_nonzero(there, axis=0), 1)
    kinds = [KINDS[kind] for kind in np.unique(montage.kind)]
    channels = tuple(
        Channel(name=f"{kind} {side}", kind=Kind(kind), unit=UNITS[Kind(kind)][0], position=(x, 0.0, 0.0))
        for kind in kinds
        for side, x in SIDES
    )
    behind = SignalSpec(channels, samples.rate)
    return replace(samples, X=KeptWindows(means, X.at, X.n_samples), behind=behind, montages=None)


def _kept(X: np.ndarray) -> KeptWindows:
    """Windows, (n, n_channels, n_samples) float32, kept one behind the other."""
    n, n_channels, n_samples = X.shape
    signal = np.ascontiguousarray(X.transpose(1, 0, 2)).reshape(n_channels, n * n_samples)
    return KeptWindows(signal, n_samples * np.arange(n, dtype=np.int64), n_samples)
