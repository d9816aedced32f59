"""What the XDF wiki's "NIRS Meta Data" fields say of a stream's rows.

Nothing of ours is read here; see `realtime.channels.lsl_description`.
"""

from decimal import Decimal
from xml.etree import ElementTree as ET

from models.errors import SignalError
from realtime.channels.optodes import Optode, between, number_optodes, optode_of, standard_name
from realtime.channels.text_values import is_absent, number_in
from realtime.channels.units import kind_of, unit_of
from realtime.signal import Channel, Kind, Position

NM = "nanometres"
SLOWEST, FASTEST = 1e-3, 1e6
"""Declared rates (Hz) that are believed: gaps and buffers are counted in their periods."""


def standard_fields(desc: ET.Element) -> tuple[list[Channel | None], list[float]]:
    """What the convention's fields say of each row, and the factors to SI."""
    nodes = desc.findall("channels/channel")
    positions = _positions(desc)
    kinds = [kind_of(_text(node, "type")) for node in nodes]
    used = [node for node, kind in zip(nodes, kinds, strict=True) if kind is not None]
    sources = number_optodes(filter(None, (_optode(node, "source") for node in used)))
    detectors = number_optodes(filter(None, (_optode(node, "detector") for node in used)))
    channels: list[Channel | None] = []
    scales: list[float] = []
    for row, (node, kind) in enumerate(zip(nodes, kinds, strict=True)):
        if kind is None:
            channels.append(None)
            scales.append(1.0)
            continue
        source, detector = _optode(node, "source"), _optode(node, "detector")
        label = _text(node, "label")
        wavelength = called = None
        whose = f"Channel {label or row!r}"
        if kind in (Kind.INTENSITY, Kind.OPTICAL_DENSITY):
            called = number(node, "wavelength", whose, NM) or None
            wavelength = number(node, "wavelength_measured", whose, NM) or called
        try:
            unit, scale = unit_of(kind, _text(node, "unit"))
        except SignalError as error:
            raise SignalError(f"{whose}: {error}") from error
        s, d = sources.get(source), detectors.get(detector)
        at, to = (
            positions["source"].get(optode_of(source, None)),
            positions["detector"].get(optode_of(detector, None)),
        )
        if not label:
            label = f"row {row}" if s is None or d is None else standard_name(s, d, kind, called)
        channel = Channel(
            name=label,
            kind=kind,
            unit=unit,
            source=s,
            detector=d,
            source_name=source or None,
            detector_name=detector or None,
            wavelength=wavelength,
            nominal_wavelength=None if called == wavelength else called,
        )
        channels.append(between(channel, at, to))
        scales.append(scale)
    return channels, scales


def _positions(desc: ET.Element) -> dict[str, dict[Optode | None, Position]]:
    """Where the sources and the detectors are, however their names are written."""
    found: dict[str, dict[Optode | None, Position]] = {"source": {}, "detector": {}}
    for node in desc.findall("optodes/optode"):
        function, label = _text(node, "function").lower(), _optode(node, "label")
        position = location(node.find("location"), f"Optode {label or function!r}")
        if position is None or not label or function not in found:
            continue
        if found[function].setdefault(optode_of(label, None), position) != position:
            raise SignalError(
                f"Optode {label!r}: there are two positions of a {function} of that name; expected one."
            )
    return found


def _optode(node: ET.Element, tag: str) -> str:
    """What an optode is called, empty where that is not known."""
    text = _text(node, tag)
    return "" if is_absent(text) else text


def _text(node: ET.Element, tag: str) -> str:
    """A child's text, empty where there is none."""
    return (node.findtext(tag) or "").strip()


def number(node: ET.Element, tag: str, whose: str, what: str = "a number") -> float | None:
    """A child's finite number, None where it gives none.

    Parameters
    ----------
    node : Element
        A channel, or a stream's ``info``.
    tag : str
        Of the child.
    whose : str
        Begins the message.
    what : str
        What was expected, for the message.

    Raises
    ------
    SignalError
        Where the text is neither a number nor a word for "not known".
    """
    try:
        return number_in((node.findtext(tag) or "").strip().removesuffix("nm"), what)
    except ValueError as error:
        raise SignalError(f"{whose}: {tag} {error}.") from error


def believed_rate(rate: float) -> float:
    """The rate (Hz) that a header declares; 0 where no device can have it."""
    return rate if SLOWEST <= rate <= FASTEST else 0.0


def location(node: ET.Element | None, whose: str) -> Position | None:
    """A position in metres from millimetres, None where it is not (wholly) given.

    Parameters
    ----------
    node : Element or None
        Its children are called X, Y and Z (or x, y, z), or come in this order.
    whose : str
        Begins the message.

    Raises
    ------
    SignalError
        Where a coordinate is neither a number nor a word for "not known".
    """
    if node is None:
        return None
    children = {child.tag.lower(): (child.text or "").strip() for child in node}
    named = children.keys() >= set("xyz")
    texts = [children[axis] for axis in "xyz"] if named else list(children.values())[:3]
    for axis, text in zip("XYZ", texts, strict=False):
        try:
            number_in(text)
        except ValueError as error:
            raise SignalError(f"{whose}: location {axis} {error}.") from error
    if len(texts) < 3 or any(map(is_absent, texts)):
        return None
    # Moved by three decimal places as text, so that nothing is rounded.
    x, y, z = (float(Decimal(text).scaleb(-3)) for text in texts)
    return x, y, z
