"""Which channels of a stream are the ones that a model was trained on.

By name first, then by what a name stands for: kind, optodes (the vendor's names, then our numbers)
and wavelength.  Never by position in the stream: two exports of one montage order it differently.
"""

from dataclasses import replace

from models.errors import SignalError
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
        Channels are lacking, or of another kind or wavelength; the message lists which.
    """
    keys = [_by_name, _by_vendor, _by_number]
    indices: list[int] = []
    lacking: list[str] = []
    tables: list[dict[tuple[object, ...], list[int]]] = []
    for by in keys:
        table: dict[tuple[object, ...], list[int]] = {}
        for i, channel in enumerate(found.channels):
            if (key := by(channel)) is not None:
                table.setdefault(key, []).append(i)
        tables.append(table)
    for channel in needed.channels:
        for by, table in zip(keys, tables, strict=True):
            key = by(channel)
            there = [] if key is None else table.get(key, [])
            # Vendors round wavelengths (760 in a label is the 760.3 of the file): the nearest is meant.
            near = [
                (_apart(channel, found.channels[i]), i) for i in there if _agrees(channel, found.channels[i])
            ]
            if near:
                indices.append(min(near)[1])
                break
        else:
            lacking.append(_describe(channel))
    if lacking:
        raise SignalError(
            f"{len(lacking)} of the {len(needed)} channels that the model needs are lacking: "
            f"{_shorten(lacking)}. Found {len(found)}: {_shorten([_describe(c) for c in found.channels])}. "
            "Use a model trained on this montage, or correct the channel names (or the layout file)."
        )
    return tuple(indices)


def merged(needed: SignalSpec, found: SignalSpec, indices: tuple[int, ...]) -> SignalSpec:
    """The matched channels as the stream describes them, completed from the model's where it is silent.

    Names are the model's, so that everything behind the pipeline is called the same in every session.
    """
    channels = []
    for want, index in zip(needed.channels, indices, strict=True):
        have = found.channels[index]
        silent = {
            name: getattr(want, name)
            for name in ("wavelength", "distance", "position", "source_position", "detector_position")
            if getattr(have, name) is None
        }
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


def _by_vendor(channel: Channel) -> tuple[object, ...] | None:
    if channel.source_name is None and channel.detector_name is None:
        return None
    # A name that says no more than its number is not kept (S3, Tx3): there the number is the name.
    source, detector = channel.source_name or channel.source, channel.detector_name or channel.detector
    if source is None or detector is None:
        return None
    return source, detector, channel.wavelength is None, channel.kind


def _by_number(channel: Channel) -> tuple[object, ...] | None:
    if channel.source is None or channel.detector is None:
        return None
    return channel.source, channel.detector, channel.wavelength is None, channel.kind


def _agrees(want: Channel, have: Channel) -> bool:
    """Same kind and unit; the vendor's optodes and the wavelength (to a nanometre) too where both say them.

    Our numbers of optodes, and names made of them, follow a file's own order: two montages can share
    them although they sit elsewhere on the head.  Of intensities only ratios are used, so one whose unit
    is not known (many files do not say it) is the one that a live stream gives in volts.
    """
    if want.kind is not have.kind or (want.unit != have.unit and want.kind is not Kind.INTENSITY):
        return False
    for ours, theirs in zip(_optodes(want), _optodes(have), strict=True):
        if ours is not None and theirs is not None and ours != theirs:
            return False
    if want.wavelength is None or have.wavelength is None:
        return True
    return _apart(want, have) <= SAME_LIGHT_NM


def _apart(want: Channel, have: Channel) -> float:
    """Nanometres between two wavelengths; none where one is not known."""
    if want.wavelength is None or have.wavelength is None:
        return 0.0
    return abs(want.wavelength - have.wavelength)


def _optodes(channel: Channel) -> tuple[str | None, str | None]:
    return channel.source_name, channel.detector_name


def _describe(channel: Channel) -> str:
    place = "" if None in _optodes(channel) else f"{channel.source_name} to {channel.detector_name}, "
    return f"{channel.name} ({place}{channel.kind}, {channel.unit})"


def _shorten(names: list[str], most: int = 6) -> str:
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
