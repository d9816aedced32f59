"""Numbers as the text of a table's cell, on pages, in Markdown and on the terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

Ends = Sequence[float] | None
NONE = "–"


def number(value: float | None, none: str = NONE) -> str:
    """Three digits, or a dash where there is none."""
    return none if value is None else f"{value:.3f}"


def p_value(value: float | None) -> str:
    """Three digits, or that it was not estimated."""
    return number(value, "not estimated")


def interval(ends: Ends, sign: str = "") -> str:
    """From here to there, or a dash."""
    return NONE if ends is None else f"{ends[0]:{sign}.3f} to {ends[1]:{sign}.3f}"


def figure(value: float | None, ends: Ends) -> str:
    """A number and its interval, where it has one."""
    return number(value) + ("" if value is None or ends is None else f" ({interval(ends)})")


def figure_of(its: Mapping[str, Any]) -> str:
    """A figure of ``results.json``: its value and interval."""
    return figure(its["value"], its["interval"])


def difference(its: Mapping[str, Any]) -> tuple[str, str]:
    """A difference and its interval, in two cells."""
    value = its["difference"]
    return (NONE if value is None else f"{value:+.3f}"), interval(its["interval"], "+")


def mean_of(its: Mapping[str, float | None]) -> str:
    """A mean and its SD, where they are known."""
    return number(its["mean"]) + ("" if its["mean"] is None or its["sd"] is None else f" ({its['sd']:.3f})")


def times(n: int, what: str) -> str:
    """A number and a noun: "1 fold", "5 folds"."""
    return f"{n} {what}{'' if n == 1 else 's'}"


def capital(text: str) -> str:
    """A text whose first letter is a capital."""
    return text[:1].upper() + text[1:]


def sentence(text: str) -> str:
    """A text of a file as a sentence."""
    return f"{capital(text).rstrip('.')}." if text else ""
