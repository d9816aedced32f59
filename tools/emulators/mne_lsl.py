"""A recording as MNE-LSL's player would send it (`realtime.devices.mne_lsl`)."""

from models.errors import StreamError
from realtime.channels.optodes import standard_name
from realtime.devices.mne_lsl import KINDS
from realtime.log import Origin
from realtime.signal import Channel, Kind
from realtime.sources.recording import Recording
from tools.emulators.base import EmulatedStream, add, description, sent

_COILS = {Kind.INTENSITY: 302, Kind.OPTICAL_DENSITY: 303, Kind.HBO: 300, Kind.HBR: 301}
"""FIFF's numbers of what a channel is."""
_FNIRS, _HEAD = 1100, 4


def emulate(recording: Recording, origin: Origin) -> EmulatedStream:
    """Make the stream.

    Parameters
    ----------
    recording : Recording
        Light or haemoglobin.
    origin : Origin
        Where the samples come from.

    Raises
    ------
    StreamError
        If it holds anything else.
    """
    words = {kind: word for word, kind in KINDS.items()}
    desc = description(origin)
    channels = add(desc, "channels")
    for channel in recording.spec.channels:
        if channel.kind not in words or channel.source is None or channel.detector is None:
            raise StreamError(
                f"Channel {channel.name!r} of {recording.name!r} ({channel.kind}) has no optodes, or is of "
                "no kind that MNE knows. Send it with --layout full."
            )
        node = add(channels, "channel")
        add(node, "label", standard_name(channel.source, channel.detector, channel.kind, channel.wavelength))
        add(node, "type", words[channel.kind])
        add(node, "unit", "0")
        add(node, "kind", str(_FNIRS))
        add(node, "coil_type", str(_COILS[channel.kind]))
        add(node, "coord_frame", str(_HEAD))
        add(node, "range_cal", "1.0")
        location = add(node, "loc")
        for name, value in zip(_names(), _loc(channel), strict=True):
            add(location, name, repr(value))
    kinds = {words[channel.kind] for channel in recording.spec.channels}
    return EmulatedStream(
        "MNE-LSL-Player",
        kinds.pop() if len(kinds) == 1 else "",
        recording.spec.rate,
        desc,
        sent(recording),
        dtype="double64",
        events="annotations",
    )


def _names() -> list[str]:
    return [f"{first}{axis}" for first in ("R0", "Ex", "Ey", "Ez") for axis in "xyz"]


def _loc(channel: Channel) -> list[float]:
    nowhere = (float("nan"),) * 3
    wavelength = float("nan") if channel.wavelength is None else channel.wavelength
    return [
        *(channel.position or nowhere),
        *(channel.source_position or nowhere),
        *(channel.detector_position or nowhere),
        *(wavelength, float("nan"), float("nan")),
    ]
