"""What training looked like, and how far from it a window of somebody unseen may lie.

The threshold follows from people that the rest was not fitted to: each in turn is left out, location
and scale are fitted to the others, and the distance that all but 1 % of the left-out windows keep is
noted.  The threshold is `MARGIN` times the largest of these (with many people, their 95th
percentile), and never below 1.  Were people exchangeable, a new one would ask for more than the
largest of n with probability 1 / (n + 1): with few people it is weak, and the card reports how weak.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt

from models.networks.parts.montage import side_means
from models.novelty import FEATURES, Novelty, distances, window_features
from offline.base.columns import ColumnTable
from realtime.windows import Window

QUANTILE = 0.99
"""Share of a left-out person's windows that keep within what is noted for that person."""
OF_PEOPLE = 0.95
"""Share of people who keep within the threshold, where there are enough to tell."""
MARGIN = 1.1
"""The threshold is so many times what the people of training asked for."""
FEW = 10
"""With fewer people the card calls the threshold weak."""
BLOCKS = 4
"""A single recording is divided into so many parts, which stand for people badly."""
LEAST_SCALE = 0.05
"""No scale is less than this share of the feature's median scale over channels."""


@dataclass(frozen=True, eq=False)
class FeatureSummary(ColumnTable):
    """Features of windows, and whose they are.

    Parameters
    ----------
    features : (n, n_rows, 4) float64
        Of `models.novelty.window_features`, of each channel or of each kind and side.
    used : (n, n_rows) bool
        Channels that were not rejected in the window; kinds and sides of which any was not.
    together : (n,) str or None
        The unit of each, where people were measured together.
    """

    features: npt.NDArray[np.float64]
    used: npt.NDArray[np.bool_]
    person: npt.NDArray[np.str_]
    recording: npt.NDArray[np.str_]
    together: npt.NDArray[np.str_] | None = None


def summarise(
    windows: Sequence[Window],
    names: Sequence[str],
    person: str,
    recording: str,
    units: Mapping[str, str] | None = None,
    sides: npt.NDArray[np.bool_] | None = None,
) -> FeatureSummary:
    """What usable windows of one recording, with these channels in order, look like.

    With ``sides``, (n_rows, n_channels) bool, of each kind and side (`Montage.sides`).
    """
    n, n_channels = len(windows), len(names)
    used = np.ones((n, n_channels), dtype=bool)
    features = np.empty((n, n_channels, len(FEATURES)))
    row_of = {name: row for row, name in enumerate(names)}
    for i, window in enumerate(windows):
        assert window.data is not None
        features[i] = window_features(window.data)
        for rejected in window.rejected_channels.values():
            used[i, [row_of[name] for name in rejected]] = False
    unit = np.full(n, units.get(person, person)) if units else None
    if sides is not None:
        features, used = side_means(features, used, sides)
    return FeatureSummary(features, used, np.full(n, person), np.full(n, recording), unit)


def fit_novelty(of: FeatureSummary) -> tuple[Novelty, dict[str, Any]]:
    """Fit to windows of training, at least one; and how the threshold came about (JSON types, no names)."""
    unit, what = _units(of)
    names = np.unique(unit)
    asked: list[float] = []
    for name in names if len(names) > 1 else ():
        theirs, others = of.rows(unit == name), of.rows(unit != name)
        location, scale = _location_scale(others)
        asked.append(float(np.quantile(distances(theirs.features, location, scale, theirs.used), QUANTILE)))
    location, scale = _location_scale(of)
    if not asked:  # one window, or nothing but one block
        asked = [float(distances(of.features, location, scale, of.used).max())]
    rank = min(ceil(OF_PEOPLE * (len(asked) + 1)), len(asked))
    threshold = max(MARGIN * sorted(asked)[rank - 1], 1.0)
    how: dict[str, Any] = {"threshold_from": what, "units": len(asked), "windows": len(of)}
    how |= {"quantile": QUANTILE, "margin": MARGIN}
    if what != "people" or len(asked) < FEW:
        how["weak"] = (
            f"{len(asked)} {what} set the threshold"
            + ("" if what == "people" else ", nobody unseen")
            + f": even without drift about 1 new person in {len(asked) + 1} may exceed it often"
        )
    return Novelty(location, scale, threshold), how


def share_unlike(novelty: Novelty, windows: FeatureSummary) -> float:
    """Share of windows whose score is above 1; 0 where there are none."""
    if not len(windows):
        return 0.0
    far = distances(windows.features, novelty.location, novelty.scale, windows.used)
    return float(np.mean(far > novelty.threshold))


def _units(of: FeatureSummary) -> tuple[npt.NDArray[np.str_], str]:
    """What is left out in turn: people, else recordings, else parts of the one recording."""
    unit = of.person if of.together is None else of.together
    if len(np.unique(unit)) > 1:
        return unit, "people"
    if len(np.unique(of.recording)) > 1:
        return of.recording, "recordings of one person"
    block = np.arange(len(of)) * BLOCKS // max(len(of), 1)
    return block.astype(np.str_), "parts of one recording"


def _location_scale(of: FeatureSummary) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Median, and 1.4826 times the median distance from it, of each channel's features where it is used.

    A channel that was never used takes the others' median; no scale is nearly 0.
    """
    n_channels = of.features.shape[1]
    location = np.full((n_channels, len(FEATURES)), np.nan)
    scale = np.full_like(location, np.nan)
    for channel in np.flatnonzero(of.used.any(axis=0)):
        values = of.features[of.used[:, channel], channel]
        location[channel] = np.median(values, axis=0)
        scale[channel] = 1.4826 * np.median(np.abs(values - location[channel]), axis=0)
    known = np.isfinite(location[:, 0])
    typical = np.median(location[known], axis=0) if known.any() else np.zeros(len(FEATURES))
    usual = np.median(scale[known], axis=0) if known.any() else np.ones(len(FEATURES))
    location[~known], scale[~known] = typical, usual
    least = np.where(usual > 0.0, LEAST_SCALE * usual, 1.0)
    return location, np.maximum(scale, least)
