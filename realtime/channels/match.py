"""Which channels of a stream are the ones that a model was trained on.

By name first, then by what a name stands for: kind, optodes (`realtime.channels.optodes.optode_of`: by the
vendor's names, and by our numbers only where one side does not name them) and wavelength.  Never by position
in the stream: two exports of one montage order it differently.  What is matched must also be able to lie in
the same place (`realtime.channels.placement`).
"""

from dataclasses import replace

from models.errors import SignalError
from realtime.channels.optodes import Optode, optode_of
from realtime.channels.placement import check_positions
from realtime.signal import Channel, Kind, SignalSpec

SAME_LIGHT_NM = 1.0
"""Wavelengths that differ by no more than this are the same, written down to other digits."""


def match_channels(needed: SignalSpec, found: SignalSpec) -> tuple[int, ...]:
    """Find every needed channel among those found.

    Parameters
    ----------
    needed : SignalSpec
        What the model was trained on, in its order.
    found : SignalSpec
        What the stream or recording holds.

    Returns
    -------
    tuple of int
        For each needed channel its index in ``found``.

    Raises
    ------
    SignalError
        Channels are lacking, or of another kind or wavelength, or two fit; or their optodes lie centimetres
        from where the model's do.  The message lists which.
    """
    indices = find_channels(needed, found)
    lacking = [_describe(c) for c, i in zip(needed.channels, indices, strict=True) if i is None]
    if lacking:
        raise SignalError(
            f"{len(lacking)} of the {len(needed)} channels that the model needs are lacking: "
            f"{_shorten(lacking)}. Found {len(found)}: {_shorten([_describe(c) for c in found.channels])}. "
            "Use a model trained on this montage, or correct the channel names (or the layout file)."
        )
    there = tuple(i for i in indices if i is not None)
    check_positions(needed, found.pick(there))
    return there


def find_channels(needed: SignalSpec, found: SignalSpec) -> list[int | None]:
    """For each needed channel its index in ``found``, None where it is lacking.

    Raises
    ------
    SignalError
        Two channels fit equally well.
    """
    tables: list[dict[tuple[object, ...], list[int]]] = []
    for by in _KEYS:
        table: dict[tuple[object, ...], list[int]] = {}
        for i, channel in enumerate(found.channels):
            if (key := by(channel)) is not None:
                table.setdefault(key, []).append(i)
        tables.append(table)
    return [_one(channel, found, tables) for channel in needed.channels]


def _one(want: Channel, found: SignalSpec, tables: list[dict[tuple[object, ...], list[int]]]) -> int | None:
    for by, table in zip(_KEYS, tables, strict=True):
        key = by(want)
        there = [] if key is None else table.get(key, [])
        # Vendors round wavelengths (760 in a label is the 760.3 of the file): the nearest is meant.
        near = sorted((_apart(want, found.channels[i]), i) for i in there if _agrees(want, found.channels[i]))
        if len(near) > 1 and near[0][0] == near[1][0]:
            both = [_describe(found.channels[i]) for _, i in near[:2]]
            raise SignalError(
                f"{_describe(want)} could be {both[0]} or {both[1]}; expected one that fits. Give the "
                "optodes names that distinguish them."
            )
        if near:
            return near[0][1]
    return None


def merged(needed: SignalSpec, found: SignalSpec, indices: tuple[int, ...]) -> SignalSpec:
    """The matched channels as the stream describes them, completed from the model's where it is silent.

    Names are the model's, so that everything behind the pipeline is called the same in every session.
    """
    channels = []
    for want, index in zip(needed.channels, indices, strict=True):
        have = found.channels[index]
        silent = {
            name: getattr(want, name)
            for name in ("distance", "position", "source_position", "detector_position")
            if getattr(have, name) is None
        }
        if have.wavelength is None:
            silent |= {"wavelength": want.wavelength, "nominal_wavelength": want.nominal_wavelength}
        channels.append(
            replace(
                have,
                name=want.name,
                source=want.source,
                detector=want.detector,
                **silent,
            )
        )
    return SignalSpec(tuple(channels), found.rate)


def _by_name(channel: Channel) -> tuple[object, ...] | None:
    return channel.name, channel.kind


def _by_optodes(channel: Channel) -> tuple[object, ...] | None:
    source, detector = _optodes(channel)
    if source is None or detector is None:
        return None
    return source.code, detector.code, channel.wavelength is None, channel.kind


def _by_number(channel: Channel) -> tuple[object, ...] | None:
    if channel.source is None or channel.detector is None:
        return None
    return channel.source, channel.detector, channel.wavelength is None, channel.kind


_KEYS = (_by_name, _by_optodes, _by_number)


def _agrees(want: Channel, have: Channel) -> bool:
    """Same kind and unit; the optodes and the wavelength (to a nanometre) too where both say them.

    Of intensities only ratios are used, so one whose unit is not known (many files do not say it) is the
    one that a live stream gives in volts.
    """
    if want.kind is not have.kind or (want.unit != have.unit and want.kind is not Kind.INTENSITY):
        return False
    for side in ("source", "detector"):
        if not _same_optode(
            *(getattr(channel, f"{side}{what}") for channel in (want, have) for what in _WHO)
        ):
            return False
    return _apart(want, have) <= SAME_LIGHT_NM


_WHO = ("_name", "")


def _same_optode(name: str | None, number: int | None, other_name: str | None, other: int | None) -> bool:
    """Whether two can be one: by names; by our numbers only where one has no name and the other no number."""
    ours, theirs = optode_of(name, number), optode_of(other_name, other)
    if ours is None or theirs is None or ours.agrees(theirs):
        return True
    if name and other_name:
        return False
    wordy = (ours if name else theirs).code
    return number == other and not wordy[0].isdigit()  # neither is None: who has no name has a number


def _apart(want: Channel, have: Channel) -> float:
    """Nanometres between two colours; none where one is not known."""
    if want.colour is None or have.colour is None:
        return 0.0
    return abs(want.colour - have.colour)


def _optodes(channel: Channel) -> tuple[Optode | None, Optode | None]:
    return (
        optode_of(channel.source_name, channel.source),
        optode_of(channel.detector_name, channel.detector),
    )


def _describe(channel: Channel) -> str:
    names = (channel.source_name, channel.detector_name)
    place = "" if None in names else f"{names[0]} to {names[1]}, "
    return f"{channel.name} ({place}{channel.kind}, {channel.unit})"


def _shorten(names: list[str], most: int = 6) -> str:
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
