"""Where the channels of a signal are and what they measure, as numbers; and which montages a model serves.

A montage is where channels lie on a head.  A model that knows positions (`models.networks.virtual_probe`) is
told the montage of each window, and so serves montages that it was not trained on, where training had
channels nearby.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from models.decode import Record

KINDS = ("hbo", "hbr", "hbt", "bold")
"""What a channel may measure that a network is told the position of."""
REACH_M = 0.03
"""A channel is near a place within this distance, m: how far a source is from its detector, as a rule."""
MIDLINE_M = 0.005
"""A channel that is so near to the midline is of both sides, m."""
MOST_POINTS = 4096
_Metre = Annotated[float, Field(gt=-10, lt=10)]
Point = Annotated[Sequence[_Metre], Field(min_length=3, max_length=3)]


@dataclass(frozen=True, eq=False)
class Montage:
    """The channels of what a network sees.

    Parameters
    ----------
    position : (n_channels, 3) float32
        m, ``x`` from the midline to the right.
    kind : (n_channels,) int64
        Index in `KINDS`.
    """

    position: npt.NDArray[np.float32]
    kind: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.kind)

    @cached_property
    def key(self) -> bytes:
        """Equal for equal montages alone."""
        return self.position.tobytes() + self.kind.tobytes()

    @cached_property
    def sides(self) -> npt.NDArray[np.bool_]:
        """Which channels are of which kind and side, (2 * n_kinds, n_channels).

        Left and right of each kind that there is, in the order of `KINDS`; near the midline a channel is of
        both sides.
        """
        x = self.position[:, 0]
        left, right = x <= MIDLINE_M, x >= -MIDLINE_M
        own = [self.kind == kind for kind in np.unique(self.kind)]
        return np.array([each & side for each in own for side in (left, right)])


class ServedMontages(Record):
    """Which montages a model serves beside the one that its card describes.

    Parameters
    ----------
    takes : sequence of str
        Kinds of channels (`realtime.signal.Kind`) that the pipeline starts from.
    sees : sequence of str
        Kinds that must come out of it, each.
    points : sequence of points
        Where training had channels, m, ``x`` from the midline to the right.
    reach : float
        A channel is left out that lies farther than this from every point, m.
    least_covered : float
        Least share of the points that must have a channel within that distance, above 0 to 1.
    min_distance, max_distance : float or None
        Source-detector distances that are taken, m.
    trained : sequence of pairs of int
        Montages of the training: how many channels the network saw of each, and in how many recordings.
    """

    takes: Sequence[str] = Field(min_length=1)
    sees: Sequence[str] = Field(min_length=1)
    points: Sequence[Point] = Field(min_length=1, max_length=MOST_POINTS)
    reach: float = Field(default=REACH_M, gt=0, lt=1)
    least_covered: float = Field(gt=0, le=1)
    min_distance: float | None = None
    max_distance: float | None = None
    trained: Sequence[Sequence[int]] = ()

    @property
    def where(self) -> npt.NDArray[np.float64]:
        """The points, (n_points, 3), m."""
        return np.array(self.points, dtype=np.float64)

    @property
    def bounds_line(self) -> str:
        """The box around the points, in mm, in words."""
        low, high = (1e3 * edge for edge in (self.where.min(axis=0), self.where.max(axis=0)))
        return (
            ", ".join(f"{axis} {a:.0f} to {b:.0f}" for axis, a, b in zip("xyz", low, high, strict=True))
            + " mm"
        )

    @property
    def line(self) -> str:
        """What is served, in one line."""
        return (
            f"any with positions that gives {', '.join(self.sees)}: channels within {1e3 * self.reach:.0f} "
            f"mm of where training had some ({self.bounds_line} from the midline), near "
            f"{100 * self.least_covered:.0f} % of these places or more"
        )


def near(
    where: npt.NDArray[np.float64], points: npt.NDArray[np.float64], reach: float
) -> npt.NDArray[np.bool_]:
    """Which of some places lie near others.

    Parameters
    ----------
    where : (n_channels, 3) float64
        m.
    points : (n_points, 3) float64
        m.
    reach : float
        How far is near, m.

    Returns
    -------
    (n_channels,) bool
        Whether one of the points is within that distance.
    """
    away = np.linalg.norm(where[:, np.newaxis] - points[np.newaxis], axis=2)
    return np.asarray((away <= reach).any(axis=1))


def covered(where: npt.NDArray[np.float64], points: npt.NDArray[np.float64], reach: float) -> float:
    """How much of the points some places are near to.

    Parameters
    ----------
    where : (n_channels, 3) float64
        m.
    points : (n_points, 3) float64
        m.
    reach : float
        How far is near, m.

    Returns
    -------
    float
        Share of the points with one of the places within that distance, 0 to 1.
    """
    return float(near(points, where, reach).mean())


def side_means(
    values: npt.NDArray[Any], used: npt.NDArray[np.bool_], sides: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Mean over the used channels of each kind and side, and which have any.

    Parameters
    ----------
    values : (..., n_channels, k) float64
        Of channels.
    used : (..., n_channels) bool
        Which count.
    sides : (n_sides, n_channels) bool
        `Montage.sides`.

    Returns
    -------
    (..., n_sides, k) float64, (..., n_sides) bool
        0 where no channel is used.
    """
    own = (sides & used[..., np.newaxis, :]).astype(np.float64)
    count = own.sum(axis=-1)
    return (own @ values) / np.maximum(count, 1.0)[..., np.newaxis], count > 0
