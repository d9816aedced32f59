"""Differences of homologous channels: what the two sides of the head share is taken out.

Blood pressure, breathing and the scalp reach both sides alike, a hand's movement mostly one.  Where left is
to be told from right, the difference of mirrored channels says more than the channels do.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from models.errors import SignalError
from realtime.signal import Channel, Chunk, SignalSpec
from realtime.stages import settings
from realtime.stages.base import Reset, State
from realtime.stages.cells import describe, rows_where, usable
from realtime.stages.outline import Outline

NAME = "homologues"
MOST_CHANNELS = 1024
"""Every channel is compared with every other."""
TOLERANCE = 0.015
"""So far a channel may lie from where the other's mirror image is, m, where nobody says otherwise."""
FLAT = 1e-3
"""Positions whose heights differ by no more lie in one plane, m: a drawing, not a head."""


class Homologues:
    """Left minus right, for each pair of channels that mirror each other; missing where either is.

    Two channels are homologous if they measure the same (kind, and wavelength where there is one) and each is
    the other's nearest when mirrored at the midline (`midline_of`).  The difference is named after both
    channels, keeps kind and unit, and stands at the left one's place.  Channels without a homologue (those
    on the midline, too) do not leave.

    Parameters
    ----------
    spec_in : SignalSpec
        The incoming signal, with positions.
    tolerance : float
        How far from its mirror image a homologue may be, m.
    keep : bool
        Whether the channels themselves leave too, all of them, before the differences.

    Raises
    ------
    RecipeError
        If a setting is wrong.
    SignalError
        If positions are not known, or no two channels are homologous.
    """

    delay_s = 0.0
    warmup_s = 0.0

    def __init__(self, spec_in: SignalSpec, *, tolerance: float = TOLERANCE, keep: bool = False) -> None:
        self.check(Outline.of(spec_in), tolerance=tolerance, keep=keep)
        rows_where(NAME, spec_in, lambda _: True, "any kind, with positions")
        pairs = homologous_pairs(spec_in, float(tolerance))
        self._left = np.array([left for left, _ in pairs], dtype=np.intp)
        self._right = np.array([right for _, right in pairs], dtype=np.intp)
        self._keep = keep
        differences = tuple(_difference(spec_in.channels[a], spec_in.channels[b]) for a, b in pairs)
        self.spec_in = spec_in
        self.spec_out = replace(spec_in, channels=(*(spec_in.channels if keep else ()), *differences))

    @staticmethod
    def check(before: Outline, *, tolerance: float = TOLERANCE, keep: bool = False) -> Outline:
        """What comes out of a signal of which only this is known (`realtime.stages.outline`)."""
        settings.number(NAME, "tolerance", tolerance, above=0, at_most=0.1)
        settings.flag(NAME, "keep", keep)
        return before

    def process(self, chunk: Chunk) -> Chunk:
        """Take the differences of the next samples."""
        lost = ~usable(chunk)
        missing = lost[self._left] | lost[self._right]
        data = np.where(missing, np.nan, chunk.data[self._left] - chunk.data[self._right])
        if self._keep:
            data, missing = np.concatenate([chunk.data, data]), np.concatenate([lost, missing])
        return Chunk(self.spec_out, data, chunk.times, missing)

    def reset(self, reason: Reset) -> None:
        """Nothing is carried, so nothing goes."""

    def state(self) -> State:
        """Nothing."""
        return {}

    def restore(self, state: State) -> None:
        """Nothing to continue from."""


def homologous_pairs(spec: SignalSpec, tolerance: float) -> list[tuple[int, int]]:
    """Rows of homologous channels, the left (lesser ``x``) first, in the order of the left ones.

    Parameters
    ----------
    spec : SignalSpec
        With positions.
    tolerance : float
        How far from its mirror image a homologue may be, m.

    Raises
    ------
    SignalError
        Positions are not known, or there is no such pair.
    """
    if len(spec) > MOST_CHANNELS:
        raise SignalError(
            f"Stage {NAME!r}: {len(spec)} channels reach it; expected {MOST_CHANNELS} or fewer. Put 'select' "
            "before it."
        )
    where = _positions(spec)
    if lost := [name for name, place in zip(spec.names, where, strict=True) if np.isnan(place).any()]:
        raise SignalError(
            f"Stage {NAME!r} needs every channel's position: {len(lost)} of {len(spec)} have none "
            f"({', '.join(lost[:3])}{' ...' if len(lost) > 3 else ''}). Give the layout beside the "
            "recording, 'select' others, or leave the stage out."
        )
    if not (pairs := _pairs(spec, where, tolerance)):
        raise SignalError(
            f"Stage {NAME!r} needs channels that mirror each other at the midline; of "
            f"{describe(spec.channels)} there is none within {1e3 * tolerance:g} mm. Raise its tolerance (in "
            "metres), or leave the stage out for a probe of one side."
        )
    return pairs


def mirrored(spec: SignalSpec, tolerance: float = TOLERANCE) -> tuple[tuple[int, int], ...]:
    """The same pairs; channels without a position have no partner, and where none has, there is no pair."""
    known = [i for i, place in enumerate(_positions(spec)) if not np.isnan(place).any()]
    if not known:
        return ()
    own = replace(spec, channels=tuple(spec.channels[i] for i in known))
    return tuple((known[left], known[right]) for left, right in _pairs(own, _positions(own), tolerance))


def _pairs(spec: SignalSpec, where: Floats, tolerance: float) -> list[tuple[int, int]]:
    kinds = {key: number for number, key in enumerate(dict.fromkeys(map(_measures, spec.channels)))}
    kind = np.array([kinds[_measures(channel)] for channel in spec.channels])
    may_be = kind[:, None] == kind[None, :]
    image = where * [-1.0, 1.0, 1.0] + [2.0 * midline_of(where, may_be, tolerance), 0.0, 0.0]
    away = np.where(may_be, np.linalg.norm(image[:, None] - where[None, :], axis=2), np.inf)
    nearest = away.argmin(axis=1)
    rows = np.arange(len(spec))
    paired = (nearest[nearest] == rows) & (away[rows, nearest] <= tolerance)
    # One that lies on the midline is no side's.
    paired &= where[nearest, 0] - where[:, 0] > tolerance
    return [(int(row), int(nearest[row])) for row in rows[paired]]


def _difference(left: Channel, right: Channel) -> Channel:
    return replace(
        left, name=f"{left.name} - {right.name}", mirror_source=right.source, mirror_detector=right.detector
    )


def _measures(channel: Channel) -> tuple[str, str, float | None]:
    return channel.kind, channel.unit, channel.colour


def _positions(spec: SignalSpec) -> Floats:
    """Where each channel is, (n_channels, 3), m: its own position, or the middle of its optodes; else NaN."""
    found = [_position(channel) for channel in spec.channels]
    unknown = (np.nan, np.nan, np.nan)
    return np.array([unknown if place is None else place for place in found], dtype=np.float64)


def _position(channel: Channel) -> npt.ArrayLike | None:
    if channel.position is not None:
        return channel.position
    if channel.source_position is None or channel.detector_position is None:
        return None
    return np.add(channel.source_position, channel.detector_position) / 2.0


def midline_of(where: Floats, may_be: npt.NDArray[np.bool_], tolerance: float) -> float:
    """The ``x`` (m) at which left and right mirror each other.

    Head coordinates have it at 0: left and right are the sign of ``x``, and a probe of one hemisphere has no
    midline of its own.  A probe that is drawn flat (all ``z`` alike) may have its origin anywhere: there it
    is the plane that mirrors the most channels onto others, the nearest to 0 of several.

    Parameters
    ----------
    where : (n_channels, 3) float64
        Positions, m.
    may_be : (n_channels, n_channels) bool
        Which measure the same.
    tolerance : float
        How far from its mirror image a homologue may be, m.
    """
    if np.ptp(where[:, 2], axis=0) > FLAT:
        return 0.0
    step = np.abs(where[:, None] - where[None, :])
    level = may_be & (step[..., 1] <= tolerance) & (step[..., 2] <= tolerance) & (step[..., 0] > tolerance)
    first, second = np.nonzero(np.triu(level, 1))
    middles = np.sort((where[first, 0] + where[second, 0]) / 2.0)
    if not len(middles):
        return 0.0
    # The most middles within one tolerance; of several such spans, that nearest to 0.
    stop = np.searchsorted(middles, middles + tolerance, side="right")
    count = stop - np.arange(len(middles))
    centres = np.array([middles[i:j].mean() for i, j in zip(np.arange(len(middles)), stop, strict=True)])
    return float(centres[np.lexsort((np.abs(centres), -count))[0]])
