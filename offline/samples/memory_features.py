"""What is described of resting children with autism, as features: memory, and likeness of mirrored channels.

Memory is the exponent H with which a signal's changes grow with the time between two looks
(structure function of second order, ``E[(x(t + s) - x(t))^2] ~ s^(2 H)``): 0.5 for a random walk, near 0 for
what is soon forgotten.  A window of 7 s sees only the shorter of those times.  Likeness is the correlation of
two channels of one chromophore that lie as in a mirror.

Xu L, Liu Y, Yu J, Li X, Yu X, Cheng H, Li J (2020). Characterizing autism spectrum disorder by deep learning
spontaneous brain activity from functional near-infrared spectroscopy. J Neurosci Methods 331:108538.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from offline.base.window_store import Windows
from realtime.signal import SignalSpec

Pairs = Sequence[tuple[int, int]]
AT_ONCE = 512
"""Windows that are looked at together: more would only take memory."""
MIRRORED_WITHIN = 0.015
"""So far a channel may lie from where the other's mirror image is, m."""
OFF_MIDDLE = 0.005
"""A channel nearer to the middle has no other side, m."""
LEAST = 1e-20


def mirrored(spec: SignalSpec) -> tuple[tuple[int, int], ...]:
    """Channels that lie as in a mirror: left and right are the sign of x, as in MNE's head coordinates.

    Left and right in order; each channel at most once, and those without a position have no partner.
    """
    left = [i for i, c in enumerate(spec.channels) if c.position is not None and c.position[0] < -OFF_MIDDLE]
    right = [i for i, c in enumerate(spec.channels) if c.position is not None and c.position[0] > OFF_MIDDLE]
    near: list[tuple[float, int, int]] = []
    for i in left:
        image = np.asarray(spec.channels[i].position, dtype=np.float64) * (-1.0, 1.0, 1.0)
        for j in right:
            apart = float(np.linalg.norm(image - np.asarray(spec.channels[j].position, dtype=np.float64)))
            if apart <= MIRRORED_WITHIN and spec.channels[i].kind == spec.channels[j].kind:
                near.append((apart, i, j))
    taken: set[int] = set()
    out = []
    for _, i, j in sorted(near):  # the nearest first
        if i not in taken and j not in taken:
            taken |= {i, j}
            out.append((i, j))
    return tuple(sorted(out))


def memory_features(X: Windows, pairs: Pairs) -> npt.NDArray[np.float64]:
    """Memory of each channel, and likeness of each of the `mirrored` pairs.

    Parameters
    ----------
    X : (n_windows, n_channels, n_samples) float32
        Windows, in the pipeline's units; 8 samples or more.

    Returns
    -------
    (n_windows, n_channels + n_pairs) float64
        Exponents, then Fisher's z of the correlations.  Of a channel that stands still: 0.
    """
    parts = [_features(np.asarray(X[i : i + AT_ONCE], np.float64), pairs) for i in range(0, len(X), AT_ONCE)]
    return np.concatenate(parts) if parts else np.zeros((0, X.shape[1] + len(pairs)))


def _features(X: npt.NDArray[np.float64], pairs: Pairs) -> npt.NDArray[np.float64]:
    n_samples = X.shape[2]
    lags = np.unique(np.geomspace(1, max(n_samples // 4, 2), 6).round().astype(int))
    grown = [np.mean(np.square(X[:, :, lag:] - X[:, :, :-lag]), axis=2) for lag in lags]
    size = np.stack(grown, axis=2)  # (n, n_channels, n_lags)
    log_lag = np.log(lags) - np.log(lags).mean()
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.log(size) @ log_lag / (log_lag @ log_lag)
    memory = np.where(size.min(axis=2) > LEAST * np.abs(X).max(initial=1.0), 0.5 * slope, 0.0)
    if not pairs:
        return memory
    centred = X - X.mean(axis=2, keepdims=True)
    scale = np.sqrt(np.einsum("nct,nct->nc", centred, centred))
    left, right = (np.array(side) for side in zip(*pairs, strict=True))
    product = np.einsum("npt,npt->np", centred[:, left], centred[:, right])
    r = product / np.maximum(scale[:, left] * scale[:, right], LEAST)
    return np.concatenate([memory, np.arctanh(np.clip(r, -0.999, 0.999))], axis=1)
