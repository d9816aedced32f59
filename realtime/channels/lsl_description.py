"""A signal as the XML description that LSL streams and XDF files carry, and back.

Follows the "NIRS Meta Data" convention of the XDF wiki: ``channels/channel`` with label, type,
measure, unit, source, detector, wavelength; ``optodes/optode`` with function, label and location
in millimetres.  What the convention cannot hold goes into a child ``hemostream`` of our own, so
that a replay of ours loses nothing (`realtime.channels.lossless`).

Plain XML elements only: a live stream (`realtime.sources.lsl.stream_info`) and an XDF reader both come here,
and neither needs the other's library.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree as ET

from models.errors import SignalError, StreamError
from realtime.channels.layout import StreamLayout
from realtime.channels.lossless import lossless_extension, restored
from realtime.channels.montage import LAYOUT
from realtime.channels.nirs_metadata import believed_rate, number, standard_fields
from realtime.channels.text_values import is_number
from realtime.input_guards.stamps import on_a_clock
from realtime.log import Origin, OriginKind
from realtime.signal import Channel, Kind, Position, SignalSpec

VERSION = "1"
"""Of our own extension."""
FASTEST = 1e4
"""Stream seconds a local second that a replay may run at, and the inverse of the slowest."""

_TYPES: Mapping[Kind, str] = {
    Kind.INTENSITY: "Intensity",
    Kind.OPTICAL_DENSITY: "dOD",
    Kind.HBO: "HbO",
    Kind.HBR: "HbR",
    Kind.HBT: "HbT",
    Kind.BOLD: "BOLD",
    Kind.TRANSLATION: "HeadTranslation",
    Kind.ROTATION: "HeadRotation",
    Kind.DISPLACEMENT: "FramewiseDisplacement",
    Kind.PHYSIOLOGY: "Physiology",
}
_MEASURES: Mapping[Kind, str] = {
    Kind.INTENSITY: "Intensity",
    Kind.OPTICAL_DENSITY: "Optical density change",
    Kind.HBO: "Concentration change",
    Kind.HBR: "Concentration change",
    Kind.HBT: "Concentration change",
    Kind.BOLD: "Region signal",
    Kind.TRANSLATION: "Head motion",
    Kind.ROTATION: "Head motion",
    Kind.DISPLACEMENT: "Head motion",
    Kind.PHYSIOLOGY: "Physiology",
}


def describe(spec: SignalSpec, origin: Origin) -> ET.Element:
    """Write a signal as a stream description.

    Parameters
    ----------
    spec : SignalSpec
        The signal.
    origin : Origin
        Where its samples come from.

    Returns
    -------
    Element
        ``desc``, with children channels, optodes (where any is known) and hemostream.
    """
    desc = ET.Element("desc")
    channels = ET.SubElement(desc, "channels")
    optodes: dict[tuple[str, str], Position | None] = {}
    for channel in spec.channels:
        node = ET.SubElement(channels, "channel")
        source = _label(channel.source_name, channel.source, "S")
        detector = _label(channel.detector_name, channel.detector, "D")
        _add(node, "label", channel.name)
        _add(node, "type", _TYPES[channel.kind])
        _add(node, "measure", _MEASURES[channel.kind])
        _add(node, "unit", channel.unit)
        _add(node, "source", source)
        _add(node, "detector", detector)
        _add(node, "wavelength", "" if channel.colour is None else repr(channel.colour))
        if channel.nominal_wavelength is not None and channel.wavelength is not None:
            _add(node, "wavelength_measured", repr(channel.wavelength))
        for function, label, position in (
            ("Source", source, channel.source_position),
            ("Detector", detector, channel.detector_position),
        ):
            if label and optodes.get((function, label)) is None:
                optodes[function, label] = position
    if optodes:
        parent = ET.SubElement(desc, "optodes")
        for (function, label), position in optodes.items():
            node = ET.SubElement(parent, "optode")
            _add(node, "function", function)
            _add(node, "label", label)
            if position is not None:
                location = ET.SubElement(node, "location")
                for axis, metres in zip("XYZ", position, strict=True):
                    _add(location, axis, _millimetres(metres))
    ours = describe_origin(origin)
    desc.append(ours)
    # The rate is left to the stream's own header by the convention; 0 makes us keep it exactly.
    read, _ = standard_fields(desc)
    _add(ours, "remainder", lossless_extension(spec, read, 0.0))
    return desc


def describe_origin(origin: Origin) -> ET.Element:
    """Our own child of a description, saying only where the samples come from.

    Parameters
    ----------
    origin : Origin
        Where from, and how the clock runs.
    """
    ours = ET.Element("hemostream")
    _add(ours, "version", VERSION)
    _add(ours, "origin", origin.kind.value)
    _add(ours, "speed", repr(origin.speed))
    _add(ours, "anchor", repr(origin.anchor))
    return ours


def read_description(info: ET.Element, *, name: str = "") -> StreamLayout:
    """Understand a stream's description.

    Parameters
    ----------
    info : Element
        The stream's ``info``: channel_count, nominal_srate and desc.
    name : str
        The stream's name, for messages.

    Returns
    -------
    StreamLayout
        The haemodynamic channels and their rows in the stream.

    Raises
    ------
    StreamError
        Where there is no description, or none that names a haemodynamic channel.
    """
    name = name or info.findtext("name", "")
    try:
        count = number(info, "channel_count", f"Stream {name!r}") or 0.0
        rate = believed_rate(number(info, "nominal_srate", f"Stream {name!r}") or 0.0)
    except SignalError as error:
        raise StreamError(str(error)) from error
    desc = info.find("desc")
    nodes = [] if desc is None else desc.findall("channels/channel")
    if desc is None or not nodes:
        raise StreamError(
            f"Stream {name!r} does not describe its {count:.0f} channels; a layout file is needed that "
            f"says what they are ({LAYOUT}; form: realtime/channels/montage.py)."
        )
    if count and len(nodes) != int(count):
        raise StreamError(
            f"Stream {name!r} has {count:.0f} channels and describes {len(nodes)}; give a layout file "
            f"that says what its rows are ({LAYOUT})."
        )
    try:
        read, scales = standard_fields(desc)
    except SignalError as error:
        raise StreamError(f"Stream {name!r}: {error}") from error
    if (spec := _restored(desc, read)) is not None:
        return StreamLayout(spec, tuple(range(len(spec))))
    _check_wavelengths(read, name)
    rows = tuple(row for row, channel in enumerate(read) if channel is not None)
    if not rows:
        types = sorted({node.findtext("type") or "none" for node in nodes})
        raise StreamError(
            f"Stream {name!r} has no haemodynamic channel among its {len(nodes)}: their types are "
            f"{', '.join(types)}; expected Intensity, dOD, HbO, HbR, HbT or BOLD. If the types are "
            f"wrong, give a layout file ({LAYOUT})."
        )
    factors = tuple(scales[row] for row in rows)
    try:
        spec = SignalSpec(tuple(channel for channel in read if channel is not None), rate)
    except SignalError as error:
        raise StreamError(f"Stream {name!r}: {error}") from error
    return StreamLayout(spec, rows, factors if set(factors) != {1.0} else ())


def has_lossless_extension(info: ET.Element) -> bool:
    """Whether a stream carries a child of ours that fits its description, so that nothing is lost.

    Parameters
    ----------
    info : Element
        The stream's ``info``.

    Raises
    ------
    StreamError
        Where a channel's unit is not understood, or the child is damaged.
    """
    desc = info.find("desc")
    if desc is None:
        return False
    try:
        read, _ = standard_fields(desc)
        return _restored(desc, read) is not None
    except SignalError as error:
        raise StreamError(f"Stream {info.findtext('name', '')!r}: {error}") from error


def _restored(desc: ET.Element, read: Sequence[Channel | None]) -> SignalSpec | None:
    """The signal with all that our child keeps of it; None without such a child or where it does not fit."""
    kept = desc.findtext("hemostream/remainder")
    return None if kept is None else restored(kept, read, 0.0)


def _check_wavelengths(read: Sequence[Channel | None], name: str) -> None:
    """Refuse half a description: some light with a wavelength, some without.

    Where none has one the description is merely silent, and a model's own may complete it.
    """
    light = [c for c in read if c is not None and c.kind in (Kind.INTENSITY, Kind.OPTICAL_DENSITY)]
    dark = [channel.name for channel in light if channel.wavelength is None]
    if dark and len(dark) < len(light):
        raise StreamError(
            f"Stream {name!r}: {len(dark)} of {len(light)} channels of light have no wavelength, the first "
            "is "
            f"{dark[0]!r}; expected nanometres for each. Correct the description, or give a side file "
            f"({LAYOUT})."
        )


def read_origin(info: ET.Element) -> Origin:
    """Where a stream says its samples come from; live where it says nothing.

    Parameters
    ----------
    info : Element
        The stream's ``info``.

    Raises
    ------
    StreamError
        Where it says something that is not understood: then it must not be taken for live.
    """
    ours = info.find("desc/hemostream")
    if ours is None:
        return Origin()
    texts = [ours.findtext(field, default) for field, default in (("speed", "1.0"), ("anchor", "0.0"))]
    speed, anchor = (float(text) if is_number(text) else 0.0 for text in texts)
    kind = ours.findtext("origin", "live")
    speed_known = 1 / FASTEST <= speed <= FASTEST
    anchor_known = is_number(texts[1]) and on_a_clock(anchor)
    if kind not in tuple(OriginKind) or not speed_known or not anchor_known:
        raise StreamError(
            f"Stream {info.findtext('name', '')!r} says of its origin: {kind!r}, speed {texts[0]!r}, "
            f"anchor {texts[1]!r}; expected one of {', '.join(OriginKind)}, a speed from {1 / FASTEST:g} to "
            f"{FASTEST:g} and an anchor in seconds."
        )
    return Origin(OriginKind(kind), speed, anchor)


def element_of(tag: str, value: Any) -> ET.Element:
    """An XML element from pyxdf's nested dictionaries of lists.

    Parameters
    ----------
    tag : str
        Name of the element.
    value : mapping of str to list, or text
        As in pyxdf's ``stream["info"]``.
    """
    element = ET.Element(tag)
    if isinstance(value, Mapping):
        for child, items in value.items():
            for item in items if isinstance(items, list) else [items]:
                element.append(element_of(child, item))
    elif value is not None:
        element.text = str(value)
    return element


def _label(name: str | None, number: int | None, letter: str) -> str:
    """What an optode is called in the description."""
    return name or ("" if number is None else f"{letter}{number}")


def _add(parent: ET.Element, tag: str, text: str) -> None:
    """Append a child with text, if there is text."""
    if text:
        ET.SubElement(parent, tag).text = text


def _millimetres(metres: float) -> str:
    """Move the decimal point by three places, so that nothing is rounded."""
    return f"{Decimal(repr(metres)).scaleb(3)}"
