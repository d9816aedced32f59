"""NIRx Aurora: frame counter, two wavelengths and two haemoglobins in one stream.

Facts, and where they come from; none is verified against a device of ours:

- name ``Aurora`` (a person may change it), type ``NIRS`` or ``NIRSx``; 4N + 1 rows: a frame counter,
  N intensities at the one wavelength (V), N at the other (V), N HbO and N HbR (umol/L);
  ``channels/channel`` with ``custom_name`` ("S1-D1") and ``wavelength``; positions in millimetres under
  ``montage/optodes/{sources/source, detectors/detector}/location``: NIRx's LSL description, and public
  programs that read recordings of it;
- a second stream ``Aurora_accelerometer``, which is none of ours;
- the frame counter finds dropped frames.

Not found: what a channel's other fields are called (``type``, ``unit`` and ``label`` are taken where
they are there), whether an optode carries its name (else it is numbered by its place in the list), and
whether short wavelengths always come first: each row's own ``wavelength`` is believed, not its place.

What Aurora computes by itself (HbO, HbR) has channels of its own next to the intensities, of other kinds
and names.  A model finds what it was trained on by kind; nothing is used twice.
"""

import re
from xml.etree import ElementTree as ET

from models.errors import SignalError
from realtime.channels.layout import StreamLayout
from realtime.channels.nirs_metadata import NM, location, number
from realtime.channels.optodes import between, number_optodes, standard_name
from realtime.channels.units import kind_of, unit_of
from realtime.devices.recognition import (
    Recognition,
    Unlike,
    channels_of,
    rate_of,
    rows_of,
    text_of,
)
from realtime.signal import Channel, Kind, Position, SignalSpec

NAME = "aurora"
TITLE = "NIRx Aurora"
_BLOCKS = (
    (Kind.INTENSITY, "V"),
    (Kind.INTENSITY, "V"),
    (Kind.HBO, "umol/L"),
    (Kind.HBR, "umol/L"),
)
"""What the four blocks of N rows are, and their unit where a row does not say its own."""
_PAIR = re.compile(r"\s*([^\s-]+)\s*-\s*([^\s-]+)\s*")


class _Wrong(Exception):  # noqa: N818 - it says what is wrong with a description, and ends there
    """The description contradicts itself or lacks something."""


def recognise(info: ET.Element) -> Recognition | Unlike:
    """Know Aurora's stream by its name, or by its custom names and its 4N + 1 rows.

    Parameters
    ----------
    info : Element
        The stream's ``info``.
    """
    if what := companion(info):
        return Unlike(NAME, f"it is Aurora's {what}, not its signal")
    nodes, count = channels_of(info), rows_of(info)
    named = text_of(info, "name").lower().startswith("aurora")
    custom = sum(bool(text_of(node, "custom_name")) for node in nodes)
    shaped = count > 4 and count % 4 == 1 and custom >= 2 * (count // 4)
    if not named and not shaped:
        return Unlike(
            NAME,
            f"expected the name Aurora, or 4N + 1 rows with custom names such as 'S1-D1'; {count} rows "
            f"have {custom}",
        )
    why = f"it is called {text_of(info, 'name')!r}" if named else "its channels have Aurora's custom names"
    if not nodes:
        lacks = "It does not describe its channels; switch the description on in Aurora, or give a side file."
        return Recognition(NAME, why, None, lacks)
    if not shaped or len(nodes) != count:
        lacks = (
            f"It has {count} rows, describes {len(nodes)} and names {custom}; expected 4N + 1 of each: a "
            "frame "
            "counter, N of each wavelength, N HbO, N HbR. Stream raw data and haemoglobin both."
        )
        return Recognition(NAME, why, None, lacks)
    pairs = count // 4
    why += f" and has 4 x {pairs} + 1 rows: a frame counter, two wavelengths, HbO, HbR"
    try:
        layout = _layout(info, nodes, pairs)
    except (_Wrong, SignalError) as error:
        return Recognition(NAME, why, None, str(error))
    lacks = ""
    if lost := [channel.name for channel in layout.spec.channels if channel.distance is None]:
        lacks = f"The montage does not place the optodes of {lost[0]!r}, so its distance is not known."
    return Recognition(
        NAME,
        why,
        layout,
        lacks,
        (
            "row 0 counts frames: dropped ones are found by it",
            "HbO and HbR are Aurora's own, next to the light",
        ),
    )


def companion(info: ET.Element) -> str:
    """What a stream is that Aurora sends next to its signal; empty for the signal."""
    name = text_of(info, "name").lower()
    return "accelerometer" if name.startswith("aurora") and "acceler" in name else ""


def _layout(info: ET.Element, nodes: list[ET.Element], pairs: int) -> StreamLayout:
    """Channels out of the blocks, each row checked against the first block's."""
    names = [_pair(nodes[1 + pair], 1 + pair) for pair in range(pairs)]
    sources = number_optodes(source for source, _ in names)
    detectors = number_optodes(detector for _, detector in names)
    at = _positions(info, "source", list(sources))
    to = _positions(info, "detector", list(detectors))
    channels, scales = [], []
    for row in range(1, 4 * pairs + 1):
        block, pair = divmod(row - 1, pairs)
        kind, unit = _BLOCKS[block]
        node = nodes[row]
        source, detector = names[pair]
        if text_of(node, "custom_name") and _pair(node, row) != names[pair]:
            raise _Wrong(
                f"Row {row} is called {text_of(node, 'custom_name')!r} where '{source}-{detector}' was "
                "expected: "
                "the four blocks list other channels, or in another order."
            )
        declared = kind_of(text_of(node, "type"))
        if declared is not None and declared is not kind:
            raise _Wrong(f"Row {row} says that it is {declared}; expected {kind} there.")
        s, d = sources[source], detectors[detector]
        wavelength = _wavelength(node, row) if kind is Kind.INTENSITY else None
        here, there = at.get(source), to.get(detector)
        si, scale = unit_of(kind, text_of(node, "unit") or unit)
        channel = Channel(
            name=standard_name(s, d, kind, wavelength),
            kind=kind,
            unit=si,
            source=s,
            detector=d,
            source_name=source,
            detector_name=detector,
            wavelength=wavelength,
        )
        channels.append(between(channel, here, there))
        scales.append(scale)
    spec = SignalSpec(tuple(channels), rate_of(info))
    return StreamLayout(spec, tuple(range(1, 4 * pairs + 1)), tuple(scales), device=NAME, frame_row=0)


def _pair(node: ET.Element, row: int) -> tuple[str, str]:
    name = text_of(node, "custom_name")
    match = _PAIR.fullmatch(name)
    if match is None:
        raise _Wrong(f"Row {row} has the custom name {name!r}; expected source and detector, as in 'S1-D1'.")
    return match[1], match[2]


def _wavelength(node: ET.Element, row: int) -> float:
    text, name = text_of(node, "wavelength"), text_of(node, "custom_name")
    value = number(node, "wavelength", f"Row {row} ({name!r})", NM)
    if value is None or value <= 0:
        raise _Wrong(f"Row {row} ({name!r}) has the wavelength {text!r}; expected nanometres.")
    return value


def _positions(info: ET.Element, what: str, names: list[str]) -> dict[str, Position]:
    """Positions in metres of the optodes that are used, by name, or by number where none has a name."""
    positions: dict[str, Position] = {}
    numbered = number_optodes(names)
    for index, node in enumerate(info.findall(f"desc/montage/optodes/{what}s/{what}"), start=1):
        position = location(node.find("location"), f"The montage's {what} {index}")
        if position is None:
            continue
        own = next(filter(None, (text_of(node, tag) for tag in ("label", "name", "custom_name"))), "")
        for name in names:
            if name == own or (not own and numbered[name] == index):
                positions[name] = position
    return positions
