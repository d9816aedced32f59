"""Numbers and their absence in other people's tables and descriptions: one set of words for all of them.

A cell that holds neither a number nor a word for "not known" is an error that shows the cell.  It never
becomes "not known" by itself: `760,0` is a wavelength that was written under another locale.
"""

import re

ABSENT = frozenset(
    {
        "",
        "-",
        "--",
        "---",
        "–",
        ".",
        "?",
        "#n/a",
        "#na",
        "<na>",
        "n/a",
        "n.a.",
        "na",
        "nan",
        "-nan",
        "nil",
        "none",
        "null",
        "missing",
        "not available",
        "unknown",
    }
)
"""How tables say that something is not known, in lower case: BIDS, pandas, R, SPSS, and people."""
ABSENT_NUMBERS = frozenset({-9999.0, -999.0})
"""Codes of shared phenotype tables (ABIDE, ADHD-200) for what was not measured."""
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+([eE][+-]?[0-9]+)?")
_MOST_SHOWN = 60


def is_absent(text: str | None) -> bool:
    """Whether a text says that something is not known."""
    return text is None or text.strip().lower() in ABSENT


def is_number(text: str) -> bool:
    """Whether a text is a finite number with a decimal point."""
    plain = text.strip()
    return bool(_NUMBER.fullmatch(plain)) and abs(float(plain)) < float("inf")


def has_decimal_comma(text: str) -> bool:
    """Whether a text is a number with a decimal comma."""
    return bool(_COMMA.fullmatch(text.strip()))


def number_in(text: str | None, what: str = "a number") -> float | None:
    """The finite number that a text holds.

    Parameters
    ----------
    text : str or None
        A cell of a table, or a field of a description.
    what : str
        What was expected, for the message.

    Returns
    -------
    float or None
        None where the text is one of `ABSENT`.

    Raises
    ------
    ValueError
        It is neither; the message shows the text, and begins with "is".
    """
    if text is None or is_absent(text):
        return None
    if is_number(text):
        return float(text)
    shown = text.strip()[:_MOST_SHOWN]
    advice = " with a decimal point, not a comma" if has_decimal_comma(text) else ""
    raise ValueError(f"is {shown!r}; expected {what}{advice}, or nothing (n/a) where it is not known")


def code_in(text: str | None, what: str = "a number") -> float | None:
    """Like `number_in`, and None too for the numbers that phenotype tables write for "not measured"."""
    value = number_in(text, what)
    return None if value in ABSENT_NUMBERS else value
