"""Which short channel speaks for the scalp above a long one."""

from collections.abc import Sequence

import numpy as np

from models.errors import RecipeError, SignalError
from realtime.signal import Channel, Kind, SignalSpec
from realtime.stages.cells import describe

ADVICE = (
    "Leave the stage 'short_channel' out for a cap without short channels, or see that they reach it: "
    "the recipe's input.min_distance, its channels and a 'select' stage may have left them out, and a layout "
    "without distances hides them."
)


def split_by_distance(spec: SignalSpec, below: float) -> tuple[list[int], list[int]]:
    """Rows of the short channels and of all others (of unknown distance, too).

    Parameters
    ----------
    spec : SignalSpec
        Optical density or haemoglobin.
    below : float
        Channels of less distance are short, m.

    Raises
    ------
    SignalError
        There is no short channel, or no other; the message says what to do.
    """
    short = [i for i, c in enumerate(spec.channels) if c.distance is not None and c.distance < below]
    long = [i for i in range(len(spec)) if i not in short]
    known = [c.distance for c in spec.channels if c.distance is not None]
    distances = f"distances {min(known):g} to {max(known):g} m" if known else "no distance at all"
    if not short:
        raise SignalError(
            f"Stage 'short_channel' has no short channel: found {describe(spec.channels)} with {distances}; "
            f"expected some below {below:g} m. {ADVICE}"
        )
    if not long:
        raise SignalError(
            f"Stage 'short_channel' has nothing to correct: all {len(short)} channels ({distances}) are "
            f"below {below:g} m. Lower its max_distance, in metres."
        )
    return short, long


def references_of(spec: SignalSpec, short: Sequence[int], long: Sequence[int], which: str) -> list[list[int]]:
    """The short channels that each long one is referred to, as indices in ``short``.

    Parameters
    ----------
    spec : SignalSpec
        Optical density or haemoglobin.
    short, long : sequence of int
        Rows.
    which : {"nearest", "all", "mean"}
        The nearest of the same wavelength or chromophore, or all of them.

    Raises
    ------
    SignalError
        A long channel has no short one of its wavelength or chromophore, or it is not known which is near.
    RecipeError
        ``which`` is none of the three.
    """
    check_reference(which)
    found = []
    for row in long:
        channel = spec.channels[row]
        same = [i for i, other in enumerate(short) if _same_light(channel, spec.channels[other])]
        if not same:
            raise SignalError(
                f"Stage 'short_channel': channel {channel.name!r} has no short channel of its own "
                f"{'wavelength' if channel.wavelength else 'chromophore'}; the short ones are "
                f"{', '.join(spec.names[i] for i in short)}. {ADVICE}"
            )
        if which == "nearest":
            same = [_nearest(spec, row, [short[i] for i in same], same)]
        found.append(same)
    return found


def check_reference(which: str) -> None:
    """Refuse a reference that is none of the three."""
    if which not in ("nearest", "all", "mean"):
        raise RecipeError(
            f"Stage 'short_channel': reference = {which!r}; expected 'nearest', 'all' or 'mean'."
        )


def _same_light(a: Channel, b: Channel) -> bool:
    return a.kind == b.kind and (a.kind != Kind.OPTICAL_DENSITY or a.colour == b.colour)


def _nearest(spec: SignalSpec, row: int, rows: Sequence[int], indices: Sequence[int]) -> int:
    """By position; where positions are not known, by the fewest channels that lead there."""
    channel = spec.channels[row]
    others = [spec.channels[i] for i in rows]
    if channel.position is not None and all(other.position is not None for other in others):
        away = [float(np.linalg.norm(np.subtract(channel.position, other.position or 0))) for other in others]
        return indices[int(np.argmin(away))]
    steps = _steps_from(spec, channel)
    reached = [min(steps.get(("S", o.source), np.inf), steps.get(("D", o.detector), np.inf)) for o in others]
    if not np.isfinite(min(reached)):
        raise SignalError(
            f"Stage 'short_channel' does not know which short channel is nearest to {channel.name!r}: "
            "positions are not known, and no chain of channels that share an optode leads to one. Give "
            "positions, or set reference = 'mean' or 'all'."
        )
    return indices[int(np.argmin(reached))]


def _steps_from(spec: SignalSpec, channel: Channel) -> dict[tuple[str, int | None], int]:
    """Optodes that can be reached over channels from a channel's own, and in how many steps."""
    pairs = {c.pair for c in spec.channels if None not in c.pair}
    steps: dict[tuple[str, int | None], int] = {("S", channel.source): 0, ("D", channel.detector): 0}
    edge = set(steps)
    while edge:
        reached = set()
        for source, detector in pairs:
            for here, there in ((("S", source), ("D", detector)), (("D", detector), ("S", source))):
                if here in edge and there not in steps:
                    reached.add(there)
        steps.update(dict.fromkeys(reached, max(steps.values()) + 1))
        edge = reached
    return steps
