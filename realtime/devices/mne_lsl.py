"""MNE-LSL's player, and whatever else describes its stream by MNE's own types and names.

Facts, from MNE-LSL's source (``StreamInfo.set_channel_info``, ``PlayerLSL``):

- name ``MNE-LSL-Player`` by default; LSL type is the channels' where they share one, else
  empty;
- ``channels/channel`` with ``label`` (``S1_D1 760``, ``S1_D1 hbo``), ``type`` (``fnirs_cw_amplitude``,
  ``fnirs_od``, ``hbo``, ``hbr``) and ``unit``, a power of ten to MNE's SI unit (``0``, ``-6``);
- ``loc`` with twelve numbers in metres: the channel, its source, its detector, and in ``Ezx`` its
  wavelength (nm);
- values are MNE's: volts, natural logarithm, mol/L; ``range_cal`` is applied already.

A position of which all is zero, for source and detector alike, is none.
"""

import re
from math import isfinite
from xml.etree import ElementTree as ET

from models.errors import SignalError
from realtime.channels.layout import StreamLayout
from realtime.channels.optodes import between
from realtime.channels.text_values import is_number, number_in
from realtime.channels.units import unit_of
from realtime.devices.recognition import (
    Recognition,
    Unlike,
    channels_of,
    rate_of,
    rows_of,
    text_of,
)
from realtime.signal import UNITS, Channel, Kind, Position, SignalSpec

NAME = "mne"
TITLE = "MNE-LSL"
KINDS = {
    "fnirs_cw_amplitude": Kind.INTENSITY,
    "fnirs_od": Kind.OPTICAL_DENSITY,
    "hbo": Kind.HBO,
    "hbr": Kind.HBR,
}
"""MNE's types of continuous-wave fNIRS."""
_LABEL = re.compile(r"S(\d{1,4})_D(\d{1,4}) (\d+(?:\.\d+)?|hbo|hbr)")
_POWER = re.compile(r"[+-]?\d{1,2}")


def recognise(info: ET.Element) -> Recognition | Unlike:
    """Know the stream by MNE's types, which no other program writes so.

    Parameters
    ----------
    info : Element
        The stream's ``info``.
    """
    nodes, count = channels_of(info), rows_of(info)
    ours = [node for node in nodes if _is_mnes(node)]
    if not ours:
        return Unlike(NAME, f"expected channels of MNE's types ({', '.join(KINDS)}) with MNE's fields")
    why = f"{len(ours)} of its {len(nodes)} described channels have MNE's types and fields"
    if len(nodes) != count:
        return Recognition(NAME, why, None, f"It has {count} rows and describes {len(nodes)}.")
    try:
        layout = _layout(info, nodes)
    except SignalError as error:
        return Recognition(NAME, why, None, str(error))
    lacks = ""
    if lost := [channel.name for channel in layout.spec.channels if channel.distance is None]:
        lacks = f"It does not place the optodes of {lost[0]!r}, so its distance is not known."
    return Recognition(NAME, why, layout, lacks)


def _is_mnes(node: ET.Element) -> bool:
    kind = text_of(node, "type")
    if kind not in KINDS:
        return False
    # "hbo" may be any program's; MNE's has its own fields, and no optodes by name.
    return kind.startswith("fnirs_") or node.find("coil_type") is not None or node.find("loc") is not None


def _layout(info: ET.Element, nodes: list[ET.Element]) -> StreamLayout:
    rows = tuple(row for row, node in enumerate(nodes) if _is_mnes(node))
    read = [_channel(nodes[row], row) for row in rows]
    spec = SignalSpec(tuple(channel for channel, _ in read), rate_of(info))
    scales = tuple(scale for _, scale in read)
    return StreamLayout(spec, rows, scales if set(scales) != {1.0} else (), device=NAME)


def _channel(node: ET.Element, row: int) -> tuple[Channel, float]:
    """One channel, and what its values are to be multiplied by."""
    label, kind = text_of(node, "label") or f"row {row}", KINDS[text_of(node, "type")]
    match = _LABEL.fullmatch(label)
    light = kind in (Kind.INTENSITY, Kind.OPTICAL_DENSITY)
    wavelength = _number(node, "Ezx") if light else None
    if light and not wavelength and match and match[3][0].isdigit():
        wavelength = float(match[3])
    if light and not wavelength:
        raise SignalError(
            f"Channel {label!r} of light has no wavelength, neither in its label ('S1_D1 760') nor in its "
            "location; expected nanometres."
        )
    at, to = _place(node, "Ex"), _place(node, "Ey")
    if at == to:
        at = to = None
    unit, scale = _unit(kind, text_of(node, "unit"), label)
    channel = Channel(
        name=label,
        kind=kind,
        unit=unit,
        source=int(match[1]) if match else None,
        detector=int(match[2]) if match else None,
        wavelength=wavelength or None,
    )
    return between(channel, at, to), scale


def _unit(kind: Kind, text: str, label: str) -> tuple[str, float]:
    """MNE's unit times a power of ten, or a unit in words."""
    if _POWER.fullmatch(text):
        return UNITS[kind][0], float(f"1e{int(text)}")
    try:
        return unit_of(kind, text)
    except SignalError as error:
        raise SignalError(f"Channel {label!r}: {error}") from error


def _number(node: ET.Element, name: str) -> float | None:
    text = text_of(node, f"loc/{name}")
    return number_in(text) if is_number(text) else None


def _place(node: ET.Element, letters: str) -> Position | None:
    """Metres; None where a number is lacking (MNE-LSL writes nan)."""
    x, y, z = (_number(node, f"{letters}{axis}") for axis in "xyz")
    if x is None or y is None or z is None or not all(map(isfinite, (x, y, z))):
        return None
    return x, y, z
