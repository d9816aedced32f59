"""Text that came from outside (a stream, a broker, a file), made safe to keep, to log and to show.

Whoever names a stream, a marker, a person or a channel chooses the characters: a terminal obeys escape
codes, XML and file systems refuse control characters, and a name may be as long as a book.  The places
where text comes in and where it is printed call `decoded` and `printable`; what stands between needs to
know nothing of it.
"""

import re
import unicodedata
from functools import lru_cache

LONGEST_NAME = 200
"""Characters of a name that are kept where it is shown."""
LONGEST_LABEL = 1000
"""Characters of a marker's label that are kept: some programs send JSON."""

_UNSAFE = (
    "\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069"
    "\ufeff\ufffe\uffff\ud800-\udfff"
)
"""Controls (C0, C1), marks and overrides of the direction of text, line and paragraph separators, a byte
order mark, and what is no character at all."""
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u2800\u3164\uffa0") | {
    chr(code) for code in (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
}
"""Characters that show nothing though Unicode counts them as letters or marks: fillers, selectors."""
_ON_A_LINE = re.compile(f"[{_UNSAFE}]")
_IN_LINES = re.compile(f"(?![\t\n])[{_UNSAFE}]")


def decoded(raw: bytes) -> str:
    """Text of bytes that should be UTF-8; where they are not, every byte is kept as Latin-1.

    Parameters
    ----------
    raw : bytes
        As it came.

    Examples
    --------
    >>> decoded("Übung".encode()), decoded(b"\\xdcbung")
    ('Übung', 'Übung')
    """
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


@lru_cache(maxsize=65536)
def canonical(text: str) -> str:
    """A text in composed letters (NFC), without invisible characters, every run of blanks one blank.

    Two names are compared in this form: what looks the same is the same.

    Parameters
    ----------
    text : str
        Anything.

    Examples
    --------
    >>> canonical(" left\u00a0 hand") == canonical("left hand")
    True
    """
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    seen = "".join(
        " " if character.isspace() else character
        for character in unicodedata.normalize("NFC", text)
        if character.isspace() or not _is_invisible(character)
    )
    return unicodedata.normalize("NFC", " ".join(seen.split()))


def _is_invisible(character: str) -> bool:
    return character in _INVISIBLE or unicodedata.category(character) in ("Cc", "Cf")


def printable(text: str, longest: int | None = LONGEST_NAME, *, lines: bool = False) -> str:
    """The text with what no terminal should get written as an escape, and its middle left out if it is long.

    Doing it twice is the same as doing it once.

    Parameters
    ----------
    text : str
        Anything.
    longest : int or None
        Most characters that are kept; None keeps all.
    lines : bool
        Whether line ends and tabs may stay.

    Examples
    --------
    >>> printable("bed\\x1b[31m 1")
    'bed\\\\x1b[31m 1'
    >>> printable("x" * 300, 20)
    'xxxxxxx ... xxxxxxxx'
    """
    text = (_IN_LINES if lines else _ON_A_LINE).sub(_escaped, text)
    if longest is None or len(text) <= longest:
        return text
    kept = longest - 5
    return f"{text[: kept // 2]} ... {text[len(text) - (kept - kept // 2) :]}"


def _escaped(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"
