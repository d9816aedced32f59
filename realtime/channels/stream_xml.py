"""A stream's own XML, read here alone: whatever was written into it, an element tree or a `StreamError`.

liblsl writes any character into the XML that it sends, also those that XML does not allow (a name with a
control character gives ``&#27;``), and expat rightly refuses that.  Such characters are replaced by their
escapes, in the text before it is read and in the texts of the tree, so everything behind this
module (recognising devices, names of channels, messages) meets printable text.
"""

import re
from xml.etree import ElementTree as ET

from models.errors import StreamError
from models.outside import printable

MOST_XML = 2**25
"""Characters of a description that are read: a thousand times those of a cap with 500 channels."""
_REFERENCE = re.compile(r"&#(x[0-9a-fA-F]{1,8}|[0-9]{1,10});")
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


def read_stream_xml(text: str) -> ET.Element:
    """A stream's ``info``.

    Parameters
    ----------
    text : str
        As LSL or an XDF file gives it.

    Raises
    ------
    StreamError
        It is too long, or no XML even with what XML does not allow replaced.
    """
    if len(text) > MOST_XML:
        raise StreamError(
            f"A stream describes itself in {len(text)} characters; expected at most {MOST_XML}. Shorten its "
            "description in the program that sends it."
        )
    try:
        info = ET.fromstring(text)
    except (ET.ParseError, ValueError):
        info = _mended(text)
    for node in info.iter():
        if node.text and not len(node) and not node.text.isprintable():
            node.text = printable(node.text.strip(), None)
    return info


def _mended(text: str) -> ET.Element:
    text = _REFERENCE.sub(_allowed, text)
    text = _NOT_XML.sub(lambda found: printable(found[0], None), text)
    try:
        return ET.fromstring(text)
    except (ET.ParseError, ValueError) as error:
        raise StreamError(
            f"A stream's description is no XML ({error}): {text[:80]!r}. Correct it in the program that "
            "sends it."
        ) from error


def _allowed(found: re.Match[str]) -> str:
    """A reference to a character that XML allows as it is, another one as the character's escape."""
    number = int(found[1][1:], 16) if found[1].startswith("x") else int(found[1])
    if number > 0x10FFFF or _NOT_XML.match(chr(number)):
        return printable(chr(number), None) if number <= 0x10FFFF else "?"
    return found[0]
