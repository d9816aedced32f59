"""Which channels a model is trained on: those that the recipe names, or those that all recordings share.

Channels are recognised by what they are (`realtime.channels.match`), never by their place: vendors, and
exports of one vendor, order them differently.
"""

from collections.abc import Sequence

from models.errors import RecipeError, SignalError, near_match
from offline.samples.recipe_sections import Input
from realtime.channels.match import find_channels
from realtime.channels.placement import check_positions
from realtime.signal import CONFOUNDS, Channel, Kind, SignalSpec

FORMS = ((Kind.INTENSITY,), (Kind.OPTICAL_DENSITY,), (Kind.HBO, Kind.HBR, Kind.HBT), (Kind.BOLD,))
"""In what forms one measurement comes, as it is computed: a file may hold several."""
SHOWN = 8
"""Channels that a remark names before it only counts."""


def choose_channels(
    specs: Sequence[tuple[str, SignalSpec]], wanted: Input, kinds: Sequence[Kind]
) -> tuple[SignalSpec, list[str]]:
    """Choose the channels, in the order of the recipe, or else of the first recording.

    Parameters
    ----------
    specs : sequence of (name, SignalSpec)
        What each recording holds; at least one.
    wanted : Input
        Section of the recipe.
    kinds : sequence of Kind
        What the pipeline may start from, where channels are not named; of several, what is nearest to
        what was measured in the first recording.

    Returns
    -------
    SignalSpec, list of str
        The channels (as the first recording describes them, with its rate), and remarks on those that
        were left out.

    Raises
    ------
    RecipeError
        A named channel is not there, or no channel is left.
    """
    first_name, first = specs[0]
    if wanted.channels:
        return _named(wanted.channels, first_name, first), []
    kinds = _rawest(kinds, first)
    of_kind = [channel for channel in first.channels if channel.kind in kinds]
    if not of_kind:
        raise RecipeError(
            f"Recording {first_name} has no channel of kind {' or '.join(kinds)}, which the recipe's "
            f"pipeline takes; it has {', '.join(first.kinds) or 'none at all'}. "
            "Change the pipeline, or the cohort."
        )
    remarks: list[str] = []
    near = [channel for channel in of_kind if _distance_fits(channel, wanted)]
    _remark(remarks, of_kind, near, "their distance is not within the recipe's, or not known")
    shared = _shared(near, specs)
    _remark(remarks, near, shared, "not every recording has (and measured) them")
    whole = _whole_pairs(shared, kinds)
    _remark(remarks, shared, whole, "their pair lacks a wavelength")
    if not whole:
        raise RecipeError(
            f"No channel is left that all {len(specs)} recordings share: {'; '.join(remarks)}. "
            "Divide the cohort by montage, or name the channels in the recipe (input.channels)."
        )
    return SignalSpec(tuple(whole), first.rate), remarks


def _rawest(kinds: Sequence[Kind], spec: SignalSpec) -> Sequence[Kind]:
    """Of the kinds that a pipeline takes, those that the signal has and nothing else was computed of."""
    for form in FORMS:
        if set(form) & set(kinds) & set(spec.kinds):
            return [kind for kind in kinds if kind in form or kind in CONFOUNDS]
    return kinds


def _named(names: Sequence[str], first_name: str, first: SignalSpec) -> SignalSpec:
    for name in names:
        if name not in first.names:
            raise RecipeError(
                f"The recipe's channel {name!r} is not in recording {first_name}. "
                + near_match(name, first.names)
            )
    return first.pick(first.names.index(name) for name in names)


def _distance_fits(channel: Channel, wanted: Input) -> bool:
    least, most = wanted.min_distance, wanted.max_distance
    if least is None and most is None:
        return True
    if channel.distance is None:
        return False
    return (least is None or channel.distance >= least) and (most is None or channel.distance <= most)


def _shared(channels: list[Channel], specs: Sequence[tuple[str, SignalSpec]]) -> list[Channel]:
    """Those that every recording has, in the same place as far as positions are known.

    Raises
    ------
    RecipeError
        Channels of one name lie centimetres apart in two recordings; the message names both.
    """
    for name, spec in specs[1:]:
        try:
            there = find_channels(SignalSpec(tuple(channels), 0.0), spec)
        except SignalError as error:
            raise RecipeError(f"Recording {name}: {error}") from error
        channels = [channel for channel, i in zip(channels, there, strict=True) if i is not None]
    for i, (first, placed) in enumerate(specs):
        ours = _as_in(channels, placed)
        if all(channel.distance is None and channel.position is None for channel in ours.channels):
            continue
        for name, spec in specs[i + 1 :]:
            try:
                check_positions(ours, _as_in(channels, spec))
            except SignalError as error:
                raise RecipeError(f"Recordings {first} and {name} cannot be joined: {error}") from error
        break
    return channels


def _as_in(channels: Sequence[Channel], spec: SignalSpec) -> SignalSpec:
    """Channels as one of the recordings that has them describes them."""
    return spec.pick(i for i in find_channels(SignalSpec(tuple(channels), 0.0), spec) if i is not None)


def _whole_pairs(channels: Sequence[Channel], kinds: Sequence[Kind]) -> list[Channel]:
    """Those whose source and detector have every wavelength that any has."""
    if not {Kind.INTENSITY, Kind.OPTICAL_DENSITY} & set(kinds):
        return list(channels)
    wavelengths = {channel.colour for channel in channels}
    held: dict[tuple[int | None, int | None], set[float | None]] = {}
    for channel in channels:
        held.setdefault(channel.pair, set()).add(channel.colour)
    return [channel for channel in channels if held[channel.pair] == wavelengths]


def _remark(remarks: list[str], before: Sequence[Channel], after: Sequence[Channel], why: str) -> None:
    kept = {channel.name for channel in after}
    lost = [channel.name for channel in before if channel.name not in kept]
    if lost:
        more = f" and {len(lost) - SHOWN} more" if len(lost) > SHOWN else ""
        remarks.append(f"{len(lost)} channels left out, for {why}: {', '.join(lost[:SHOWN])}{more}")
