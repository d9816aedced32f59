r"""Artinis OxySoft: optical densities under labels such as ``[12] Rx4b-Tx5 [860nm]``.

Facts, and where they come from; none is verified against a device of ours:

- name ``OxySoft``; labels as above, others (``ADC``, ``HEADING``, ``ROLL``, ``PITCH``, unused channels)
  mixed in between: public programs that read such a stream (J. Benerradi's fNIRS LSL readers for
  Brite and OctaMon);
- values are optical density to base 10: the same programs, and the conversion in nirs-toolbox, which
  takes ``exp(-ln(10) OD)`` for the intensity.  Ours is the natural logarithm, hence the factor ln 10;
- ``Rx`` is the receiver (our detector), ``Tx`` the transmitter (our source): Artinis' own words;
- events come by a stream of their own, of type ``Event``;
- no distances and no positions: a side file adds them (`realtime.channels.geometry`).

Not found: what the number in front counts (it is ignored), and in which order the rows come (they
are known by their labels).
"""

import math
import re
from xml.etree import ElementTree as ET

from models.errors import SignalError
from realtime.channels.geometry import FORM
from realtime.channels.layout import StreamLayout
from realtime.channels.montage import LAYOUT
from realtime.channels.optodes import number_optodes, standard_name
from realtime.devices.recognition import (
    Recognition,
    Unlike,
    channels_of,
    rate_of,
    rows_of,
    text_of,
)
from realtime.signal import Channel, Kind, SignalSpec

NAME = "oxysoft"
TITLE = "Artinis OxySoft"
TO_NATURAL = math.log(10)
"""What an optical density to base 10 is to be multiplied by."""
_LIGHT = re.compile(r"\[\s*\d*\s*\]\s*(Rx\w+)\s*-\s*(Tx\w+)\s*(?:\[\s*(\d+(?:\.\d+)?)\s*nm\s*\])?\s*")


def recognise(info: ET.Element) -> Recognition | Unlike:
    """Know OxySoft's stream by its name or its labels.

    Parameters
    ----------
    info : Element
        The stream's ``info``.
    """
    nodes = channels_of(info)
    labels = [text_of(node, "label") for node in nodes]
    found = [_LIGHT.fullmatch(label) for label in labels]
    light = [(row, match) for row, match in enumerate(found) if match]
    named = "oxysoft" in text_of(info, "name").lower()
    if not named and not light:
        return Unlike(NAME, "expected the name OxySoft or labels such as '[1] Rx1-Tx1 [760nm]'")
    why = f"it is called {text_of(info, 'name')!r}" if named else "its labels are OxySoft's"
    if not light:
        shown = ", ".join(repr(label) for label in labels[:4]) or "no label at all"
        lacks = f"None of its {rows_of(info)} rows has a label like '[1] Rx1-Tx1 [760nm]'; found {shown}."
        return Recognition(NAME, why, None, lacks)
    why += f" and {len(light)} of its {len(labels)} rows are labelled receiver-transmitter [wavelength]"
    if rows_of(info) and len(labels) != rows_of(info):
        lacks = f"It has {rows_of(info)} rows and labels {len(labels)}; expected a label for each."
        return Recognition(NAME, why, None, lacks)
    if dark := [labels[row] for row, match in light if match[3] is None]:
        lacks = f"Channel {dark[0]!r} has no wavelength; expected one as in '[1] Rx1-Tx1 [760nm]'."
        return Recognition(NAME, why, None, lacks)
    sources = number_optodes(match[2] for _, match in light)
    detectors = number_optodes(match[1] for _, match in light)
    channels = []
    for _, match in light:
        source, detector, wavelength = sources[match[2]], detectors[match[1]], float(match[3])
        channels.append(
            Channel(
                name=standard_name(source, detector, Kind.OPTICAL_DENSITY, wavelength),
                kind=Kind.OPTICAL_DENSITY,
                unit="1",
                source=source,
                detector=detector,
                source_name=match[2],
                detector_name=match[1],
                wavelength=wavelength,
            )
        )
    try:
        spec = SignalSpec(tuple(channels), rate_of(info))
    except SignalError as error:
        return Recognition(NAME, why, None, f"Two rows are the same channel: {error}")
    layout = StreamLayout(spec, tuple(row for row, _ in light), (TO_NATURAL,) * len(light), device=NAME)
    others = [label or "unlabelled" for label, match in zip(labels, found, strict=True) if not match]
    remarks = ["optical density to base 10, taken times ln 10", "events: --events \"type='Event'\""]
    if others:
        remarks.append(f"{len(others)} auxiliary or unused rows are ignored: {', '.join(others[:6])}")
    lacks = (
        "OxySoft sends no distances, which concentrations need: a side file adds them "
        f"({LAYOUT}; form: {FORM}, described in realtime/channels/geometry.py)."
    )
    return Recognition(NAME, why, layout, lacks, tuple(remarks))
