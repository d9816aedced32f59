"""What an emulated stream of a vendor consists of: `EmulatedStream`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np

from models.arrays import Floats
from models.errors import StreamError
from realtime.channels.lsl_description import describe_origin
from realtime.log import Origin
from realtime.signal import Channel, Kind, SignalSpec
from realtime.sources.recording import Recording


@dataclass(frozen=True, slots=True, eq=False)
class EmulatedStream:
    """A recording as a vendor's program would send it.

    Parameters
    ----------
    name, content : str
        The stream's name and LSL content type.
    rate : float
        What it declares (Hz), true or not.
    desc : Element
        Its description, with our own child that says where the samples come from.
    rows : (n_rows, n_samples) float64
        What is sent, in the vendor's units; NaN where nothing was measured.
    dtype : str
        LSL's channel format.
    chunk : int
        Samples that are pushed at once, under the last one's stamp.
    events : str
        Content type of the stream of events.
    side : mapping or None
        The side file that this stream needs or can do with, as JSON types.
    remarks : tuple of str
        What was made up, and what could not be emulated.
    """

    name: str
    content: str
    rate: float
    desc: ET.Element
    rows: Floats
    dtype: str = "float32"
    chunk: int = 1
    events: str = "Markers"
    side: dict[str, Any] | None = None
    remarks: tuple[str, ...] = field(default=())


Emulator = Callable[[Recording, Origin], EmulatedStream]


def info_of(stream: EmulatedStream, source_id: str = "") -> ET.Element:
    """The stream's ``info`` as LSL would give it.

    Parameters
    ----------
    stream : EmulatedStream
        The stream.
    source_id : str
        Its source id.
    """
    info = ET.Element("info")
    for tag, text in (
        ("name", stream.name),
        ("type", stream.content),
        ("channel_count", str(len(stream.rows))),
        ("nominal_srate", f"{stream.rate:.15g}"),
        ("channel_format", stream.dtype),
        ("source_id", source_id),
    ):
        ET.SubElement(info, tag).text = text
    info.append(stream.desc)
    return info


def description(origin: Origin) -> ET.Element:
    """An empty description that says where the samples come from; vendors' own fields are added."""
    desc = ET.Element("desc")
    desc.append(describe_origin(origin))
    return desc


def add(parent: ET.Element, tag: str, text: str = "") -> ET.Element:
    """Append a child."""
    child = ET.SubElement(parent, tag)
    if text:
        child.text = text
    return child


def sent(recording: Recording) -> Floats:
    """The recording's values, NaN where missing.

    Returns
    -------
    (n_channels, n_samples) float64
    """
    out: Floats = np.where(recording.missing, np.nan, recording.data)
    return out


def need(recording: Recording, kinds: tuple[Kind, ...], vendor: str) -> None:
    """Refuse a recording that a vendor's stream cannot hold.

    Raises
    ------
    StreamError
        Where a channel is of another kind, or lacks an optode or a wavelength.
    """
    for channel in recording.spec.channels:
        if channel.kind not in kinds:
            raise StreamError(
                f"Recording {recording.name!r} has channel {channel.name!r} of kind {channel.kind}; "
                f"{vendor} sends "
                f"{' or '.join(kinds)}. Send it with --layout full, which sends any signal."
            )
        if channel.source is None or channel.detector is None or channel.wavelength is None:
            raise StreamError(
                f"Channel {channel.name!r} of {recording.name!r} has no source, detector or wavelength, "
                "which "
                f"{vendor} sends of each. Send it with --layout full, or give a side file that has them."
            )


def side_file_of(spec: SignalSpec, rows: tuple[int, ...]) -> dict[str, Any]:
    """The side file (form: `realtime.channels.montage`) that names these channels in these rows.

    Parameters
    ----------
    spec : SignalSpec
        The channels.
    rows : tuple of int
        The row of each.
    """
    lengths = {channel.distance for channel in spec.channels if channel.distance is not None}
    types = {length: f"{_millimetres(length)} mm" for length in sorted(lengths)}
    montage = []
    for row, channel in zip(rows, spec.channels, strict=True):
        entry: dict[str, Any] = {
            "channel_idx": row,
            "source": optode(channel, "source"),
            "detector": optode(channel, "detector"),
            "wavelength": channel.colour,
            "label": channel.name,
        }
        if channel.distance is not None:
            entry["type"] = types[channel.distance]
        if channel.kind is Kind.OPTICAL_DENSITY:
            entry["kind"] = "dOD"
        elif channel.unit == "V":
            entry["unit"] = "V"
        montage.append(entry)
    return {
        "SamplingFrequency": spec.rate,
        "SourceDetectorSeparation": {text: text for text in types.values()},
        "ChMontage": montage,
    }


def optode(channel: Channel, which: str) -> str:
    """What an optode is called: the vendor's name, or our number."""
    name: str | None = getattr(channel, f"{which}_name")
    return name or f"{'S' if which == 'source' else 'D'}{getattr(channel, which)}"


def _millimetres(metres: float) -> str:
    """Without an exponent, to a micrometre, which is finer than anybody measures a head."""
    return f"{metres * 1000:.3f}".rstrip("0").rstrip(".")
