"""Streams of hemostream itself: the XDF convention with a child ``hemostream`` that loses nothing.

Whatever the convention cannot hold is in that child (`realtime.channels.lossless`).  It belongs to one
description: where the standard fields were changed since, it is ignored and the stream is
read as the convention says.
"""

from xml.etree import ElementTree as ET

from models.errors import StreamError
from realtime.channels.lsl_description import has_lossless_extension, read_description
from realtime.devices.recognition import Recognition, Unlike, text_of

NAME = "full"
TITLE = "hemostream"


def recognise(info: ET.Element) -> Recognition | Unlike:
    """Take a stream that carries our own, fitting description.

    Parameters
    ----------
    info : Element
        The stream's ``info``.
    """
    if info.find("desc/hemostream/remainder") is None:
        return Unlike(NAME, "it carries no description of ours (desc/hemostream/remainder)")
    try:
        if not has_lossless_extension(info):
            return Unlike(NAME, "our description in it belongs to other channels; they were changed")
        layout = read_description(info)
    except StreamError as error:
        return Unlike(NAME, f"our description in it cannot be read: {error}")
    version = text_of(info, "desc/hemostream/version")
    return Recognition(NAME, f"it carries hemostream's own description, version {version}", layout)
