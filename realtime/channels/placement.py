"""Whether channels that are called the same can lie at the same position on the head.

A name may be wrong: a cap was plugged otherwise, a file counts rows where another names optodes.  Two
things show it.  The distance between a source and its detector does not depend on the frame of their
positions.  Positions themselves do, so they are compared only where both are given in one space: where at
least half of the optodes (and two) lie within `SAME_SPACE_M` of each other, which no other origin, axis or
template brings about.  `TOLERANCE_M` is more than digitising, the size of a head, or a nominal distance
and a measured one explain.
"""

from math import dist

import numpy as np

from models.errors import SignalError
from realtime.channels.optodes import optode_of
from realtime.signal import Channel, Position, SignalSpec

TOLERANCE_M = 0.02
"""Distances or positions that differ by more than this (m) are not the same."""
SAME_SPACE_M = 0.005
"""Half of the optodes within this of each other (m): both are given in the same space."""
_SHOWN = 4


def check_positions(needed: SignalSpec, found: SignalSpec) -> None:
    """Refuse channels of one name that lie at different positions.

    Parameters
    ----------
    needed, found : SignalSpec
        The same channels, in the same order, as a model (or another recording) and a recording have them.

    Raises
    ------
    SignalError
        Where distances or positions contradict; the message names the optodes and says how far.
    """
    wrong = [*_distances(needed, found), *_moved(needed, found)]
    if wrong:
        more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise SignalError(
            f"Channels of the same name lie at different positions: {'; '.join(wrong[:_SHOWN])}{more}. "
            f"Expected at most {TOLERANCE_M * 1000:g} mm: the optodes are called otherwise, or the montage "
            "is another. Correct the names or the positions, or leave these channels out."
        )


def _distances(needed: SignalSpec, found: SignalSpec) -> list[str]:
    contradictions: dict[str, None] = {}
    for want, have in zip(needed.channels, found.channels, strict=True):
        if want.distance is None or have.distance is None:
            continue
        if abs(want.distance - have.distance) > TOLERANCE_M:
            contradictions[
                f"{_pair(have)} are {have.distance * 1000:.0f} mm apart, not {want.distance * 1000:.0f} mm"
            ] = None
    return list(contradictions)


def _moved(needed: SignalSpec, found: SignalSpec) -> list[str]:
    ours, theirs = _positions(needed, needed), _positions(needed, found)
    both = [optode for optode in ours if optode in theirs]
    distances = np.array([dist(ours[optode], theirs[optode]) for optode in both])
    near = int(np.count_nonzero(distances <= SAME_SPACE_M))
    if near < 2 or 2 * near < len(both):
        return []  # another space, or too few to know
    return [
        f"{name} is {away * 1000:.0f} mm away"
        for (_, name), away in zip(both, distances.tolist(), strict=True)
        if away > TOLERANCE_M
    ]


def _positions(named: SignalSpec, spec: SignalSpec) -> dict[tuple[str, str], Position]:
    """Positions (m) of optodes, by side and by what the first signal calls them."""
    positions: dict[tuple[str, str], Position] = {}
    for name, channel in zip(named.channels, spec.channels, strict=True):
        for side, letter, position in (
            ("source", "S", channel.source_position),
            ("detector", "D", channel.detector_position),
        ):
            called, number = getattr(name, f"{side}_name"), getattr(name, side)
            if position is not None and optode_of(called, number) is not None:
                positions.setdefault((side, called or f"{letter}{number}"), position)
    return positions


def _pair(channel: Channel) -> str:
    source = channel.source_name or f"S{channel.source}"
    return f"{source} and {channel.detector_name or f'D{channel.detector}'}"
