"""Montages of signals: where channels are, and which of a stream's channels a model takes.

A model demands the channels that it was trained on (`realtime.channels.match`).  One that knows where
channels are may also take a stream's own, where its card says so (`ServedMontages`): whatever
its names, numbers and order, if positions and kinds fit.
"""

from typing import NamedTuple

import numpy as np

from models.errors import RecipeError, SignalError
from models.networks import VIRTUAL_PROBE
from models.networks.parts.montage import KINDS, Montage, ServedMontages, covered, near
from realtime.channels.match import match_channels, merged
from realtime.channels.own_montage import own_channels
from realtime.channels.placement import TOLERANCE_M
from realtime.signal import Kind, SignalSpec
from realtime.stages.homologues import midline_of, positions_of

WHO = f"Network {VIRTUAL_PROBE!r}"


def montage_of(spec: SignalSpec) -> Montage:
    """Where the channels of a pipeline's output are, from their midline, and what they measure.

    Where no two channels mirror each other (a probe on one side), ``x`` is taken from the origin.

    Parameters
    ----------
    spec : SignalSpec
        Behind the pipeline.

    Raises
    ------
    RecipeError
        A channel is neither a concentration nor a region's signal, or is a difference of two places.
    SignalError
        Positions are not known.
    """
    if wrong := [channel.name for channel in spec.channels if channel.kind not in KINDS]:
        raise RecipeError(
            f"{WHO} takes {', '.join(KINDS)}; {len(wrong)} of {len(spec)} channels are others ({wrong[0]}). "
            "Put 'beer_lambert' into the pipeline, or take another network."
        )
    if any(channel.mirror_pair != (None, None) for channel in spec.channels):
        raise RecipeError(
            f"{WHO} contrasts the sides of the head itself, and a difference of two channels is at no place. "
            "Leave the stage 'homologues' out, or take another network."
        )
    where = positions_of(spec, WHO)
    where[:, 0] -= midline_of(spec, who=WHO) or 0.0
    kind = np.array([KINDS.index(channel.kind) for channel in spec.channels], dtype=np.int64)
    return Montage(where.astype(np.float32), kind)


class TakenChannels(NamedTuple):
    """What of a stream goes into the pipeline.

    Parameters
    ----------
    rows : tuple of int
        Indices in the stream's channels.
    spec : SignalSpec
        These channels.
    own : bool
        Whether it is the stream's own montage, not the one that the model was trained on.
    """

    rows: tuple[int, ...]
    spec: SignalSpec
    own: bool


def take_channels(needed: SignalSpec, served: ServedMontages | None, found: SignalSpec) -> TakenChannels:
    """The channels that a model was trained on; else, where its card says so, the stream's own.

    Parameters
    ----------
    needed : SignalSpec
        What it was trained on.
    served : ServedMontages or None
        Which others it serves; None where it serves none.
    found : SignalSpec
        What the stream holds.

    Raises
    ------
    SignalError
        Neither can be: with what was found, and what is expected.
    """
    try:
        rows = match_channels(needed, found)
    except SignalError as error:
        if served is None:
            raise SignalError(
                f"{error} This model demands the montage that it was trained on; one of kind "
                f'{VIRTUAL_PROBE!r}, trained with input.montage = "own", serves others by their positions.'
            ) from error
    else:
        if served is None or not _elsewhere(needed, found.pick(rows)):
            return TakenChannels(rows, merged(needed, found, rows), own=False)
    rows = _served(served, found)
    return TakenChannels(rows, found.pick(rows), own=True)


def _elsewhere(needed: SignalSpec, found: SignalSpec) -> bool:
    """Whether channels of the same names lie at other positions: many montages call a pair S1_D1."""
    try:
        ours, theirs = positions_of(needed), positions_of(found)
    except SignalError:
        return False  # positions are not known: names decide
    for where, spec in ((ours, needed), (theirs, found)):
        where[:, 0] -= midline_of(spec) or 0.0
    return bool((np.linalg.norm(ours - theirs, axis=1) > TOLERANCE_M).any())


def _served(served: ServedMontages, found: SignalSpec) -> tuple[int, ...]:
    """The channels of a montage that the model was not trained on."""
    kinds = [Kind(kind) for kind in served.takes]
    rows = own_channels(found, kinds, min_distance=served.min_distance, max_distance=served.max_distance)
    if not rows:
        raise SignalError(
            f"The stream has {len(found)} channels ({', '.join(found.kinds) or 'none'}), but none that the "
            f"model can start from: {' or '.join(served.takes)}{_distances(served)}."
        )
    own = found.pick(rows)
    where = positions_of(own, "A model that serves any montage")
    where[:, 0] -= midline_of(own) or 0.0
    inside = near(where, served.where, served.reach)
    rows = tuple(row for row, fits in zip(rows, inside.tolist(), strict=True) if fits)
    share = covered(where[inside], served.where, served.reach) if rows else 0.0
    if share < served.least_covered:
        raise SignalError(
            f"The stream's montage ({_extent(where)}) has {len(rows)} of {len(inside)} channels within "
            f"{1e3 * served.reach:.0f} mm of where the model's training had some ({served.bounds_line}), and "
            f"they are near {100 * share:.0f} % of these places; expected {100 * served.least_covered:.0f} % "
            "or more. Is it the same frame (x to the right, y to the front, z up, one origin)? Correct "
            "its positions (a layout file), or use a model trained on this part of the head."
        )
    return rows


def check_served(served: ServedMontages, behind: SignalSpec) -> None:
    """Refuse a stream whose pipeline gives other chromophores than the model saw.

    Raises
    ------
    SignalError
        Says which.
    """
    if set(behind.kinds) != set(served.sees):
        raise SignalError(
            f"The stream's montage gives {', '.join(behind.kinds)}; the model sees {', '.join(served.sees)}; "
            "expected the same kinds of signal. Use a model trained on these."
        )


def _distances(served: ServedMontages) -> str:
    low, high = served.min_distance, served.max_distance
    if low is None and high is None:
        return ""
    return f", {1e3 * (low or 0.0):.0f} to {'any' if high is None else f'{1e3 * high:.0f}'} mm apart"


def _extent(where: np.ndarray) -> str:
    low, high = 1e3 * where.min(axis=0), 1e3 * where.max(axis=0)
    return (
        ", ".join(f"{axis} {a:.0f} to {b:.0f}" for axis, a, b in zip("xyz", low, high, strict=True)) + " mm"
    )
