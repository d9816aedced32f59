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
"""How far from its mirror image a homologue may be, m, unless a recipe says otherwise."""
THIS = f"Stage {NAME!r}"


class Homologues:
    """Left minus right, for each pair of channels that mirror each other; missing where either is.

    Two channels are homologous if they measure the same (kind, and wavelength where there is one) and each is
    the other's nearest when mirrored at the midline.  The midline is the sagittal plane (``x`` constant) that
    mirrors the most channels onto others, the nearest to ``x = 0`` of several; so it is found in head
    coordinates as in a flat probe whose origin lies at its edge.  The difference is named after both
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


def homologous_pairs(
    spec: SignalSpec, tolerance: float = TOLERANCE, who: str = THIS
) -> list[tuple[int, int]]:
    """Rows of homologous channels, the left (lesser ``x``) first, in the order of the left ones.

    Parameters
    ----------
    spec : SignalSpec
        With positions.
    tolerance : float
        How far from its mirror image a homologue may be, m.
    who : str
        Who asks for them, for the message.

    Raises
    ------
    SignalError
        Positions are not known, or there is no such pair.
    """
    where = positions_of(spec, who)
    kinds = {key: number for number, key in enumerate(dict.fromkeys(map(_measures, spec.channels)))}
    kind = np.array([kinds[_measures(channel)] for channel in spec.channels])
    may_be = kind[:, None] == kind[None, :]
    if (midline := _midline(where, may_be, tolerance)) is None:
        raise _no_pairs(spec, "there is none", tolerance, who)
    image = where * [-1.0, 1.0, 1.0] + [2.0 * midline, 0.0, 0.0]
    away = np.where(may_be, np.linalg.norm(image[:, None] - where[None, :], axis=2), np.inf)
    nearest = away.argmin(axis=1)
    rows = np.arange(len(spec))
    paired = (
        (nearest[nearest] == rows) & (away[rows, nearest] <= tolerance) & (where[:, 0] < where[nearest, 0])
    )
    # One that lies on the midline is no side's.
    paired &= where[nearest, 0] - where[:, 0] > tolerance
    if not paired.any():
        raise _no_pairs(spec, "no two are each other's nearest", tolerance, who)
    return [(int(row), int(nearest[row])) for row in rows[paired]]


def _difference(left: Channel, right: Channel) -> Channel:
    return replace(
        left, name=f"{left.name} - {right.name}", mirror_source=right.source, mirror_detector=right.detector
    )


def _measures(channel: Channel) -> tuple[str, str, float | None]:
    return channel.kind, channel.unit, channel.colour


def midline_of(spec: SignalSpec, tolerance: float = TOLERANCE, who: str = THIS) -> float | None:
    """The ``x`` (m) of the sagittal plane that mirrors the most channels onto others; None where none does.

    ``who`` needs it, for the message where positions (see `positions_of`) are not known.
    """
    where = positions_of(spec, who)
    measured = [_measures(channel) for channel in spec.channels]
    return _midline(where, np.array([[a == b for b in measured] for a in measured]), tolerance)


def positions_of(spec: SignalSpec, who: str = THIS) -> Floats:
    """Where each channel is: its own position, or the middle of its optodes.

    Returns
    -------
    (n_channels, 3) float64
        m.

    Raises
    ------
    SignalError
        One has none, or there are too many; ``who`` needs them.
    """
    if len(spec) > MOST_CHANNELS:
        raise SignalError(
            f"{who}: {len(spec)} channels reach it; expected {MOST_CHANNELS} or fewer. Put 'select' "
            "before it."
        )
    found = [_position(channel) for channel in spec.channels]
    if lost := [name for name, position in zip(spec.names, found, strict=True) if position is None]:
        raise SignalError(
            f"{who} needs every channel's position: {len(lost)} of {len(spec)} have none "
            f"({', '.join(lost[:3])}{' ...' if len(lost) > 3 else ''}). Give the layout beside the "
            "recording, 'select' others, or leave the stage out."
        )
    return np.array(found, dtype=np.float64)


def _position(channel: Channel) -> npt.ArrayLike | None:
    if channel.position is not None:
        return channel.position
    if channel.source_position is None or channel.detector_position is None:
        return None
    return np.add(channel.source_position, channel.detector_position) / 2.0


def _midline(where: Floats, may_be: npt.NDArray[np.bool_], tolerance: float) -> float | None:
    """The ``x`` (m) of the plane that mirrors the most channels onto others; None where none does."""
    step = np.abs(where[:, None] - where[None, :])
    level = may_be & (step[..., 1] <= tolerance) & (step[..., 2] <= tolerance) & (step[..., 0] > tolerance)
    first, second = np.nonzero(np.triu(level, 1))
    middles = np.sort((where[first, 0] + where[second, 0]) / 2.0)
    if not len(middles):
        return None
    # The most middles within one tolerance; of several such spans, that nearest to 0.
    stop = np.searchsorted(middles, middles + tolerance, side="right")
    count = stop - np.arange(len(middles))
    centres = np.array([middles[i:j].mean() for i, j in zip(np.arange(len(middles)), stop, strict=True)])
    return float(centres[np.lexsort((np.abs(centres), -count))[0]])


def _no_pairs(spec: SignalSpec, found: str, tolerance: float, who: str) -> SignalError:
    return SignalError(
        f"{who} needs channels that mirror each other at the midline; of {describe(spec.channels)} "
        f"{found} within {1e3 * tolerance:g} mm. Raise its tolerance (in metres), or leave the stage out for "
        "a probe of one side."
    )
