"""What no session takes of a stream, whoever asks: `hemostream live` and `hemostream doctor` share this."""

from xml.etree import ElementTree as ET

from models.errors import StreamError
from models.outside import printable
from realtime.channels.lsl_description import read_origin
from realtime.channels.side_file import SideFile
from realtime.channels.wavelengths import impossible_light
from realtime.core import Core
from realtime.devices import layout_of
from realtime.devices.recognition import called, rate_of, rows_of, text_of
from realtime.log import StreamOpened
from realtime.plan import Plan

MOST_HZ = 500.0
"""Fastest stream that is taken (Hz).  What blood does is over below 10 Hz, and the fastest fNIRS devices send
some 250 samples a second; raw audio, EEG and EMG send more."""
MOST_ROWS = 10_000
"""Most rows of a stream that is taken; the densest head caps have some 5,000 pairs and wavelengths."""


def check_header(info: ET.Element) -> None:
    """Refuse a stream by what its header alone says: text, a rate or a number of rows beyond all devices.

    Parameters
    ----------
    info : Element
        The stream's ``info``; a description is not needed.

    Raises
    ------
    StreamError
        With what was found, and what is expected.
    """
    form = text_of(info, "channel_format")
    if form == "string":
        raise StreamError(
            f"Stream {called(info)} sends text (channel format 'string'); expected numbers. It may be a "
            "stream of markers: name those with --events, and the signal with --stream."
        )
    if not 1 <= (rows := rows_of(info)) <= MOST_ROWS:
        raise StreamError(
            f"Stream {called(info)} has {rows} channels; expected 1 to {MOST_ROWS}. Send fewer, or name "
            "another stream."
        )
    declared = rate_of(info)
    if declared > MOST_HZ:
        raise StreamError(f"Stream {called(info)} declares {declared:g} Hz; {_slower()}")


def check_sent(info: ET.Element, per_s: float) -> None:
    """Refuse a stream that sends faster than any haemodynamic device, whatever it declares.

    Parameters
    ----------
    info : Element
        The stream's ``info``.
    per_s : float
        Samples a second of the stream's time, as they came.

    Raises
    ------
    StreamError
        With what was measured, and what is expected.
    """
    if per_s > MOST_HZ:
        declared = rate_of(info)
        rate = f"declares {declared:g} Hz" if declared else "declares no rate"
        about = f"{float(f'{per_s:.2g}'):,.0f}"
        raise StreamError(
            f"Stream {called(info)} sends about {about} samples a second and {rate}; {_slower()}"
        )


def open_stream(info: ET.Element, side: SideFile | None, *, local: float, declared: str = "") -> StreamOpened:
    """Understand a stream as far as it describes itself.

    Parameters
    ----------
    info : Element
        The stream's ``info`` with its description.
    side : StreamLayout, Geometry or None
        What a side file says of the rows.
    local : float
        Local time (s) of the opening.
    declared : str
        The stream's own XML, for the log.

    Raises
    ------
    StreamError, SignalError
        It is nothing that a session takes (`check_header`), or it does not describe its rows.
    """
    origin = read_origin(info)
    check_header(info)
    layout = layout_of(info, side)
    if wrong := impossible_light(layout.spec.channels):
        raise StreamError(
            f"Stream {called(info)}: {wrong}. Correct its description, or give a layout file that says what "
            "its rows are (--layout FILE)."
        )
    return StreamOpened(
        local=local,
        spec=layout.spec,
        origin=origin,
        name=printable(info.findtext("name", "")),
        source_id=printable(info.findtext("source_id", "")),
        declared=declared,
        rows=layout.rows,
        scales=layout.scales,
        device=layout.device,
        frame_row=layout.frame_row,
    )


def check_model(plan: Plan, opened: StreamOpened, per_s: float | None = None) -> Core:
    """Refuse a stream that a model cannot take: it is opened on a core of its own, which is given back.

    Parameters
    ----------
    plan : Plan
        Of the model.
    opened : StreamOpened
        The stream.
    per_s : float or None
        Its measured rate (Hz), where it is known.

    Raises
    ------
    SignalError
        Channels are lacking, or samples come too slowly.
    """
    core = Core(plan)
    core.feed(opened)
    if per_s is not None:
        core.check_rate(per_s)
    return core


def _slower() -> str:
    return (
        f"a haemodynamic stream never has more than {MOST_HZ:g}. Set the device to a lower rate, or name "
        "another stream with --stream."
    )
