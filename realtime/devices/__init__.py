"""Which device a stream comes from, found by itself: a registry of adapters, one vendor a file.

Our own description goes before everything (it loses nothing), the general convention behind
everything (a vendor's adapter knows more).  Two vendors that both claim a stream, or none, are an
error that lists what was tried and why it did not fit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from xml.etree import ElementTree as ET

from models.errors import StreamError
from realtime.channels.geometry import Geometry
from realtime.channels.layout import StreamLayout
from realtime.channels.montage import FORM, LAYOUT
from realtime.channels.side_file import SideFile
from realtime.devices import aurora, cortivision, mne_lsl, ninjanirs, ours, oxysoft, xdf_convention
from realtime.devices.recognition import (
    Adapter,
    Recognition,
    Unlike,
    called,
    channels_of,
    rate_of,
    rows_of,
    text_of,
)
from realtime.signal import Kind, SignalSpec

__all__ = [
    "ADAPTERS",
    "Adapter",
    "Recognition",
    "Recognitions",
    "Unlike",
    "companion_of",
    "layout_of",
    "look",
    "needed",
    "recognise",
    "usual",
]

VENDORS: Mapping[str, Adapter] = {
    adapter.NAME: adapter for adapter in (aurora, oxysoft, cortivision, ninjanirs, mne_lsl)
}
ADAPTERS: Mapping[str, Adapter] = {ours.NAME: ours, **VENDORS, xdf_convention.NAME: xdf_convention}
"""Every adapter by its name; `StreamLayout.device` and ``replay --layout`` use the same names."""


@dataclass(frozen=True, slots=True)
class Recognitions:
    """The answers of all adapters about one stream.

    Parameters
    ----------
    recognised : tuple of Recognition
        One where it is clear; several vendors where it is not.
    unlike : tuple of Unlike
        Why the others are not it.
    """

    recognised: tuple[Recognition, ...]
    unlike: tuple[Unlike, ...]


def look(info: ET.Element) -> Recognitions:
    """Ask every adapter.

    Parameters
    ----------
    info : Element
        The stream's ``info``, with its description (of an opened inlet, not of a resolver).
    """
    unlike: list[Unlike] = []
    for rank in ({ours.NAME: ours}, VENDORS, {xdf_convention.NAME: xdf_convention}):
        claims = []
        for adapter in rank.values():
            answer = adapter.recognise(info)
            if isinstance(answer, Unlike):
                unlike.append(answer)
            else:
                claims.append(answer)
        if claims:
            return Recognitions(tuple(claims), tuple(unlike))
    return Recognitions((), tuple(unlike))


def recognise(info: ET.Element) -> Recognition:
    """The one device that a stream is from.

    Parameters
    ----------
    info : Element
        The stream's ``info``.

    Raises
    ------
    StreamError
        No adapter knows it, or several vendors' do; the message says what was tried.
    """
    looked = look(info)
    if len(looked.recognised) == 1:
        return looked.recognised[0]
    if looked.recognised:
        claims = "; ".join(f"{ADAPTERS[one.device].TITLE}: {one.why}" for one in looked.recognised)
        raise StreamError(
            f"Stream {called(info)} looks like {len(looked.recognised)} devices ({claims}). Give a layout "
            "file that "
            f"says what its rows are ({LAYOUT})."
        )
    tried = "; ".join(f"{ADAPTERS[one.device].TITLE}: {one.why}" for one in looked.unlike)
    what = "says nothing that is known of" if channels_of(info) else "does not describe"
    raise StreamError(
        f"Stream {called(info)} {what} its {rows_of(info)} channels; a layout file is needed that says what "
        f"they are ({LAYOUT}; form: {FORM}, described in realtime/channels/montage.py). Tried: {tried}."
    )


def layout_of(info: ET.Element, side: SideFile | None = None) -> StreamLayout:
    """Which rows of a stream are which channels.

    Parameters
    ----------
    info : Element
        The stream's ``info``.
    side : StreamLayout, Geometry or None
        What a side file says: all rows, which then goes before the stream's own words, or what is to be
        added to them.

    Returns
    -------
    StreamLayout
        With the stream's declared rate, where it declares one.

    Raises
    ------
    StreamError
        Not recognised, not described well enough, or a side file that does not fit.
    """
    if isinstance(side, StreamLayout):
        return _by_side_file(info, side)
    recognition = recognise(info)
    if recognition.layout is None:
        raise StreamError(
            f"Stream {called(info)} is of {ADAPTERS[recognition.device].TITLE} ({recognition.why}). "
            f"{recognition.lacks}"
        )
    if isinstance(side, Geometry):
        return side.added_to(recognition.layout, text_of(info, "name"))
    return recognition.layout


def needed(info: ET.Element, side: SideFile | None) -> SideFile | None:
    """A side file of other recordings, where a stream does not say by itself what it tells; else None.

    Parameters
    ----------
    info : Element
        The stream's ``info``.
    side : StreamLayout, Geometry or None
        What the recordings of a training came with.
    """
    known = look(info).recognised
    layout = known[0].layout if len(known) == 1 else None
    if layout is None:
        return side if isinstance(side, StreamLayout) else None
    lacks = any(channel.distance is None for channel in layout.spec.channels)
    return side if lacks and isinstance(side, Geometry) else None


def usual(layout: StreamLayout) -> StreamLayout:
    """What is taken of a vendor's layout where no kinds are asked for: the light, if there is any.

    Aurora sends its own HbO and HbR with the intensities that they follow from; a recording that
    held both would hold everything twice.
    """
    if layout.device not in VENDORS:
        return layout
    light = (Kind.INTENSITY, Kind.OPTICAL_DENSITY)
    keep = [i for i, channel in enumerate(layout.spec.channels) if channel.kind in light]
    if not keep or len(keep) == len(layout.spec):
        return layout
    scales = tuple(layout.scales[i] for i in keep) if layout.scales else ()
    return replace(
        layout, spec=layout.spec.pick(keep), rows=tuple(layout.rows[i] for i in keep), scales=scales
    )


def companion_of(info: ET.Element) -> str:
    """What a stream is that a device sends next to its signal, maybe under the same type; else empty.

    Parameters
    ----------
    info : Element
        The stream's ``info``; its name and source id are enough, a description is not needed.
    """
    return aurora.companion(info) or cortivision.companion(info)


def _by_side_file(info: ET.Element, side: StreamLayout) -> StreamLayout:
    count = rows_of(info)
    if side.rows and count and max(side.rows) >= count:
        raise StreamError(
            f"The layout names row {max(side.rows)} (from 0) but stream {text_of(info, 'name')!r} has "
            f"{count} "
            "rows; this layout belongs to another device or setting."
        )
    known = look(info).recognised
    one = known[0] if len(known) == 1 else None
    spec = SignalSpec(side.spec.channels, rate_of(info) or side.spec.rate)
    return replace(
        side,
        spec=spec,
        device=one.device if one is not None and one.device in VENDORS else side.device,
        frame_row=one.layout.frame_row if one is not None and one.layout is not None else side.frame_row,
    )
