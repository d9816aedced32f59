"""Which spellings of a pseudonym or a label are one, whatever keyboard or spreadsheet they came from.

`canonical` (`models.outside`) is the one form in which a table's cells are taken: what looks the same is the
same.  `identity` is what two spellings share that a person would take for one (P01 and p01): never shown,
only compared.
"""

import unicodedata
from functools import lru_cache

from models.outside import canonical as canonical

_LOOK_ALIKE = str.maketrans(
    # Cyrillic and Greek letters, in lower case, that look like Latin ones in one of their cases.
    "авекмнорстухіјѕαβεζηικμνορτυχ",
    "abekmhopctyxijsabezhikmnoptyx",
)
SEXES = {"m": "M", "male": "M", "f": "F", "female": "F"}
"""Words for a sex, in lower case; any other is taken as it is written."""


@lru_cache(maxsize=65536)
def identity(text: str) -> str:
    """What all spellings of one name share.

    Case, blanks, kinds of dashes and of digits, width and, beside Latin letters or digits, look-alike letters
    of other scripts make no difference.
    """
    plain = unicodedata.normalize("NFKC", canonical(text)).casefold().replace("i\u0307", "i")
    plain = "".join(_plain(character) for character in plain if not character.isspace())
    if any(character.isascii() and character.isalnum() for character in plain):
        plain = plain.translate(_LOOK_ALIKE)
    return unicodedata.normalize("NFC", plain)


def nearly(text: str) -> str:
    """What names share that differ in zeros before a number or in what stands between letters: P1, P-01.

    So do a number that a spreadsheet gave decimals (1.0), and a code with BIDS's prefix (sub-P1).
    """
    parts: list[str] = []
    for character in _whole(identity(text)).removeprefix("sub-"):
        if not character.isalnum():
            parts.append("")
        elif parts and parts[-1] and parts[-1][-1].isdigit() == character.isdigit():
            parts[-1] += character
        else:
            parts.append(character)
    return ".".join(part.lstrip("0") or "0" if part.isdigit() else part for part in parts if part)


def shown(text: str) -> str:
    """A text in quotes with whatever two spellings may differ in: not only what the eye sees."""
    return repr(text) if text.isascii() else f"{text!r} ({text!a})"


def _whole(text: str) -> str:
    """1 of 1.0 and 1,00: many a table's program cannot keep a whole number."""
    digits, point, rest = text.replace(",", ".").partition(".")
    return digits if point and digits.isdecimal() and rest and not rest.strip("0") else text


def _plain(character: str) -> str:
    if unicodedata.category(character) == "Pd" or character == "\u2212":
        return "-"
    if character == "\u0131":  # without its dot, whose capital is everybody's I
        return "i"
    digit = unicodedata.digit(character, None)
    return character if digit is None else str(digit)
