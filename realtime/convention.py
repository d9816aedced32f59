"""What the XDF wiki's "NIRS Meta Data" fields say of a stream's rows.

Nothing of ours is read here; see `realtime.description`.
"""

from decimal import Decimal, InvalidOperation
from math import dist, isfinite
from xml.etree import ElementTree as ET

from models.errors import SignalError
from realtime.optodes import midpoint, number_optodes, standard_name, vendor_name
from realtime.signal import Channel, Kind, Position
from realtime.units import kind_of, unit_of

SLOWEST, FASTEST = 1e-3, 1e6
"""Declared rates (Hz) that are believed: gaps and buffers are counted in their periods."""
_ABSENT = ("", "n/a", "na", "nan", "none", "null", "unknown", "-")
"""How senders write, in whatever case, that they do not know a number."""


def standard_fields(desc: ET.Element) -> tuple[list[Channel | None], list[float]]:
    """What the convention's fields say of each row, and the factors to SI."""
    nodes = desc.findall("channels/channel")
    places: dict[tuple[str, str], Position] = {}
    for optode in desc.findall("optodes/optode"):
        place = _location(optode.find("location"), _text(optode, "label"))
        if place is not None:
            function = (optode.findtext("function") or "").strip().lower()
            places.setdefault((function, _text(optode, "label")), place)
    kinds = [kind_of(_text(node, "type")) for node in nodes]
    used = [node for node, kind in zip(nodes, kinds, strict=True) if kind is not None]
    sources = number_optodes(filter(None, (_text(node, "source") for node in used)))
    detectors = number_optodes(filter(None, (_text(node, "detector") for node in used)))
    channels: list[Channel | None] = []
    scales: list[float] = []
    for row, (node, kind) in enumerate(zip(nodes, kinds, strict=True)):
        if kind is None:
            channels.append(None)
            scales.append(1.0)
            continue
        source, detector = _text(node, "source"), _text(node, "detector")
        label = _text(node, "label")
        wavelength = None
        if kind in (Kind.INTENSITY, Kind.OPTICAL_DENSITY):
            wavelength = (
                told_number(_text(node, "wavelength"), f"The wavelength of channel {label or row!r}") or None
            )
        try:
            unit, scale = unit_of(kind, _text(node, "unit"))
        except SignalError as error:
            raise SignalError(f"Channel {label or row!r}: {error}") from error
        s, d = sources.get(source), detectors.get(detector)
        at, to = places.get(("source", source)), places.get(("detector", detector))
        if not label:
            label = f"row {row}" if s is None or d is None else standard_name(s, d, kind, wavelength)
        channels.append(
            Channel(
                name=label,
                kind=kind,
                unit=unit,
                source=s,
                detector=d,
                source_name=None if s is None else vendor_name(source, "S", s),
                detector_name=None if d is None else vendor_name(detector, "D", d),
                wavelength=wavelength,
                distance=None if at is None or to is None else dist(at, to),
                position=midpoint(at, to),
                source_position=at,
                detector_position=to,
            )
        )
        scales.append(scale)
    return channels, scales


def _text(node: ET.Element, tag: str) -> str:
    """A child's text, empty where there is none."""
    return (node.findtext(tag) or "").strip()


def number(text: str | None, otherwise: float) -> float:
    """A finite number from text, or else the other value."""
    try:
        value = float(text or "")
    except ValueError:
        return otherwise
    return value if isfinite(value) else otherwise


def declared_rate(text: str | None) -> float:
    """The rate (Hz) that a header declares; 0 where it declares none, or one that no device can have."""
    rate = number(text, 0.0)
    return rate if SLOWEST <= rate <= FASTEST else 0.0


def told_number(text: str, what: str) -> float | None:
    """A number that a sender tells; None where it says that it does not know it.

    Parameters
    ----------
    text : str
        As it stands in the description.
    what : str
        What it is, for the error.

    Raises
    ------
    SignalError
        The text is something else: taken for absent, a description under a locale with decimal commas would
        be without wavelengths and places, and nothing would say so.
    """
    if text.lower() in _ABSENT:
        return None
    try:
        value = float(Decimal(text))
    except (InvalidOperation, ValueError):
        comma = " with a decimal point" if "," in text else ""
        raise SignalError(f"{what} is {text[:40]!r}; expected a number{comma}.") from None
    return value if isfinite(value) else None


def _location(node: ET.Element | None, label: str) -> Position | None:
    """A place in metres from millimetres, None where it is not (wholly) given."""
    if node is None:
        return None
    texts = {axis: _text(node, axis) for axis in "XYZ"}
    if any(told_number(text, f"{axis} of optode {label!r}") is None for axis, text in texts.items()):
        return None
    x, y, z = (float(Decimal(text).scaleb(-3)) for text in texts.values())
    return (x, y, z) if all(map(isfinite, (x, y, z))) else None
