"""The one rule by which a page calls a figure better than chance, and the words for it.

Better than chance is claimed where the permutation p is 0.05 or less and the 95 % interval, if there is one,
lies above chance; where they disagree both are given and nothing is claimed.  Without a p of its own a model
is only said to lie above chance by its interval.  All is decided on the digits that are shown, so that no
sentence can contradict the table beside it.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from offline.report.cells import interval

ALPHA = 0.05
DIGITS = 3
"""As `offline.report.cells.number` shows them."""


class Standing(StrEnum):
    """How a figure stands to chance."""

    UNKNOWN = "not determined"
    NOT_TESTED = "not tested"
    BETTER = "better than chance"
    ABOVE = "above chance by its interval alone"
    DISAGREE = "interval and p disagree"
    AT_CHANCE = "at chance"
    BELOW = "below chance"


def standing(its: Mapping[str, Any], chance: float) -> Standing:
    """How a figure (``value``, ``interval``, ``p``; each but the value may be None) stands to chance."""
    if its["value"] is None:
        return Standing.UNKNOWN
    by_interval = None if its["interval"] is None else _above(its["interval"][0], chance)
    by_p = None if its["p"] is None else shown(its["p"]) <= ALPHA and _above(its["value"], chance)
    if by_p is None:
        if by_interval is None:
            return Standing.NOT_TESTED
        if by_interval:
            return Standing.ABOVE
    elif by_interval in (None, by_p):
        if by_p:
            return Standing.BETTER
    else:
        return Standing.DISAGREE
    below = its["interval"] is not None and _above(chance, shown(its["interval"][1]))
    return Standing.BELOW if below else Standing.AT_CHANCE


def against_chance(its: Mapping[str, Any], chance: float, *, against: str = "") -> str:
    """The verdict in a sentence that gives the interval and the p that it rests on.

    Parameters
    ----------
    its : mapping
        ``value``, ``interval`` and ``p`` of a figure.
    chance : float
        What guessing gives.
    against : str
        Of what the p is, where that is not the usual permutation of labels.
    """
    at = chance_text(chance)
    p = None if its["p"] is None else f"permutation p = {its['p']:.3f}{against}"
    ends = None if its["interval"] is None else interval(its["interval"])
    found = standing(its, chance)
    if found is Standing.UNKNOWN:
        return "Not determined by these recordings."
    if found is Standing.NOT_TESTED:
        return f"Chance is {at}; whether this is more was not tested for this model."
    if found is Standing.ABOVE:
        return (
            f"Above chance ({at}) by its 95 % interval ({ends}) alone: no permutation test of this model was "
            "made, so more is not claimed."
        )
    if found is Standing.BETTER:
        if ends is None:
            return f"Better than chance ({at}; {p}) for these people; too few for an interval between them."
        return f"Better than chance ({at}): the 95 % interval ({ends}) lies above it, and {p}."
    if found is Standing.DISAGREE:
        no = f"Not shown to be better than chance ({at})"
        if _above(its["interval"][0], chance):
            return f"{no}: the 95 % interval ({ends}) lies above it, but {p}."
        return f"{no}: {p}, but the 95 % interval ({ends}) does not lie above it."
    basis = " and ".join(
        text for text in (None if ends is None else f"the 95 % interval is {ends}", p) if text is not None
    )
    if found is Standing.BELOW:
        return f"Below chance ({at}), which guessing alone should rarely give: {basis}."
    return f"At chance ({at}), not told apart from guessing: {basis}."


def chance_text(chance: float) -> str:
    """Chance with two digits where these are all it has, else three."""
    return f"{chance:.2f}" if round(chance, 2) == chance else f"{chance:.3f}"


def shown(value: float) -> float:
    """A number as its digits in a table say it."""
    return round(value, DIGITS)


def _above(value: float, chance: float) -> bool:
    return shown(value) > shown(chance)
