"""How unlike its training a window is: a score that a bundle keeps, in plain array code.

A network answers whatever it is shown.  So a bundle remembers what the windows of its training looked
like, channel by channel (level, slope, spread, roughness), as location and scale, and how far a
window of an unseen person may lie from that.  The score is the root mean square of the standardised
features over the channels that are used, divided by that threshold: above 1 the network was never
asked anything like it.

Of a model that serves any montage the rows are not channels but the kinds and sides of the head: each is the
mean of the features over its channels.  That fits every montage, and sees what happens to many channels at
once; a single strange channel it hardly sees.

What it sees is size and speed: noise, another band, a signal in another unit, one that hardly moves.
What it cannot see, for it looks at each channel by itself and takes no side: a signal upside down or
backwards, channels in another order, channels that have nothing to do with each other.  Against those
stand the matching of channels by name and the replay of the training's own pipeline.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from models.errors import BundleError
from models.networks.parts.montage import side_means

FEATURES = ("level", "slope", "spread", "roughness")
"""Mean; least-squares slope times the window's length; SD; SD of the steps between samples.  The last two
are taken as logarithms: their distributions are skewed."""
SMALL = 1e-6
"""Added to a spread before its logarithm, in the window's units (after normalisation about 1)."""
MOST = 10.0
"""A single feature counts at most so many scales: one mad channel is quality's business, not novelty's."""


def window_features(windows: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """The features of a window, or of many.

    Parameters
    ----------
    windows : (..., n_channels, n_samples) array
        What the network sees.

    Returns
    -------
    (..., n_channels, 4) float64
        `FEATURES`, in their order.
    """
    data = np.asarray(windows, dtype=np.float64)
    n = data.shape[-1]
    mean, line = _averages(n)
    level = data @ mean
    rest = data - level[..., np.newaxis]
    slope = rest @ line
    steps = data[..., 1:] - data[..., :-1]
    spread = _log_rms(rest)
    roughness = _log_rms(steps)
    return np.stack([level, slope, spread, roughness], axis=-1)


@cache
def _averages(n: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """What n samples are weighed with for their mean, and for their slope times the window's length."""
    centred = np.linspace(-0.5, 0.5, n)
    return np.full(n, 1.0 / n), centred / max(float(centred @ centred), 1e-300)


def _log_rms(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Logarithm of the root mean square over the last axis; of nothing, that of nothing."""
    power = np.einsum("...n,...n->...", values, values) / max(values.shape[-1], 1)
    return np.asarray(np.log(np.sqrt(power) + SMALL))


def distances(
    features: npt.NDArray[np.float64],
    location: npt.NDArray[np.float64],
    scale: npt.NDArray[np.float64],
    used: npt.NDArray[np.bool_] | None = None,
) -> npt.NDArray[np.float64]:
    """Root mean square of standardised features, over the channels that are used.

    Parameters
    ----------
    features : (..., n_channels, 4) float64
        Of `window_features`.
    location, scale : (n_channels, 4) float64
        What the features are standardised by.
    used : (..., n_channels) bool, or None
        Channels that are used; None means all.

    Returns
    -------
    (...) float64
        0 where no channel is used.
    """
    z = (features - location) / scale
    each = np.minimum(z * z, MOST**2)  # (..., n_channels, 4)
    if used is None:
        return np.asarray(np.sqrt(each.mean(axis=(-2, -1))))
    total = each.sum(axis=-1, where=used[..., np.newaxis]).sum(axis=-1) / each.shape[-1]
    return np.asarray(np.sqrt(total / np.maximum(np.count_nonzero(used, axis=-1), 1)))


@dataclass(frozen=True, eq=False)
class Novelty:
    """What windows looked like in training.

    Parameters
    ----------
    location, scale : (n_rows, 4) float64
        Of `window_features`, of each channel, or of each kind and side (`Montage.sides`);
        scales above 0.
    threshold : float
        Distance that windows of unseen people hardly ever exceeded, above 0.
    """

    location: npt.NDArray[np.float64]
    scale: npt.NDArray[np.float64]
    threshold: float

    def distance(
        self,
        window: npt.NDArray[Any],
        used: npt.NDArray[np.bool_] | None = None,
        sides: npt.NDArray[np.bool_] | None = None,
    ) -> float:
        """Root mean square of the standardised features, over the channels that are used.

        Parameters
        ----------
        window : (n_channels, n_samples) array
            What the network sees.
        used : (n_channels,) bool, or None
            Channels that are used; None means all.
        sides : (n_rows, n_channels) bool, or None
            Which channels are of each row; None means that rows are channels.
        """
        features = window_features(window)
        if sides is not None:
            all_used = np.ones(len(window), dtype=bool)
            features, used = side_means(features, all_used if used is None else used, sides)
        return float(distances(features, self.location, self.scale, used))

    def score(
        self,
        window: npt.NDArray[Any],
        used: npt.NDArray[np.bool_] | None = None,
        sides: npt.NDArray[np.bool_] | None = None,
    ) -> float:
        """The distance as a share of the threshold: above 1 is unlike the training.

        Parameters
        ----------
        window : (n_channels, n_samples) array
            What the network sees.
        used : (n_channels,) bool, or None
            Channels that are used; None means all.
        sides : (n_rows, n_channels) bool, or None
            Which channels are of each row; None means that rows are channels.
        """
        return self.distance(window, used, sides) / self.threshold

    def to_json(self) -> dict[str, Any]:
        """As JSON types, for a bundle's card."""
        return {
            "features": list(FEATURES),
            "location": self.location.tolist(),
            "scale": self.scale.tolist(),
            "threshold": self.threshold,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Undo `to_json`.

        Raises
        ------
        BundleError
            The card does not hold what this version can compute.
        """
        try:
            location = np.array(values["location"], dtype=np.float64)
            scale = np.array(values["scale"], dtype=np.float64)
            threshold = float(values["threshold"])
            known = list(values["features"]) == list(FEATURES)
        except (KeyError, TypeError, ValueError) as error:
            raise BundleError(f"Card: novelty cannot be read ({type(error).__name__}: {error}).") from error
        shapes = (
            location.ndim == 2 and location.shape[1:] == (len(FEATURES),) and scale.shape == location.shape
        )
        finite = shapes and bool(np.isfinite(location).all() and np.isfinite(scale).all())
        if not (known and finite and (scale > 0).all() and 0.0 < threshold < 1e12):
            raise BundleError(
                f"Card: novelty has features {values['features']!r}, location {location.shape}, scale "
                f"{scale.shape} and threshold {threshold!r}; expected {list(FEATURES)}, two finite tables "
                f"(channels by {len(FEATURES)}), scales and a threshold above 0."
            )
        return cls(location, scale, threshold)
