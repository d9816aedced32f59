"""The one rule by which a figure is called better than chance: on pages, on cards, wherever it is told.

Better than chance is claimed where the permutation p is 0.05 or less and the 95 % interval, if there is one,
lies above chance; where they disagree both are given and nothing is claimed.  Without a p of its own a model
is only said to lie above chance by its interval.  All is decided on the digits that are shown, so that no
sentence can contradict the table beside it.
"""

from collections.abc import Sequence
from enum import StrEnum

ALPHA = 0.05
DIGITS = 3
"""As tables of a report show shares."""


class Standing(StrEnum):
    """How a figure stands to chance."""

    UNKNOWN = "not determined"
    NOT_TESTED = "not tested"
    BETTER = "better than chance"
    ABOVE = "above chance by its interval alone"
    DISAGREE = "interval and p disagree"
    AT_CHANCE = "at chance"
    BELOW = "below chance"


def standing_of(
    value: float | None, interval: Sequence[float] | None, p: float | None, chance: float
) -> Standing:
    """How a figure with its 95 % interval and its p, each None where there is none, stands to chance."""
    if value is None:
        return Standing.UNKNOWN
    by_interval = None if interval is None else above(interval[0], chance)
    by_p = None if p is None else shown(p) <= ALPHA and above(value, chance)
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
    below = interval is not None and above(chance, interval[1])
    return Standing.BELOW if below else Standing.AT_CHANCE


def shown(value: float) -> float:
    """A number as its digits in a table say it."""
    return round(value, DIGITS)


def above(value: float, chance: float) -> bool:
    """Whether it is more than chance, by the digits that are shown."""
    return shown(value) > shown(chance)
