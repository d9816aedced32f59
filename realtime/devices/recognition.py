"""An adapter's answer about a stream: `Recognition`, or why the stream is `Unlike` its device.

An adapter looks at a stream's own XML (``info``: name, type, channel_count, nominal_srate, desc) and
at nothing else, so the same code reads a live stream, an XDF file and a journal's declaration.
"""

from dataclasses import dataclass
from typing import Protocol
from xml.etree import ElementTree as ET

from models.errors import StreamError
from realtime.channels.layout import StreamLayout
from realtime.channels.montage import FORM, LAYOUT
from realtime.channels.nirs_metadata import believed_rate
from realtime.channels.text_values import number_in


@dataclass(frozen=True, slots=True)
class Recognition:
    """A stream is of a device that we know.

    Parameters
    ----------
    device : str
        The adapter's name.
    why : str
        By what it was recognised, in plain words.
    layout : StreamLayout or None
        Which rows are which channels; None where the stream does not declare it, or wrongly.
    lacks : str
        What is missing or wrong, and what to do; empty where nothing is.  With a layout it is
        something that a side file may add (distances).
    remarks : tuple of str
        What one should know of this device's streams.
    """

    device: str
    why: str
    layout: StreamLayout | None
    lacks: str = ""
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unlike:
    """A stream is not of this adapter's device.

    Parameters
    ----------
    device : str
        The adapter's name.
    why : str
        What was expected and what was found.
    """

    device: str
    why: str


class Adapter(Protocol):
    """One vendor's layout: a module of this package."""

    NAME: str
    TITLE: str
    """What people call the device."""

    def recognise(self, info: ET.Element) -> Recognition | Unlike:
        """Whether a stream is of this device, by its own XML alone."""
        ...


def text_of(node: ET.Element, tag: str) -> str:
    """A child's text without spaces around it, empty where there is none."""
    return (node.findtext(tag) or "").strip()


def rows_of(info: ET.Element) -> int:
    """How many rows a stream has by its header; 0 where it says none."""
    return max(0, int(_header(info, "channel_count")))


def rate_of(info: ET.Element) -> float:
    """The declared rate (Hz); 0 where none is declared, or one that no device can have."""
    return believed_rate(_header(info, "nominal_srate"))


def _header(info: ET.Element, tag: str) -> float:
    """A number of a stream's header, 0 where it gives none.

    Raises
    ------
    StreamError
        Where it gives something else: a locale with decimal commas wrote it.
    """
    try:
        return number_in(text_of(info, tag)) or 0.0
    except ValueError as error:
        raise StreamError(f"Stream {text_of(info, 'name')!r}: {tag} {error}.") from error


def channels_of(info: ET.Element) -> list[ET.Element]:
    """The nodes ``desc/channels/channel``."""
    return info.findall("desc/channels/channel")


def called(info: ET.Element) -> str:
    """A stream's name and type, for messages."""
    return f"{text_of(info, 'name')!r} (type {text_of(info, 'type') or 'none'})"


def undescribed(info: ET.Element) -> str:
    """The sentence that asks for a side file and names the page of its form."""
    return (
        f"It does not describe its {rows_of(info)} channels; a layout file is needed that says what they are "
        f"({LAYOUT}; form: {FORM}, described in realtime/channels/montage.py)."
    )
