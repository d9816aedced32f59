"""Checks of a stage's settings: the value a person wrote, what was expected, in one sentence.

Settings come from recipes and bundle cards, so they are TOML or JSON scalars and lists.
"""

from collections.abc import Iterable
from typing import Any

from models.errors import RecipeError, near_match

MOST = 1e300
"""No setting is larger."""


def number(
    stage: str,
    setting: str,
    value: Any,
    *,
    above: float | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
) -> float:
    """Check a finite number.

    Parameters
    ----------
    stage, setting : str
        Named in the message.
    value : object
        What was written.
    above, at_least, at_most : float or None
        Bounds, in the setting's unit.

    Returns
    -------
    float
        The value.

    Raises
    ------
    RecipeError
        If it is no finite number within the bounds.
    """
    bounds = []
    if above is not None:
        bounds.append(f"above {above:g}")
    if at_least is not None:
        bounds.append(f"at least {at_least:g}")
    if at_most is not None:
        bounds.append(f"at most {at_most:g}")
    # Compared, not converted: JSON holds whole numbers that no float can.
    fine = isinstance(value, int | float) and not isinstance(value, bool) and -MOST < value < MOST
    if fine:
        fine = (
            (above is None or value > above)
            and (at_least is None or value >= at_least)
            and (at_most is None or value <= at_most)
        )
    if not fine:
        expected = " ".join(["a number", " and ".join(bounds)]).strip()
        raise RecipeError(f"Stage {stage!r}: {setting} = {value!r}; expected {expected}.")
    return float(value)


def integer(stage: str, setting: str, value: Any, *, at_least: int, at_most: int) -> int:
    """Check a whole number between two bounds.

    Raises
    ------
    RecipeError
        If it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not at_least <= value <= at_most:
        raise RecipeError(
            f"Stage {stage!r}: {setting} = {value!r}; expected a whole number from {at_least} to {at_most}."
        )
    return value


def flag(stage: str, setting: str, value: Any) -> bool:
    """Check a truth value.

    Raises
    ------
    RecipeError
        If it is none.
    """
    if not isinstance(value, bool):
        raise RecipeError(f"Stage {stage!r}: {setting} = {value!r}; expected true or false.")
    return value


def strings(stage: str, setting: str, value: Any, *, known: Iterable[str] | None = None) -> tuple[str, ...]:
    """Check a list of different strings, each of them among ``known`` where that is given.

    Raises
    ------
    RecipeError
        If it is no such list; an unknown string is answered with its near match.
    """
    if not isinstance(value, list | tuple) or not value or not all(isinstance(item, str) for item in value):
        raise RecipeError(f"Stage {stage!r}: {setting} = {value!r}; expected a list of strings, not empty.")
    twice = sorted({item for item in value if value.count(item) > 1})
    if twice:
        raise RecipeError(f"Stage {stage!r}: {setting} names {', '.join(twice)} more than once.")
    if known is not None:
        names = tuple(known)
        for item in value:
            if item not in names:
                raise RecipeError(
                    f"Stage {stage!r}: {setting} has {item!r}, which is not known. {near_match(item, names)}"
                )
    return tuple(value)
