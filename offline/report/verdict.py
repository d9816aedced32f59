"""The words for how a figure stands to chance, by the one rule for that (`models.evidence.standing`)."""

from collections.abc import Mapping
from typing import Any

from models.evidence.standing import Standing, above, standing_of
from offline.report.cells import interval


def standing(its: Mapping[str, Any], chance: float) -> Standing:
    """How a figure (``value``, ``interval``, ``p``; each but the value may be None) stands to chance."""
    return standing_of(its["value"], its["interval"], its["p"], chance)


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
        if above(its["interval"][0], chance):
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
