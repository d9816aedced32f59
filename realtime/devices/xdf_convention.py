"""The convention of the XDF wiki, "NIRS Meta Data": streams that describe their channels.

Facts: the wiki page (type ``NIRS``; ``channels/channel`` with label, type, measure, unit, source,
detector, wavelength; ``optodes/optode`` with positions in millimetres).  Few vendors follow it, so any
stream that does is taken, whatever its name.  How it is read is `realtime.channels.lsl_description`.
"""

from xml.etree import ElementTree as ET

from models.errors import StreamError
from realtime.channels.lsl_description import read_description
from realtime.channels.units import kind_of
from realtime.devices.recognition import Recognition, Unlike, channels_of, text_of

NAME = "xdf"
TITLE = "XDF convention"


def recognise(info: ET.Element) -> Recognition | Unlike:
    """Take a stream whose channels say their kind in the convention's words.

    Parameters
    ----------
    info : Element
        The stream's ``info``.
    """
    nodes = channels_of(info)
    if not nodes:
        return Unlike(NAME, "it describes no channel (desc/channels/channel)")
    kinds = [kind_of(text_of(node, "type")) for node in nodes]
    known = sum(kind is not None for kind in kinds)
    if not known:
        types = sorted({text_of(node, "type") or "none" for node in nodes})
        return Unlike(
            NAME,
            f"it has no haemodynamic channel among its {len(nodes)}: their types are {', '.join(types)}; "
            "expected Intensity, dOD, HbO, HbR, HbT or BOLD",
        )
    why = f"{known} of its {len(nodes)} described channels have a type of the XDF convention"
    try:
        layout = read_description(info)
    except StreamError as error:
        return Recognition(NAME, why, None, str(error))
    lacks = ""
    if all(channel.distance is None for channel in layout.spec.channels) and any(
        channel.source is not None for channel in layout.spec.channels
    ):
        lacks = "It does not describe where its optodes are, so no distance is known."
    return Recognition(NAME, why, layout, lacks)
