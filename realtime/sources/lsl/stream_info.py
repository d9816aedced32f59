"""A signal as an LSL ``StreamInfo``, and back.

The description itself is `realtime.channels.lsl_description`; this module only carries it to and from pylsl
(which it imports at once: import this module where a stream is really opened).
"""

from collections.abc import Mapping
from xml.etree import ElementTree as ET

import pylsl
from pylsl.info import XMLElement

from models.errors import StreamError
from realtime.channels.layout import StreamLayout
from realtime.channels.lsl_description import describe, describe_origin, read_origin
from realtime.channels.side_file import SideFile
from realtime.channels.stream_xml import read_stream_xml
from realtime.devices import companion_of, layout_of
from realtime.log import Origin
from realtime.signal import Kind, SignalSpec

NOT_HELD: Mapping[str, tuple[str, ...]] = {
    "always": (
        "distance",  # the convention derives it from the optodes' positions
        "position",  # midpoint of the optodes; of a region nothing
    ),
    "sometimes": (
        "rate",  # to 15 digits, in the stream's header
        "source",  # the convention has names of optodes: a number that the name does not hold
        "detector",
        "source_name",  # one that is shared by two numbers, or that an optode called S1, S2 ... lacks
        "detector_name",
        "source_position",  # of an optode without name, or when channels disagree about it
        "detector_position",
        "wavelength",  # of what is not light
        "nominal_wavelength",  # the same, or where nothing else was measured
    ),
}
"""Fields of a channel, and the rate, that the convention's own fields cannot hold.

Our child ``hemostream`` keeps all of it; another program reads the stream without.
"""

__all__ = [
    "NOT_HELD",
    "StreamLayout",
    "is_companion",
    "layout_from_info",
    "marker_info",
    "origin_from_info",
    "spec_from_info",
    "stream_info",
    "with_description",
]


def stream_info(
    spec: SignalSpec,
    *,
    name: str,
    source_id: str,
    origin: Origin,
    dtype: str = "double64",
    bare: bool = False,
) -> pylsl.StreamInfo:
    """Describe a signal for an outlet.

    Parameters
    ----------
    spec : SignalSpec
        The signal; its channels are the stream's rows.
    name : str
        The stream's name.
    source_id : str
        Unique for the sender, so that a listener finds it again.
    origin : Origin
        Where the samples come from.
    dtype : str
        LSL's channel format, ``"double64"`` or ``"float32"``.
    bare : bool
        Leave the channels undescribed, as some devices do; the origin is declared all the same.

    Returns
    -------
    pylsl.StreamInfo
        Of type ``fMRI`` where all channels are BOLD regions, motion beside them or not, else ``NIRS``.
    """
    content = "fMRI" if spec.signal_kinds == (Kind.BOLD,) else "NIRS"
    info = pylsl.StreamInfo(name, content, len(spec), spec.rate, dtype, source_id)
    if bare:
        _copy(describe_origin(origin), info.desc().append_child("hemostream"))
    else:
        _copy(describe(spec, origin), info.desc())
    return info


def marker_info(*, name: str, source_id: str, origin: Origin, content: str = "Markers") -> pylsl.StreamInfo:
    """Describe a stream of event labels for an outlet.

    Parameters
    ----------
    name : str
        The stream's name.
    source_id : str
        Unique for the sender.
    origin : Origin
        Where the events come from.
    content : str
        LSL's content type, ``Markers`` by convention.

    Returns
    -------
    pylsl.StreamInfo
        One string channel at no regular rate.
    """
    info = pylsl.StreamInfo(name, content, 1, pylsl.IRREGULAR_RATE, "string", source_id)
    _copy(describe_origin(origin), info.desc().append_child("hemostream"))
    return info


def layout_from_info(info: pylsl.StreamInfo, side: SideFile | None = None) -> StreamLayout:
    """Which rows of a stream are which channels, found by itself (`realtime.devices`).

    Parameters
    ----------
    info : pylsl.StreamInfo
        Of an opened inlet (``inlet.info()``): resolving alone gives no description.
    side : StreamLayout, Geometry or None
        What a side file says of it.

    Raises
    ------
    StreamError
        Where no device is recognised, or the stream does not describe its channels.
    """
    return layout_of(read_stream_xml(info.as_xml()), side)


def is_companion(info: pylsl.StreamInfo) -> bool:
    """Whether a device sends this stream next to its signal: motion, statistics."""
    try:
        return bool(companion_of(read_stream_xml(info.as_xml())))
    except StreamError:
        return False  # whoever takes it gets the error that it cannot be read


def spec_from_info(info: pylsl.StreamInfo) -> SignalSpec:
    """The haemodynamic channels of a stream (`layout_from_info` also gives their rows).

    Raises
    ------
    StreamError
        As `layout_from_info`.
    """
    return layout_from_info(info).spec


def origin_from_info(info: pylsl.StreamInfo) -> Origin:
    """Where a stream's samples come from; live where it says nothing.

    Raises
    ------
    StreamError
        Where what it says is not understood.
    """
    return read_origin(read_stream_xml(info.as_xml()))


def with_description(info: pylsl.StreamInfo, desc: ET.Element) -> pylsl.StreamInfo:
    """The same stream header, described.

    Parameters
    ----------
    info : pylsl.StreamInfo
        Not described so far.
    desc : Element
        The description.
    """
    _copy(desc, info.desc())
    return info


def _copy(element: ET.Element, target: XMLElement) -> None:
    """Copy the children of an element into LSL's tree."""
    for child in element:
        if len(child):
            _copy(child, target.append_child(child.tag))
        else:
            target.append_child_value(child.tag, child.text or "")
