"""How unlike its training a window is: a score that a bundle keeps, in plain array code.

A network answers whatever it is shown.  So a bundle remembers what the windows of its training looked
like, channel by channel (level, slope, spread, roughness), as location and scale, and how far a
window of an unseen person may lie from that.  The score is the root mean square of the standardised
features over the channels that are judged, divided by that threshold: above 1 the network was never
asked anything like it.

What it sees is size and speed: noise, another band, a signal in another unit, one that hardly moves.
What it cannot see, for it looks at each channel by itself and takes no side: a signal upside down or
backwards, channels in another order, channels that have nothing to do with each other.  Against those
stand the matching of channels by name and the replay of the training's own pipeline.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from models.errors import BundleError

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
    centred = np.linspace(-0.5, 0.5, n)
    level = data.mean(axis=-1)
    rest = data - level[..., np.newaxis]
    slope = rest @ centred / float(centred @ centred)
    spread = np.log(np.sqrt(np.mean(rest * rest, axis=-1)) + SMALL)
    steps = np.diff(data, axis=-1) if n > 1 else np.zeros_like(data)
    roughness = np.log(np.sqrt(np.mean(steps * steps, axis=-1)) + SMALL)
    return np.stack([level, slope, spread, roughness], axis=-1)


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
        Channels that are judged; None means all.

    Returns
    -------
    (...) float64
        0 where no channel is used.
    """
    z = np.clip((features - location) / scale, -MOST, MOST)
    each = np.mean(z * z, axis=-1)  # (..., n_channels)
    if used is None:
        return np.asarray(np.sqrt(np.mean(each, axis=-1)))
    total = np.sum(np.where(used, each, 0.0), axis=-1)
    return np.asarray(np.sqrt(total / np.maximum(np.sum(used, axis=-1), 1)))


@dataclass(frozen=True, eq=False)
class Novelty:
    """What windows looked like in training.

    Parameters
    ----------
    location, scale : (n_channels, 4) float64
        Of `window_features`; scales above 0.
    threshold : float
        Distance that windows of unseen people hardly ever exceeded, above 0.
    """

    location: npt.NDArray[np.float64]
    scale: npt.NDArray[np.float64]
    threshold: float

    def distance(self, window: npt.NDArray[Any], used: npt.NDArray[np.bool_] | None = None) -> float:
        """Root mean square of the standardised features, over the channels that are used.

        Parameters
        ----------
        window : (n_channels, n_samples) array
            What the network sees.
        used : (n_channels,) bool, or None
            Channels that are judged; None means all.
        """
        return float(distances(window_features(window), self.location, self.scale, used))

    def score(self, window: npt.NDArray[Any], used: npt.NDArray[np.bool_] | None = None) -> float:
        """The distance as a share of the threshold: above 1 is unlike the training.

        Parameters
        ----------
        window : (n_channels, n_samples) array
            What the network sees.
        used : (n_channels,) bool, or None
            Channels that are judged; None means all.
        """
        return self.distance(window, used) / self.threshold

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
